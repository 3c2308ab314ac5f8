//! The role of a process that gets no new threads.

use std::sync::{Arc, RwLock, mpsc};
use std::thread;

use futures_executor::block_on;
use futures_util::stream;
use rustix::process::Resource;
use serde::{Deserialize, Serialize};
use witrpc::{CallError, ClientInfo, Endpoint, InProcess, Mmf, ServerHook, WitServer};

use crate::basic::{BasicClient, BasicServer, Bench, bytes_of, checksum};
use crate::fixture::{Address, FixtureConfig};
use crate::process::Parent;
use crate::resources::refuse_threads;
use crate::restriction::limit;
use crate::streams::{Fed, StreamsAsyncClient, StreamsClient};

/// The outcomes of uploads in a process that gets no new threads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Without {
    /// A blocking upload got the error that the client lacks a thread, with the name and value of
    /// the limit.
    pub client_refused: bool,
    /// An upload to a method that takes an iterator got the error that the server lacks a thread.
    pub server_refused: bool,
    /// An upload to a method that takes a stream was answered.
    pub needs_none: bool,
    /// A call of another client was answered.
    pub bystander: bool,
    /// How many methods that need a thread have begun.
    pub begun: u64,
}

/// The limit of threads and processes of the user.
const THREADS: u64 = 4_321;

/// See [`Role::Threadless`](super::Role::Threadless).
pub(super) fn upload(parent: &Parent, address: &Address) {
    let bench = Arc::<Bench>::default();
    let plan = FixtureConfig { streams: true, ..FixtureConfig::default() };
    let _server = plan.start(address, &bench).expect("the server starts");
    let client = StreamsClient::connect(address.endpoint()).expect("the client connects");
    let later = block_on(StreamsAsyncClient::connect(address.endpoint())).expect("it does too");
    let bystander = StreamsClient::connect(address.endpoint()).expect("it does too");
    assert_eq!(bystander.running(), Ok(0));
    limit(Resource::Nproc, THREADS);
    refuse_threads();
    let is_told =
        |message: &str| message.contains("RLIMIT_NPROC") && message.contains(&THREADS.to_string());
    let is_safe = |error: &CallError| error.is_retryable() && !error.maybe_executed();
    let ended = client.sum(0..10).expect_err("there is no thread that pushes");
    let client_refused =
        is_safe(&ended) && matches!(&ended, CallError::NoThread { message } if is_told(message));
    let ended = block_on(later.sum(stream::iter(0..10))).expect_err("there is no thread to run on");
    let server_refused = is_safe(&ended)
        && matches!(&ended, CallError::ServerNoThread { message } if is_told(message));
    let bytes = bytes_of(100, 1);
    let digest = block_on(later.digest(stream::iter([bytes.clone()])));
    let Fed { whole, broken } = bystander.fed().expect("others are served");
    parent.report(&Without {
        client_refused,
        server_refused,
        needs_none: digest == Ok(checksum(&bytes)),
        bystander: bystander.running() == Ok(0),
        begun: whole + broken,
    });
}

/// Says on which thread it learns that a client has gone, and waits.
struct Waits {
    threads: mpsc::Sender<Option<String>>,
    /// Locked while hooks are to wait.
    gate: Arc<RwLock<()>>,
}

impl ServerHook for Waits {
    fn left(&self, _client: &ClientInfo) {
        let _ = self.threads.send(thread::current().name().map(str::to_owned));
        drop(self.gate.read());
    }
}

/// See [`Role::DropThreadless`](super::Role::DropThreadless).
pub(super) fn drop_servers(parent: &Parent, within: bool, servers: usize) {
    let (gate, (threads, told)) = (Arc::<RwLock<()>>::default(), mpsc::channel());
    let closed = gate.write();
    let serve = || {
        let place: Endpoint =
            if within { InProcess::new().into() } else { Mmf::unguessable().into() };
        let hook = Waits { threads: threads.clone(), gate: Arc::clone(&gate) };
        let builder = WitServer::builder().listen(place.clone()).hook(hook);
        let server = builder.service(BasicServer::new(Bench::default())).start();
        let client = BasicClient::connect(place).expect("the client connects");
        (server.expect("the server starts"), client)
    };
    let (servers, _clients): (Vec<_>, Vec<_>) = (0..servers).map(|_| serve()).unzip();
    refuse_threads();
    // A drop that called the hook would not return.
    let all = servers.into_iter().map(|server| {
        drop(server);
        told.recv().expect("the hook is told")
    });
    parent.report(&all.collect::<Vec<_>>());
    drop(closed);
}
