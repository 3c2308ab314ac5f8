//! Many calls, threads and clients at once: each gets its own answers.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use futures_executor::block_on;
use futures_util::StreamExt;
use futures_util::future::{Either, join_all, select};
use futures_util::stream::FuturesUnordered;
use witrpc::CallError;
use witrpc_tests::basic::BasicClient;
use witrpc_tests::fixture::{Address, Fixture, FixtureConfig, Transport};
use witrpc_tests::over_both_transports;
use witrpc_tests::process::Child;
use witrpc_tests::random_calls::Pair;
use witrpc_tests::roles::Role;
use witrpc_tests::watchdog::PATIENCE;

over_both_transports! {
    fn sixty_four_calls_complete_out_of_order(transport) {
        let fixture = Fixture::new(transport);
        let client = fixture.async_client();
        let opener = fixture.async_client();
        let mut pending: FuturesUnordered<_> =
            (0..64).map(|n| client.hold_later(n, 1_000 + n)).collect();
        block_on(async {
            // Polls all of them until all have reached the server.
            let arrivals = join_all((0..64).map(|gate| opener.arrived(gate, 1)));
            match select(pending.next(), arrivals).await {
                Either::Left(_) => panic!("one passed a closed gate"),
                Either::Right((arrivals, _)) => assert!(arrivals.iter().all(Result::is_ok)),
            }
            // A permutation of 0..64, as 27 and 64 have no common divisor.
            for gate in (0..64).map(|n| (n * 27 + 5) % 64) {
                opener.open(gate).await.unwrap();
                assert_eq!(pending.next().await, Some(Ok(1_000 + gate)));
            }
            assert!(pending.next().await.is_none());
        });
    }

    fn blocked_handlers_delay_no_other_call(transport) {
        let fixture = Fixture::new(transport);
        let client = fixture.client();
        thread::scope(|scope| {
            let held: Vec<_> = (0..20)
                .map(|token| { let client = &client; scope.spawn(move || client.hold(1, token)) })
                .collect();
            client.arrived(1, 20).unwrap();
            for n in 0..100 {
                assert_eq!(client.add(n, 1), Ok(n + 1));
            }
            client.open(1).unwrap();
            for (token, held) in (0..).zip(held) {
                assert_eq!(held.join().unwrap(), Ok(token));
            }
        });
    }

    fn threads_share_a_client(transport) {
        let fixture = Fixture::new(transport);
        let pair = Pair { blocking: fixture.client(), later: fixture.async_client() };
        thread::scope(|scope| {
            for seed in 0..4 {
                let pair = &pair;
                scope.spawn(move || {
                    let mut rng = fastrand::Rng::with_seed(seed);
                    for _ in 0..200 {
                        pair.errand(&mut rng, 20_000).unwrap();
                    }
                });
            }
        });
    }

    fn more_calls_than_lanes_wait_for_each_other(transport) {
        let fixture = Fixture::with(transport, FixtureConfig { lanes: Some(3), ..FixtureConfig::default() });
        let client = fixture.async_client();
        let answers = block_on(join_all((0..100).map(|n| client.divide_later(n, 1))));
        assert_eq!(answers, (0..100).map(Ok).collect::<Vec<_>>());
    }

    fn handlers_call_the_service_they_are_in(transport) {
        let fixture = Fixture::new(transport);
        let client = fixture.client();
        assert_eq!(client.relay(fixture.address().clone(), 10, PATIENCE), Ok(55));
        // From several callers at once, each level holding one worker.
        thread::scope(|scope| {
            for _ in 0..4 {
                let (client, fixture) = (&client, &fixture);
                scope.spawn(move || {
                    assert_eq!(client.relay(fixture.address().clone(), 8, PATIENCE), Ok(36));
                });
            }
        });
        assert_eq!(client.add(1, 1), Ok(2));
    }
}

/// Each level holds one of the two workers, so the third waits until its caller gives up.
#[test]
fn nested_calls_beyond_the_bound_of_workers_end_in_time() {
    let fixture = Fixture::with(
        Transport::Mmf,
        FixtureConfig { max_workers: Some(2), ..FixtureConfig::default() },
    );
    let client = fixture.client();
    let time = Duration::from_millis(300);
    assert_eq!(client.relay(fixture.address().clone(), 1, PATIENCE), Ok(1), "two levels fit");
    let refused = client.relay(fixture.address().clone(), 5, time);
    assert!(
        matches!(&refused, Err(CallError::App(why)) if why.contains("no answer")),
        "{refused:?}"
    );
    assert_eq!(client.add(1, 2), Ok(3), "the workers are free again");
}

/// With one worker, each call that takes a while displaces the poller, and other calls are served
/// in between.
#[test]
fn a_client_that_calls_without_pause_lets_others_in() {
    let fixture = Fixture::with(
        Transport::Mmf,
        FixtureConfig { max_workers: Some(1), ..FixtureConfig::default() },
    );
    let (busy, other) = (fixture.client(), fixture.client());
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for seed in 0..8 {
            let (busy, over) = (&busy, &over);
            scope.spawn(move || {
                while !over.load(Relaxed) {
                    assert_eq!(busy.make(100_000, seed).map(|made| made.len()), Ok(100_000));
                }
            });
        }
        // The others go on until all of these have been answered.
        let answers: Vec<_> = (0..20).map(|n| other.add(n, 1)).collect();
        over.store(true, Relaxed);
        assert_eq!(answers, (1..=20).map(Ok).collect::<Vec<_>>());
    });
}

#[test]
fn ten_clients_in_parallel_each_get_their_own_answers() {
    let fixture = Fixture::new(Transport::Mmf);
    let clients = start_callers(fixture.address(), 10, 150, false);
    let mut numbers: Vec<u64> = clients.iter().map(Child::hear).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 10, "each has a number of its own");
    for client in &clients {
        assert_eq!(client.hear::<u64>(), 150);
    }
}

/// Enough for all but the largest machines, which lack the memory for a process for each core.
const MOST_PROCESSES: usize = 64;

#[test]
fn more_spinning_processes_than_cores_make_progress() {
    let cores = thread::available_parallelism().unwrap().get();
    let processes = cores.min(MOST_PROCESSES) + 3;
    let max_clients = Some(2 * processes as u32);
    let fixture = Fixture::with(
        Transport::Mmf,
        FixtureConfig { spin: true, max_clients, ..FixtureConfig::default() },
    );
    let clients = start_callers(fixture.address(), processes, 60, true);
    for client in &clients {
        let _number: u64 = client.hear();
        assert_eq!(client.hear::<u64>(), 60);
    }
}

#[test]
fn handlers_call_each_other_across_processes() {
    let (here, there) = (Fixture::new(Transport::Mmf), Fixture::new(Transport::Mmf));
    let client = BasicClient::builder(here.endpoint()).call_timeout(PATIENCE);
    let client = client.connect().unwrap();
    assert_eq!(client.relay(there.address().clone(), 6, PATIENCE), Ok(21));
}

fn start_callers(address: &Address, clients: usize, calls: u64, spin: bool) -> Vec<Child> {
    let role = |seed| Role::Call {
        address: address.clone(),
        seed,
        calls: Some(calls),
        most: 20_000,
        spin,
    };
    (0..clients as u64).map(|seed| Child::start(&role(seed))).collect()
}
