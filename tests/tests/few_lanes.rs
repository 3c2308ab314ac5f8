//! Streams, uploads and events over a connection of few lanes.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use futures_executor::block_on;
use futures_util::{FutureExt, StreamExt, future, stream};
use tempfile::TempDir;
use witrpc::{Backoff, CallError, CallOptions, EventError, Mmf, Reconnect};
use witrpc_tests::basic::{BasicAsyncClient, BasicClient};
use witrpc_tests::event_service::{
    EventServiceAsyncClient, EventServiceClient, EventServiceTicked, connect,
};
use witrpc_tests::fixture::{Address, Fixture, FixtureConfig, Transport};
use witrpc_tests::over_both_transports;
use witrpc_tests::streams::{StreamsAsyncClient, StreamsClient};
use witrpc_tests::watchdog::{PATIENCE, eventually};

/// Enough items to fill what the server grants ahead: two batches of 64 KiB and a bit.
const MANY: u64 = 2 * (64 << 10) / 8 + 100;

fn plan(lanes: u32) -> FixtureConfig {
    FixtureConfig {
        streams: true,
        event_service: true,
        lanes: Some(lanes),
        ..FixtureConfig::default()
    }
}

/// Connects a client with this time limit.
fn later(fixture: &Fixture, time: impl Into<Option<Duration>>) -> StreamsAsyncClient {
    let builder = StreamsAsyncClient::builder(fixture.endpoint()).call_timeout(time);
    block_on(builder.connect()).expect("the client connects")
}

/// Counts how often a task is woken.
#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// A task that the test polls explicitly.
struct Watched<F> {
    wakes: Arc<Wakes>,
    future: F,
}

impl<F: Future + Unpin> Watched<F> {
    fn new(future: F) -> Self {
        Self { wakes: Arc::default(), future }
    }

    fn poll(&mut self) -> Poll<F::Output> {
        self.wakes.0.store(0, SeqCst);
        let waker = Waker::from(Arc::clone(&self.wakes));
        self.future.poll_unpin(&mut Context::from_waker(&waker))
    }

    /// Polls it when it is woken, until it is ready.
    fn wait(&mut self, what: &str) -> F::Output {
        loop {
            eventually(what, || self.wakes.0.load(SeqCst) > 0);
            if let Poll::Ready(output) = self.poll() {
                return output;
            }
        }
    }
}

/// Returns the outcome of an upload beside a stream whose items are not taken, and which keeps its
/// lane. It is tried with more and more time, until there was enough to open both.
fn beside_a_silent_stream(fixture: &Fixture, subscribes: bool) -> Result<u64, CallError> {
    let mut time = Duration::from_millis(50);
    loop {
        let later = later(fixture, time);
        let ended = block_on(async {
            let event_service =
                later.connection().client_async::<EventServiceAsyncClient>().await.unwrap();
            let _ticks = match subscribes {
                true => Some(event_service.ticked().await?),
                false => None,
            };
            let mut silent = Vec::new();
            for _ in 0..3 {
                silent.push(later.gated_later(vec![1]).await?);
            }
            // The others wait for a turn, and keep nothing.
            silent.iter_mut().for_each(|it| assert_eq!(it.next().now_or_never(), None));
            later.follow_later(stream::iter(0..MANY)).await
        });
        let was_short = |error: &CallError| {
            use CallError::{NoFreeLane, TimedOut, UploadStalled};
            matches!(error, TimedOut { .. } | NoFreeLane { .. } | UploadStalled { .. })
        };
        if !ended.as_ref().is_err_and(was_short) || time > PATIENCE / 50 {
            return ended;
        }
        time *= 2;
    }
}

/// Returns the outcome of an upload that has neither an item nor its answer, while calls take all
/// lanes for its notices. It is tried with more and more time, until there was enough to open it.
fn beside_calls_on_all_lanes(fixture: &Fixture) -> Result<u64, CallError> {
    let mut time = Duration::from_millis(50);
    loop {
        let later = later(fixture, time);
        let basic = block_on(later.connection().client_async::<BasicAsyncClient>()).unwrap();
        let basic = basic.with(CallOptions::new().timeout(PATIENCE));
        let mut first = basic.hold_later(1, 1).boxed();
        assert_eq!(first.as_mut().now_or_never(), None);
        let mut upload = later.take_behind(2, 0, stream::pending::<u64>()).boxed();
        // The other lane is that of its opening. The next call waits for that lane.
        assert_eq!(upload.as_mut().now_or_never(), None);
        let calls = future::join(first, basic.hold_later(1, 1)).boxed();
        let ended = match block_on(future::select(calls, upload)) {
            future::Either::Left((ended, _)) => panic!("nothing opens the gate: {ended:?}"),
            future::Either::Right((ended, _)) => ended,
        };
        let was_short =
            matches!(ended, Err(CallError::TimedOut { .. } | CallError::NoFreeLane { .. }));
        if !was_short || time > PATIENCE / 50 {
            return ended;
        }
        time *= 2;
    }
}

