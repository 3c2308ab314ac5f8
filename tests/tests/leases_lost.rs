//! Leases whose connection, peer or server is gone.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use futures_executor::block_on;
use rustix::process::Signal;
use tempfile::TempDir;
use witrpc::{
    AllocError, Backoff, CallContext, CallError, DisconnectReason, Mmf, Reconnect, Shared,
    SharedMut, WitServer, wit_service,
};
use witrpc_tests::basic::{bytes_of, checksum};
use witrpc_tests::fixture::{
    Address, Fixture, FixtureConfig, ServerCommand, ServerReply, Transport,
};
use witrpc_tests::process::Child;
use witrpc_tests::roles::Role;
use witrpc_tests::shared_memory::{Seen, SharedMemoryAsyncClient, SharedMemoryClient};
use witrpc_tests::watchdog::{PATIENCE, eventually};

const LEN: usize = 100_000;

fn shared_memory(fixture: &Fixture) -> SharedMemoryClient {
    SharedMemoryClient::connect(fixture.endpoint()).unwrap()
}

/// Returns a frame in the client's shared memory.
fn frame(client: &SharedMemoryClient, seed: u64) -> Shared<[u8]> {
    let mut frame = client.connection().alloc::<u8>(LEN).unwrap();
    frame.copy_from_slice(&bytes_of(LEN, seed));
    frame.freeze()
}

fn seen(seed: u64) -> Seen {
    Seen { checksum: checksum(&bytes_of(LEN, seed)), in_place: true }
}

fn copied(seed: u64) -> Seen {
    Seen { in_place: false, ..seen(seed) }
}

/// The service, for clients that allow a frame to be looked at twice.
#[wit_service(name = "SharedMemory")]
pub trait Repeatable {
    /// As in the service.
    #[wit(idempotent)]
    async fn hold(&self, gate: u64, frame: Shared<[u8]>) -> Seen;
    /// As in the service.
    async fn arrived(&self, gate: u64, calls: u32);
}

fn reconnect() -> Reconnect {
    Reconnect::new().backoff(Backoff::new(Duration::from_millis(1), Duration::from_millis(20)))
}

#[test]
fn a_lease_outlives_the_server_that_gave_it() {
    let fixture = Fixture::new(Transport::Mmf);
    let client = shared_memory(&fixture);
    let got = client.render(LEN as u64, 1).unwrap();
    let sent = frame(&client, 2);
    let mut unsent = client.connection().alloc::<u8>(LEN).unwrap();
    fixture.server_process().signal(Signal::KILL);
    eventually("the client has heard of it", || !client.connection().is_connected());
    drop(client.clone());
    assert_eq!(got.to_vec(), bytes_of(LEN, 1));
    assert_eq!(sent.to_vec(), bytes_of(LEN, 2));
    unsent.copy_from_slice(&bytes_of(LEN, 3));
    let died = DisconnectReason::PeerDied;
    let refused = client.connection().alloc::<u8>(1).unwrap_err();
    assert_eq!(refused, AllocError::Disconnected(died));
    assert_eq!(client.look(sent), Err(CallError::Disconnected(died)));
    drop(client);
    assert_eq!(unsent.freeze().to_vec(), bytes_of(LEN, 3));
    assert_eq!(Seen::of(&got), seen(1));
}

#[test]
fn leases_do_not_keep_a_connection() {
    let fixture = Fixture::new(Transport::Mmf);
    let client = shared_memory(&fixture);
    let got = client.render(LEN as u64, 1).unwrap();
    let sent = frame(&client, 2);
    let connected = || fixture.clients().len();
    assert_eq!(connected(), 1);
    drop(client);
    eventually("the client has left", || connected() == 0);
    assert_eq!(got.to_vec(), bytes_of(LEN, 1));
    assert_eq!(sent.to_vec(), bytes_of(LEN, 2));
}

