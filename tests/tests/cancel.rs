//! Calls that their callers cancel, and what the handlers learn of that.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use futures_executor::block_on;
use futures_util::FutureExt;
use witrpc::{CallError, CallOptions, CancelToken};
use witrpc_tests::basic::{bytes_of, checksum};
use witrpc_tests::cancellation::{CancellationAsyncClient, CancellationClient, Note};
use witrpc_tests::fixture::{Fixture, FixtureConfig, Transport};
use witrpc_tests::over_both_transports;
use witrpc_tests::process::Child;
use witrpc_tests::roles::Role;
use witrpc_tests::watchdog::eventually_equal;

fn cancellation(fixture: &Fixture) -> CancellationClient {
    CancellationClient::connect(fixture.endpoint()).expect("the client connects")
}

fn cancellation_later(fixture: &Fixture) -> CancellationAsyncClient {
    block_on(CancellationAsyncClient::connect(fixture.endpoint())).expect("the client connects")
}

fn cancelled(token: u64) -> Note {
    Note { token, cancelled: true }
}

over_both_transports! {
    fn a_blocking_caller_is_freed_by_another_thread_and_its_handler_told(transport) {
        let fixture = Fixture::new(transport);
        let client = cancellation(&fixture);
        let token = CancelToken::new();
        let view = client.with(CallOptions::new().cancelled_by(&token));
        let callers = [1, 2].map(|number| {
            let view = view.clone();
            thread::spawn(move || match number {
                1 => view.stay(number),
                _ => view.stay_asleep(number),
            })
        });
        client.begun(2).unwrap();
        assert_eq!(client.notes(), Ok(vec![]));
        token.cancel();
        for caller in callers {
            let error = caller.join().unwrap().unwrap_err();
            assert_eq!(error, CallError::Cancelled);
            assert!(error.maybe_executed());
        }
        let told = Ok(vec![cancelled(1), cancelled(2)]);
        eventually_equal("what the handlers learned", &told, || client.notes());
    }

    fn a_dropped_future_is_told_to_its_handler(transport) {
        let fixture = Fixture::new(transport);
        let client = cancellation_later(&fixture);
        let helper = cancellation(&fixture);
        let mut calls = [client.stay(1).boxed(), client.stay_asleep(2).boxed()];
        for call in &mut calls {
            assert!(call.now_or_never().is_none());
        }
        helper.begun(2).unwrap();
        assert_eq!(helper.notes(), Ok(vec![]));
        drop(calls);
        let told = Ok(vec![cancelled(1), cancelled(2)]);
        eventually_equal("what the handlers learned", &told, || helper.notes());
        assert_eq!(helper.counted(), Ok(0));
    }

    fn a_timeout_of_the_client_is_told_to_its_handler(transport) {
        let fixture = Fixture::new(transport);
        let short = Duration::from_millis(30);
        let client = CancellationClient::builder(fixture.endpoint()).call_timeout(short);
        let client = client.connect().unwrap();
        assert_eq!(client.stay(1), Err(CallError::TimedOut { after: Some(short) }));
        assert_eq!(client.stay_asleep(2), Err(CallError::TimedOut { after: Some(short) }));
        let told = Ok(vec![cancelled(1), cancelled(2)]);
        let helper = cancellation(&fixture);
        eventually_equal("what the handlers learned", &told, || helper.notes());
    }

    fn a_token_that_is_cancelled_lets_nothing_out(transport) {
        let fixture = Fixture::new(transport);
        let client = cancellation(&fixture);
        let token = CancelToken::new();
        let view = client.with(CallOptions::new().cancelled_by(&token));
        assert_eq!(view.count(), Ok(()));
        token.cancel();
        assert_eq!(view.count(), Err(CallError::Cancelled));
        let later = cancellation_later(&fixture).with(CallOptions::new().cancelled_by(&token));
        assert_eq!(block_on(later.count()), Err(CallError::Cancelled));
        assert_eq!(client.counted(), Ok(1), "and others go on");
    }

    fn a_call_that_waits_for_a_lane_can_be_cancelled(transport) {
        let fixture = Fixture::with(transport, FixtureConfig { lanes: Some(1), ..FixtureConfig::default() });
        let client = cancellation(&fixture);
        let (first, second) = (CancelToken::new(), CancelToken::new());
        let staying = client.with(CallOptions::new().cancelled_by(&first));
        let staying = thread::spawn(move || staying.stay(1));
        let helper = cancellation(&fixture);
        helper.begun(1).unwrap();
        let waiting = client.with(CallOptions::new().cancelled_by(&second));
        let waiting = thread::spawn(move || waiting.count());
        second.cancel();
        assert_eq!(waiting.join().unwrap(), Err(CallError::Cancelled));
        first.cancel();
        assert_eq!(staying.join().unwrap(), Err(CallError::Cancelled));
        assert_eq!(client.count(), Ok(()), "the lane has come back");
        assert_eq!(client.counted(), Ok(1));
    }

    fn a_client_that_leaves_or_is_sent_away_cancels_its_calls(transport) {
        let fixture = Fixture::new(transport);
        let helper = cancellation(&fixture);
        for (number, leaves) in [(1, true), (2, false)] {
            let client = cancellation(&fixture);
            let caller = thread::spawn({
                let client = client.clone();
                move || client.stay_asleep(number)
            });
            helper.begun(number as u32).unwrap();
            if leaves {
                client.connection().disconnect();
            } else {
                let latest = fixture.clients().into_iter().max().expect("it is connected");
                assert!(fixture.disconnect(latest.0));
            }
            assert!(matches!(caller.join().unwrap(), Err(CallError::Disconnected(_))));
        }
        let told = Ok(vec![cancelled(1), cancelled(2)]);
        eventually_equal("what the handlers learned", &told, || helper.notes());
    }

    fn no_cancel_ever_hits_another_call(transport) {
        // There are few lanes and the arenas are short: every call follows one that was given up,
        // and many cross in segments.
        let size = Some(128 << 10);
        let fixture = Fixture::with(transport, FixtureConfig { lanes: Some(4), size, ..FixtureConfig::default() });
        let client = cancellation_later(&fixture);
        let calls = calls_of_the_stress();
        let outcomes = Mutex::new(CallOutcomes::default());
        thread::scope(|scope| {
            for number in 0..3 {
                let (client, outcomes) = (&client, &outcomes);
                scope.spawn(move || {
                    let mut rng = Rng::with_seed(number);
                    for call in 0..calls {
                        gamble(client, number << 32 | call, &mut rng, outcomes);
                    }
                });
            }
            let (blocking, outcomes) = (cancellation(&fixture), &outcomes);
            scope.spawn(move || {
                let mut rng = Rng::with_seed(77);
                for call in 0..calls {
                    gamble_blocking(&blocking, 77 << 32 | call, &mut rng, outcomes);
                }
            });
        });
        check(&outcomes.into_inner().unwrap(), &cancellation(&fixture));
    }
}

