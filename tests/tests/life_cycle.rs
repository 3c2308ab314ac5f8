//! How servers end, and what their clients learn of that.

use std::thread;
use std::time::{Duration, Instant};

use witrpc::{CallError, ConnectError, DisconnectReason};
use witrpc_tests::basic::{BasicAsyncClient, BasicClient};
use witrpc_tests::fixture::{Fixture, FixtureConfig, ServerCommand, ServerReply, Transport};
use witrpc_tests::over_both_transports;
use witrpc_tests::process::Child;
use witrpc_tests::resources::eventually_no_more;
use witrpc_tests::roles::Role;
use witrpc_tests::watchdog::{PATIENCE, eventually};

over_both_transports! {
    fn a_server_that_stops_accepting_goes_on_for_its_clients(transport) {
        let fixture = Fixture::new(transport);
        let client = fixture.client();
        fixture.tell(ServerCommand::StopAccepting);
        let refused = BasicClient::connect(fixture.endpoint()).unwrap_err();
        assert!(
            matches!(refused, ConnectError::ShuttingDown | ConnectError::NobodyServes { .. }),
            "{refused}"
        );
        for n in 0..100 {
            assert_eq!(client.add(n, 1), Ok(n + 1));
        }
        assert_eq!(client.make(500_000, 1).map(|bytes| bytes.len()), Ok(500_000));
    }

    fn a_shutdown_answers_what_has_arrived_and_takes_nothing_new(transport) {
        let fixture = Fixture::new(transport);
        let client = fixture.client();
        let helper = fixture.client();
        let hold = |token| {
            let client = client.clone();
            thread::spawn(move || match token % 2 {
                0 => client.hold(1, token),
                _ => client.hold_later(1, token),
            })
        };
        let held: Vec<_> = (0..4).map(hold).collect();
        helper.arrived(1, 4).unwrap();
        fixture.tell(ServerCommand::BeginShutdown(PATIENCE));
        eventually("new calls are turned away", || match helper.add(1, 2) {
            Ok(_) => false,
            Err(CallError::ShuttingDown) => true,
            Err(other) => panic!("{other}"),
        });
        let refused = BasicClient::connect(fixture.endpoint()).unwrap_err();
        assert!(
            matches!(refused, ConnectError::ShuttingDown | ConnectError::NobodyServes { .. }),
            "{refused}"
        );
        fixture.tell(ServerCommand::Open(1));
        for (token, held) in (0..).zip(held) {
            assert_eq!(held.join().unwrap(), Ok(token));
        }
        assert_eq!(fixture.host().tell(ServerCommand::EndShutdown), ServerReply::Was(true));
    }

    fn a_shutdown_ends_at_its_deadline(transport) {
        let fixture = Fixture::new(transport);
        let client = fixture.client();
        let helper = fixture.client();
        let held = thread::spawn({
            let client = client.clone();
            move || client.hold(1, 1)
        });
        helper.arrived(1, 1).unwrap();
        let deadline = Duration::from_millis(50);
        let started = Instant::now();
        assert!(!fixture.shutdown(deadline), "a handler still runs");
        assert!(started.elapsed() >= deadline);
        let shut_down = DisconnectReason::ServerShutDown;
        assert_eq!(held.join().unwrap(), Err(CallError::Disconnected(shut_down)));
        assert_eq!(client.add(1, 2), Err(CallError::Disconnected(shut_down)));
        assert!(!client.connection().is_connected());
    }

    fn a_shut_down_server_gives_its_name_to_the_next(transport) {
        let fixture = Fixture::new(transport);
        let client = fixture.client();
        assert_eq!(client.add(1, 2), Ok(3));
        assert!(fixture.shutdown(PATIENCE), "nothing was pending");
        fixture.tell(ServerCommand::Wait);
        let next = Fixture::at(fixture.address().clone(), FixtureConfig::default());
        assert_eq!(next.client().add(1, 2), Ok(3));
        eventually("the old client learns of it", || {
            client.add(1, 2) == Err(CallError::ShuttingDown)
        });
    }

    fn a_dropped_server_ends_pending_calls_and_frees_its_name(transport) {
        let fixture = Fixture::new(transport);
        let client = fixture.client();
        let helper = fixture.client();
        let held: Vec<_> = [0, 1]
            .map(|kind| {
                let client = client.clone();
                thread::spawn(move || match kind {
                    0 => client.hold(1, 1),
                    _ => client.hold_later(1, 1),
                })
            })
            .into();
        helper.arrived(1, 2).unwrap();
        fixture.tell(ServerCommand::Drop);
        for held in held {
            let ended = held.join().unwrap();
            assert_eq!(ended, Err(CallError::Disconnected(DisconnectReason::ServerShutDown)));
        }
        let next = Fixture::at(fixture.address().clone(), FixtureConfig::default());
        assert_eq!(next.client().add(1, 2), Ok(3));
    }

    fn a_server_can_disconnect_one_client(transport) {
        let fixture = Fixture::new(transport);
        let (one, other) = (fixture.client(), fixture.client());
        let id = one.who().unwrap().client_id;
        let held = thread::spawn({
            let one = one.clone();
            move || one.hold(1, 1)
        });
        other.arrived(1, 1).unwrap();
        assert!(fixture.clients().iter().any(|(client, _)| *client == id));
        assert!(fixture.disconnect(id));
        let dismissed = Err(CallError::Disconnected(DisconnectReason::Dismissed));
        assert_eq!(held.join().unwrap(), dismissed);
        assert_eq!(one.hold(2, 1), dismissed);
        eventually("it is gone", || fixture.clients().iter().all(|(client, _)| *client != id));
        assert!(!fixture.disconnect(id), "once is enough");
        assert!(!fixture.disconnect(987_654), "there is no such client");
        assert_eq!(other.add(1, 2), Ok(3));
        assert_eq!(fixture.client().add(1, 2), Ok(3), "it may come again");
    }

    fn a_client_that_leaves_makes_room(transport) {
        let fixture = Fixture::new(transport);
        let client = fixture.client();
        eventually("one is there", || fixture.clients().len() == 1);
        let clone = client.clone();
        drop(client);
        assert_eq!(clone.add(1, 2), Ok(3), "the connection lives as long as a clone");
        drop(clone);
        eventually("no client is connected", || fixture.clients().is_empty());
        let later = futures_executor::block_on(BasicAsyncClient::connect(fixture.endpoint()));
        assert_eq!(futures_executor::block_on(later.unwrap().add(1, 2)), Ok(3));
    }
}

