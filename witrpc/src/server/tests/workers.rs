//! How many handlers run, and which clients they delay.

use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use witrpc_transport::WaitPolicy;

use crate::error::CallError;

use super::probe::{CROWD, Fixture, ProbeClient};

#[test]
fn slow_handlers_do_not_hold_up_others() {
    for policy in [WaitPolicy::Adaptive, WaitPolicy::Park] {
        let fixture = Fixture::with(|builder| builder.wait(policy));
        thread::scope(|scope| {
            for slow in 1..=8 {
                let client = fixture.client();
                scope.spawn(move || client.hold(0).unwrap());
                fixture.probe.gate.await_arrivals(slow);
                assert_eq!(fixture.client().echo("quick").unwrap(), "quick");
            }
            fixture.probe.gate.open();
        });
    }
}

#[test]
fn no_more_handlers_run_than_allowed_and_all_get_their_turn() {
    for max_workers in [1, 3] {
        let fixture = Fixture::with(|builder| builder.max_workers(max_workers));
        thread::scope(|scope| {
            for _ in 0..8 {
                let client = fixture.client();
                scope.spawn(move || {
                    for _ in 0..200 {
                        client.call::<()>(CROWD).unwrap();
                    }
                });
            }
        });
        let most = fixture.probe.most.load(Ordering::SeqCst);
        assert!(most <= max_workers as usize, "{most} at once, {max_workers} allowed");
    }
}

#[test]
fn calls_at_the_bound_run_when_a_handler_ends() {
    let fixture = Fixture::with(|builder| builder.max_workers(1));
    thread::scope(|scope| {
        let (first, second) = (fixture.client(), fixture.client());
        let held = scope.spawn(move || first.hold(0));
        fixture.probe.gate.await_arrivals(1);
        let waiting = scope.spawn(move || second.echo("at last"));
        fixture.probe.gate.open();
        held.join().unwrap().unwrap();
        assert_eq!(waiting.join().unwrap().unwrap(), "at last");
    });
}

#[test]
fn a_call_at_the_bound_can_give_up() {
    let fixture = Fixture::with(|builder| builder.max_workers(1));
    thread::scope(|scope| {
        let client = fixture.client();
        let held = scope.spawn(move || client.hold(0));
        fixture.probe.gate.await_arrivals(1);
        let hurried = ProbeClient::builder(fixture.place.clone())
            .call_timeout(Duration::from_millis(5))
            .connect()
            .unwrap();
        let error = hurried.echo("now").unwrap_err();
        assert!(matches!(error, CallError::TimedOut { .. }), "{error}");
        fixture.probe.gate.open();
        held.join().unwrap().unwrap();
    });
    assert_eq!(fixture.client().echo("afterwards").unwrap(), "afterwards");
}

#[test]
fn handlers_may_call_their_own_server() {
    // Ten run at once, nine of them of one client, which must leave one worker free.
    let fixture = Fixture::with(|builder| builder.max_workers(11));
    fixture.probe.own.set(fixture.client()).unwrap();
    assert_eq!(fixture.client().count_down(9).unwrap(), 9);
    thread::scope(|scope| {
        for _ in 0..2 {
            let client = fixture.client();
            scope.spawn(move || {
                for depth in [4, 0, 3, 1, 4] {
                    assert_eq!(client.count_down(depth).unwrap(), depth);
                }
            });
        }
    });
}

#[test]
fn calls_within_calls_beyond_the_bound_time_out_and_leave_no_mark() {
    let fixture = Fixture::with(|builder| builder.max_workers(2));
    let hurried = ProbeClient::builder(fixture.place.clone())
        .call_timeout(Duration::from_millis(20))
        .connect()
        .unwrap();
    fixture.probe.own.set(hurried).unwrap();
    let client = fixture.client();
    let error = client.count_down(5).unwrap_err();
    assert!(matches!(error, CallError::Panicked { .. }), "the inner call failed: {error}");
    assert_eq!(client.echo("afterwards").unwrap(), "afterwards");
}