/// The outcome of the calls, as their callers know it, by token.
#[derive(Default)]
struct CallOutcomes {
    answered: BTreeSet<u64>,
    given_up: BTreeSet<u64>,
}

/// Returns how many calls each thread makes. See CONTRIBUTING.md.
fn calls_of_the_stress() -> u64 {
    let asked = std::env::var("WITRPC_CANCEL_CALLS");
    asked.map_or(400, |calls| calls.parse().expect("WITRPC_CANCEL_CALLS is a number"))
}

fn random_bytes(token: u64, rng: &mut Rng) -> Vec<u8> {
    let len = match rng.u8(..8) {
        0..5 => rng.usize(..40),
        5..7 => rng.usize(..4_000),
        _ => rng.usize(..200_000),
    };
    bytes_of(len, token)
}

/// Lets a little time pass, sometimes by yielding, which may take long on a machine under load.
fn breathe(rng: &mut Rng) {
    if rng.u8(..16) == 0 {
        thread::yield_now();
    } else {
        (0..100).for_each(|_| std::hint::spin_loop());
    }
}

/// Makes a call and gives it up after a number of looks, unless it is answered by then.
fn gamble(
    client: &CancellationAsyncClient,
    token: u64,
    rng: &mut Rng,
    outcomes: &Mutex<CallOutcomes>,
) {
    let bytes = random_bytes(token, rng);
    let (len, sum) = (bytes.len(), checksum(&bytes));
    let looks = rng.u32(..200);
    let call = if rng.bool() {
        client.pass(token, looks, bytes).boxed()
    } else {
        client.pass_later(token, looks, bytes).boxed()
    };
    let mut call = pin!(call);
    let mut cx = Context::from_waker(Waker::noop());
    // Some calls are waited for until they are answered.
    let patience = if rng.u8(..4) == 0 { None } else { Some(rng.u32(..300)) };
    let mut answer = None;
    match patience {
        None => answer = Some(block_on(call)),
        Some(polls) => {
            for _ in 0..polls {
                if let Poll::Ready(ready) = call.as_mut().poll(&mut cx) {
                    answer = Some(ready);
                    break;
                }
                breathe(rng);
            }
        }
    }
    let mut outcomes = outcomes.lock().unwrap();
    match answer {
        Some(answer) => {
            let answer = answer.unwrap_or_else(|error| panic!("{token:#x}: {error:?}"));
            assert_eq!((answer.len(), checksum(&answer)), (len, sum), "the answer to another call");
            outcomes.answered.insert(token);
        }
        // The call is dropped when this function returns.
        None => drop(outcomes.given_up.insert(token)),
    }
}

