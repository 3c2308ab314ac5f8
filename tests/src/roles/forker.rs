//! The roles of processes that fork without exec.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use fork::Fork;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use witrpc::{AllocError, BlockingStream, DisconnectReason, Shared, SharedMut};

use crate::basic::{BasicClient, Bench, bytes_of};
use crate::event_service::EventServiceClient;
use crate::fixture::{Address, FixtureConfig};
use crate::process::Parent;
use crate::shared_memory::SharedMemoryClient;
use crate::streams::StreamsClient;

/// The length of the streams that are inherited.
pub const ITEMS: u64 = 1_000_000;

/// What a forked child found of leases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leases {
    /// Whether looking into one that was received has panicked.
    pub received: bool,
    /// Whether looking into one that was sent has panicked.
    pub sent: bool,
    /// Whether writing into one that was to be sent has panicked.
    pub unsent: bool,
    /// Whether a new lease was refused, as in a fork.
    pub refused: bool,
}

/// The leases of a client that forks.
struct Lent {
    received: Shared<[u8]>,
    sent: Shared<[u8]>,
    unsent: SharedMut<[u8]>,
}

impl Lent {
    fn of(client: &SharedMemoryClient) -> Self {
        let alloc = || client.connection().alloc::<u8>(LEN).expect("there is space");
        let sent = alloc().freeze();
        assert_eq!(client.keep(sent.clone()), Ok(1));
        let received = client.render(LEN as u64, SEED).expect("the server answers");
        Self { received, sent, unsent: alloc() }
    }

    /// Looks into all leases in a child, and drops them.
    fn in_child(self, client: &SharedMemoryClient) -> Leases {
        let Self { received, sent, mut unsent } = self;
        let panics = |look: &mut dyn FnMut()| catch_unwind(AssertUnwindSafe(look)).is_err();
        let refused = client.connection().try_alloc::<u8>(1).map(drop);
        Leases {
            received: panics(&mut || drop(received.to_vec())),
            sent: panics(&mut || drop(sent.to_vec())),
            unsent: panics(&mut || unsent.fill(1)),
            refused: refused == Err(AllocError::Disconnected(DisconnectReason::Forked)),
        }
    }
}

const LEN: usize = 10_000;
const SEED: u64 = 1;

/// What a forked child found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The outcome of a call on the connection that the parent had made.
    pub inherited: String,
    /// The outcome of a call on the child's own connection.
    pub own: String,
    /// The outcome for the leases that the parent had.
    pub leases: Leases,
}

/// See [`Role::ForkClient`](super::Role::ForkClient). Reports what the child found, then the answer
/// to a call of the parent. Then it reports its leases: whether the received one is intact, and
/// what the service sees of the one not sent yet, and of the one that it keeps.
pub(super) fn client(parent: &Parent, address: &Address) {
    let client = BasicClient::connect(address.endpoint()).expect("the client connects");
    client.add(1, 2).expect("the server answers");
    let shared_memory: SharedMemoryClient =
        client.connection().client().expect("the server has one");
    let inherited = (client, Lent::of(&shared_memory), shared_memory);
    let (finding, inherited) = fork_and_find(inherited, |(client, lent, shared_memory)| {
        let inherited = format!("{:?}", client.add(1, 2));
        let leases = lent.in_child(&shared_memory);
        drop((client, shared_memory));
        let own = BasicClient::connect(address.endpoint());
        let own = own.map_err(|error| error.to_string());
        Finding { inherited, own: format!("{:?}", own.map(|client| client.add(3, 4))), leases }
    });
    parent.report(&finding);
    let (client, lent, shared_memory) = inherited;
    parent.report(&client.add(1, 2).map_err(|error| error.to_string()));
    // The child has released none of the leases.
    let intact = lent.received.to_vec() == bytes_of(LEN, SEED);
    let Lent { sent, mut unsent, .. } = lent;
    unsent.copy_from_slice(&bytes_of(LEN, SEED + 1));
    let look = |frame: Shared<[u8]>| shared_memory.look(frame).map_err(|error| error.to_string());
    parent.report(&(intact, look(unsent.freeze()), look(sent)));
    parent.outlive();
}

