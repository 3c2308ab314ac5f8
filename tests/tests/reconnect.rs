//! Clients that reconnect to a server that was lost, and clients that must not.

use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use futures_executor::block_on;
use tempfile::TempDir;
use witrpc::{
    AccessToken, Backoff, CallError, CallOptions, ConnectError, ConnectionState, DisconnectReason,
    InProcess, Reconnect, WitServer, wit_service,
};
use witrpc_tests::basic::{BasicAsyncClient, BasicClient};
use witrpc_tests::fixture::{Address, Fixture, FixtureConfig, ServerCommand, Transport};
use witrpc_tests::over_both_transports;
use witrpc_tests::watchdog::{PATIENCE, eventually};

use ConnectionState::{Connected, Disconnected, Reconnecting};

/// The basic service, for clients that allow their calls to run twice.
#[wit_service(name = "Basic")]
pub trait Repeatable {
    /// As in the service.
    #[wit(idempotent)]
    fn add(&self, a: i64, b: i64) -> i64;
    /// As in the service.
    #[wit(idempotent)]
    fn hold(&self, gate: u64, token: u64) -> u64;
    /// As in the service.
    #[wit(idempotent)]
    async fn hold_later(&self, gate: u64, token: u64) -> u64;
    /// As in the service.
    #[wit(idempotent)]
    fn digest(&self, bytes: &[u8]) -> u64;
}

/// Another service of that name.
#[wit_service(name = "Basic")]
pub trait Renovated {
    /// It took whole numbers.
    fn add(&self, a: f64, b: f64) -> f64;
}

struct Smith;

impl Renovated for Smith {
    fn add(&self, a: f64, b: f64) -> f64 {
        a + b
    }
}

/// Returns options that reconnect soon, and the channel with each change of state.
fn reconnect() -> (Reconnect, mpsc::Receiver<ConnectionState>) {
    let (tell, told) = mpsc::channel();
    let reconnect = Reconnect::new()
        .backoff(Backoff::new(Duration::from_millis(1), Duration::from_millis(20)))
        .on_change(move |state| {
            // A test that needs no more states drops the receiver.
            let _ = tell.send(state);
        });
    (reconnect, told)
}

fn next(told: &mpsc::Receiver<ConnectionState>) -> ConnectionState {
    told.recv_timeout(PATIENCE).expect("the state changes")
}

/// Returns a directory for names, and an address in it under which one server can follow another.
fn address() -> (TempDir, Address) {
    let dir = TempDir::new().unwrap();
    let address = Address::in_dir(dir.path(), "phoenix");
    (dir, address)
}

/// Starts a server with that address. Dropping it is `kill -9`.
fn serve(address: &Address) -> Fixture {
    Fixture::at(address.clone(), FixtureConfig::default())
}

#[test]
fn a_killed_server_is_followed_by_the_next_of_its_name() {
    let (_dir, address) = address();
    let first = serve(&address);
    let (policy, told) = reconnect();
    let client = BasicClient::builder(address.endpoint()).reconnect(policy.clone());
    let client = client.connect().unwrap();
    let later = BasicAsyncClient::builder(address.endpoint()).reconnect(policy.clone());
    let later = block_on(later.connect()).unwrap();
    assert_eq!(client.connection().state(), Connected);
    assert_eq!(client.add(1, 2), Ok(3));
    drop(first);
    assert_eq!([next(&told), next(&told)], [Reconnecting, Reconnecting]);
    assert!(!client.connection().is_connected());
    assert_eq!(client.connection().disconnect_reason(), None);
    thread::scope(|scope| {
        // Calls that are made in between wait.
        let waiting = [scope.spawn(|| client.add(2, 3)), scope.spawn(|| block_on(later.add(2, 3)))];
        let _second = serve(&address);
        waiting.into_iter().for_each(|call| assert_eq!(call.join().unwrap(), Ok(5)));
        assert_eq!([next(&told), next(&told)], [Connected, Connected]);
        assert_eq!(client.add(3, 4), Ok(7));
    });
    assert_eq!([next(&told), next(&told)], [Reconnecting, Reconnecting]);
    drop(client);
    assert_eq!(next(&told), Disconnected(DisconnectReason::ClosedHere));
    drop((policy, later));
    assert_eq!(next(&told), Disconnected(DisconnectReason::ClosedHere));
    assert!(told.recv().is_err(), "no sender is left");
}

