//! Peers in other pid, mount and time namespaces, as in containers. Process ids have no meaning there,
//! the socket shows when a peer has died, and clocks differ.

use std::time::Duration;

use rustix::process::geteuid;
use tempfile::TempDir;
use witrpc::CallError;
use witrpc_tests::basic::BasicClient;
use witrpc_tests::fixture::{Address, Fixture, FixtureConfig, Started};
use witrpc_tests::process::Child;
use witrpc_tests::roles::Role;
use witrpc_tests::watchdog::{PATIENCE, Watchdog, eventually};

#[test]
fn a_server_in_other_namespaces_knows_no_number_of_its_client_and_its_death_is_learned_of() {
    let _watchdog = Watchdog::new(2 * PATIENCE);
    let dir = TempDir::new().unwrap();
    let address = Address::in_dir(dir.path(), "apart");
    let role = Role::Serve { address: address.clone(), plan: FixtureConfig::default() };
    let Some(server) = Child::start_apart(&role) else { return };
    server.hear::<Started>().expect("the name is free");
    let client = BasicClient::connect(address.endpoint()).unwrap();
    assert_eq!(client.who_serves(), Ok(1), "the first process of its namespace");
    let caller = client.who().unwrap();
    assert_eq!((caller.pid, caller.uid), (0, geteuid().as_raw()), "not a process that it can see");
    std::thread::scope(|scope| {
        let pending = scope.spawn(|| client.hold(1, 7));
        client.arrived(1, 1).unwrap();
        server.kill();
        assert_eq!(pending.join().unwrap(), Err(CallError::PeerDied));
    });
}

#[test]
fn a_client_in_other_namespaces_is_served_and_its_death_is_learned_of() {
    let dir = TempDir::new().unwrap();
    let fixture = Fixture::at(Address::in_dir(dir.path(), "here"), FixtureConfig::default());
    let observer = fixture.client();
    let (address, gate) = (fixture.address().clone(), 1);
    let role = Role::Hold { address, gate, timeout: PATIENCE };
    let Some(client) = Child::start_apart(&role) else { return };
    observer.arrived(gate, 1).unwrap();
    assert_eq!(fixture.clients().len(), 2);
    client.kill();
    eventually("it is known to have gone", || fixture.clients().len() == 1);
}

/// How far one clock is ahead of the other.
const AHEAD: u32 = 100_000;
const WITHIN: Duration = Duration::from_secs(500);

fn assert_has_time(client: &Child) {
    let left = client.hear::<Result<Option<Duration>, String>>().expect("the time is not over");
    let left = left.expect("a deadline was given");
    // It may be over too late by the length of the handshake.
    assert!(left > Duration::ZERO && left <= WITHIN + PATIENCE, "{left:?}");
}

#[test]
fn a_deadline_is_the_same_for_a_client_whose_clock_is_ahead() {
    let _watchdog = Watchdog::new(2 * PATIENCE);
    let dir = TempDir::new().unwrap();
    let fixture = Fixture::at(Address::in_dir(dir.path(), "here"), FixtureConfig::default());
    let calling = Role::TellTimeLeft { address: fixture.address().clone(), within: WITHIN };
    let Some(client) = Child::start_ahead(AHEAD, &calling) else { return };
    assert_has_time(&client);
}

#[test]
fn a_deadline_is_the_same_for_a_client_whose_clock_is_behind() {
    let _watchdog = Watchdog::new(2 * PATIENCE);
    let dir = TempDir::new().unwrap();
    let address = Address::in_dir(dir.path(), "ahead");
    let role = Role::Serve { address: address.clone(), plan: FixtureConfig::default() };
    let Some(server) = Child::start_ahead(AHEAD, &role) else { return };
    server.hear::<Started>().expect("the name is free");
    assert_has_time(&Child::start(&Role::TellTimeLeft { address, within: WITHIN }));
}
