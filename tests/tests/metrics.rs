//! The metrics of a server, in its own process and read by another.

use std::thread;
use std::time::Duration;

use futures_executor::block_on;
use futures_util::future::join_all;
use rustix::process::Signal;
use witrpc::dynamic::DynamicClient;
use witrpc::{ConnectError, Endpoint, InProcess, Metrics, Mmf, ServerHook, WitServer, wit_service};
use witrpc_tests::fixture::{Address, Fixture, FixtureConfig, Transport};
use witrpc_tests::over_both_transports;
use witrpc_tests::process::Child;
use witrpc_tests::roles::Role;
use witrpc_tests::second::SecondClient;
use witrpc_tests::watchdog::eventually;

/// Returns the name of a fixture, to read its metrics from outside.
fn name(fixture: &Fixture) -> &str {
    match fixture.address() {
        Address::Mmf { name, .. } | Address::InProcess { name } => name,
    }
}

/// Returns the metrics once the server has counted all answers, which it does after they are sent.
fn quiet(fixture: &Fixture) -> Metrics {
    eventually("all calls are answered", || fixture.metrics().in_flight == 0);
    fixture.metrics()
}

over_both_transports! {
    fn calls_errors_and_bytes_are_counted(transport) {
        let fixture = Fixture::new(transport);
        let client = fixture.client();
        assert_eq!(fixture.metrics().calls, 0);
        assert_eq!(client.add(1, 2), Ok(3));
        assert_eq!(client.divide_later(4, 2), Ok(2));
        let before = quiet(&fixture);
        assert_eq!((before.calls, before.errors), (2, 0));
        assert_eq!(client.make(30_000, 1).map(|bytes| bytes.len()), Ok(30_000));
        assert!(client.digest(&[7; 20_000]).is_ok());
        assert!(client.divide(1, 0).is_err());
        assert!(client.divide_later(1, 0).is_err());
        assert!(client.fail("it does").is_err());
        assert!(client.fail_later("it does").is_err());
        let after = quiet(&fixture);
        assert_eq!((after.calls, after.errors), (8, 4));
        let [bytes_in, bytes_out] =
            [after.bytes_in - before.bytes_in, after.bytes_out - before.bytes_out];
        assert!((20_000..20_200).contains(&bytes_in), "{bytes_in}");
        assert!((30_000..30_500).contains(&bytes_out), "{bytes_out}");
    }

    fn no_call_is_lost_or_counted_twice_however_many_threads_serve(transport) {
        let fixture = Fixture::new(transport);
        let clients: Vec<_> = (0..4).map(|_| fixture.client()).collect();
        thread::scope(|scope| {
            for client in &clients {
                scope.spawn(|| {
                    for n in 0..500 {
                        assert_eq!(client.add(n, 1), Ok(n + 1));
                        assert_eq!(client.divide_later(n, 1), Ok(n));
                    }
                });
            }
            let mut seen = 0;
            while seen < 4_000 {
                let metrics = fixture.metrics();
                assert!(metrics.calls >= seen, "{metrics:?} after {seen} calls");
                seen = metrics.calls;
            }
        });
        let metrics = quiet(&fixture);
        assert_eq!((metrics.calls, metrics.errors, metrics.connected_clients), (4_000, 0, 4));
    }

    fn calls_in_flight_and_threads_in_handlers_are_seen(transport) {
        let fixture = Fixture::new(transport);
        let (client, later) = (&fixture.client(), fixture.async_client());
        let idle = |metrics: Metrics| metrics.parked_workers == metrics.workers;
        eventually("all threads are parked", || idle(fixture.metrics()));
        thread::scope(|scope| {
            let held: Vec<_> = (0..2).map(|n| scope.spawn(move || client.hold(1, n))).collect();
            let waiting = scope.spawn(|| block_on(join_all((0..3).map(|n| later.hold_later(1, n)))));
            eventually("five calls are in flight", || fixture.metrics().in_flight == 5);
            eventually("both handlers run", || {
                let Metrics { workers, parked_workers, promoted_workers, .. } = fixture.metrics();
                workers - parked_workers >= 2 && promoted_workers >= 1
            });
            assert_eq!(client.open(1), Ok(()));
            assert!(waiting.join().unwrap().iter().all(Result::is_ok));
            held.into_iter().for_each(|held| assert!(held.join().unwrap().is_ok()));
        });
        let metrics = quiet(&fixture);
        assert_eq!((metrics.calls, metrics.in_flight), (6, 0));
        eventually("all threads are parked", || idle(fixture.metrics()));
    }

    fn clients_and_what_is_reserved_for_them_are_seen(transport) {
        let size = 1 << 20;
        let fixture = Fixture::with(transport, FixtureConfig { size: Some(size), ..FixtureConfig::default() });
        let each = if transport == Transport::Mmf { size as u64 } else { 0 };
        let count = |metrics: Metrics| (metrics.connected_clients, metrics.reserved_memory);
        assert_eq!(count(fixture.metrics()), (0, 0));
        let clients = [fixture.client(), fixture.client()];
        assert_eq!(count(fixture.metrics()), (2, 2 * each));
        assert_eq!(fixture.clients().len(), 2);
        drop(clients);
        eventually("they are gone", || count(fixture.metrics()) == (0, 0));
    }

    fn clients_that_were_turned_away_are_counted(transport) {
        let fixture = Fixture::new(transport);
        assert!(matches!(
            SecondClient::connect(fixture.endpoint()),
            Err(ConnectError::UnknownService { .. })
        ));
        assert_eq!(fixture.metrics().refused_handshakes, 1);
    }

    fn streams_and_events_count_as_bytes_and_not_as_calls(transport) {
        let plan = FixtureConfig { streams: true, event_service: true, ..FixtureConfig::default() };
        let fixture = Fixture::with(transport, plan);
        let client = witrpc_tests::streams::StreamsClient::connect(fixture.endpoint()).unwrap();
        let event_service = witrpc_tests::event_service::EventServiceClient::connect(fixture.endpoint()).unwrap();
        assert_eq!(client.blocks(1_000, 50).unwrap().count(), 50);
        let ticked = event_service.ticked().unwrap();
        assert_eq!(event_service.tick(0, 100, false), Ok(100));
        assert_eq!(ticked.take(100).count(), 100);
        assert_eq!(client.sum(0..10_000), Ok(49_995_000));
        let metrics = quiet(&fixture);
        assert_eq!((metrics.calls, metrics.errors), (3, 0));
        assert!(metrics.bytes_out > 52_000 && metrics.bytes_in > 20_000, "{metrics:?}");
    }
}

