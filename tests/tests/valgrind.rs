//! Programs that use the crate run under valgrind, which knows only the system calls and processor
//! features that it was taught.

use std::process::{Command, Stdio};

use witrpc_tests::fixture::{Address, Fixture, FixtureConfig, Started, Transport};
use witrpc_tests::process::Child;
use witrpc_tests::roles::Role;
use witrpc_tests::skip::lacking;
use witrpc_tests::watchdog::{PATIENCE, Watchdog};

/// Returns the command that runs a program under valgrind, which prints something only if something
/// is wrong. Returns `None` where it is not installed.
fn valgrind() -> Option<Command> {
    let mut valgrind = Command::new("valgrind");
    let found = valgrind.arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !found.is_ok_and(|status| status.success()) {
        lacking("valgrind is not installed (apt-get install -y valgrind)");
        return None;
    }
    let mut valgrind = Command::new("valgrind");
    // Valgrind takes results of the machine code of `ring` for uninitialised.
    valgrind.args(["--quiet", "--undef-value-errors=no"]);
    // It runs one thread at a time, and by default does not alternate among those that spin.
    valgrind.arg("--fair-sched=yes");
    Some(valgrind)
}

#[test]
fn a_server_under_valgrind_is_connected_to_and_answers() {
    let _watchdog = Watchdog::new(2 * PATIENCE);
    let Some(valgrind) = valgrind() else { return };
    let address = Address::unguessable();
    let plan = FixtureConfig { handshake_timeout: Some(PATIENCE), ..FixtureConfig::default() };
    let role = Role::Serve { address: address.clone(), plan };
    let server = Child::start_under(valgrind, &role);
    server.hear::<Started>().expect("the name is free");
    let client = Child::start(&Role::TryToConnect { address });
    assert_eq!(client.hear::<Result<i64, String>>(), Ok(42));
    assert!(!server.complaints().contains("=="), "{}", server.complaints());
    server.kill();
}

#[test]
fn a_client_under_valgrind_connects_and_is_answered() {
    let _watchdog = Watchdog::new(2 * PATIENCE);
    let Some(valgrind) = valgrind() else { return };
    let plan = FixtureConfig { handshake_timeout: Some(PATIENCE), ..FixtureConfig::default() };
    let fixture = Fixture::with(Transport::Mmf, plan);
    let address = fixture.address().clone();
    let client = Child::start_under(valgrind, &Role::TryToConnect { address });
    assert_eq!(client.hear::<Result<i64, String>>(), Ok(42));
    assert!(!client.complaints().contains("=="), "{}", client.complaints());
}
