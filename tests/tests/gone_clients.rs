//! What a server keeps of clients that are gone. It is alone in its process, which reads the
//! resources of servers' processes.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use witrpc::{CallError, ConnectError};
use witrpc_tests::basic::BasicClient;
use witrpc_tests::fixture::{Fixture, FixtureConfig, Transport};
use witrpc_tests::over_both_transports;
use witrpc_tests::process::Child;
use witrpc_tests::resources::{Resources, eventually_no_more};
use witrpc_tests::roles::Role;
use witrpc_tests::shared_memory::{SharedMemoryClient, frame};
use witrpc_tests::watchdog::{PATIENCE, eventually};

/// How often all clients are killed.
const ROUNDS: u64 = 3;

const CLIENTS: u64 = 4;

#[test]
fn an_idle_server_holds_nothing_of_clients_that_were_killed_in_mixed_work() {
    // With one worker two threads serve, and neither retires, which would release what it holds. A
    // third exists only while a client that was killed leaves one of them behind.
    let plan = FixtureConfig {
        streams: true,
        event_service: true,
        max_workers: Some(1),
        ..FixtureConfig::default()
    };
    let fixture = Fixture::with(Transport::Mmf, plan);
    let server = fixture.server_process().pid();
    // The server itself is not asked: a call would wake the threads that may hold something.
    let held = || Resources::of_process(server);
    let before = held();
    let mut rng = Rng::with_seed(10);
    for round in 0..ROUNDS {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let seed = round * CLIENTS + client;
                Child::start(&Role::Mix { address: fixture.address().clone(), seed })
            })
            .collect();
        clients.iter().for_each(|client| client.hear());
        // This waits for nothing; it chooses the moment.
        thread::sleep(Duration::from_micros(rng.u64(..5_000)));
        clients.into_iter().for_each(Child::kill);
        eventually_no_more("the server's process", before, held);
    }
}

/// How many clients end while their call waits.
const WAITING: u32 = 20;

/// Makes a call that waits at a gate, and ends the client when the call is there: the `number`th at
/// this gate.
fn call_and_go(fixture: &Fixture, observer: &BasicClient, gate: u64, number: u32) {
    let client = fixture.async_client();
    let mut call = pin!(client.hold_later(gate, 1));
    let polled = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert_eq!(polled, Poll::Pending);
    observer.arrived(gate, number).unwrap();
    client.connection().disconnect();
}

#[test]
fn handlers_that_wait_keep_neither_descriptors_nor_regions_of_clients_that_have_gone() {
    let fixture = Fixture::new(Transport::Mmf);
    let observer = fixture.client();
    let server = fixture.server_process().pid();
    let held = || Resources::of_process(server);
    let before = held();
    for gone in 1..=WAITING {
        call_and_go(&fixture, &observer, 1, gone);
    }
    eventually_no_more("the server's process", before, held);
    assert_eq!(fixture.metrics().in_flight, u64::from(WAITING), "the handlers wait on");
    observer.open(1).unwrap();
    eventually("they end when they may", || fixture.metrics().in_flight == 0);
}

/// How clients end while a thread of the server is in their handler.
#[derive(Clone, Copy, Debug)]
enum Way {
    Disconnected,
    Killed,
}

/// Makes a call that keeps a thread at a gate, and ends the client when the call is there: the
/// `number`th at this gate.
fn block_and_go(fixture: &Fixture, observer: &BasicClient, gate: u64, number: u32, way: Way) {
    match way {
        Way::Disconnected => {
            let client = fixture.client();
            let caller = client.clone();
            let call = thread::spawn(move || caller.hold(gate, 1));
            observer.arrived(gate, number).unwrap();
            client.connection().disconnect();
            let answer = call.join().unwrap();
            assert!(matches!(answer, Err(CallError::Disconnected(_))), "{answer:?}");
        }
        Way::Killed => {
            let address = fixture.address().clone();
            let client = Child::start(&Role::Hold { address, gate, timeout: PATIENCE });
            observer.arrived(gate, number).unwrap();
            client.kill();
        }
    }
}