#[test]
fn connections_that_broke_the_protocol_are_counted() {
    let plan = FixtureConfig { lanes: Some(4), size: Some(48 << 10), ..FixtureConfig::default() };
    let fixture = Fixture::with(Transport::Mmf, plan.clone());
    let honest = fixture.client();
    assert_eq!(honest.add(1, 2), Ok(3));
    assert_eq!(quiet(&fixture).broken_connections, 0);
    let address = fixture.address().clone();
    let scribbling_client = Role::Scribble { address, plan, seed: 1, words: 128 };
    let scribbling_client = Child::start(&scribbling_client);
    eventually("it is thrown out, again and again", || fixture.metrics().broken_connections >= 3);
    scribbling_client.kill();
    eventually("the honest client alone is left", || fixture.clients().len() == 1);
    let seen = fixture.metrics().broken_connections;
    assert!(witrpc::metrics(name(&fixture)).unwrap().broken_connections >= seen);
    assert_eq!(honest.add(1, 2), Ok(3));
}

#[test]
fn another_process_of_the_user_reads_the_same() {
    let fixture = Fixture::new(Transport::Mmf);
    let client = fixture.client();
    assert_eq!(witrpc::metrics(name(&fixture)).unwrap().calls, 0);
    (0..100).for_each(|n| drop(client.add(n, 1)));
    assert!(client.fail("it does").is_err());
    eventually("all threads are parked", || {
        let metrics = fixture.metrics();
        metrics.in_flight == 0 && metrics.parked_workers == metrics.workers
    });
    // A thread that is not needed may end between the two looks.
    eventually("both say the same", || {
        witrpc::metrics(name(&fixture)).unwrap() == fixture.metrics()
    });
    let metrics = fixture.metrics();
    assert_eq!((metrics.calls, metrics.errors, metrics.connected_clients), (101, 1, 1));
    assert!(witrpc::servers().unwrap().iter().any(|each| each == name(&fixture)));
}

#[test]
fn to_look_needs_no_place_and_no_token() {
    let one = FixtureConfig { max_clients: Some(1), ..FixtureConfig::default() };
    let fixture = Fixture::with(Transport::Encrypted, one);
    let client = fixture.client();
    let before = witrpc::metrics(name(&fixture)).unwrap();
    for _ in 0..200 {
        let metrics = witrpc::metrics(name(&fixture)).unwrap();
        assert_eq!((metrics.connected_clients, metrics.calls), (1, 0));
    }
    assert_eq!(client.add(1, 2), Ok(3));
    assert_eq!(quiet(&fixture).refused_handshakes, before.refused_handshakes);
}

#[test]
fn a_busy_servers_numbers_are_there_all_the_same() {
    let fixture = Fixture::with(
        Transport::Mmf,
        FixtureConfig { max_workers: Some(1), ..FixtureConfig::default() },
    );
    let client = fixture.client();
    thread::scope(|scope| {
        let held = scope.spawn(|| client.hold(1, 9));
        eventually("its only thread is held", || {
            witrpc::metrics(name(&fixture)).unwrap().in_flight == 1
        });
        fixture.tell(witrpc_tests::fixture::ServerCommand::Open(1));
        assert_eq!(held.join().unwrap(), Ok(9));
    });
}