#[test]
fn of_the_calls_in_flight_only_idempotent_ones_are_repeated() {
    let (_dir, address) = address();
    let first = serve(&address);
    let (policy, _told) = reconnect();
    let client = RepeatableClient::builder(address.endpoint()).reconnect(policy.clone());
    let client = client.connect().unwrap();
    let later = RepeatableAsyncClient::builder(address.endpoint()).reconnect(policy.clone());
    let later = block_on(later.connect()).unwrap();
    let once = BasicClient::builder(address.endpoint()).reconnect(policy).connect().unwrap();
    let token = witrpc::CancelToken::new();
    let cancelled = client.with(CallOptions::new().cancelled_by(&token));
    thread::scope(|scope| {
        let held = scope.spawn(|| client.hold(1, 7));
        let held_later = scope.spawn(|| block_on(later.hold_later(1, 8)));
        let held_cancelled = scope.spawn(|| cancelled.hold(1, 9));
        let held_once = scope.spawn(|| once.hold(1, 10));
        let held_once_later = scope.spawn(|| once.hold_later(1, 11));
        first.client().arrived(1, 5).unwrap();
        drop(first);
        for once in [held_once, held_once_later] {
            let error = once.join().unwrap().unwrap_err();
            assert_eq!(error, CallError::PeerDied);
            assert!(error.maybe_executed());
        }
        token.cancel();
        assert_eq!(held_cancelled.join().unwrap(), Err(CallError::Cancelled));
        let second = serve(&address);
        second.client().arrived(1, 2).unwrap();
        second.tell(ServerCommand::Open(1));
        assert_eq!(held.join().unwrap(), Ok(7));
        assert_eq!(held_later.join().unwrap(), Ok(8));
        // Clients whose call was lost go on too.
        assert_eq!(once.add(1, 2), Ok(3));
    });
}

#[test]
fn a_call_waits_for_a_server_until_its_time_is_over() {
    let (_dir, address) = address();
    let first = serve(&address);
    let (policy, told) = reconnect();
    let client = RepeatableClient::builder(address.endpoint()).reconnect(policy.clone());
    let client = client.call_timeout(Duration::from_millis(20)).connect().unwrap();
    let later = RepeatableAsyncClient::builder(address.endpoint()).reconnect(policy);
    let later = block_on(later.connect()).unwrap();
    let patient = client.with(CallOptions::new().timeout(PATIENCE));
    thread::scope(|scope| {
        let held = scope.spawn(|| patient.hold(1, 7));
        first.client().arrived(1, 1).unwrap();
        drop(first);
        assert_eq!([next(&told), next(&told)], [Reconnecting, Reconnecting]);
        let late = client.add(1, 2).unwrap_err();
        assert_eq!(late, CallError::NotConnected);
        assert!(late.is_retryable() && !late.maybe_executed());
        let late = later.with(CallOptions::new().timeout(Duration::from_millis(20)));
        assert_eq!(block_on(late.add(1, 2)), Err(CallError::NotConnected));
        let mut waiting = Box::pin(later.add(1, 2));
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(waiting.as_mut().poll(&mut cx).is_pending());
        drop(waiting);
        client.connection().disconnect();
        // The call may have run, and its error says so.
        assert_eq!(held.join().unwrap(), Err(CallError::PeerDied));
    });
}

#[test]
fn a_server_with_another_contract_ends_it_if_the_client_is_strict() {
    let (_dir, address) = address();
    let first = serve(&address);
    let (policy, told) = reconnect();
    let client = BasicClient::builder(address.endpoint()).reconnect(policy).strict(true);
    let client = client.connect().unwrap();
    drop(first);
    assert_eq!(next(&told), Reconnecting);
    let service = RenovatedServer::new(Smith);
    let second = WitServer::builder().listen(address.endpoint()).service(service).start().unwrap();
    assert_eq!(next(&told), Disconnected(DisconnectReason::ReconnectFailed));
    match client.add(1, 2).unwrap_err() {
        CallError::ContractMismatch { difference } => {
            assert!(difference.contains("add: argument `a` is i64 here and f64 there"));
        }
        other => panic!("{other}"),
    }
    let connection = client.connection();
    assert_eq!(connection.disconnect_reason(), Some(DisconnectReason::ReconnectFailed));
    let error = connection.reconnect_error().unwrap();
    assert!(matches!(*error, ConnectError::ContractMismatch { .. }), "{error}");
    eventually("the server is alone", || second.clients().is_empty());
}

