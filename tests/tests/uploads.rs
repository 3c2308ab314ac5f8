//! Streams that methods take.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use futures_executor::block_on;
use futures_util::{FutureExt, StreamExt, stream};
use rustix::process::Signal;
use witrpc::{CallError, CallOptions, CancelToken, Codec};
use witrpc_tests::CODECS;
use witrpc_tests::basic::{Parcel, bytes_of, checksum};
use witrpc_tests::fixture::{Fixture, FixtureConfig, Transport};
use witrpc_tests::over_both_transports;
use witrpc_tests::process::Child;
use witrpc_tests::roles::Role;
use witrpc_tests::streams::Fed;
use witrpc_tests::watchdog::{eventually, eventually_equal};

/// The most items that the client may have made and the method has not taken: a window that is
/// sent, one that waits to be sent, and one that is being filled, of 64 KiB each.
const MOST_AHEAD: u64 = 3 * (64 << 10) / 8 + 3;

/// Returns why a call that had begun was broken off.
fn cause<E: std::fmt::Debug>(error: CallError<E>) -> CallError {
    match error {
        CallError::StreamBroken { cause } => *cause,
        other => panic!("{other:?}"),
    }
}

over_both_transports! {
    fn what_is_fed_arrives_whole_and_in_order(transport) {
        let fixture = Fixture::with_streams(transport, FixtureConfig::default());
        let later = fixture.streams_later();
        for codec in CODECS {
            let client = fixture.streams_with(codec);
            assert_eq!(client.sum(0..100_000), Ok(4_999_950_000));
            assert_eq!(client.sum([].into_iter()), Ok(0));
            let parts = |count| (0..count).map(|seed| bytes_of(1 + seed as usize * 100, seed));
            let whole: Vec<u8> = parts(60).flatten().collect();
            assert_eq!(client.digest(parts(60)), Ok(checksum(&whole)));
            assert_eq!(block_on(later.digest(stream::iter(parts(60)))), Ok(checksum(&whole)));
            let mut rng = fastrand::Rng::with_seed(7);
            let parcels: Vec<_> = (0..500).map(|_| Parcel::random(&mut rng, 300)).collect();
            let taken = client.first(parcels.clone().into_iter(), 1_000).unwrap();
            assert!(taken == parcels);
        }
        assert_eq!(block_on(later.sum(stream::iter(0..100_000))), Ok(4_999_950_000));
        assert_eq!(block_on(later.sum(stream::iter([]))), Ok(0));
    }

    fn each_item_is_there_before_the_next_is_made(transport) {
        let fixture = Fixture::with_streams(transport, FixtureConfig::default());
        let (client, later) = (fixture.streams(), fixture.streams_later());
        // Makes an item once the one before it has been taken.
        let seen = |number: u64| {
            eventually_equal("how many items came", &Ok(number), || client.seen());
            number
        };
        assert_eq!(client.follow((0..20).map(seen)), Ok(20));
        assert_eq!(client.follow_later((20..40).map(seen)), Ok(20));
        let seen_later = |number| {
            let later = later.clone();
            async move {
                while later.seen().await != Ok(number) {}
                number
            }
        };
        let items = |numbers| stream::iter(numbers).then(seen_later);
        assert_eq!(block_on(later.follow(items(40..60))), Ok(20));
        assert_eq!(block_on(later.follow_later(items(60..80))), Ok(20));
    }

    fn an_item_behind_many_quick_ones_is_there_before_the_next_is_made(transport) {
        const QUICK: u64 = 1_000;
        let fixture = Fixture::with_streams(transport, FixtureConfig::default());
        let client = fixture.streams();
        let seen = |number: u64| {
            if number.is_multiple_of(QUICK) {
                eventually_equal("how many items came", &Ok(number), || client.seen());
            }
            number
        };
        assert_eq!(client.follow((0..20 * QUICK).map(seen)), Ok(20 * QUICK));
        assert_eq!(client.follow_later((20 * QUICK..40 * QUICK).map(seen)), Ok(20 * QUICK));
    }

    fn items_that_are_made_quickly_travel_together(transport) {
        // Less than a window, so that all are made, however many of them have been sent.
        const ITEMS: u64 = 8_000;
        let fixture = Fixture::with_streams(transport, FixtureConfig::default());
        let (client, later, basic) = (fixture.streams(), fixture.streams_later(), fixture.client());
        for gate in [1, 2] {
            let before = fixture.metrics().bytes_in;
            let all_made = AtomicBool::new(false);
            let end = std::iter::from_fn(|| {
                all_made.store(true, SeqCst);
                None
            });
            let items = (0..ITEMS).chain(end);
            thread::scope(|scope| {
                let call = scope.spawn(|| match gate {
                    1 => client.take_behind(gate, ITEMS, items),
                    _ => block_on(later.take_behind(gate, ITEMS, stream::iter(items))),
                });
                // Nothing is taken before: one push is answered, one is kept, and one comes after
                // it.
                eventually("all are made", || all_made.load(SeqCst));
                basic.open(gate).unwrap();
                assert_eq!(call.join().unwrap(), Ok(ITEMS * (ITEMS - 1) / 2));
            });
            let came = fixture.metrics().bytes_in - before;
            let beside = came.checked_sub(8 * ITEMS).expect("all have come");
            assert!(beside <= 300, "{beside} bytes beside the items");
        }
    }

    fn a_stream_that_is_always_ready_does_not_hold_its_first_item_back(transport) {
        let fixture = Fixture::with_streams(transport, FixtureConfig::default());
        let (client, later) = (fixture.streams(), fixture.streams_later());
        let seen = |number: u64| {
            if number == 1 {
                eventually_equal("how many items came", &Ok(1), || client.seen());
            }
            number
        };
        let items = stream::iter((0..100).map(seen));
        assert_eq!(block_on(later.follow_later(items)), Ok(100));
    }

    fn a_method_that_takes_its_time_holds_its_client_back(transport) {
        let fixture = Fixture::with_streams(transport, FixtureConfig::default());
        let (client, later, basic) = (fixture.streams(), fixture.streams_later(), fixture.client());
        let (client, later, made) = (&client, &later, &AtomicU64::new(0));
        let items = move || (0..).inspect(move |number| made.store(number + 1, SeqCst));
        thread::scope(|scope| {
            for gate in [1, 2] {
                let call = scope.spawn(move || match gate {
                    1 => client.take_behind(gate, 100, items()),
                    _ => block_on(later.take_behind(gate, 100, stream::iter(items()))),
                });
                basic.arrived(gate, 1).unwrap();
                eventually("as many are made as may be", || made.load(SeqCst) >= MOST_AHEAD / 3);
                for number in 0..300 {
                    assert_eq!(basic.add(number, 1), Ok(number + 1));
                    let made = made.load(SeqCst);
                    assert!(made <= MOST_AHEAD, "{made} items were made, and none taken");
                }
                basic.open(gate).unwrap();
                assert_eq!(call.join().unwrap(), Ok(4950));
                made.store(0, SeqCst);
            }
        });
    }

    fn a_method_that_has_enough_ends_a_stream_without_end(transport) {
        let fixture = Fixture::with_streams(transport, FixtureConfig::default());
        let (client, later) = (fixture.streams(), fixture.streams_later());
        let parcels = || {
            let mut rng = fastrand::Rng::with_seed(3);
            std::iter::repeat_with(move || Parcel::random(&mut rng, 100))
        };
        let expected: Vec<_> = parcels().take(5).collect();
        assert_eq!(client.first(parcels(), 5).as_ref(), Ok(&expected));
        assert_eq!(block_on(later.first(stream::iter(parcels()), 5)).as_ref(), Ok(&expected));
        // Not even the first.
        assert_eq!(client.first(parcels(), 0), Ok(vec![]));
    }

    fn errors_come_as_what_they_are(transport) {
        let fixture = Fixture::with_streams(transport, FixtureConfig::default());
        let (client, later) = (fixture.streams(), fixture.streams_later());
        let parts = || (0..).map(|number: u64| bytes_of(10_u64.saturating_sub(number) as usize, 1));
        let empty = CallError::App("an empty part".to_owned());
        assert_eq!(client.digest(parts()), Err(empty.clone()));
        assert_eq!(block_on(later.digest(stream::iter(parts()))), Err(empty));
        let json = fixture.streams_with(Codec::Json);
        let weights = [vec![Some(1.0)], vec![Some(f64::NAN)], vec![Some(2.0)]];
        match cause(json.weigh_all(weights.into_iter()).unwrap_err()) {
            CallError::Encode { message } => assert!(message.contains("item"), "{message}"),
            other => panic!("{other:?}"),
        }
        let too_heavy = vec![Some(1.0), None, Some(2.0)];
        let error = client.weigh_all([too_heavy.clone()].into_iter()).unwrap_err();
        assert_eq!(error, CallError::Panicked { message: "a weight is missing".to_owned() });
        let error = block_on(later.weigh_all(stream::iter([too_heavy]))).unwrap_err();
        assert_eq!(error, CallError::Panicked { message: "a weight is missing".to_owned() });
        assert_eq!(client.weigh_all([vec![Some(1.5)], vec![Some(2.0)]].into_iter()), Ok(3.5));
    }

    fn a_stream_that_is_broken_off_is_not_taken_for_all_there_is(transport) {
        let fixture = Fixture::with_streams(transport, FixtureConfig::default());
        let (client, later) = (fixture.streams(), fixture.streams_later());
        let broken = |count| Ok(Fed { whole: 0, broken: count });
        // After all before it have arrived: a call that is given up earlier may never begin.
        let panics = |number: &u64| {
            if *number == 50 {
                eventually_equal("how many items came", &Ok(50), || client.seen());
                panic!("no more");
            }
        };
        let items = (0..100).inspect(panics);
        catch_unwind(AssertUnwindSafe(|| client.follow(items))).expect_err("no item 50");
        eventually_equal("what was fed", &broken(1), || client.fed());
        let mut fed = 0;
        let endless = stream::poll_fn(move |_| {
            fed += 1;
            if fed > 5 { Poll::Pending } else { Poll::Ready(Some(fed)) }
        });
        let mut call = Box::pin(later.follow_later(endless));
        eventually("some are fed", || {
            assert_eq!(call.as_mut().now_or_never(), None);
            client.seen() == Ok(55)
        });
        drop(call);
        eventually_equal("what was fed", &broken(2), || client.fed());
        assert_eq!(client.sum(0..5), Ok(10));
    }

    fn a_deadline_ends_a_call_of_which_nothing_is_taken(transport) {
        let fixture = Fixture::with_streams(transport, FixtureConfig::default());
        let (client, later) = (fixture.streams(), fixture.streams_later());
        for is_async in [false, true] {
            let made = AtomicU64::new(0);
            let mut time = Duration::from_millis(20);
            // Repeated if the machine was too busy to open the stream by then.
            while made.load(SeqCst) == 0 {
                let options = CallOptions::new().timeout(time);
                let items = (0..).inspect(|number| made.store(number + 1, SeqCst));
                let ended = match is_async {
                    true => block_on(later.with(options).take_behind(1, 1, stream::iter(items))),
                    false => client.with(options).take_behind(1, 1, items),
                };
                let error = ended.unwrap_err();
                if made.load(SeqCst) > 0 {
                    assert_eq!(error, CallError::TimedOut { after: Some(time) });
                }
                time *= 2;
            }
            assert!(made.load(SeqCst) <= MOST_AHEAD);
        }
    }

    fn a_deadline_that_passes_while_items_are_made_says_that_the_call_may_have_run(transport) {
        let fixture = Fixture::with_streams(transport, FixtureConfig::default());
        let client = fixture.streams();
        // The last item is made when the deadline has passed, which may be before the first one.
        let deadline = Instant::now() + Duration::from_millis(50);
        let mut is_begun = false;
        let items = (0..10).inspect(|number| {
            is_begun = true;
            eventually("the deadline has passed", || *number < 9 || Instant::now() > deadline);
        });
        let error = client.with(CallOptions::new().deadline(deadline)).sum(items).unwrap_err();
        assert_eq!(error.maybe_executed(), is_begun || error != CallError::Expired, "{error:?}");
        assert!(!is_begun || error == CallError::TimedOut { after: None }, "{error:?}");
    }

    fn an_iterator_that_panics_while_nothing_is_taken_ends_the_call(transport) {
        let fixture = Fixture::with_streams(transport, FixtureConfig::default());
        let (client, basic) = (fixture.streams(), fixture.client());
        // Less than a window, so that this many are made in any case, however few the pushes before
        // have brought.
        let items = (0..).inspect(|number| assert!(*number < 5_000, "no more"));
        let call = || client.take_behind(1, 100, items);
        catch_unwind(AssertUnwindSafe(call)).expect_err("no item 5,000");
        basic.open(1).unwrap();
        assert_eq!(client.sum(0..5), Ok(10));
    }

    fn a_call_that_is_cancelled_while_nothing_is_taken_ends(transport) {
        let fixture = Fixture::with_streams(transport, FixtureConfig::default());
        let (client, basic) = (fixture.streams(), fixture.client());
        let (token, made) = (CancelToken::new(), AtomicU64::new(0));
        let feeding = client.with(CallOptions::new().cancelled_by(&token));
        let items = (0..).inspect(|number| made.store(*number, SeqCst));
        thread::scope(|scope| {
            let call = scope.spawn(|| feeding.take_behind(1, 100, items));
            // A window that is filled, beside what two pushes have brought, which may be little.
            eventually("more are made than can be sent", || made.load(SeqCst) >= MOST_AHEAD / 3);
            token.cancel();
            assert_eq!(call.join().unwrap(), Err(CallError::Cancelled));
        });
        basic.open(1).unwrap();
    }

    fn a_call_that_is_cancelled_is_fed_no_more(transport) {
        let fixture = Fixture::with_streams(transport, FixtureConfig::default());
        let (client, later) = (fixture.streams(), fixture.streams_later());
        for round in 1..=2 {
            let token = CancelToken::new();
            let options = CallOptions::new().cancelled_by(&token);
            let items = (0..).inspect(|number| if *number == 100_000 { token.cancel() });
            let ended = match round {
                1 => client.with(options).follow(items),
                _ => block_on(later.with(options).follow_later(stream::iter(items))),
            };
            assert_eq!(ended, Err(CallError::Cancelled));
            let broken = Ok(Fed { whole: 0, broken: round });
            eventually_equal("what was fed", &broken, || client.fed());
        }
    }

    fn many_uploads_at_once_do_not_mix(transport) {
        let fixture = Fixture::with_streams(transport, FixtureConfig::default());
        let (client, later) = (fixture.streams(), fixture.streams_later());
        thread::scope(|scope| {
            for seed in 0..4_u64 {
                let (client, later) = (&client, &later);
                scope.spawn(move || {
                    let mut rng = fastrand::Rng::with_seed(seed);
                    for _ in 0..5 {
                        let end = rng.u64(..5_000);
                        let sum = (0..end).sum::<u64>();
                        assert_eq!(client.sum(0..end), Ok(sum));
                        let uploads = (0..8).map(|_| later.sum(stream::iter(0..end)));
                        let sums = block_on(futures_util::future::join_all(uploads));
                        assert!(sums.into_iter().all(|came| came == Ok(sum)));
                    }
                });
            }
        });
    }

    fn items_of_any_size_fit_into_a_small_memory(transport) {
        let plan =
            FixtureConfig { size: Some(40 << 10), max_message_size: Some(1 << 20), ..FixtureConfig::default() };
        let fixture = Fixture::with_streams(transport, plan);
        let (client, later) = (fixture.streams(), fixture.streams_later());
        for len in [1, 1_000, 50_000, 300_000] {
            let parts = || (0..4).map(move |seed| bytes_of(len, seed));
            let whole: Vec<u8> = parts().flatten().collect();
            assert_eq!(client.digest(parts()), Ok(checksum(&whole)), "{len} bytes");
            let later = block_on(later.digest(stream::iter(parts())));
            assert_eq!(later, Ok(checksum(&whole)), "{len} bytes");
        }
        let too_large = (0..3).map(|seed| bytes_of(2 << 20, seed));
        match cause(client.digest(too_large).unwrap_err()) {
            CallError::TooLarge { max, .. } => assert_eq!(max, 1 << 20),
            other => panic!("{other:?}"),
        }
    }

    fn a_server_with_a_hook_streams_as_any_other(transport) {
        let fixture = Fixture::with_streams(transport, FixtureConfig { bookkeeping: true, ..FixtureConfig::default() });
        let (client, later) = (fixture.streams(), fixture.streams_later());
        assert_eq!(client.sum(0..50_000), Ok((0..50_000).sum()));
        assert_eq!(block_on(later.sum(stream::iter(0..50_000))), Ok((0..50_000).sum()));
        assert!(client.range(50_000).unwrap().map(Result::unwrap).eq(0..50_000));
        let endless = client.endless_later().unwrap();
        assert!(endless.take(10).map(Result::unwrap).eq(0..10));
        eventually_equal("how many streams run", &Ok(0), || client.running());
    }
}

