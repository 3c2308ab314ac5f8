//! Clients and servers that are not there, come, leave, and come back.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::thread;
use std::time::Duration;

use witrpc::{CallError, ConnectError, DisconnectReason, Reconnect};

use crate::MakePlace;
use crate::fixture::{Fixture, HangGuard, PATIENCE, builder, eventually, limits, load, serve};
use crate::service::Notes;

/// A client that leaves is forgotten, and the handlers of its calls learn it.
pub fn a_client_that_leaves_is_forgotten_and_its_handlers_learn_it(make: MakePlace<'_>) {
    let fixture = Fixture::new(make, limits());
    let (client, other) = (fixture.client(), fixture.client());
    eventually("both are there", || fixture.server.clients().len() == 2);
    let staying = client.clone();
    let caller = thread::spawn(move || staying.stay());
    fixture.wait_for_stays(1);
    client.connection().disconnect();
    let ended = caller.join().expect("it does not panic");
    let reason = DisconnectReason::ClosedHere;
    assert_eq!(ended, Err(CallError::Disconnected(reason)));
    eventually("it is forgotten", || fixture.server.clients().len() == 1);
    eventually("its handler has learned it", || load(&fixture.notes.given_up) == 1);
    assert_eq!(other.echo(vec![1]), Ok(vec![1]));
}

/// A client that the server dismisses learns why. Others stay.
pub fn a_dismissed_client_learns_why(make: MakePlace<'_>) {
    let fixture = Fixture::new(make, limits());
    let client = fixture.client();
    let id = fixture.server.clients()[0].id;
    let other = fixture.client();
    assert!(fixture.server.disconnect(id));
    assert!(!fixture.server.disconnect(id), "it has gone");
    let reason = DisconnectReason::Dismissed;
    eventually("it has learned it", || {
        client.echo(vec![1]) == Err(CallError::Disconnected(reason))
    });
    assert_eq!(other.echo(vec![1]), Ok(vec![1]));
}

/// A server that is dropped ends the calls in flight, and later ones.
pub fn the_end_of_a_server_ends_its_calls(make: MakePlace<'_>) {
    let fixture = Fixture::new(make, limits());
    let client = fixture.client();
    let staying = client.clone();
    let caller = thread::spawn(move || staying.stay());
    fixture.wait_for_stays(1);
    drop(fixture);
    let ended = Err(CallError::Disconnected(DisconnectReason::ServerShutDown));
    assert_eq!(caller.join().expect("it does not panic"), ended);
    assert!(client.echo(vec![1]).is_err());
    assert!(!client.connection().is_connected());
}

/// A graceful shutdown answers the calls that run, takes no new ones, and ends all threads.
pub fn a_shutdown_answers_what_runs_and_takes_nothing_new(make: MakePlace<'_>) {
    let fixture = Fixture::new(make, limits());
    let client = fixture.client();
    let meeting = client.clone();
    let caller = thread::spawn(move || meeting.meet(2));
    eventually("it has begun", || load(&fixture.notes.met) == 1);
    thread::scope(|scope| {
        let down = scope.spawn(|| fixture.server.shutdown(PATIENCE));
        eventually("the notice has come", || client.echo(vec![1]) == Err(CallError::ShuttingDown));
        fixture.notes.met.fetch_add(1, SeqCst);
        assert!(down.join().expect("it does not panic"), "all was answered, and all threads ended");
    });
    assert_eq!(caller.join().expect("it does not panic"), Ok(2));
    assert_eq!(client.echo(vec![1]), Err(CallError::ShuttingDown));
}

/// A client that reconnects finds the next server at the same place.
pub fn a_client_reconnects_to_the_next_server(make: MakePlace<'_>) {
    let mut fixture = Fixture::new(make, limits());
    let policy = Reconnect::new().after_shutdown(true);
    let client = fixture.builder().reconnect(policy).connect().expect("it is served");
    assert_eq!(client.echo(vec![1]), Ok(vec![1]));
    assert!(fixture.server.shutdown(PATIENCE));
    fixture.serve_again();
    eventually("it has found the next", || client.echo(vec![2]) == Ok(vec![2]));
    assert_eq!(fixture.server.clients().len(), 1);
}

/// A connect without a server fails at once, or waits as long as it may.
pub fn a_connect_waits_for_a_server_as_long_as_it_may(make: MakePlace<'_>) {
    let _hangs = HangGuard::new();
    let (place, notes) = (make(limits()), Arc::<Notes>::default());
    let at_once = builder(&place).connect().err();
    assert!(at_once.as_ref().is_some_and(ConnectError::is_retryable), "{at_once:?}");
    let brief = builder(&place).wait_for_server(Duration::from_millis(2)).connect().err();
    assert!(brief.as_ref().is_some_and(ConnectError::is_retryable), "{brief:?}");
    thread::scope(|scope| {
        let waits = scope.spawn(|| builder(&place).wait_for_server(PATIENCE).connect());
        let server = serve(&place, &notes, |server| server);
        let client = waits.join().expect("it does not panic").expect("it is served");
        assert_eq!(client.echo(vec![1]), Ok(vec![1]));
        drop(server);
    });
}

/// A connect has a limit of time whatever the server does.
pub fn a_connect_has_a_limit_of_time(make: MakePlace<'_>) {
    let _hangs = HangGuard::new();
    let place = make(limits());
    let limited = builder(&place)
        .wait_for_server(PATIENCE)
        .connect_timeout(Duration::from_millis(2))
        .connect()
        .err();
    assert!(limited.as_ref().is_some_and(ConnectError::is_retryable), "{limited:?}");
}

/// An endpoint that can ask a server for its metrics is none of its clients. It tells if there is no server.
pub fn an_endpoint_tells_of_its_server_without_a_client(make: MakePlace<'_>) {
    let fixture = Fixture::new(make, limits().with_max_clients(1));
    let client = fixture.client();
    assert_eq!(client.echo(vec![1]), Ok(vec![1]));
    let endpoint = fixture.endpoint();
    let told = match endpoint.metrics() {
        Err(ConnectError::Unsupported { .. }) => return,
        told => told.expect("the server answers"),
    };
    assert_eq!(told.calls, fixture.server.metrics().calls);
    assert!(endpoint.check_health().is_ok());
    if let Ok(names) = endpoint.servers()
        && fixture.has_one_endpoint()
    {
        let name = fixture.server.name();
        assert!(name.is_empty() || names.iter().any(|each| each == name));
    }
    drop((client, fixture));
    assert!(endpoint.check_health().is_err());
}

/// Clients over the limit are refused by name, until another leaves.
pub fn clients_over_the_limit_are_refused_until_another_leaves(make: MakePlace<'_>) {
    let fixture = Fixture::new(make, limits().with_max_clients(2));
    let (first, second) = (fixture.client(), fixture.client());
    let refused = fixture.builder().connect().err();
    assert!(matches!(refused, Some(ConnectError::TooManyClients)), "{refused:?}");
    drop(first);
    eventually("there is room", || fixture.server.clients().len() == 1);
    assert_eq!(fixture.client().echo(vec![1]), Ok(vec![1]));
    assert_eq!(second.echo(vec![1]), Ok(vec![1]));
}