#[test]
fn a_client_that_disconnects_while_it_pauses_does_not_come_back() {
    let (_dir, address) = address();
    let first = serve(&address);
    let (policy, told) = reconnect();
    // Longer than any test.
    let pause = Duration::from_secs(3600);
    let policy = policy.backoff(Backoff::new(pause, pause));
    let client = BasicClient::builder(address.endpoint()).reconnect(policy).connect().unwrap();
    drop(first);
    assert_eq!(next(&told), Reconnecting);
    let second = serve(&address);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| client.add(1, 2));
        client.connection().disconnect();
        let closed = DisconnectReason::ClosedHere;
        assert_eq!(client.connection().state(), Disconnected(closed));
        assert_eq!(next(&told), Disconnected(closed));
        assert_eq!(waiting.join().unwrap(), Err(CallError::Disconnected(closed)));
        assert_eq!(client.add(1, 2), Err(CallError::Disconnected(closed)));
    });
    assert_eq!(second.clients(), []);
}

#[test]
fn a_client_that_gives_up_says_what_stood_in_the_way() {
    let (_dir, address) = address();
    let first = serve(&address);
    let (policy, told) = reconnect();
    let policy = policy.give_up_after(Duration::from_millis(30));
    let client = BasicClient::builder(address.endpoint()).reconnect(policy).connect().unwrap();
    drop(first);
    assert_eq!(next(&told), Reconnecting);
    let failed = DisconnectReason::ReconnectFailed;
    assert_eq!(next(&told), Disconnected(failed));
    assert_eq!(client.add(1, 2), Err(CallError::Disconnected(failed)));
    let error = client.connection().reconnect_error().unwrap();
    assert!(matches!(*error, ConnectError::NobodyServes { .. }), "{error}");
    // It stays there.
    let _second = serve(&address);
    assert_eq!(client.add(1, 2), Err(CallError::Disconnected(failed)));
}

#[test]
fn many_threads_call_on_while_servers_die() {
    const SERVERS: u32 = 10;
    let (_dir, address) = address();
    let mut server = serve(&address);
    let (policy, _told) = reconnect();
    let client = RepeatableClient::builder(address.endpoint()).reconnect(policy.clone());
    let client = client.connect().unwrap();
    let later = RepeatableAsyncClient::builder(address.endpoint()).reconnect(policy);
    let later = block_on(later.connect()).unwrap();
    let rounds = AtomicU32::new(0);
    let large = vec![7_u8; 3 << 20];
    thread::scope(|scope| {
        let callers: Vec<_> = (0..6)
            .map(|number: i64| {
                let (client, later, rounds, large) = (&client, &later, &rounds, &large);
                scope.spawn(move || {
                    let mut calls = 0;
                    while rounds.load(Relaxed) < SERVERS {
                        match number % 3 {
                            0 => assert_eq!(client.add(number, calls), Ok(number + calls)),
                            1 => assert_eq!(block_on(later.add(number, 1)), Ok(number + 1)),
                            _ => {
                                let digest = witrpc_tests::basic::checksum(large);
                                assert_eq!(client.digest(large), Ok(digest));
                            }
                        }
                        calls += 1;
                    }
                    calls
                })
            })
            .collect();
        for _ in 0..SERVERS {
            assert_eq!(client.add(1, 2), Ok(3));
            drop(server);
            server = serve(&address);
            rounds.fetch_add(1, Relaxed);
        }
        callers.into_iter().for_each(|caller| assert!(caller.join().unwrap() > 0));
    });
}

