//! Methods with a stream: what their context says about cancellation.

use std::thread;
use std::time::{Duration, Instant};

use futures_executor::block_on;
use futures_util::future::{Either, select};
use futures_util::{FutureExt, stream};
use witrpc::{CallError, CallOptions, CancelToken};
use witrpc_tests::cancellation::{CancellationAsyncClient, CancellationClient, Note};
use witrpc_tests::fixture::Fixture;
use witrpc_tests::over_both_transports;
use witrpc_tests::watchdog::{eventually, eventually_equal};

fn cancellation(fixture: &Fixture) -> CancellationClient {
    CancellationClient::connect(fixture.endpoint()).expect("the client connects")
}

fn cancellation_later(fixture: &Fixture) -> CancellationAsyncClient {
    block_on(CancellationAsyncClient::connect(fixture.endpoint())).expect("the client connects")
}

fn told(tokens: &[u64]) -> Result<Vec<Note>, CallError> {
    Ok(tokens.iter().map(|token| Note { token: *token, cancelled: true }).collect())
}

over_both_transports! {
    fn a_method_learns_that_its_stream_is_not_wanted_any_more(transport) {
        let fixture = Fixture::new(transport);
        let (client, later) = (cancellation(&fixture), cancellation_later(&fixture));
        let token = CancelToken::new();
        let view = client.with(CallOptions::new().cancelled_by(&token));
        let mut streams = (client.search(1).unwrap(), view.search_asleep(2).unwrap());
        let mut others = block_on(async {
            (later.search(3).await.unwrap(), later.search_asleep(4).await.unwrap())
        });
        assert_eq!((streams.0.next(), streams.1.next()), (Some(Ok(1)), Some(Ok(2))));
        let items = block_on(async { (others.0.next().await, others.1.next().await) });
        assert_eq!(items, (Some(Ok(3)), Some(Ok(4))));
        let leaving = cancellation(&fixture);
        let mut left = leaving.search(5).unwrap();
        assert_eq!(left.next(), Some(Ok(5)));
        client.begun(5).unwrap();
        assert_eq!(client.notes(), told(&[]));
        drop((streams.0, others));
        leaving.connection().disconnect();
        token.cancel();
        assert_eq!(streams.1.next(), Some(Err(CallError::Cancelled)));
        let all = told(&[1, 2, 3, 4, 5]);
        eventually_equal("what the methods learned", &all, || client.notes());
    }

    fn a_method_that_is_fed_learns_that_its_call_is_given_up(transport) {
        let fixture = Fixture::new(transport);
        let (client, later) = (cancellation(&fixture), cancellation_later(&fixture));
        let token = CancelToken::new();
        let view = client.with(CallOptions::new().cancelled_by(&token));
        let callers = [1, 2].map(|number| {
            let view = view.clone();
            thread::spawn(move || match number {
                1 => view.ponder(number, 0..3),
                _ => view.ponder_asleep(number, 0..3),
            })
        });
        let numbers = || stream::iter(0..3);
        let calls = [later.ponder(3, numbers()).boxed(), later.ponder_asleep(4, numbers()).boxed()];
        let calls = futures_util::future::join_all(calls);
        let helper = cancellation_later(&fixture);
        let Either::Right((begun, calls)) = block_on(select(calls, helper.begun(4).boxed())) else {
            panic!("the methods wait");
        };
        begun.unwrap();
        assert_eq!(client.notes(), told(&[]));
        drop(calls);
        token.cancel();
        for caller in callers {
            assert_eq!(caller.join().unwrap(), Err(CallError::Cancelled));
        }
        let all = told(&[1, 2, 3, 4]);
        eventually_equal("what the methods learned", &all, || client.notes());
    }

    fn a_deadline_is_one_for_the_opening_of_a_stream_that_is_returned(transport) {
        let fixture = Fixture::new(transport);
        let (client, later) = (cancellation(&fixture), cancellation_later(&fixture));
        let mut time = Duration::from_millis(20);
        // Repeated until the machine is fast enough to open both in time.
        let (at, mut stream, mut other) = loop {
            let at = Instant::now() + time;
            let options = CallOptions::new().deadline(at);
            let opened = client.with(options.clone()).outlast();
            let other = block_on(later.with(options).outlast());
            match (opened, other) {
                (Ok(stream), Ok(other)) => break (at, stream, other),
                (opened, other) => {
                    for error in [opened.err(), other.err()].into_iter().flatten() {
                        let late = matches!(error, CallError::TimedOut { .. } | CallError::Expired);
                        assert!(late, "{error:?}");
                    }
                }
            }
            time *= 2;
        };
        let wanted = Some(Ok((false, false)));
        assert_eq!((stream.next(), block_on(other.next())), (wanted.clone(), wanted.clone()));
        // This waits for the deadline itself, and for nothing that happens by then.
        thread::sleep(at.saturating_duration_since(Instant::now()));
        client.then().unwrap();
        assert_eq!((stream.next(), block_on(other.next())), (wanted.clone(), wanted));
        assert_eq!((stream.next(), block_on(other.next())), (None, None));
    }

    fn a_deadline_is_one_for_the_answer_of_a_method_that_is_fed(transport) {
        let fixture = Fixture::new(transport);
        let (client, later) = (cancellation(&fixture), cancellation_later(&fixture));
        let mut time = Duration::from_millis(20);
        eventually("all four are told at their deadline", || {
            time *= 2;
            let options = CallOptions::new().timeout(time);
            let (view, view_later) = (client.with(options.clone()), later.with(options));
            let numbers = || stream::iter(0..3);
            // The callers have their own clocks, so their outcomes are not checked here.
            let _ended = [
                view.ponder(1, 0..3),
                view.ponder_asleep(2, 0..3),
                block_on(view_later.ponder(3, numbers())),
                block_on(view_later.ponder_asleep(4, numbers())),
            ];
            let notes = client.notes().unwrap();
            assert!(notes.iter().all(|note| note.cancelled));
            (1..=4).all(|token| notes.iter().any(|note| note.token == token))
        });
    }
}