#[test]
fn handlers_that_block_keep_neither_descriptors_nor_regions_of_clients_that_have_gone() {
    let fixture = Fixture::new(Transport::Mmf);
    let observer = fixture.client();
    let server = fixture.server_process().pid();
    let held = || Resources::of_process(server);
    let before = held();
    for (number, way) in (1..).zip([Way::Disconnected, Way::Killed, Way::Disconnected]) {
        block_and_go(&fixture, &observer, 1, number, way);
        eventually_no_more("the server's process", before, held);
        // The next client, which other threads serve, is not kept either.
        let next = fixture.client();
        assert_eq!(next.add(1, 2), Ok(3));
        next.connection().disconnect();
        eventually_no_more("the server's process", before, held);
        assert_eq!(fixture.metrics().in_flight, u64::from(number), "the handlers run on");
    }
    observer.open(1).unwrap();
    eventually("they end when they may", || fixture.metrics().in_flight == 0);
    assert_eq!(observer.add(1, 2), Ok(3));
    eventually_no_more("the server's process", before, held);
}

#[test]
fn what_a_client_that_has_gone_has_lent_keeps_its_region_and_no_descriptor() {
    let fixture = Fixture::new(Transport::Mmf);
    let observer = fixture.client();
    let shared_memory: SharedMemoryClient = observer.connection().client().unwrap();
    let server = fixture.server_process().pid();
    let held = || Resources::of_process(server);
    let before = held();
    let gone = fixture.client();
    let lender: SharedMemoryClient = gone.connection().client().unwrap();
    assert_eq!(lender.keep(frame(&lender, 5_000, 1)), Ok(1));
    thread::scope(|scope| {
        let call = scope.spawn(|| gone.hold(1, 1));
        observer.arrived(1, 1).unwrap();
        gone.connection().disconnect();
        assert!(call.join().unwrap().is_err());
    });
    let has_its_region = |held: Resources| held.regions > before.regions;
    eventually_no_more("the server's process", before.of_descriptors(), held);
    assert!(has_its_region(held()), "{:?}, before {before:?}", held());
    shared_memory.forget().unwrap();
    eventually_no_more("the server's process, while the handler runs,", before, held);
    assert_eq!(fixture.metrics().in_flight, 1);
    observer.open(1).unwrap();
    eventually("it ends when it may", || fixture.metrics().in_flight == 0);
}

over_both_transports! {
    fn clients_that_have_gone_leave_their_place_while_their_handlers_keep_threads(transport) {
        let fixture = Fixture::with(transport, FixtureConfig { max_clients: Some(2), ..FixtureConfig::default() });
        let observer = fixture.client();
        for gone in 1..=5 {
            block_and_go(&fixture, &observer, 1, gone, Way::Disconnected);
            eventually("it has gone", || fixture.clients().len() == 1);
        }
        let next = fixture.client();
        assert_eq!(next.add(1, 2), Ok(3));
        eventually("only theirs are in flight", || fixture.metrics().in_flight == 5);
        observer.open(1).unwrap();
        eventually("the handlers end when they may", || fixture.metrics().in_flight == 0);
    }

    fn clients_that_have_gone_leave_their_place_to_others_while_their_handlers_wait(transport) {
        let fixture = Fixture::with(transport, FixtureConfig { max_clients: Some(2), ..FixtureConfig::default() });
        let observer = fixture.client();
        for gone in 1..=5 {
            call_and_go(&fixture, &observer, 1, gone);
            eventually("it has gone", || fixture.clients().len() == 1);
        }
        observer.open(1).unwrap();
        eventually("the handlers end when they may", || fixture.metrics().in_flight == 0);
    }
}

#[test]
fn a_client_that_has_gone_counts_while_what_it_has_lent_is_kept() {
    let fixture = Fixture::with(
        Transport::Mmf,
        FixtureConfig { max_clients: Some(2), ..FixtureConfig::default() },
    );
    let shared_memory: SharedMemoryClient = fixture.client().connection().client().unwrap();
    let gone: SharedMemoryClient = fixture.client().connection().client().unwrap();
    assert_eq!(gone.keep(frame(&gone, 5_000, 1)), Ok(1));
    gone.connection().disconnect();
    eventually("it has gone", || fixture.clients().len() == 1);
    let refused = fixture.builder().connect().unwrap_err();
    assert!(matches!(refused, ConnectError::TooManyClients), "{refused}");
    shared_memory.forget().unwrap();
    assert_eq!(fixture.client().add(1, 2), Ok(3));
}