over_both_transports! {
    fn an_end_on_purpose_is_not_followed(transport) {
        let fixture = Fixture::new(transport);
        let builder = || BasicClient::builder(fixture.endpoint());
        let (policy, told) = reconnect();
        let dismissed = builder().reconnect(policy).connect().unwrap();
        let id = dismissed.who().unwrap().client_id;
        let (policy, told_shut) = reconnect();
        let shut = builder().reconnect(policy).connect().unwrap();
        assert!(fixture.disconnect(id));
        assert_eq!(next(&told), Disconnected(DisconnectReason::Dismissed));
        assert_eq!(dismissed.add(1, 2), Err(CallError::Disconnected(DisconnectReason::Dismissed)));
        assert!(fixture.shutdown(PATIENCE));
        let reason = DisconnectReason::ServerShutDown;
        assert_eq!(next(&told_shut), Disconnected(reason));
        assert_eq!(shut.add(1, 2), Err(CallError::ShuttingDown));
        drop((dismissed, shut));
        assert!(told.recv().is_err() && told_shut.recv().is_err(), "nothing follows an end");
    }

    fn a_server_that_gives_way_to_the_next_is_followed_if_asked(transport) {
        let fixture = Fixture::new(transport);
        let (policy, told) = reconnect();
        let client = RepeatableClient::builder(fixture.endpoint());
        let client = client.reconnect(policy.after_shutdown(true)).connect().unwrap();
        thread::scope(|scope| {
            let held = scope.spawn(|| client.hold(1, 7));
            fixture.client().arrived(1, 1).unwrap();
            fixture.tell(ServerCommand::BeginShutdown(PATIENCE));
            // Refused by a server that still has to answer the other call, or without a server.
            let waiting = scope.spawn(|| loop {
                let sum = client.add(1, 2);
                if sum != Err(CallError::ShuttingDown) {
                    return sum;
                }
            });
            fixture.tell(ServerCommand::Open(1));
            assert_eq!(held.join().unwrap(), Ok(7));
            assert_eq!(next(&told), Reconnecting);
            let address = fixture.address().clone();
            if transport == Transport::Mmf {
                drop(fixture);
            }
            let _second = serve(&address);
            assert_eq!(waiting.join().unwrap(), Ok(3));
            assert_eq!(next(&told), Connected);
        });
    }
}

#[test]
fn the_token_is_asked_for_again() {
    let place = InProcess::new();
    let serve = |token: &AccessToken| {
        let service = RenovatedServer::new(Smith);
        let server = WitServer::builder().listen(place.clone()).service(service);
        server.access_token(token.clone()).start().unwrap()
    };
    let tokens = [AccessToken::random(), AccessToken::random()];
    let asked = Arc::new(AtomicU32::new(0));
    let (count, given) = (Arc::clone(&asked), tokens.clone());
    let (policy, told) = reconnect();
    let first = serve(&tokens[0]);
    let client = RenovatedClient::builder(place.clone())
        .access_token_from(move || Ok(given[usize::from(count.fetch_add(1, Relaxed) > 0)].clone()))
        .reconnect(policy.after_shutdown(true))
        .connect()
        .unwrap();
    drop(first);
    let second = serve(&tokens[1]);
    assert_eq!(client.add(1.0, 2.0), Ok(3.0));
    assert_eq!([next(&told), next(&told)], [Reconnecting, Connected]);
    assert!(asked.load(Relaxed) > 1);
    // It opens nothing any more.
    drop(second);
    let _third = serve(&tokens[0]);
    assert_eq!(client.add(1.0, 2.0), Err(CallError::Unauthorized));
    assert_eq!(next(&told), Reconnecting);
    assert_eq!(next(&told), Disconnected(DisconnectReason::ReconnectFailed));
}

#[test]
fn a_panic_in_a_callback_or_while_connecting_does_no_harm() {
    let place = InProcess::new();
    let serve = || {
        let service = RenovatedServer::new(Smith);
        WitServer::builder().listen(place.clone()).service(service).start().unwrap()
    };
    let first = serve();
    let (tell, told) = mpsc::channel();
    let policy = Reconnect::new().after_shutdown(true).on_change(move |state| {
        tell.send(state).expect("the test listens");
        panic!("as this test wants it");
    });
    let client = RenovatedClient::builder(place.clone()).reconnect(policy).connect().unwrap();
    drop(first);
    let _second = serve();
    assert_eq!(client.add(1.0, 2.0), Ok(3.0));
    assert_eq!([next(&told), next(&told)], [Reconnecting, Connected]);
    client.connection().disconnect();
    assert_eq!(next(&told), Disconnected(DisconnectReason::ClosedHere));
}