/// Polls an upload until its method waits at a gate.
fn until_arrived<T: Debug>(
    fixture: &Fixture,
    gate: u64,
    upload: &mut (impl Future<Output = T> + Unpin),
) {
    let basic = fixture.async_client();
    let arrived = basic.arrived(gate, 1).boxed();
    match block_on(future::select(upload, arrived)) {
        future::Either::Left((ended, _)) => panic!("it has ended: {ended:?}"),
        future::Either::Right((arrived, _)) => arrived.unwrap(),
    }
}

over_both_transports! {
    fn an_upload_beside_a_stream_that_is_not_polled_completes_or_names_the_lanes(transport) {
        for (lanes, subscribes) in [(2, false), (3, false), (3, true)] {
            let fixture = Fixture::with(transport, plan(lanes));
            let ended = beside_a_silent_stream(&fixture, subscribes);
            let Err(CallError::StreamBroken { cause }) = &ended else { panic!("{lanes}: {ended:?}") };
            assert_eq!(**cause, CallError::TooFewLanes { lanes, needed: 4 });
            assert!(cause.to_string().contains("needs 4"), "{cause}");
        }
        for (lanes, subscribes) in [(4, false), (4, true), (5, true)] {
            let fixture = Fixture::with(transport, plan(lanes));
            let ended = beside_a_silent_stream(&fixture, subscribes);
            assert_eq!(ended, Ok(MANY), "over {lanes} lanes");
        }
    }

    fn an_upload_whose_notices_get_no_lane_waits_for_one_as_long_as_a_call_may_take(transport) {
        let fixture = Fixture::with(transport, plan(2));
        let ended = beside_calls_on_all_lanes(&fixture);
        let Err(CallError::StreamBroken { cause }) = &ended else { panic!("{ended:?}") };
        assert!(matches!(**cause, CallError::NoFreeLane { lanes: 2, .. }), "{cause:?}");
        fixture.client().open(1).unwrap();
    }

    fn a_stream_whose_request_gets_no_lane_waits_for_one_as_long_as_a_call_may_take(transport) {
        let fixture = Fixture::with(transport, plan(2));
        let later = later(&fixture, Duration::from_millis(20));
        let basic = block_on(later.connection().client_async::<BasicAsyncClient>()).unwrap();
        let options = CallOptions::new().timeout(PATIENCE);
        let basic = basic.with(options.clone());
        let mut silent = block_on(later.with(options).gated_later(vec![2])).unwrap();
        let mut calls = future::join(basic.hold_later(1, 1), basic.hold_later(1, 2)).boxed();
        assert_eq!(calls.as_mut().now_or_never(), None);
        let ended = block_on(silent.next());
        let Some(Err(CallError::StreamBroken { cause })) = &ended else { panic!("{ended:?}") };
        assert!(matches!(**cause, CallError::NoFreeLane { lanes: 2, .. }), "{cause:?}");
        fixture.client().open(1).unwrap();
        assert_eq!(block_on(calls), (Ok(1), Ok(2)));
    }

    fn the_errors_for_too_few_lanes_name_how_many_are_needed(transport) {
        let fixture = Fixture::with(transport, plan(2));
        let subscribed = connect(&fixture).ticked().unwrap_err();
        assert_eq!(subscribed, CallError::TooFewLanes { lanes: 2, needed: 3 });
        let fixture = Fixture::with(transport, plan(1));
        let cause = CallError::TooFewLanes { lanes: 1, needed: 2 };
        let broken = CallError::StreamBroken { cause: Box::new(cause) };
        let client = fixture.streams();
        assert_eq!(client.range(3).unwrap().next(), Some(Err(broken.clone())));
        assert_eq!(client.sum(0..3), Err(broken.clone()));
        let uploaded = block_on(fixture.streams_later().follow_later(stream::iter(0..3)));
        assert_eq!(uploaded, Err(broken));
        assert_eq!(client.running(), Ok(0), "calls go on");
    }

    fn a_lost_connection_wakes_what_waits_for_a_turn_without_a_limit(transport) {
        for (lanes, is_killed) in [(2, false), (3, false), (4, false), (2, true), (4, true)] {
            let fixture = Fixture::with(transport, plan(lanes));
            let later = later(&fixture, None);
            let mut streams: Vec<_> = (0..3)
                .map(|_| block_on(later.gated_later(vec![1])).unwrap())
                .collect();
            // The first stream has the only lane for streams, and is not polled.
            let (first, others) = streams.split_first_mut().unwrap();
            assert_eq!(first.next().now_or_never(), None);
            let mut waiting: Vec<_> = others.iter_mut().map(|it| Watched::new(it.next().boxed_local())).collect();
            waiting.iter_mut().for_each(|it| assert!(it.poll().is_pending()));
            let is_open = AtomicBool::new(false);
            // It waits for the server's notice, after it has looked for an item.
            let items = stream::poll_fn(|_| {
                is_open.store(true, SeqCst);
                Poll::<Option<u64>>::Pending
            });
            let mut upload = Watched::new(later.take_behind(2, 1, items).boxed());
            eventually("the upload is open", || {
                assert!(upload.poll().is_pending());
                is_open.load(SeqCst)
            });
            match is_killed {
                true => drop(fixture),
                false => later.connection().disconnect(),
            }
            for waiting in &mut waiting {
                let ended = waiting.wait("a stream that waits for its turn is woken");
                assert!(matches!(ended, Some(Err(_))), "{ended:?}");
            }
            assert!(upload.wait("an upload that waits for its turn is woken").is_err());
        }
    }

    fn a_stream_that_is_read_without_pause_leaves_others_their_turn(transport) {
        for lanes in [2, 3, 4] {
            let fixture = Fixture::with(transport, plan(lanes));
            let later = later(&fixture, None);
            let mut busy = block_on(later.range(20 * MANY)).unwrap();
            let mut other = block_on(later.range(1)).unwrap();
            // One task, which looks for the other stream's item only when the busy stream has none.
            let came = block_on(future::poll_fn(|cx| {
                while let Poll::Ready(item) = busy.poll_next_unpin(cx) {
                    if item.is_none() {
                        return Poll::Ready(None);
                    }
                }
                other.poll_next_unpin(cx)
            }));
            assert_eq!(came, Some(Ok(0)), "the busy stream was read to its end, over {lanes} lanes");
        }
    }

    fn an_upload_that_is_answered_as_soon_as_it_is_open_learns_so(transport) {
        let fixture = Fixture::with(transport, plan(3));
        let later = later(&fixture, None);
        let basic = fixture.client();
        for gate in [10, 20, 30] {
            let empty = || stream::pending::<u64>();
            // Makes the notices of both arrive.
            let mut beside = later.take_behind(gate, 0, empty()).boxed();
            until_arrived(&fixture, gate, &mut beside);
            // It is sent, and not polled until its method has ended.
            let mut early = later.take_behind(gate + 1, 0, empty()).boxed();
            assert_eq!(early.as_mut().now_or_never(), None);
            basic.arrived(gate + 1, 1).unwrap();
            basic.open(gate + 1).unwrap();
            basic.open(gate).unwrap();
            assert_eq!(block_on(beside), Ok(0));
            let mut early = Watched::new(early);
            early.wakes.0.store(1, SeqCst);
            assert_eq!(early.wait("it learns that its answer is there"), Ok(0));
        }
    }

    fn events_that_come_back_leave_a_lane_to_calls(transport) {
        for lanes in [3, 4] {
            let dir = TempDir::new().unwrap();
            let address = match transport {
                Transport::InProcess => {
                    Address::InProcess { name: Mmf::unguessable().name().to_owned() }
                }
                _ => Address::in_dir(dir.path(), "phoenix"),
            };
            let first = Fixture::at(address.clone(), plan(lanes));
            let policy = Reconnect::new()
                .backoff(Backoff::new(Duration::from_millis(1), Duration::from_millis(20)))
                .after_shutdown(true);
            let builder = BasicClient::builder(address.endpoint()).reconnect(policy);
            let root = builder.call_timeout(PATIENCE).connect().unwrap();
            let event_service: EventServiceClient = root.connection().client().unwrap();
            let streams: StreamsClient = root.connection().client().unwrap();
            let later: StreamsAsyncClient =
                block_on(root.connection().client_async()).unwrap();
            // A slow closure keeps the thread of the events until the streams hold as much as they
            // may.
            let (tell, told) = mpsc::channel();
            let (go_on, may_go_on) = mpsc::channel::<()>();
            let _guard = event_service.on_ticked(move |tick: Result<EventServiceTicked, EventError>| {
                tell.send(tick.is_ok()).unwrap();
                if tick.is_ok() {
                    _ = may_go_on.recv();
                }
            }).unwrap();
            assert_eq!(connect(&first).tick(1, 1, false), Ok(1));
            assert_eq!(told.recv_timeout(PATIENCE), Ok(true));
            drop(first);
            let second = Fixture::at(address, plan(lanes));
            eventually("the client has come back", || streams.running().is_ok());
            let basic = second.client();
            let mut silent: Vec<_> =
                (0..3).map(|_| block_on(later.gated_later(vec![1])).unwrap()).collect();
            silent.iter_mut().for_each(|it| assert_eq!(it.next().now_or_never(), None));
            let mut upload = later.take_behind(2, MANY, stream::iter(0..MANY)).boxed();
            until_arrived(&second, 2, &mut upload);
            assert_eq!(upload.as_mut().now_or_never(), None);
            go_on.send(()).unwrap();
            assert_eq!(told.recv_timeout(PATIENCE), Ok(false), "events may be missing");
            // Now the thread waits for events again.
            assert_eq!(connect(&second).tick(2, 1, false), Ok(1));
            assert_eq!(told.recv_timeout(PATIENCE), Ok(true));
            go_on.send(()).unwrap();
            for _ in 0..20 {
                assert_eq!(streams.seen(), Ok(0), "over {lanes} lanes");
            }
            basic.open(1).unwrap();
            basic.open(2).unwrap();
            let items = future::join_all(silent.iter_mut().map(StreamExt::next));
            let (items, sum) = block_on(future::join(items, upload));
            assert_eq!(items, vec![Some(Ok(1)); 3]);
            assert_eq!(sum, Ok(MANY * (MANY - 1) / 2));
        }
    }
}
