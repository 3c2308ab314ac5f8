//! More uploads at once than the connection has lanes, and how long each may wait.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::mpsc;
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use futures_executor::block_on;
use futures_util::future::join_all;
use futures_util::{FutureExt, StreamExt, stream};
use witrpc::{CallError, UploadStage};
use witrpc_tests::fixture::{Fixture, FixtureConfig, ServerCommand, ServerReply, Transport};
use witrpc_tests::over_both_transports;
use witrpc_tests::streams::{Fed, StreamsAsyncClient, StreamsClient, feed};
use witrpc_tests::watchdog::{PATIENCE, eventually, eventually_equal};

/// Enough items to fill what the server grants ahead: two batches of 64 KiB and a bit.
const MANY: u64 = 2 * (64 << 10) / 8 + 100;

fn fixture_of_lanes(transport: Transport, lanes: u32) -> Fixture {
    Fixture::with_streams(
        transport,
        FixtureConfig { lanes: Some(lanes), ..FixtureConfig::default() },
    )
}

/// Connects a client with this time limit.
fn hasty(fixture: &Fixture, time: Duration) -> StreamsClient {
    let builder = StreamsClient::builder(fixture.endpoint()).call_timeout(time);
    builder.connect().expect("the client connects")
}

fn hasty_later(fixture: &Fixture, time: Duration) -> StreamsAsyncClient {
    let builder = StreamsAsyncClient::builder(fixture.endpoint()).call_timeout(time);
    block_on(builder.connect()).expect("the client connects")
}

/// The outcome of an attempt with too little time.
const TIME_WAS_SHORT: CallError = CallError::NoFreeLane { lanes: 0, abandoned: 0 };

/// Makes an attempt with more and more time, until its outcome is not that the machine was too busy
/// to open an upload in that time.
fn with_enough_time(attempt: impl Fn(Duration) -> CallError) -> (Duration, CallError) {
    let mut time = Duration::from_millis(50);
    loop {
        let error = attempt(time);
        if !matches!(error, CallError::TimedOut { .. } | CallError::NoFreeLane { .. }) {
            return (time, error);
        }
        assert!(time < PATIENCE, "{error:?}");
        time *= 2;
    }
}

/// Returns the number, after it has yielded the thread.
async fn yielding(number: u64) -> u64 {
    let mut yielded = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
    number
}

