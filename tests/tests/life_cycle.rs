//! How servers end, and what their clients learn of it.

use std::thread;
use std::time::{Duration, Instant};

use witrpc::{CallError, ConnectError, DisconnectReason};
use witrpc_tests::over_both_transports;
use witrpc_tests::process::Child;
use witrpc_tests::roles::Role;
use witrpc_tests::site::{Plan, ServerCommand, ServerReply, Site, Transport};
use witrpc_tests::watchdog::{PATIENCE, eventually, eventually_equal};
use witrpc_tests::workshop::{WorkshopAsyncClient, WorkshopClient};

over_both_transports! {
    fn a_server_that_stops_accepting_goes_on_for_its_clients(transport) {
        let site = Site::new(transport);
        let client = site.client();
        site.tell(ServerCommand::StopAccepting);
        let refused = WorkshopClient::connect(site.endpoint()).unwrap_err();
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
        let site = Site::new(transport);
        let client = site.client();
        let helper = site.client();
        let hold = |token| {
            let client = client.clone();
            thread::spawn(move || match token % 2 {
                0 => client.hold(1, token),
                _ => client.hold_later(1, token),
            })
        };
        let held: Vec<_> = (0..4).map(hold).collect();
        helper.arrived(1, 4).unwrap();
        site.tell(ServerCommand::BeginShutdown(PATIENCE));
        eventually("new calls are turned away", || match helper.add(1, 2) {
            Ok(_) => false,
            Err(CallError::ShuttingDown) => true,
            Err(other) => panic!("{other}"),
        });
        let refused = WorkshopClient::connect(site.endpoint()).unwrap_err();
        assert!(
            matches!(refused, ConnectError::ShuttingDown | ConnectError::NobodyServes { .. }),
            "{refused}"
        );
        site.tell(ServerCommand::Open(1));
        for (token, held) in (0..).zip(held) {
            assert_eq!(held.join().unwrap(), Ok(token));
        }
        assert_eq!(site.host().tell(ServerCommand::EndShutdown), ServerReply::Was(true));
    }

    fn a_shutdown_ends_at_its_deadline(transport) {
        let site = Site::new(transport);
        let client = site.client();
        let helper = site.client();
        let held = thread::spawn({
            let client = client.clone();
            move || client.hold(1, 1)
        });
        helper.arrived(1, 1).unwrap();
        let deadline = Duration::from_millis(50);
        let started = Instant::now();
        assert!(!site.shutdown(deadline), "a handler still runs");
        assert!(started.elapsed() >= deadline);
        let shut_down = DisconnectReason::ServerShutDown;
        assert_eq!(held.join().unwrap(), Err(CallError::Disconnected(shut_down)));
        assert_eq!(client.add(1, 2), Err(CallError::Disconnected(shut_down)));
        assert!(!client.connection().is_connected());
    }

    fn a_shut_down_server_gives_its_name_to_the_next(transport) {
        let site = Site::new(transport);
        let client = site.client();
        assert_eq!(client.add(1, 2), Ok(3));
        assert!(site.shutdown(PATIENCE), "nothing was pending");
        site.tell(ServerCommand::Wait);
        let next = Site::at(site.address().clone(), Plan::default());
        assert_eq!(next.client().add(1, 2), Ok(3));
        eventually("the old client learns of it", || {
            client.add(1, 2) == Err(CallError::ShuttingDown)
        });
    }

    fn a_dropped_server_ends_pending_calls_and_frees_its_name(transport) {
        let site = Site::new(transport);
        let client = site.client();
        let helper = site.client();
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
        site.tell(ServerCommand::Drop);
        for held in held {
            let ended = held.join().unwrap();
            assert_eq!(ended, Err(CallError::Disconnected(DisconnectReason::ServerShutDown)));
        }
        let next = Site::at(site.address().clone(), Plan::default());
        assert_eq!(next.client().add(1, 2), Ok(3));
    }

    fn a_server_can_disconnect_one_client(transport) {
        let site = Site::new(transport);
        let (one, other) = (site.client(), site.client());
        let id = one.who().unwrap().client_id;
        let held = thread::spawn({
            let one = one.clone();
            move || one.hold(1, 1)
        });
        other.arrived(1, 1).unwrap();
        assert!(site.clients().iter().any(|(client, _)| *client == id));
        assert!(site.disconnect(id));
        let dismissed = Err(CallError::Disconnected(DisconnectReason::Dismissed));
        assert_eq!(held.join().unwrap(), dismissed);
        assert_eq!(one.hold(2, 1), dismissed);
        eventually("it is gone", || site.clients().iter().all(|(client, _)| *client != id));
        assert!(!site.disconnect(id), "once is enough");
        assert!(!site.disconnect(987_654), "there is no such client");
        assert_eq!(other.add(1, 2), Ok(3));
        assert_eq!(site.client().add(1, 2), Ok(3), "it may come again");
    }

    fn a_client_that_leaves_makes_room(transport) {
        let site = Site::new(transport);
        let client = site.client();
        eventually("one is there", || site.clients().len() == 1);
        let clone = client.clone();
        drop(client);
        assert_eq!(clone.add(1, 2), Ok(3), "the connection lives as long as a clone");
        drop(clone);
        eventually("nobody is there", || site.clients().is_empty());
        let later = futures_executor::block_on(WorkshopAsyncClient::connect(site.endpoint()));
        assert_eq!(futures_executor::block_on(later.unwrap().add(1, 2)), Ok(3));
    }
}

#[test]
fn clients_that_come_and_go_leave_nothing_behind() {
    let site = Site::new(Transport::Mmf);
    let observer = site.client();
    let visit = |seed: u64| {
        let visitor = site.client();
        visitor.make(100_000, seed).unwrap();
    };
    let held = || observer.resources().unwrap();
    let before = held();
    (0..60).for_each(visit);
    eventually_equal("what the server's process holds", &before, held);
}

#[test]
fn a_killed_server_is_told_from_one_that_shut_down_and_can_be_followed() {
    let site = Site::new(Transport::Mmf);
    let client = site.client();
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
    let address = site.address().clone();
    // Its process is killed.
    drop(site);
    for held in held {
        assert_eq!(held.join().unwrap(), Err(CallError::PeerDied));
    }
    let later = Err(CallError::Disconnected(DisconnectReason::PeerDied));
    assert_eq!(client.add(1, 2), later);
    assert_eq!(client.add(1, 2), later);
    let next = Site::at(address, Plan::default());
    assert_eq!(next.client().add(1, 2), Ok(3));
    assert_eq!(client.add(1, 2), later, "a connection does not come back by itself");
}

#[test]
fn a_process_that_ends_with_a_call_pending_frees_its_place() {
    let site = Site::with(Transport::Mmf, Plan { max_clients: Some(2), ..Plan::default() });
    let observer = site.client();
    for round in 0..5 {
        let role = Role::Hold { address: site.address().clone(), gate: round, timeout: PATIENCE };
        let holder = Child::start(&role);
        observer.arrived(round, 1).unwrap();
        holder.kill();
        eventually("its place is free", || site.clients().len() == 1);
        // Its handler goes on; the answer goes nowhere.
        observer.open(round).unwrap();
    }
}