/// Does the same, by a thread that blocks and another one that cancels.
fn gamble_blocking(
    client: &CancellationClient,
    token: u64,
    rng: &mut Rng,
    outcomes: &Mutex<CallOutcomes>,
) {
    let bytes = random_bytes(token, rng);
    let (len, sum) = (bytes.len(), checksum(&bytes));
    let (looks, pauses) = (rng.u32(..2_000), rng.u32(..200));
    let canceller = CancelToken::new();
    let view = client.with(CallOptions::new().cancelled_by(&canceller));
    let mut pausing = rng.fork();
    let outcome = thread::scope(|scope| {
        scope.spawn(|| {
            (0..pauses).for_each(|_| breathe(&mut pausing));
            canceller.cancel();
        });
        view.pass(token, looks, bytes)
    });
    let mut outcomes = outcomes.lock().unwrap();
    match outcome {
        Ok(answer) => {
            assert_eq!((answer.len(), checksum(&answer)), (len, sum), "the answer to another call");
            outcomes.answered.insert(token);
        }
        Err(CallError::Cancelled) => drop(outcomes.given_up.insert(token)),
        Err(other) => panic!("{other}"),
    }
}

/// Compares what the callers did with what the handlers learned.
fn check(outcomes: &CallOutcomes, client: &CancellationClient) {
    let notes = client.notes().unwrap();
    let count = notes.len();
    let notes: BTreeMap<u64, bool> =
        notes.into_iter().map(|note| (note.token, note.cancelled)).collect();
    assert_eq!(notes.len(), count, "a call ran twice");
    for token in &outcomes.answered {
        assert_eq!(notes.get(token), Some(&false), "{token:#x} was answered, and cancelled");
    }
    let told = notes.iter().filter(|(_, cancelled)| **cancelled);
    for (token, _) in told.clone() {
        assert!(outcomes.given_up.contains(token), "{token:#x} was not given up");
    }
    assert!(!outcomes.answered.is_empty() && told.count() > 0, "nothing was tried");
}

#[test]
fn a_client_that_is_killed_cancels_its_calls() {
    let fixture = Fixture::new(Transport::Mmf);
    let helper = cancellation(&fixture);
    let child = Child::start(&Role::Stay { address: fixture.address().clone(), token: 9 });
    helper.begun(1).unwrap();
    assert_eq!(helper.notes(), Ok(vec![]));
    child.kill();
    eventually_equal("what the handler learned", &Ok(vec![cancelled(9)]), || helper.notes());
}
