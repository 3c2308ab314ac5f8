//! A stopped process is not a dead one, and affects only itself.

use std::thread;
use std::time::Duration;

use futures_executor::block_on;
use futures_util::future::join_all;
use witrpc::{CallError, CallOptions};
use witrpc_tests::basic::bytes_of;
use witrpc_tests::fixture::{Fixture, FixtureConfig, Transport};
use witrpc_tests::process::Child;
use witrpc_tests::random_calls::Pair;
use witrpc_tests::roles::Role;
use witrpc_tests::watchdog::{PATIENCE, Watchdog, eventually};

#[test]
fn a_stopped_client_with_large_answers_pending_does_no_harm() {
    // 40 MB of answers for a client with 1 MiB of shared memory.
    const CALLS: u32 = 40;
    const LEN: usize = 1_000_000;
    let fixture = Fixture::new(Transport::Mmf);
    let bystander = Pair { blocking: fixture.client(), later: fixture.async_client() };
    let (address, gate) = (fixture.address().clone(), 1);
    let client = Child::start(&Role::TakeLarge { address, gate, calls: CALLS, len: LEN });
    bystander.blocking.arrived(gate, CALLS).unwrap();
    client.pause();
    bystander.blocking.open(gate).unwrap();
    let mut rng = fastrand::Rng::with_seed(3);
    for _ in 0..300 {
        bystander.errand(&mut rng, 300_000).unwrap();
    }
    assert_eq!(fixture.client().add(1, 2), Ok(3), "new clients come in");
    client.resume();
    assert_eq!(client.hear::<u32>(), CALLS, "all answers, and all right");
}

#[test]
fn a_client_killed_while_stopped_with_answers_pending_is_forgotten() {
    let fixture = Fixture::with(
        Transport::Mmf,
        FixtureConfig { max_clients: Some(2), ..FixtureConfig::default() },
    );
    let bystander = fixture.client();
    for gate in 0..5 {
        let address = fixture.address().clone();
        let client = Child::start(&Role::TakeLarge { address, gate, calls: 20, len: 500_000 });
        bystander.arrived(gate, 20).unwrap();
        client.pause();
        bystander.open(gate).unwrap();
        assert_eq!(bystander.add(1, 2), Ok(3));
        client.kill();
        eventually("its place is free", || fixture.clients().len() == 1);
    }
    assert_eq!(bystander.make(2_000_000, 1).map(|bytes| bytes.len()), Ok(2_000_000));
}

#[test]
fn a_stopped_client_goes_on_where_it_was() {
    let fixture = Fixture::new(Transport::Mmf);
    let observer = fixture.client();
    let address = fixture.address().clone();
    let caller = Child::start(&Role::Hold { address, gate: 1, timeout: PATIENCE });
    observer.arrived(1, 1).unwrap();
    caller.pause();
    assert_eq!(fixture.clients().len(), 2, "it is not taken for dead");
    observer.open(1).unwrap();
    assert_eq!(observer.add(1, 2), Ok(3));
    caller.resume();
    assert_eq!(caller.hear::<Result<u64, String>>(), Ok(u64::from(caller.pid())));
}

#[test]
fn a_stopped_server_is_not_taken_for_dead() {
    let fixture = Fixture::new(Transport::Mmf);
    let pair = Pair { blocking: fixture.client(), later: fixture.async_client() };
    fixture.server_process().pause();
    let waiting: Vec<_> = (0..3)
        .map(|n| {
            let client = pair.blocking.clone();
            thread::spawn(move || client.add(n, 1))
        })
        .collect();
    assert!(pair.blocking.connection().is_connected());
    fixture.server_process().resume();
    for (n, waiting) in (0..).zip(waiting) {
        assert_eq!(waiting.join().unwrap(), Ok(n + 1));
    }
    let sums = block_on(join_all((0..50).map(|n| pair.later.add(n, 2))));
    assert_eq!(sums, (0..50).map(|n| Ok(n + 2)).collect::<Vec<_>>());
}

