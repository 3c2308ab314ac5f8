//! Callers that give up while their handlers go on.

use std::pin::pin;
use std::time::Duration;

use futures_executor::block_on;
use futures_util::FutureExt;
use futures_util::future::{Either, join_all, select};
use witrpc::{CallError, DisconnectReason};
use witrpc_tests::basic::bytes_of;
use witrpc_tests::fixture::{Fixture, FixtureConfig};
use witrpc_tests::over_every_transport;
use witrpc_tests::watchdog::eventually;

const SHORT: Duration = Duration::from_millis(50);

over_every_transport! {
    fn a_timed_out_call_says_so_and_leaves_the_connection_fine(transport) {
        let fixture = Fixture::new(transport);
        let client = fixture.builder().call_timeout(SHORT);
        let client = client.connect().unwrap();
        let helper = fixture.client();
        for token in 0..3 {
            let timed_out = Err(CallError::TimedOut { after: Some(SHORT) });
            assert_eq!(client.hold(1, token), timed_out);
            assert_eq!(client.hold_later(1, token), timed_out);
        }
        helper.arrived(1, 6).unwrap();
        helper.open(1).unwrap();
        eventually("a quick call is in time", || client.add(1, 2) == Ok(3));
    }

    fn lanes_of_abandoned_calls_come_back_when_they_are_answered(transport) {
        let fixture = Fixture::with(transport, FixtureConfig { lanes: Some(2), ..FixtureConfig::default() });
        let client = fixture.builder().call_timeout(SHORT);
        let client = client.connect().unwrap();
        let helper = fixture.client();
        for round in 0..10 {
            for token in 0..2 {
                abandon(|| client.hold(round, token));
            }
            let no_lane = CallError::NoFreeLane { lanes: 2, abandoned: 2 };
            assert_eq!(client.add(1, 2), Err(no_lane), "round {round}");
            helper.open(round).unwrap();
            eventually("a lane comes back", || client.add(1, 2) == Ok(3));
        }
    }

    fn an_answer_that_comes_too_late_never_reaches_another_call(transport) {
        let fixture = Fixture::with(transport, FixtureConfig { lanes: Some(4), ..FixtureConfig::default() });
        let hasty = fixture.builder().call_timeout(SHORT);
        let hasty = hasty.connect().unwrap();
        let helper = fixture.client();
        for round in 0..20 {
            // Two late answers, a short and a long one, race with calls that reuse their lanes.
            abandon(|| hasty.make_later(round, 300_000, round));
            abandon(|| hasty.hold(round, 7_777));
            helper.open(round).unwrap();
            for seed in 0..10 {
                match hasty.make(1_000 + seed, seed) {
                    Ok(answer) => assert!(answer == bytes_of(1_000 + seed as usize, seed)),
                    Err(CallError::TimedOut { .. } | CallError::NoFreeLane { .. }) => {}
                    Err(other) => panic!("round {round}: {other}"),
                }
                match hasty.divide_later(seed as i64, 1) {
                    Ok(quotient) => assert_eq!(quotient, seed as i64),
                    Err(CallError::TimedOut { .. } | CallError::NoFreeLane { .. }) => {}
                    Err(other) => panic!("round {round}: {other}"),
                }
            }
        }
    }

    fn dropped_futures_give_their_lanes_back(transport) {
        let fixture = Fixture::with(transport, FixtureConfig { lanes: Some(4), ..FixtureConfig::default() });
        let client = fixture.async_client();
        let helper = fixture.async_client();
        for round in 0..30 {
            let pending = join_all((0..4).map(|token| client.hold_later(round, token)));
            // Polled until all have arrived, because the lanes of the round before may still be
            // taken.
            match block_on(select(pending, pin!(helper.arrived(round, 4)))) {
                Either::Left(_) => panic!("round {round}: the gate is closed"),
                Either::Right((arrived, pending)) => {
                    arrived.unwrap();
                    drop(pending);
                }
            }
            block_on(helper.open(round)).unwrap();
            let sums = block_on(join_all((0..8).map(|n| client.add(n, round as i64))));
            assert_eq!(sums, (0..8).map(|n| Ok(n + round as i64)).collect::<Vec<_>>());
        }
    }

    fn a_future_that_is_leaked_blocks_no_other_call(transport) {
        let fixture = Fixture::with(transport, FixtureConfig { lanes: Some(3), ..FixtureConfig::default() });
        let client = Box::leak(Box::new(fixture.async_client()));
        for seed in 0..2 {
            let mut call = Box::pin(client.make(500_000, seed));
            let _ = (&mut call).now_or_never();
            Box::leak(Box::new(call));
        }
        for n in 0..20 {
            assert_eq!(block_on(client.add(n, 1)), Ok(n + 1));
        }
        assert_eq!(block_on(client.make(500_000, 9)), Ok(bytes_of(500_000, 9)));
    }

    fn a_client_that_disconnects_ends_its_pending_calls(transport) {
        let fixture = Fixture::new(transport);
        let client = fixture.client();
        let helper = fixture.client();
        let held = std::thread::spawn({
            let client = client.clone();
            move || client.hold(1, 1)
        });
        helper.arrived(1, 1).unwrap();
        client.connection().disconnect();
        let closed = Err(CallError::Disconnected(DisconnectReason::ClosedHere));
        assert_eq!(held.join().unwrap(), closed);
        assert_eq!(client.hold(1, 2), closed);
        assert!(!client.connection().is_connected());
        assert_eq!(helper.add(1, 2), Ok(3));
    }

    fn a_call_without_a_timeout_waits_as_long_as_it_takes(transport) {
        let fixture = Fixture::new(transport);
        let client = fixture.async_builder().call_timeout(None);
        let client = block_on(client.connect()).unwrap();
        let mut held = Box::pin(client.hold_later(1, 5));
        assert!((&mut held).now_or_never().is_none());
        let helper = fixture.client();
        helper.arrived(1, 1).unwrap();
        helper.open(1).unwrap();
        assert_eq!(block_on(held), Ok(5));
    }
}

/// Makes a call that waits at a gate, until it has been sent and given up.
fn abandon<T: std::fmt::Debug>(call: impl Fn() -> Result<T, CallError>) {
    eventually("a call finds a lane", || match call() {
        Err(CallError::TimedOut { .. }) => true,
        // The lanes of the earlier calls will be free soon.
        Err(CallError::NoFreeLane { .. }) => false,
        other => panic!("the gate is closed: {other:?}"),
    });
}
