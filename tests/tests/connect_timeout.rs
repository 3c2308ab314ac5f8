//! How long connecting may take, and what is left of an attempt that is given up.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Waker};
use std::time::Duration;

use futures_executor::block_on;
use witrpc::{ConnectError, InProcess, Mmf, Reconnect};
use witrpc_tests::basic::{BasicAsyncClient, BasicClient};
use witrpc_tests::fixture::{Address, FixtureConfig, Started};
use witrpc_tests::process::Child;
use witrpc_tests::roles::Role;
use witrpc_tests::watchdog::{PATIENCE, Watchdog, eventually_equal};

const HOUR: Duration = Duration::from_secs(3600);
const BRIEFLY: Duration = Duration::from_millis(50);

/// Returns a server that is stopped.
fn stopped(address: &Address) -> Child {
    let child =
        Child::start(&Role::Serve { address: address.clone(), plan: FixtureConfig::default() });
    let started: Started = child.hear();
    started.expect("the server starts");
    child.pause();
    child
}

/// Returns how many threads of this process connect.
fn connecting() -> usize {
    let tasks = fs::read_dir("/proc/self/task").expect("every process has them");
    let names = tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|name| name.starts_with("witrpc-connect")).count()
}

#[test]
fn a_stopped_server_is_given_up_in_the_time_that_the_client_says() {
    let _watchdog = Watchdog::new(PATIENCE);
    let address = Address::unguessable();
    let _child = stopped(&address);
    let blocking = BasicClient::builder(address.endpoint()).wait_for_server(HOUR);
    let refused = blocking.connect_timeout(BRIEFLY).connect().unwrap_err();
    assert!(matches!(refused, ConnectError::TimedOut { after: BRIEFLY }), "{refused}");
    assert!(refused.is_retryable() && refused.to_string().contains("50ms"), "{refused}");
    // It also counts where the endpoint allows more.
    let Address::Mmf { name, .. } = &address else { panic!("it has a name") };
    let patient = BasicAsyncClient::builder(Mmf::new(name).handshake_timeout(HOUR));
    let refused = block_on(patient.connect_timeout(BRIEFLY).connect()).unwrap_err();
    assert!(matches!(refused, ConnectError::TimedOut { after: BRIEFLY }), "{refused}");
    eventually_equal("threads that connect", &0, connecting);
}

#[test]
fn a_server_that_does_not_come_is_waited_for_no_longer() {
    let _watchdog = Watchdog::new(PATIENCE);
    for place in [Mmf::unguessable().into(), InProcess::new().into()] {
        let place: witrpc::Endpoint = place;
        let client = BasicClient::builder(place).wait_for_server(HOUR).connect_timeout(BRIEFLY);
        let refused = client.connect().unwrap_err();
        assert!(
            matches!(refused, ConnectError::NobodyServes { waited, .. } if waited < HOUR),
            "{refused}"
        );
    }
}

#[test]
fn a_server_that_comes_in_time_is_met() {
    let _watchdog = Watchdog::new(PATIENCE);
    let address = Address::unguessable();
    let _child =
        Child::start(&Role::Serve { address: address.clone(), plan: FixtureConfig::default() });
    let client = BasicClient::builder(address.endpoint()).wait_for_server(PATIENCE);
    let client = client.connect_timeout(PATIENCE).reconnect(Reconnect::new()).connect().unwrap();
    assert_eq!(client.add(1, 2), Ok(3));
}

#[test]
fn a_connect_that_is_dropped_leaves_no_thread() {
    let _watchdog = Watchdog::new(PATIENCE);
    let address = Address::unguessable();
    let _child = stopped(&address);
    let Address::Mmf { name, .. } = &address else { panic!("it has a name") };
    let places: [witrpc::Endpoint; 3] = [
        // In a handshake, and while it waits for a server.
        Mmf::new(name).handshake_timeout(HOUR).into(),
        Mmf::unguessable().into(),
        InProcess::new().into(),
    ];
    for place in places {
        let builder = BasicAsyncClient::builder(place).wait_for_server(HOUR);
        let mut connecting_to = Box::pin(builder.connect());
        let polled = connecting_to.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending(), "there is no server");
        drop(connecting_to);
    }
    eventually_equal("threads that connect", &0, connecting);
}

/// Code of users runs where an async client connects. A panic of that code is the task's, as with a
/// blocking client it is the thread's.
#[test]
fn a_provider_of_tokens_that_panics_panics_where_the_client_connects() {
    let _watchdog = Watchdog::new(PATIENCE);
    let panicked_with = |connect: &dyn Fn()| {
        let panic = catch_unwind(AssertUnwindSafe(connect)).expect_err("its provider panics");
        assert_eq!(panic.downcast_ref(), Some(&"the vault is closed"));
    };
    for place in [Mmf::unguessable().into(), InProcess::new().into()] {
        let place: witrpc::Endpoint = place;
        panicked_with(&|| {
            let client = BasicClient::builder(place.clone()).connect_timeout(PATIENCE);
            let client = client.access_token_from(|| panic!("the vault is closed"));
            drop(client.connect());
        });
        panicked_with(&|| {
            let client = BasicAsyncClient::builder(place.clone()).connect_timeout(PATIENCE);
            let client = client.access_token_from(|| panic!("the vault is closed"));
            drop(block_on(client.connect()));
        });
    }
    eventually_equal("threads that connect", &0, connecting);
}