#[test]
fn clients_that_come_and_go_leave_nothing_behind() {
    let fixture = Fixture::new(Transport::Mmf);
    let observer = fixture.client();
    let visit = |seed: u64| {
        let visitor = fixture.client();
        visitor.make(100_000, seed).unwrap();
    };
    let held = || observer.resources().unwrap();
    let before = held();
    (0..60).for_each(visit);
    eventually_no_more("the server's process", before, held);
}

#[test]
fn a_killed_server_is_told_from_one_that_shut_down_and_can_be_followed() {
    let fixture = Fixture::new(Transport::Mmf);
    let client = fixture.client();
    let held: Vec<_> = [0, 1]
        .map(|kind| {
            let client = client.clone();
            thread::spawn(move || match kind {
                0 => client.hold(1, 1),
                _ => client.hold_later(1, 1),
            })
        })
        .into();
    client.arrived(1, 2).unwrap();
    let address = fixture.address().clone();
    // The drop kills its process.
    drop(fixture);
    for held in held {
        assert_eq!(held.join().unwrap(), Err(CallError::PeerDied));
    }
    let later = Err(CallError::Disconnected(DisconnectReason::PeerDied));
    assert_eq!(client.add(1, 2), later);
    assert_eq!(client.add(1, 2), later);
    let next = Fixture::at(address, FixtureConfig::default());
    assert_eq!(next.client().add(1, 2), Ok(3));
    assert_eq!(client.add(1, 2), later, "a connection does not come back by itself");
}

#[test]
fn a_process_that_ends_with_a_call_pending_frees_its_place() {
    let fixture = Fixture::with(
        Transport::Mmf,
        FixtureConfig { max_clients: Some(2), ..FixtureConfig::default() },
    );
    let observer = fixture.client();
    for round in 0..5 {
        let role =
            Role::Hold { address: fixture.address().clone(), gate: round, timeout: PATIENCE };
        let holder = Child::start(&role);
        observer.arrived(round, 1).unwrap();
        holder.kill();
        eventually("its place is free", || fixture.clients().len() == 1);
        // Its handler goes on, and the answer is dropped.
        observer.open(round).unwrap();
    }
}