#[test]
fn what_a_handler_keeps_outlives_a_client_that_leaves() {
    let fixture = Fixture::new(Transport::Mmf);
    let client = shared_memory(&fixture);
    assert_eq!(client.keep(frame(&client, 1)), Ok(1));
    let of_one = fixture.metrics().reserved_memory;
    drop(client);
    eventually("the client has left", || fixture.clients().is_empty());
    let other = shared_memory(&fixture);
    assert_eq!(other.kept(), Ok(vec![checksum(&bytes_of(LEN, 1))]));
    assert_eq!(fixture.metrics().reserved_memory, 2 * of_one, "what is kept is counted");
    other.forget().unwrap();
    assert_eq!(fixture.metrics().reserved_memory, of_one);
    assert_eq!(other.look(frame(&other, 2)), Ok(seen(2)));
}

#[test]
fn what_a_handler_keeps_outlives_a_client_that_is_killed() {
    let fixture = Fixture::new(Transport::Mmf);
    let other = shared_memory(&fixture);
    let role = Role::Lend { address: fixture.address().clone(), len: LEN, seed: 1, gate: 1 };
    let client = Child::start(&role);
    assert_eq!(client.hear::<u64>(), 1, "a frame is kept");
    // And a handler holds another one.
    other.arrived(1, 1).unwrap();
    client.signal(Signal::KILL);
    eventually("the client has left", || fixture.clients().len() == 1);
    assert_eq!(other.kept(), Ok(vec![checksum(&bytes_of(LEN, 1))]));
    other.open(1).unwrap();
    other.forget().unwrap();
    assert_eq!(other.look(frame(&other, 3)), Ok(seen(3)), "the server is none the worse");
}

