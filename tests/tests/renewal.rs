//! Subscriptions of clients that reconnect to a server that was lost.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use futures_executor::{block_on, block_on_stream};
use tempfile::TempDir;
use witrpc::{Backoff, CallError, DisconnectReason, EventError, Mmf, Reconnect};
use witrpc_tests::event_service::{
    BulletinClient, EventServiceAsyncClient, EventServiceClient, EventServiceTicked, connect,
    next_tick,
};
use witrpc_tests::fixture::{Address, Fixture, FixtureConfig, Transport};
use witrpc_tests::over_both_transports;
use witrpc_tests::watchdog::PATIENCE;

/// Returns a directory for names, and an address under which one server can follow another.
fn address(transport: Transport) -> (TempDir, Address) {
    let dir = TempDir::new().unwrap();
    let address = match transport {
        Transport::InProcess => Address::InProcess { name: Mmf::unguessable().name().to_owned() },
        _ => Address::in_dir(dir.path(), "phoenix"),
    };
    (dir, address)
}

/// Starts a server. Dropping it is `kill -9`, or in this process a graceful end.
fn serve(address: &Address) -> Fixture {
    Fixture::at(
        address.clone(),
        FixtureConfig { event_service: true, bulletin: true, ..FixtureConfig::default() },
    )
}

/// Starts one on which all services have other numbers.
fn serve_otherwise(address: &Address) -> Fixture {
    let plan = FixtureConfig {
        event_service: true,
        bulletin: true,
        second: true,
        ..FixtureConfig::default()
    };
    Fixture::at(address.clone(), plan)
}

fn policy() -> Reconnect {
    Reconnect::new()
        .backoff(Backoff::new(Duration::from_millis(1), Duration::from_millis(20)))
        .after_shutdown(true)
}

fn client(address: &Address) -> EventServiceClient {
    EventServiceClient::builder(address.endpoint()).reconnect(policy()).connect().unwrap()
}

