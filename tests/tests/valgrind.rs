//! Programs that use the crate run under valgrind, which knows no system call or processor feature
//! that it was not taught.

use std::process::{Command, Stdio};

use witrpc_tests::process::Child;
use witrpc_tests::roles::Role;
use witrpc_tests::site::{Address, Plan, Site, Started, Transport};
use witrpc_tests::skip::skipped;
use witrpc_tests::watchdog::{PATIENCE, Watchdog};
use witrpc_tests::workshop::WorkshopClient;

/// What runs a program under valgrind, which says nothing unless something is wrong. `None` where it
/// is not installed.
fn valgrind() -> Option<Command> {
    let mut valgrind = Command::new("valgrind");
    let found = valgrind.arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !found.is_ok_and(|status| status.success()) {
        skipped("valgrind is not installed (apt-get install -y valgrind)");
        return None;
    }
    let mut valgrind = Command::new("valgrind");
    // Valgrind takes what the machine code of `ring` computes for uninitialised.
    valgrind.args(["--quiet", "--undef-value-errors=no"]);
    Some(valgrind)
}

#[test]
fn a_server_under_valgrind_is_connected_to_and_answers() {
    let _watchdog = Watchdog::new(2 * PATIENCE);
    let Some(valgrind) = valgrind() else { return };
    let address = Address::unguessable();
    let role = Role::Serve { address: address.clone(), plan: Plan::default() };
    let server = Child::start_under(valgrind, &role);
    server.hear::<Started>().expect("the name is free");
    let client = WorkshopClient::builder(address.endpoint()).call_timeout(PATIENCE).connect();
    assert_eq!(client.expect("it serves").add(40, 2), Ok(42));
    assert!(!server.complaints().contains("=="), "{}", server.complaints());
    server.kill();
}

#[test]
fn a_client_under_valgrind_connects_and_is_answered() {
    let _watchdog = Watchdog::new(2 * PATIENCE);
    let Some(valgrind) = valgrind() else { return };
    let site = Site::new(Transport::Mmf);
    let address = site.address().clone();
    let role = Role::Call { address, seed: 1, calls: Some(20), most: 1000, spin: false };
    let client = Child::start_under(valgrind, &role);
    let _id: u64 = client.hear();
    assert_eq!(client.hear::<u64>(), 20);
    assert!(!client.complaints().contains("=="), "{}", client.complaints());
}
