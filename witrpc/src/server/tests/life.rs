//! The end of a server, and what its clients see of it, over either transport.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use witrpc_transport::DisconnectReason;

use crate::endpoint::in_process::InProcess;
use crate::error::{CallError, ConnectError};
use crate::pool::stop_reason::StopReason;
use crate::server::handle::WitServer;
use crate::{Endpoint, Mmf};

use super::probe::{Fixture, ProbeClient, ProbeServer};

/// More time than any of this takes.
const LONG: Duration = Duration::from_secs(60);

fn everywhere(test: fn(Fixture)) {
    let places: [Endpoint; 2] = [InProcess::new().into(), Mmf::unguessable().into()];
    for place in places {
        test(Fixture::at(place, |builder| builder));
    }
}

/// Calls until a call fails: the shutdown of another thread has begun.
fn until_err<T, E>(mut call: impl FnMut() -> Result<T, E>) -> E {
    loop {
        if let Err(error) = call() {
            return error;
        }
    }
}

#[test]
fn a_shutdown_has_what_runs_answered_and_refuses_the_rest() {
    everywhere(|fixture| {
        let (held, pending, late) = (fixture.client(), fixture.client(), fixture.client());
        thread::scope(|scope| {
            let held = scope.spawn(move || held.hold(5));
            let pending = scope.spawn(move || pending.hold_later(Ok(3)));
            fixture.probe.gate.await_arrivals(2);
            let handle = fixture.server.handle();
            let shutdown = scope.spawn(move || handle.shutdown(LONG));
            let refused = until_err(|| late.echo("too late"));
            // The client may know already, or learn it from the server.
            assert_eq!(refused, CallError::ShuttingDown);
            assert!(!refused.maybe_executed());
            ProbeClient::builder(fixture.place.clone()).connect().map(drop).unwrap_err();
            fixture.probe.gate.open();
            assert_eq!(held.join().unwrap().unwrap(), [7; 5]);
            assert_eq!(pending.join().unwrap().unwrap(), 3);
            assert!(shutdown.join().unwrap(), "all were answered");
        });
        assert_eq!(fixture.server.wait(), StopReason::ShutDown);
    });
}

#[test]
fn a_shutdown_waits_until_long_answers_are_fetched() {
    const LEN: usize = 8 << 20;
    everywhere(|fixture| {
        let (held, late) = (fixture.client(), fixture.client());
        thread::scope(|scope| {
            let held = scope.spawn(move || held.hold(LEN));
            fixture.probe.gate.await_arrivals(1);
            let handle = fixture.server.handle();
            let shutdown = scope.spawn(move || handle.shutdown(LONG));
            until_err(|| late.echo("too late"));
            fixture.probe.gate.open();
            assert_eq!(held.join().unwrap().unwrap().len(), LEN);
            assert!(shutdown.join().unwrap(), "all was fetched");
        });
    });
}

#[test]
fn a_shutdown_of_an_idle_server_is_over_at_once() {
    everywhere(|fixture| {
        let client = fixture.client();
        assert_eq!(client.echo("hello").unwrap(), "hello");
        assert!(fixture.server.shutdown(LONG));
        assert!(fixture.server.handle().shutdown(LONG), "again");
        client.echo("gone").unwrap_err();
    });
}

#[test]
fn a_deadline_cuts_off_what_still_runs() {
    everywhere(|fixture| {
        let client = fixture.client();
        thread::scope(|scope| {
            let held = scope.spawn(move || client.hold(0));
            fixture.probe.gate.await_arrivals(1);
            assert!(!fixture.server.handle().shutdown(Duration::ZERO));
            let error = held.join().unwrap().unwrap_err();
            assert!(matches!(error, CallError::Disconnected(_)), "{error}");
            assert!(error.maybe_executed());
            fixture.probe.gate.open();
        });
    });
}

#[test]
fn a_drop_waits_for_no_handler_and_frees_the_place() {
    everywhere(|fixture| {
        let client = fixture.client();
        let (probe, place) = (fixture.probe, fixture.place);
        thread::scope(|scope| {
            let held = scope.spawn(move || client.hold(0));
            probe.gate.await_arrivals(1);
            drop(fixture.server);
            let error = held.join().unwrap().unwrap_err();
            assert!(matches!(error, CallError::Disconnected(_)), "{error}");
            let again = WitServer::builder()
                .listen(place.clone())
                .service(ProbeServer(probe.clone()))
                .start()
                .unwrap();
            let client = ProbeClient::builder(place).connect().unwrap();
            assert_eq!(client.echo("again").unwrap(), "again");
            probe.gate.open();
            drop(again);
        });
    });
}

#[test]
fn waiting_ends_with_the_server() {
    everywhere(|fixture| {
        let server = fixture.server;
        let mut stopped = pin!(server.stopped());
        let mut cx = Context::from_waker(Waker::noop());
        assert!(stopped.as_mut().poll(&mut cx).is_pending());
        thread::scope(|scope| {
            let waits = scope.spawn(|| server.wait());
            assert!(server.handle().shutdown(LONG));
            assert_eq!(waits.join().unwrap(), StopReason::ShutDown);
        });
        assert!(stopped.as_mut().poll(&mut cx).is_ready());
    });
}

#[test]
fn a_server_that_accepts_no_client_serves_those_it_has() {
    everywhere(|fixture| {
        let client = fixture.client();
        fixture.server.stop_accepting();
        let refused = ProbeClient::builder(fixture.place.clone()).connect().unwrap_err();
        assert!(matches!(refused, ConnectError::ShuttingDown), "{refused}");
        assert_eq!(client.echo("going on").unwrap(), "going on");
    });
}

#[test]
fn one_client_can_be_sent_away() {
    everywhere(|fixture| {
        let server = &fixture.server;
        let unwanted = fixture.client();
        let id = server.clients()[0].id;
        let other = fixture.client();
        assert!(server.disconnect(id));
        let error = until_err(|| unwanted.echo("is a server there?"));
        assert!(matches!(error, CallError::Disconnected(DisconnectReason::Dismissed)), "{error}");
        assert!(!server.handle().disconnect(id), "gone already");
        assert_eq!(other.echo("going on").unwrap(), "going on");
    });
}

#[test]
fn the_name_is_the_one_that_clients_use() {
    let mmf = Mmf::unguessable();
    let name = mmf.name().to_owned();
    let fixture = Fixture::at(mmf.into(), |builder| builder);
    assert_eq!(fixture.server.name(), name);
}

#[test]
fn a_client_that_leaves_makes_room() {
    let fixture = Fixture::new();
    let handle = fixture.server.handle();
    for _ in 0..100 {
        let client = fixture.client();
        assert_eq!(client.echo("hello").unwrap(), "hello");
        assert_eq!(handle.clients().len(), 1);
        drop(client);
        assert_eq!(handle.clients().len(), 0);
    }
}