/// Makes a value to share when it is told to.
#[wit_service]
trait Press {
    fn print(&self, #[wit(ctx)] cx: &CallContext) -> Result<Shared<[u8]>, String>;
}

struct Slow {
    begun: Sender<()>,
    told: Mutex<Receiver<()>>,
    refused: Sender<Option<AllocError>>,
}

impl Press for Slow {
    fn print(&self, cx: &CallContext) -> Result<Shared<[u8]>, String> {
        self.begun.send(()).unwrap();
        self.told.lock().unwrap().recv_timeout(PATIENCE).unwrap();
        let made = cx.alloc::<u8>(LEN);
        self.refused.send(made.as_ref().err().cloned()).unwrap();
        made.map(SharedMut::freeze).map_err(|error| error.to_string())
    }
}

#[test]
fn a_handler_is_told_that_its_client_has_gone() {
    let ((begun, begins), (tell, told)) = (channel(), channel());
    let (refused, refusals) = channel();
    let place = Mmf::unguessable();
    let service = PressServer::new(Slow { begun, told: Mutex::new(told), refused });
    let server = WitServer::builder().listen(place.clone()).service(service).start().unwrap();
    let client = PressClient::connect(place).unwrap();
    thread::scope(|scope| {
        let call = scope.spawn(|| client.print());
        begins.recv_timeout(PATIENCE).unwrap();
        client.connection().disconnect();
        let closed = CallError::Disconnected(DisconnectReason::ClosedHere);
        assert_eq!(call.join().unwrap().unwrap_err(), closed);
    });
    eventually("the client has left", || server.handle().clients().is_empty());
    tell.send(()).unwrap();
    assert_eq!(refusals.recv_timeout(PATIENCE).unwrap(), Some(AllocError::ClientGone));
}

#[test]
fn a_handler_whose_server_shuts_down_still_gives_what_it_has_made() {
    let fixture = Fixture::new(Transport::Mmf);
    let client = shared_memory(&fixture);
    let opener = shared_memory(&fixture);
    thread::scope(|scope| {
        let late = scope.spawn(|| client.render_later(1, LEN as u64, 1));
        opener.arrived(1, 1).unwrap();
        fixture.tell(ServerCommand::BeginShutdown(Duration::from_secs(60)));
        eventually("nothing new is begun", || opener.kept().is_err());
        fixture.tell(ServerCommand::Open(1));
        let got = late.join().unwrap().unwrap();
        assert_eq!(Seen::of(&got), seen(1));
    });
    assert_eq!(fixture.host().tell(ServerCommand::EndShutdown), ServerReply::Was(true));
    let over = AllocError::ShuttingDown;
    eventually("the client has heard of it", || !client.connection().is_connected());
    assert_eq!(client.connection().alloc::<u8>(1).unwrap_err(), over);
    assert_eq!(client.connection().try_alloc::<u8>(1).unwrap_err(), over);
    assert_eq!(block_on(client.connection().alloc_async::<u8>(1)).unwrap_err(), over);
}

#[test]
fn a_lease_of_the_connection_before_is_copied_over_the_next() {
    let dir = TempDir::new().unwrap();
    let address = Address::in_dir(dir.path(), "phoenix");
    let first = Fixture::at(address.clone(), FixtureConfig::default());
    let client = SharedMemoryClient::builder(address.endpoint()).reconnect(reconnect());
    let client = client.connect().unwrap();
    let later: SharedMemoryAsyncClient = client.connection().client().unwrap();
    let (sent, got) = (frame(&client, 1), client.render(LEN as u64, 2).unwrap());
    let mut unsent = client.connection().alloc::<u8>(LEN).unwrap();
    drop(first);
    eventually("it has heard that the server was killed", || !client.connection().is_connected());
    thread::scope(|scope| {
        // Calls wait for space as they wait for lanes.
        let blocking = scope.spawn(|| client.look(frame(&client, 4)));
        let task = scope.spawn(|| {
            block_on(async {
                let mut frame = later.connection().alloc_async::<u8>(LEN).await.unwrap();
                frame.copy_from_slice(&bytes_of(LEN, 5));
                later.look_later(frame.freeze()).await
            })
        });
        let second = Fixture::at(address.clone(), FixtureConfig::default());
        assert_eq!(blocking.join().unwrap(), Ok(seen(4)));
        assert_eq!(task.join().unwrap(), Ok(seen(5)));
        unsent.copy_from_slice(&bytes_of(LEN, 3));
        assert_eq!(client.look(sent), Ok(copied(1)));
        assert_eq!(client.look(got), Ok(copied(2)));
        assert_eq!(client.look(unsent.freeze()), Ok(copied(3)));
        drop(second);
    });
}

#[test]
fn a_call_that_is_made_again_takes_a_copy_along() {
    let dir = TempDir::new().unwrap();
    let address = Address::in_dir(dir.path(), "phoenix");
    let first = Fixture::at(address.clone(), FixtureConfig::default());
    let client = RepeatableClient::builder(address.endpoint()).reconnect(reconnect());
    let client = client.connect().unwrap();
    let mut sent = client.connection().alloc::<u8>(LEN).unwrap();
    sent.copy_from_slice(&bytes_of(LEN, 1));
    thread::scope(|scope| {
        let held = scope.spawn(|| client.hold(1, sent.freeze()));
        client.arrived(1, 1).unwrap();
        drop(first);
        let second = Fixture::at(address.clone(), FixtureConfig::default());
        shared_memory(&second).open(1).unwrap();
        assert_eq!(held.join().unwrap(), Ok(copied(1)));
    });
}

#[test]
fn space_is_not_waited_for_longer_than_for_a_server_that_stays_away() {
    let dir = TempDir::new().unwrap();
    let address = Address::in_dir(dir.path(), "phoenix");
    let fixture = Fixture::at(address.clone(), FixtureConfig::default());
    let client = SharedMemoryClient::builder(address.endpoint()).reconnect(reconnect());
    let client = client.call_timeout(Duration::from_millis(40)).connect().unwrap();
    drop(fixture);
    eventually("it has heard that the server was killed", || !client.connection().is_connected());
    assert_eq!(client.connection().alloc::<u8>(1).unwrap_err(), AllocError::NotConnected);
    let refused = client.connection().try_alloc::<u8>(1).unwrap_err();
    assert_eq!(refused, AllocError::Disconnected(DisconnectReason::PeerDied), "at once");
    client.connection().disconnect();
    let refused = client.connection().alloc::<u8>(1).unwrap_err();
    assert_eq!(refused, AllocError::Disconnected(DisconnectReason::ClosedHere));
}
