//! Servers that are killed in the middle of calls. It is alone in its process, which counts its
//! resources.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use tempfile::TempDir;
use witrpc::{CallError, DisconnectReason};
use witrpc_tests::fixture::{Address, Fixture, FixtureConfig, Started};
use witrpc_tests::process::Child;
use witrpc_tests::random_calls::Pair;
use witrpc_tests::resources::{Resources, eventually_no_more};
use witrpc_tests::roles::Role;

const KILLED: u64 = 200;

#[test]
fn a_killed_servers_callers_are_told_and_the_next_server_is_fine() {
    let dir = TempDir::new().unwrap();
    // Another server in the same directory, and its client.
    let other = Fixture::at(Address::in_dir(dir.path(), "other"), FixtureConfig::default());
    let bystander = Pair { blocking: other.client(), later: other.async_client() };
    let is_over = AtomicBool::new(false);
    let address = Address::in_dir(dir.path(), "victim");
    let mut rng = Rng::with_seed(42);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut rng = Rng::with_seed(1);
            while !is_over.load(Ordering::Relaxed) {
                bystander.errand(&mut rng, 20_000).expect("a bystander is not concerned");
            }
        });
        let _over = Over(&is_over);
        let before = Resources::of_this_process();
        (0..KILLED).for_each(|round| kill_one(&address, &mut rng, round));
        eventually_no_more("this process", before, Resources::of_this_process);
    });
    let mut left: Vec<_> =
        fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["locks", "other", "victim"], "nothing but the name is left");
    // The next bind takes it over.
    let next = Fixture::at(address, FixtureConfig::default());
    assert_eq!(next.client().add(1, 2), Ok(3));
}

/// Starts a server under the name of the one before, and kills it at a random moment of the calls
/// of several threads.
fn kill_one(address: &Address, rng: &mut Rng, round: u64) {
    let server =
        Child::start(&Role::Serve { address: address.clone(), plan: FixtureConfig::default() });
    let started: Started = server.hear();
    started.unwrap_or_else(|error| panic!("round {round}: {error}"));
    let pair = Pair {
        blocking: witrpc_tests::basic::BasicClient::connect(address.endpoint()).unwrap(),
        later: futures_executor::block_on(witrpc_tests::basic::BasicAsyncClient::connect(
            address.endpoint(),
        ))
        .unwrap(),
    };
    thread::scope(|scope| {
        let held = [
            scope.spawn(|| pair.blocking.hold(1, 1)),
            scope.spawn(|| futures_executor::block_on(pair.later.hold_later(1, 1))),
        ];
        pair.blocking.arrived(1, 2).unwrap();
        let callers = [1, 2].map(|seed| {
            let pair = &pair;
            scope.spawn(move || {
                let mut rng = Rng::with_seed(round << 8 | seed);
                loop {
                    match pair.errand(&mut rng, 600_000) {
                        Ok(()) => {}
                        Err(error) => return error,
                    }
                }
            })
        });
        // This waits for nothing; it chooses the moment.
        thread::sleep(Duration::from_micros(rng.u64(..4_000)));
        server.kill();
        let later = CallError::Disconnected(DisconnectReason::PeerDied);
        for caller in callers {
            let error = caller.join().unwrap();
            assert!(error == CallError::PeerDied || error == later, "round {round}: {error}");
        }
        for held in held {
            assert_eq!(held.join().unwrap(), Err(CallError::PeerDied), "round {round}");
        }
        assert_eq!(pair.blocking.add(1, 2), Err(later), "round {round}");
    });
}

/// Ends the bystander, also when an assertion fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