/// Some of them over an encrypted connection.
mod encrypted {
    use super::*;

    #[test]
    fn what_is_fed_arrives_whole_and_in_order() {
        super::what_is_fed_arrives_whole_and_in_order(Transport::Encrypted);
    }

    #[test]
    fn errors_come_as_what_they_are() {
        super::errors_come_as_what_they_are(Transport::Encrypted);
    }

    #[test]
    fn many_uploads_at_once_do_not_mix() {
        super::many_uploads_at_once_do_not_mix(Transport::Encrypted);
    }
}

#[test]
fn a_client_that_is_killed_ends_what_it_feeds_and_what_it_is_sent() {
    for _ in 0..2 {
        let fixture = Fixture::with_streams(Transport::Mmf, FixtureConfig::default());
        let client = fixture.streams();
        let child = Child::start(&Role::Stream { address: fixture.address().clone() });
        let (taken, fed): (u64, u64) = child.hear();
        assert!(taken > 0 && fed > 0, "it has streams both ways");
        assert_eq!(client.running(), Ok(1));
        child.kill();
        eventually_equal("how many streams run", &Ok(0), || client.running());
        let broken = Ok(Fed { whole: 0, broken: 1 });
        eventually_equal("what was fed", &broken, || client.fed());
        assert_eq!(client.sum(0..5), Ok(10));
    }
}

#[test]
fn a_killed_server_ends_what_it_is_fed() {
    let fixture = Fixture::with_streams(Transport::Mmf, FixtureConfig::default());
    let (client, later) = (fixture.streams(), fixture.streams_later());
    let fed = AtomicU64::new(0);
    let killed_behind = |number: &u64| {
        fed.store(*number, SeqCst);
        if *number == 100_000 {
            fixture.server_process().signal(Signal::KILL);
        }
    };
    thread::scope(|scope| {
        let waiting = scope.spawn(|| block_on(later.sum(stream::pending())));
        let ended = client.sum((0..).inspect(killed_behind)).expect_err("the server is dead");
        let later = waiting.join().unwrap().expect_err("the server is dead");
        for error in [ended, later] {
            let died = matches!(error, CallError::PeerDied | CallError::Disconnected(_));
            assert!(died, "{error:?}");
        }
    });
    assert!(fed.into_inner() >= 100_000);
}