/// For each thing that a future may wait for: an answer, a lane or space.
#[test]
fn beside_a_stopped_server_every_future_ends_at_its_limit() {
    let bytes = bytes_of(4_000, 1);
    for (lanes, size) in [(2, None), (32, Some(64 << 10))] {
        let plan = FixtureConfig { lanes: Some(lanes), size, ..FixtureConfig::default() };
        let fixture = Fixture::with(Transport::Mmf, plan);
        let builder = fixture.async_builder().call_timeout(Duration::from_millis(100));
        let client = block_on(builder.connect()).unwrap();
        fixture.server_process().pause();
        let ended = block_on(join_all((0..32).map(|_| client.digest(&bytes))));
        fixture.server_process().resume();
        let count = |is: fn(&CallError) -> bool| {
            ended.iter().filter(|ended| ended.as_ref().is_err_and(is)).count()
        };
        let unanswered = count(|error| matches!(error, CallError::TimedOut { .. }));
        let laneless = count(|error| matches!(error, CallError::NoFreeLane { lanes: 2, .. }));
        let spaceless = count(|error| matches!(error, CallError::NoSpace));
        assert_eq!(unanswered + laneless + spaceless, 32, "{ended:?}");
        match size {
            None => assert_eq!(unanswered, 2, "{ended:?}"),
            Some(_) => assert!(unanswered > 0 && spaceless > 0, "{ended:?}"),
        }
        eventually("the server is called again", || block_on(client.add(1, 2)) == Ok(3));
    }
}

#[test]
fn stopping_and_continuing_either_side_loses_no_call() {
    let fixture = Fixture::new(Transport::Mmf);
    let role = |seed| Role::Call {
        address: fixture.address().clone(),
        seed,
        calls: Some(400),
        most: 100_000,
        spin: false,
    };
    let clients = [Child::start(&role(1)), Child::start(&role(2))];
    for client in &clients {
        let _number: u64 = client.hear();
    }
    for _ in 0..20 {
        clients[0].pause();
        fixture.server_process().pause();
        clients[0].resume();
        clients[1].pause();
        fixture.server_process().resume();
        clients[1].resume();
    }
    for client in &clients {
        assert_eq!(client.hear::<u64>(), 400);
    }
}

#[test]
fn a_ping_tells_a_stopped_server_from_one_whose_handlers_take_long() {
    let _watchdog = Watchdog::new(PATIENCE);
    let config = FixtureConfig { max_workers: Some(1), ..FixtureConfig::default() };
    let fixture = Fixture::with(Transport::Mmf, config);
    let (client, later) = (fixture.client(), fixture.async_client());
    let ping = |within| client.connection().ping(within);
    let brief = Duration::from_millis(20);
    thread::scope(|scope| {
        // All threads that may run methods are in handlers, and calls wait.
        let held: Vec<_> = (0..3).map(|_| scope.spawn(|| client.hold(1, 7))).collect();
        eventually("a handler runs", || fixture.metrics().in_flight > 0);
        let busy = client.with(CallOptions::new().timeout(brief));
        eventually("no thread is left", || busy.add(1, 2).is_err());
        assert!(ping(PATIENCE).is_ok(), "it looks at its connections");
        assert!(block_on(later.connection().ping_async(PATIENCE)).is_ok());
        fixture.server_process().pause();
        let silent = [ping(brief), block_on(later.connection().ping_async(brief))];
        for silent in silent {
            assert!(matches!(silent, Err(CallError::TimedOut { .. })), "{silent:?}");
        }
        assert!(client.connection().is_connected(), "a question ends nothing");
        fixture.server_process().resume();
        assert!(ping(PATIENCE).is_ok());
        // Handlers that were not begun are not, and the one at the gate goes on without its caller.
        assert!(!fixture.shutdown(Duration::ZERO));
        assert!(held.into_iter().all(|call| call.join().unwrap().is_err()));
        assert!(ping(PATIENCE).is_err());
    });
}