/// See [`Role::ForkFollower`](super::Role::ForkFollower). Reports which events came to the child
/// over its parent's connection and over its own, then the number of a tick that comes to the
/// parent.
pub(super) fn follower(parent: &Parent, address: &Address) {
    let connect = || EventServiceClient::connect(address.endpoint());
    let client = connect().expect("the client connects");
    let guard = client.on_beaten(|_| {}).expect("the client subscribes");
    let ticked = client.ticked().expect("the client subscribes");
    let inherited = (client, guard, ticked);
    let (finding, (client, _guard, mut ticked)) = fork_and_find(inherited, |mut inherited| {
        let ticked = &mut inherited.2;
        let came = [ticked.next(), ticked.next(), ticked.try_next()];
        let came = format!("{:?}", came.map(|came| came.map(Result::unwrap_err)));
        drop(inherited);
        let own = connect().expect("the child connects");
        let mut ticked = own.ticked().expect("the child subscribes");
        own.tick(5, 1, true).expect("the server answers");
        (came, format!("{:?}", ticked.next().map(|it| it.map(|it| it.number))))
    });
    let finding: (String, String) = finding;
    parent.report(&finding);
    client.tick(7, 1, true).expect("the server answers");
    parent.report(&ticked.next().expect("it comes").expect("it can be read").number);
    parent.outlive();
}

/// Forks, runs `find` in the child with what it inherits, and waits for its end.
fn fork_and_find<T, F: Serialize + DeserializeOwned>(
    inherited: T,
    find: impl FnOnce(T) -> F,
) -> (F, T) {
    let (mut here, mut there) = UnixStream::pair().expect("sockets can be had");
    match fork::fork().expect("this process may fork") {
        Fork::Child => {
            drop(here);
            let finding = serde_json::to_vec(&find(inherited)).expect("it is data");
            there.write_all(&finding).expect("the parent listens");
            drop(there);
            // The end of this process does not end the parent's connection.
            std::process::exit(0);
        }
        Fork::Parent(child) => {
            drop(there);
            let mut finding = Vec::new();
            here.read_to_end(&mut finding).expect("the child writes");
            fork::waitpid(child).expect("the child ends");
            (serde_json::from_slice(&finding).expect("the child reports"), inherited)
        }
    }
}

/// See [`Role::ForkReader`](super::Role::ForkReader). Reports what came to the child from its
/// parent's streams, then what comes to the parent.
pub(super) fn reader(parent: &Parent, address: &Address) {
    let client = StreamsClient::connect(address.endpoint()).expect("the client connects");
    let open = || client.range(ITEMS).expect("the server answers");
    let mut inherited = [open(), open()];
    // Many items of the second stream are here, and more were requested.
    assert!(inherited[1].by_ref().take(10_000).all(|item| item.is_ok()));
    let last = |stream: BlockingStream<u64>| format!("{:?}", stream.last());
    let (finding, inherited) = fork_and_find(inherited, |inherited| inherited.map(last));
    let finding: [String; 2] = finding;
    parent.report(&finding);
    parent.report(&inherited.map(last));
    parent.outlive();
}

/// See [`Role::ForkServer`](super::Role::ForkServer). The child lives until its standard input
/// ends.
pub(super) fn server(parent: &Parent, address: &Address) {
    let server = FixtureConfig::default().start(address, &Arc::<Bench>::default());
    let server = server.expect("the server starts");
    parent.report(&());
    // Forks when a client is connected.
    let () = parent.hear();
    match fork::fork().expect("this process may fork") {
        Fork::Child => {
            // Both end at once, and with a reason.
            let reasons = [server.wait(), futures_executor::block_on(server.stopped())];
            drop(server);
            println!("\"{reasons:?}\"");
            // The pipe ends with the test. This is a copy of it, because the lock of the standard
            // input is held by a thread of the parent that does not exist here.
            let input = std::io::stdin().as_fd().try_clone_to_owned().expect("it is open");
            let _ = File::from(input).read_to_end(&mut Vec::new());
            std::process::exit(0);
        }
        Fork::Parent(_) => parent.outlive(),
    }
}
