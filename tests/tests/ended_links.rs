//! What a client's process keeps of connections that have ended. It is alone in its process, which
//! counts its resources, and runs one test at a time.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::TempDir;
use witrpc::{CallError, DisconnectReason, Reconnect};
use witrpc_tests::fixture::{Address, Fixture, FixtureConfig, Transport};
use witrpc_tests::resources::{Resources, eventually_no_more};
use witrpc_tests::shared_memory::{SharedMemoryClient, frame};
use witrpc_tests::streams::StreamsClient;

fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn dismiss_all(fixture: &Fixture) {
    for (id, _) in fixture.clients() {
        assert!(fixture.disconnect(id));
    }
}

const CLIENTS: usize = 50;

#[test]
fn clients_that_were_dismissed_keep_no_descriptor_while_their_handles_live() {
    let _alone = alone();
    let fixture = Fixture::new(Transport::Mmf);
    let before = Resources::of_this_process();
    let clients: Vec<_> = (0..CLIENTS).map(|_| fixture.client()).collect();
    dismiss_all(&fixture);
    eventually_no_more("this process", before.of_descriptors(), Resources::of_this_process);
    let dismissed = Err(CallError::Disconnected(DisconnectReason::Dismissed));
    for client in &clients {
        assert_eq!(client.add(1, 2), dismissed);
    }
    drop(clients);
    eventually_no_more("this process", before, Resources::of_this_process);
}

#[test]
fn a_client_that_has_left_keeps_no_descriptor_while_its_handle_lives() {
    let _alone = alone();
    let fixture = Fixture::new(Transport::Mmf);
    let before = Resources::of_this_process();
    let client = fixture.client();
    client.connection().disconnect();
    eventually_no_more("this process", before.of_descriptors(), Resources::of_this_process);
    assert_eq!(client.add(1, 2), Err(CallError::Disconnected(DisconnectReason::ClosedHere)));
}

#[test]
fn a_lease_of_a_connection_that_has_ended_keeps_its_region_and_no_descriptor() {
    let _alone = alone();
    let fixture = Fixture::new(Transport::Mmf);
    let before = Resources::of_this_process();
    let client = fixture.client();
    let lender: SharedMemoryClient = client.connection().client().unwrap();
    let kept = frame(&lender, 5_000, 1);
    dismiss_all(&fixture);
    drop((client, lender));
    eventually_no_more("this process", before.of_descriptors(), Resources::of_this_process);
    assert!(Resources::of_this_process().regions > before.regions);
    drop(kept);
    eventually_no_more("this process", before, Resources::of_this_process);
}

const SERVERS: usize = 10;

#[test]
fn streams_that_have_ended_keep_nothing_of_the_links_that_were_replaced() {
    let _alone = alone();
    let dir = TempDir::new().unwrap();
    let address = Address::in_dir(dir.path(), "streams");
    let serve = || {
        Fixture::at(address.clone(), FixtureConfig { streams: true, ..FixtureConfig::default() })
    };
    let mut server = serve();
    let client =
        StreamsClient::builder(address.endpoint()).reconnect(Reconnect::new()).connect().unwrap();
    assert_eq!(client.running(), Ok(0));
    let before = Resources::of_this_process();
    let mut ended = Vec::new();
    for _ in 0..SERVERS {
        let mut stream = client.endless().unwrap();
        assert_eq!(stream.next(), Some(Ok(0)));
        drop(server);
        let error = stream.find_map(Result::err).expect("its server was killed");
        assert!(error.maybe_executed(), "{error}");
        assert_eq!(stream.next(), None);
        ended.push(stream);
        server = serve();
        assert_eq!(client.running(), Ok(0), "the next server");
    }
    eventually_no_more("this process", before, Resources::of_this_process);
    drop((ended, server));
}
