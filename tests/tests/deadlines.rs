//! Deadlines that go with a call.

use std::pin::pin;
use std::thread;
use std::time::{Duration, Instant};

use futures_executor::block_on;
use futures_util::future::{Either, select};
use witrpc::{CallError, CallOptions, CancelToken};
use witrpc_tests::cancellation::{
    CancellationAsyncClient, CancellationClient, Note, begun_in_time,
};
use witrpc_tests::fixture::{Fixture, FixtureConfig};
use witrpc_tests::over_both_transports;
use witrpc_tests::watchdog::eventually;

const SHORT: Duration = Duration::from_millis(40);
const LONG: Duration = Duration::from_secs(1_000);

fn cancellation(fixture: &Fixture) -> CancellationClient {
    CancellationClient::connect(fixture.endpoint()).expect("the client connects")
}

fn cancellation_later(fixture: &Fixture) -> CancellationAsyncClient {
    block_on(CancellationAsyncClient::connect(fixture.endpoint())).expect("the client connects")
}

over_both_transports! {
    fn only_an_explicit_time_is_told_to_the_handler(transport) {
        let fixture = Fixture::new(transport);
        let client = CancellationClient::builder(fixture.endpoint()).call_timeout(LONG).connect().unwrap();
        assert_eq!(client.time_left(), Ok(None));
        let within = |client: &CancellationClient, time: Duration| {
            let left = client.time_left().unwrap().expect("a deadline was given");
            assert!(left <= time && left > time / 2, "{left:?} of {time:?}");
        };
        within(&client.with(CallOptions::new().timeout(LONG)), LONG);
        within(&client.with(CallOptions::new().deadline(Instant::now() + LONG)), LONG);
        let both = CallOptions::new().timeout(LONG).deadline(Instant::now() + 4 * LONG);
        within(&client.with(both), LONG);
        // A view of a view: options that the second does not set are the first's.
        let nested = client.with(CallOptions::new().timeout(LONG));
        within(&nested.with(CallOptions::new().cancelled_by(&CancelToken::new())), LONG);
        within(&nested.with(CallOptions::new().timeout(2 * LONG)), 2 * LONG);
        let later = cancellation_later(&fixture).with(CallOptions::new().timeout(LONG));
        assert!(block_on(later.time_left()).unwrap().is_some_and(|left| left <= LONG));
        assert_eq!(client.time_left(), Ok(None), "a view changes nothing of its client");
    }

    fn a_call_without_time_is_not_begun(transport) {
        let fixture = Fixture::new(transport);
        let client = cancellation(&fixture);
        let view = client.with(CallOptions::new().deadline(Instant::now()));
        let error = view.count().unwrap_err();
        assert_eq!(error, CallError::Expired);
        assert!(!error.maybe_executed());
        let later = cancellation_later(&fixture).with(CallOptions::new().timeout(Duration::ZERO));
        assert_eq!(block_on(later.count()), Err(CallError::Expired));
        assert_eq!(client.counted(), Ok(0));
    }

    fn a_call_that_expires_while_it_waits_for_a_worker_is_not_begun(transport) {
        let fixture = Fixture::with(transport, FixtureConfig { max_workers: Some(1), ..FixtureConfig::default() });
        let client = cancellation(&fixture);
        let token = CancelToken::new();
        let staying = client.with(CallOptions::new().cancelled_by(&token));
        let staying = thread::spawn(move || staying.stay(1));
        let hasty = client.with(CallOptions::new().timeout(SHORT));
        let timed_out = Err(CallError::TimedOut { after: Some(SHORT) });
        eventually("the only worker is taken", || hasty.count() == timed_out);
        token.cancel();
        assert_eq!(staying.join().unwrap(), Err(CallError::Cancelled));
        let counted = client.counted().unwrap();
        client.count().unwrap();
        assert_eq!(client.counted(), Ok(counted + 1), "what had expired was begun after all");
    }

    fn at_its_deadline_a_handler_is_told(transport) {
        let fixture = Fixture::new(transport);
        let client = cancellation(&fixture);
        let within = |time| client.with(CallOptions::new().timeout(time));
        let (time, ended) = begun_in_time(&fixture, 1, |time| within(time).stay(1));
        assert_eq!(ended, CallError::TimedOut { after: Some(time) });
        let (time, ended) = begun_in_time(&fixture, 2, |time| within(time).stay_asleep(2));
        assert_eq!(ended, CallError::TimedOut { after: Some(time) });
        let until = |time| client.with(CallOptions::new().deadline(Instant::now() + time));
        let (_, ended) = begun_in_time(&fixture, 3, |time| until(time).stay(3));
        assert_eq!(ended, CallError::TimedOut { after: None });
        let told: Vec<_> = (1..=3).map(|token| Note { token, cancelled: true }).collect();
        assert_eq!(client.notes(), Ok(told));
    }

    fn no_answer_counts_that_was_given_after_the_deadline(transport) {
        // The handler sees that the deadline has passed and gives up, in a race with its caller's
        // own check: the caller must not take that for an answer.
        let fixture = Fixture::new(transport);
        let client = cancellation(&fixture).with(CallOptions::new().timeout(Duration::from_millis(2)));
        let later = cancellation_later(&fixture).with(CallOptions::new().timeout(Duration::from_millis(2)));
        for number in 0..100 {
            let ended = if number % 2 == 0 { client.stay(number) } else { block_on(later.stay(number)) };
            let none = matches!(ended, Err(CallError::TimedOut { .. } | CallError::Expired));
            assert!(none, "{number}: {ended:?}");
        }
    }

    fn a_deadline_is_no_reason_to_wait_for_a_lane_any_longer(transport) {
        let fixture = Fixture::with(transport, FixtureConfig { lanes: Some(1), ..FixtureConfig::default() });
        let client = cancellation_later(&fixture);
        let staying = Box::pin(client.stay_asleep(1));
        let helper = cancellation(&fixture);
        let begun = pin!(async { helper.begun(1) });
        let Either::Right((begun, staying)) = block_on(select(staying, begun)) else {
            panic!("it stays");
        };
        begun.unwrap();
        let hasty = client.with(CallOptions::new().timeout(SHORT));
        let error = block_on(hasty.count()).unwrap_err();
        assert_eq!(error, CallError::NoFreeLane { lanes: 1, abandoned: 0 });
        assert!(!error.maybe_executed());
        drop(staying);
        assert_eq!(helper.counted(), Ok(0));
    }
}