#[test]
fn a_server_that_does_not_serve_has_no_numbers() {
    let fixture = Fixture::new(Transport::Mmf);
    let name = name(&fixture).to_owned();
    fixture.server_process().pause();
    let hasty = Mmf::new(&name).handshake_timeout(Duration::from_millis(50)).metrics();
    assert!(matches!(hasty, Err(ConnectError::HandshakeTimedOut { .. })), "{hasty:?}");
    fixture.server_process().signal(Signal::KILL);
    eventually("its name is free", || {
        matches!(witrpc::metrics(&name), Err(ConnectError::NobodyServes { .. }))
    });
    assert!(matches!(witrpc::metrics("a/b"), Err(ConnectError::InvalidName { .. })));
}

#[wit_service]
trait Kinds {
    fn at_once(&self, fails: bool) -> Result<u64, String>;
    fn at_length(&self) -> Vec<u8>;
    async fn later(&self, fails: bool) -> Result<u64, String>;
    fn items(&self) -> impl Iterator<Item = u64>;
    fn sum(&self, numbers: impl Iterator<Item = u64>) -> u64;
    fn never(&self);
}

struct Kind;

impl Kinds for Kind {
    fn at_once(&self, fails: bool) -> Result<u64, String> {
        if fails { Err("it is to".to_owned()) } else { Ok(1) }
    }

    fn at_length(&self) -> Vec<u8> {
        vec![1; 5_000]
    }

    async fn later(&self, fails: bool) -> Result<u64, String> {
        self.at_once(fails)
    }

    fn items(&self) -> impl Iterator<Item = u64> {
        0..3
    }

    fn sum(&self, numbers: impl Iterator<Item = u64>) -> u64 {
        numbers.sum()
    }

    fn never(&self) {}
}

#[test]
fn each_method_has_its_calls_errors_and_latencies() {
    let endpoints: [Endpoint; 2] = [InProcess::new().into(), Mmf::unguessable().into()];
    for (endpoint, hooked) in endpoints.into_iter().zip([false, true]) {
        let builder = WitServer::builder().listen(endpoint.clone()).service(KindsServer::new(Kind));
        let builder = if hooked { builder.hook(Idle) } else { builder };
        let server = builder.method_metrics(true).start().expect("it starts");
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let client = KindsClient::connect(endpoint.clone()).expect("it serves");
                    for n in 0..10 {
                        assert_eq!(client.at_once(n % 5 == 0).is_err(), n % 5 == 0);
                        assert_eq!(client.later(n % 5 == 0).is_err(), n % 5 == 0);
                        assert_eq!(client.at_length().map(|bytes| bytes.len()), Ok(5_000));
                        assert_eq!(client.items().expect("it opens").count(), 3);
                        assert_eq!(client.sum(0..n), Ok((0..n).sum()));
                    }
                });
            }
        });
        eventually("all calls are counted", || {
            server.method_metrics().iter().map(|method| method.calls).sum::<u64>() == 100
        });
        let metrics = server.method_metrics();
        let counted: Vec<_> = metrics.iter().map(|it| (&*it.method, it.calls, it.errors)).collect();
        let expected =
            [("at_once", 20, 4), ("at_length", 20, 0), ("later", 20, 4), ("items", 20, 0)];
        assert_eq!(counted[..4], expected);
        assert_eq!(counted[4..], [("sum", 20, 0), ("never", 0, 0)]);
        for method in &metrics[..5] {
            assert!(method.latency.count() >= 10, "{method:?}");
            assert!(method.latency.quantile(0.5) <= method.latency.quantile(0.99));
            assert!(method.latency.quantile(0.0) > Some(Duration::ZERO));
        }
        assert_eq!(metrics[5].latency.quantile(0.5), None);
        assert_eq!((server.metrics().calls, server.metrics().errors), (100, 8));
    }
}

#[test]
fn methods_are_not_counted_unless_that_is_asked_for() {
    let place = InProcess::new();
    let server = WitServer::builder().listen(place.clone()).service(KindsServer::new(Kind));
    let server = server.start().expect("it starts");
    let client = KindsClient::connect(place.clone()).expect("it serves");
    assert_eq!(client.never(), Ok(()));
    assert_eq!(server.method_metrics(), []);
    let client = DynamicClient::connect(place).expect("it serves");
    assert_eq!(client.method_metrics(), Ok(None));
}

/// A hook that does nothing, so that calls take the way of those with hooks.
struct Idle;

impl ServerHook for Idle {}