over_both_transports! {
    fn subscriptions_are_renewed_and_say_once_what_may_be_missed(transport) {
        let (_dir, address) = address(transport);
        let first = serve(&address);
        let blocking = client(&address);
        let board: BulletinClient = blocking.connection().client().unwrap();
        let later = EventServiceAsyncClient::builder(address.endpoint()).reconnect(policy());
        let later = block_on(later.connect()).unwrap();
        let mut ticks = blocking.ticked().unwrap();
        let mut stream = block_on_stream(block_on(later.ticked()).unwrap());
        let (tell, told) = mpsc::channel();
        let guard = blocking.on_ticked(move |tick| {
            tell.send(tick.map(EventServiceTicked::checked)).unwrap();
        }).unwrap();
        let mut posted = board.posted().unwrap();
        assert_eq!(connect(&first).tick(1, 1, false), Ok(2));
        assert_eq!((next_tick(&mut ticks), next_tick(&mut stream)), (1, 1));
        assert_eq!(told.recv_timeout(PATIENCE), Ok(Ok(1)));
        let mut last = first;
        for round in 2..5 {
            drop(last);
            last = if round % 2 == 0 { serve_otherwise(&address) } else { serve(&address) };
            let missed = Some(EventError::MayHaveMissed);
            assert_eq!(ticks.next().map(Result::unwrap_err), missed);
            assert_eq!(stream.next().map(Result::unwrap_err), missed);
            assert_eq!(posted.next().map(Result::unwrap_err), missed);
            assert_eq!(told.recv_timeout(PATIENCE), Ok(Err(EventError::MayHaveMissed)));
            assert_eq!(connect(&last).tick(round, 1, false), Ok(2));
            assert_eq!((next_tick(&mut ticks), next_tick(&mut stream)), (round, round));
            assert_eq!(told.recv_timeout(PATIENCE), Ok(Ok(round)));
            assert_eq!(board.post("again"), Ok(1));
            assert_eq!(posted.next().unwrap().unwrap().text, "again");
        }
        drop(guard);
    }

    fn what_has_come_before_the_loss_is_not_lost(transport) {
        let (_dir, address) = address(transport);
        let first = serve(&address);
        let client = client(&address);
        let (tell, told) = mpsc::channel();
        let guard = client.on_beaten(move |beat| tell.send(beat.is_ok()).unwrap()).unwrap();
        let mut ticks = client.ticked().unwrap();
        client.tick(0, 3, false).unwrap();
        client.beat(1).unwrap();
        // They arrive in the order in which they were emitted, so the ticks are here too.
        assert_eq!(told.recv_timeout(PATIENCE), Ok(true));
        drop(first);
        let _second = serve(&address);
        assert_eq!(told.recv_timeout(PATIENCE), Ok(false));
        assert_eq!([(); 3].map(|()| next_tick(&mut ticks)), [0, 1, 2]);
        assert_eq!(ticks.next().map(Result::unwrap_err), Some(EventError::MayHaveMissed));
        drop(guard);
    }

    fn a_slow_reader_finds_each_loss_in_its_place(transport) {
        let (_dir, address) = address(transport);
        let mut last = serve(&address);
        let client = client(&address);
        let later = EventServiceAsyncClient::builder(address.endpoint()).reconnect(policy());
        let later = block_on(later.connect()).unwrap();
        let mut ticks = client.ticked().unwrap();
        let mut stream = block_on_stream(block_on(later.ticked()).unwrap());
        // The iterators, which are not read, have everything that the closures got.
        let (tell, told) = mpsc::channel();
        let tell_too = tell.clone();
        let _guard = client.on_beaten(move |beat| tell.send(beat.is_ok()).unwrap()).unwrap();
        let guard = later.on_beaten(move |beat| tell_too.send(beat.is_ok()).unwrap());
        let _other_guard = block_on(guard).unwrap();
        let all_are_told = |what| {
            let came = [(); 2].map(|()| told.recv_timeout(PATIENCE));
            assert_eq!(came, [Ok(what), Ok(what)]);
        };
        for round in 0..3 {
            let event_service = connect(&last);
            assert_eq!(event_service.tick(2 * round, 2, false), Ok(4));
            event_service.beat(1).unwrap();
            all_are_told(true);
            drop((event_service, last));
            last = serve(&address);
            all_are_told(false);
        }
        for round in 0..3 {
            for number in [2 * round, 2 * round + 1] {
                assert_eq!((next_tick(&mut ticks), next_tick(&mut stream)), (number, number));
            }
            assert_eq!(ticks.next().map(Result::unwrap_err), Some(EventError::MayHaveMissed));
            assert_eq!(stream.next().map(Result::unwrap_err), Some(EventError::MayHaveMissed));
        }
        assert!(ticks.try_next().is_none());
    }

    fn what_ends_between_two_servers_is_not_renewed(transport) {
        let (_dir, address) = address(transport);
        let first = serve(&address);
        let client = client(&address);
        let (mut ticks, shipped) = (client.ticked().unwrap(), client.shipped().unwrap());
        assert_eq!(client.ship(1, 1), Ok(1));
        drop((first, shipped));
        let second = serve_otherwise(&address);
        assert_eq!(ticks.next().map(Result::unwrap_err), Some(EventError::MayHaveMissed));
        assert_eq!((connect(&second).ship(1, 1), connect(&second).tick(7, 1, false)), (Ok(0), Ok(1)));
        assert_eq!(next_tick(&mut ticks), 7);
    }

    fn what_begins_between_two_servers_waits_for_the_next(transport) {
        let (_dir, address) = address(transport);
        let first = serve(&address);
        let client = client(&address);
        let mut old = client.shipped().unwrap();
        drop(first);
        thread::scope(|scope| {
            let beginning = scope.spawn(|| client.ticked());
            let second = serve_otherwise(&address);
            let mut ticks = beginning.join().unwrap().unwrap();
            assert_eq!(connect(&second).tick(7, 1, false), Ok(1));
            assert_eq!(next_tick(&mut ticks), 7, "nothing of it can have been missed");
            assert_eq!(old.next().map(Result::unwrap_err), Some(EventError::MayHaveMissed));
            assert_eq!(connect(&second).ship(1, 1), Ok(1));
            assert!(old.next().unwrap().is_ok());
        });
    }

    fn events_of_a_service_that_the_next_server_lacks_end(transport) {
        let (_dir, address) = address(transport);
        let first = serve(&address);
        let client = client(&address);
        let board: BulletinClient = client.connection().client().unwrap();
        let (mut ticks, mut posted) = (client.ticked().unwrap(), board.posted().unwrap());
        drop(first);
        let second = Fixture::at(address, FixtureConfig { event_service: true, ..FixtureConfig::default() });
        let failed = CallError::Disconnected(DisconnectReason::ReconnectFailed);
        assert_eq!(posted.next().map(Result::unwrap_err), Some(EventError::Ended(failed)));
        assert!(posted.next().is_none());
        assert_eq!(ticks.next().map(Result::unwrap_err), Some(EventError::MayHaveMissed));
        assert_eq!(connect(&second).tick(7, 1, false), Ok(1));
        assert_eq!(next_tick(&mut ticks), 7);
    }

    fn an_end_on_purpose_ends_the_events_of_clients_that_reconnect(transport) {
        let (_dir, address) = address(transport);
        let fixture = serve(&address);
        let ended = |reason| Some(EventError::Ended(CallError::Disconnected(reason)));
        let (here, there) = (client(&address), client(&address));
        let (mut mine, mut theirs) = (here.ticked().unwrap(), there.ticked().unwrap());
        here.connection().disconnect();
        assert_eq!(mine.next().map(Result::unwrap_err), ended(DisconnectReason::ClosedHere));
        assert!(mine.next().is_none());
        for (id, _) in fixture.clients() {
            fixture.disconnect(id);
        }
        assert_eq!(theirs.next().map(Result::unwrap_err), ended(DisconnectReason::Dismissed));
        assert!(theirs.next().is_none());
    }
}