over_both_transports! {
    fn a_thousand_async_uploads_at_once_complete_over_three_lanes(transport) {
        let fixture = fixture_of_lanes(transport, 3);
        let later = fixture.streams_later();
        // Each item in a push of its own, unless the server is slow.
        let items = |seed| stream::iter(seed..seed + 3).then(yielding);
        let uploads = (0..1000).map(|seed| later.follow_later(items(seed)));
        let counts = block_on(join_all(uploads));
        assert_eq!(counts, vec![Ok(3); 1000]);
        assert_eq!(block_on(later.seen()), Ok(3000));
        eventually_equal("how many calls are unanswered", &0, || fixture.metrics().in_flight);
    }

    fn a_hundred_blocking_uploads_at_once_complete_over_three_lanes(transport) {
        let fixture = fixture_of_lanes(transport, 3);
        let client = fixture.streams();
        thread::scope(|scope| {
            // Some have more items than are granted ahead.
            let upload = |seed: u64| {
                let (client, end) = (&client, if seed.is_multiple_of(10) { 2 * MANY } else { 5 });
                (end, scope.spawn(move || client.sum(0..end)))
            };
            let uploads: Vec<_> = (0..100).map(upload).collect();
            for (end, sum) in uploads {
                assert_eq!(sum.join().unwrap(), Ok(end * (end - 1) / 2));
            }
        });
        assert_eq!(client.fed(), Ok(Fed { whole: 100, broken: 0 }));
    }

    fn uploads_whose_methods_take_nothing_leave_lanes_to_others(transport) {
        let fixture = fixture_of_lanes(transport, 3);
        let (client, later, basic) = (fixture.streams(), fixture.streams_later(), fixture.client());
        let (client, later) = (&client, &later);
        thread::scope(|scope| {
            let uploads: Vec<_> = (0..10)
                .map(|number| scope.spawn(move || match number % 2 {
                    0 => client.take_behind(1, MANY, 0..MANY),
                    _ => block_on(later.take_behind(1, MANY, stream::iter(0..MANY))),
                }))
                .collect();
            // Calls over the same lanes go on, and so do uploads that are taken.
            basic.arrived(1, 10).unwrap();
            for number in 0..20 {
                assert_eq!(client.running(), Ok(0));
                assert_eq!(client.sum(0..number), Ok((0..number).sum()));
            }
            basic.open(1).unwrap();
            for upload in uploads {
                assert_eq!(upload.join().unwrap(), Ok(MANY * (MANY - 1) / 2));
            }
        });
    }

    fn an_early_answer_comes_while_no_item_does(transport) {
        for lanes in [3, 64] {
            let fixture = fixture_of_lanes(transport, lanes);
            let later = fixture.streams_later();
            let endless = || stream::iter(0..3_u64).chain(stream::pending());
            let takes = |count| later.take_behind(1, count, endless());
            // Most never get what they want; those in the middle do.
            let waiting: Vec<_> = (0..20).map(|_| takes(4)).collect();
            let mut waiting = join_all(waiting).boxed();
            assert!(waiting.as_mut().now_or_never().is_none());
            block_on(fixture.async_client().open(1)).unwrap();
            let early = join_all((0..20).map(|_| takes(3)));
            let sums = block_on(async {
                futures_util::pin_mut!(early);
                futures_util::future::poll_fn(|cx| {
                    assert!(waiting.as_mut().poll_unpin(cx).is_pending());
                    early.as_mut().poll(cx)
                })
                .await
            });
            assert_eq!(sums, vec![Ok(3); 20]);
            drop(waiting);
            assert_eq!(block_on(later.running()), Ok(0));
        }
    }

    fn uploads_that_are_given_up_while_they_wait_leave_nothing(transport) {
        let fixture = fixture_of_lanes(transport, 3);
        let later = fixture.streams_later();
        for _ in 0..5 {
            let is_fed = AtomicU64::new(0);
            let items = || stream::poll_fn(|_| {
                is_fed.fetch_add(1, SeqCst);
                Poll::<Option<u64>>::Pending
            });
            let mut calls: Vec<_> = (0..10).map(|_| Box::pin(later.follow_later(items()))).collect();
            eventually("all are open", || {
                calls.iter_mut().for_each(|call| assert_eq!(call.as_mut().now_or_never(), None));
                is_fed.load(SeqCst) >= 100
            });
            drop(calls);
            assert_eq!(block_on(later.follow_later(stream::iter(0..5))), Ok(5));
        }
        eventually_equal("how many calls are unanswered", &0, || fixture.metrics().in_flight);
    }

    fn a_lost_connection_ends_all_uploads_that_wait(transport) {
        let fixture = fixture_of_lanes(transport, 3);
        let (client, later) = (fixture.streams(), fixture.streams_later());
        let (client, later) = (&client, &later);
        let begun = &AtomicU64::new(0);
        thread::scope(|scope| {
            let uploads: Vec<_> = (0..12)
                .map(|number| scope.spawn(move || {
                    let items = (0..MANY).inspect(|number| _ = begun.fetch_max(*number, SeqCst));
                    match number % 3 {
                        0 => client.take_behind(1, MANY, items),
                        1 => block_on(later.take_behind(1, MANY, stream::iter(items))),
                        _ => block_on(later.take_behind(1, 1, stream::pending())),
                    }
                }))
                .collect();
            eventually("some wait for room", || begun.load(SeqCst) > MANY / 2);
            client.connection().disconnect();
            later.connection().disconnect();
            for upload in uploads {
                let error = upload.join().unwrap().expect_err("its connection is gone");
                assert!(matches!(error, CallError::Disconnected(_)), "{error:?}");
            }
        });
    }

    fn a_shutdown_has_uploads_that_have_begun_completed(transport) {
        for lanes in [3, 64] {
            let fixture = fixture_of_lanes(transport, lanes);
            let (client, later) = (fixture.streams(), fixture.streams_later());
            thread::scope(|scope| {
                let (sender, call) = feed(scope, &client);
                let (later_sender, items) = mpsc::channel::<u64>();
                let later_call = scope.spawn(|| {
                    let items = stream::iter(items);
                    block_on(later.follow_later(items))
                });
                for sender in [&sender, &later_sender] {
                    sender.send(1).unwrap();
                }
                eventually_equal("how many items came", &Ok(2), || client.seen());
                fixture.tell(ServerCommand::BeginShutdown(PATIENCE));
                eventually("new calls are turned away", || match client.running() {
                    Ok(_) => false,
                    Err(CallError::ShuttingDown) => true,
                    Err(other) => panic!("{other}"),
                });
                let refused = client.sum(0..3).expect_err("it has not begun");
                assert_eq!(refused, CallError::ShuttingDown);
                for sender in [sender, later_sender] {
                    (0..MANY).for_each(|number| sender.send(number).unwrap());
                }
                assert_eq!(call.join().unwrap(), Ok(MANY + 1));
                assert_eq!(later_call.join().unwrap(), Ok(MANY + 1));
            });
            assert_eq!(fixture.host().tell(ServerCommand::EndShutdown), ServerReply::Was(true));
        }
    }

    fn an_upload_that_waits_for_a_thread_says_so_and_never_begins(transport) {
        let fixture = fixture_of_lanes(transport, 64);
        let (time, error) = with_enough_time(|time| {
            let client = hasty(&fixture, time);
            thread::scope(|scope| {
                let Ok(begun) = client.seen() else { return TIME_WAS_SHORT };
                let busy: Vec<_> = (0..8).map(|_| feed(scope, &client)).collect();
                busy.iter().for_each(|(sender, _)| sender.send(1).unwrap());
                let all_run = || client.seen().is_ok_and(|seen| seen >= begun + 8);
                // A call whose time was over while its first item was in flight waits for the next
                // one.
                let started = Instant::now();
                let is_over = || {
                    started.elapsed() > 8 * time || busy.iter().any(|(_, call)| call.is_finished())
                };
                eventually("all threads are taken", || all_run() || is_over());
                let error = if is_over() {
                    TIME_WAS_SHORT
                } else {
                    client.sum(0..10).expect_err("there is no thread for it")
                };
                let (senders, calls): (Vec<_>, Vec<_>) = busy.into_iter().unzip();
                drop(senders);
                let ends: Vec<_> = calls.into_iter().map(|call| call.join().unwrap()).collect();
                if matches!(error, CallError::UploadStalled { .. }) {
                    assert_eq!(ends, vec![Ok(1); 8], "an upload of which items are taken goes on");
                }
                error
            })
        });
        let (after, stage) = (time, UploadStage::Queued);
        assert_eq!(error, CallError::UploadStalled { after, stage });
        assert!(error.is_retryable() && !error.maybe_executed());
        assert!(error.to_string().contains("threads"), "{error}");
    }

    fn an_upload_of_which_no_item_is_taken_says_so(transport) {
        for lanes in [3, 64] {
            let fixture = fixture_of_lanes(transport, lanes);
            for is_async in [false, true] {
                for count in [1, MANY] {
                    let (time, error) = with_enough_time(|time| match is_async {
                        true => {
                            let items = stream::iter(0..count).chain(stream::pending());
                            block_on(hasty_later(&fixture, time).take_behind(1, 1, items)).unwrap_err()
                        }
                        false => hasty(&fixture, time).take_behind(1, 1, 0..count).unwrap_err(),
                    });
                    let (after, stage) = (time, UploadStage::Begun);
                    assert_eq!(error, CallError::UploadStalled { after, stage });
                    assert!(error.is_retryable() && error.maybe_executed());
                }
            }
            assert_eq!(fixture.streams().sum(0..10), Ok(45));
        }
    }

    fn an_upload_of_which_an_item_was_taken_may_pause(transport) {
        let fixture = fixture_of_lanes(transport, 64);
        let paused = AtomicBool::new(false);
        with_enough_time(|time| {
            let client = hasty(&fixture, time);
            let before = client.seen().unwrap_or(0);
            let began = Instant::now();
            let items = (0..3).inspect(|number| {
                if *number == 1 {
                    let has_paused = || began.elapsed() > 3 * time;
                    let was_taken = || client.seen().is_ok_and(|seen| seen > before);
                    eventually("it was taken long ago", || has_paused() && was_taken());
                }
            });
            match client.follow(items) {
                Ok(count) => {
                    assert_eq!(count, 3);
                    paused.store(true, SeqCst);
                    CallError::Cancelled
                }
                Err(CallError::UploadStalled { .. }) => TIME_WAS_SHORT,
                Err(error) => error,
            }
        });
        assert!(paused.into_inner());
    }

    fn a_deadline_ends_an_upload_that_has_no_items(transport) {
        let fixture = fixture_of_lanes(transport, 3);
        let later = fixture.streams_later();
        let deadline = Instant::now() + Duration::from_millis(50);
        let options = witrpc::CallOptions::new().deadline(deadline);
        let ended = block_on(later.with(options).follow_later(stream::pending()));
        let error = ended.expect_err("its time is over");
        // It may be over before the upload is open.
        assert!(matches!(error, CallError::TimedOut { .. } | CallError::Expired), "{error:?}");
        assert!(Instant::now() >= deadline);
    }

    fn an_early_answer_comes_while_a_batch_is_held(transport) {
        // With five lanes or more, the answer may be requested before.
        for lanes in 3..8 {
            let fixture = fixture_of_lanes(transport, lanes);
            let (later, basic) = (fixture.streams_later(), fixture.async_client());
            for gate in 1..20 {
                let endless = || stream::iter(0..).then(yielding);
                let upload = later.take_behind(gate, 1, endless());
                let opening = async {
                    basic.arrived(gate, 1).await.unwrap();
                    basic.open(gate).await.unwrap();
                };
                let (sum, ()) = block_on(futures_util::future::join(upload, opening));
                assert_eq!(sum, Ok(0), "over {lanes} lanes");
            }
        }
    }

    fn a_stream_without_items_an_upload_and_a_subscription_leave_a_lane_to_calls(transport) {
        for (lanes, subscribes) in [(2, false), (3, false), (3, true), (4, true), (5, true)] {
            let fixture = fixture_of_lanes(transport, lanes);
            let (later, basic) = (fixture.streams_later(), fixture.client());
            block_on(async {
                let _subscription = if subscribes { Some(later.came().await.unwrap()) } else { None };
                let mut silent = later.gated_later(vec![1]).await.unwrap();
                assert_eq!(silent.next().now_or_never(), None);
                let mut upload = later.take_behind(2, MANY, stream::iter(0..MANY)).boxed();
                for _ in 0..20 {
                    assert_eq!(upload.as_mut().now_or_never(), None);
                    assert_eq!(later.seen().await, Ok(0), "a call over {lanes} lanes");
                }
                basic.arrived(2, 1).unwrap();
                basic.open(1).unwrap();
                basic.open(2).unwrap();
                let (item, sum) = futures_util::future::join(silent.next(), upload).await;
                assert_eq!((item, sum), (Some(Ok(1)), Ok(MANY * (MANY - 1) / 2)));
            });
        }
    }

    fn an_upload_without_items_that_waits_for_a_thread_says_so(transport) {
        let fixture = fixture_of_lanes(transport, 64);
        for is_empty in [true, false] {
            let (after, error) = with_enough_time(|time| {
                let later = hasty_later(&fixture, time);
                let client: StreamsClient = later.connection().client().unwrap();
                thread::scope(|scope| {
                    let begun = client.seen().unwrap_or(0);
                    let busy: Vec<_> = (0..8).map(|_| feed(scope, &client)).collect();
                    busy.iter().for_each(|(sender, _)| sender.send(1).unwrap());
                    let all_run = || client.seen().is_ok_and(|seen| seen >= begun + 8);
                    let is_over = || busy.iter().any(|(_, call)| call.is_finished());
                    eventually("all threads are taken", || all_run() || is_over());
                    if is_over() {
                        return TIME_WAS_SHORT;
                    }
                    // One has ended already, the other has not begun.
                    let ended = match is_empty {
                        true => client.sum(0..0),
                        false => block_on(later.sum(stream::pending())),
                    };
                    ended.expect_err("there is no thread for it")
                })
            });
            let stage = UploadStage::Queued;
            assert_eq!(error, CallError::UploadStalled { after, stage }, "empty: {is_empty}");
        }
    }

    fn an_upload_that_has_begun_may_have_its_first_item_late(transport) {
        let fixture = fixture_of_lanes(transport, 64);
        let (_, ended) = with_enough_time(|time| {
            let client = hasty(&fixture, time);
            let began = Instant::now();
            let items = (0..3).inspect(|_| {
                eventually("the time is long over", || began.elapsed() > 3 * time);
            });
            match client.follow(items) {
                Ok(count) => {
                    assert_eq!(count, 3);
                    CallError::Cancelled
                }
                // Its items were sent, and the machine was too busy.
                Err(CallError::UploadStalled { stage: UploadStage::Begun, .. }) => TIME_WAS_SHORT,
                Err(error) => error,
            }
        });
        assert_eq!(ended, CallError::Cancelled);
    }
}
