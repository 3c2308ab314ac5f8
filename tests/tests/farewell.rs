//! What clients that are gone leave behind runs code of users: hooks, and drops of items. Neither a
//! panic nor a wait in that code keeps the server from its other clients, and a shutdown keeps its
//! time limit.
//!
//! What an item does when it is dropped is a setting of the process, so the tests run one at a
//! time.

use std::cell::RefCell;
use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::task::{Poll, Waker};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use witrpc::{
    CallError, ClientInfo, ConnectError, Endpoint, InProcess, LeftBehindLimit, Mmf, ServerHook,
    WitServer, wit_service,
};
use witrpc_tests::fixture::Transport;
use witrpc_tests::over_both_transports;
use witrpc_tests::watchdog::{PATIENCE, Watchdog, eventually, eventually_equal};

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// How many methods with uploads of one client have a thread.
const FED_THREADS: usize = 8;

/// A time limit that passes before the test opens a gate.
const SHORT: Duration = Duration::from_millis(1);

/// A gate that the test opens.
struct Gate {
    is_open: Mutex<bool>,
    changed: Condvar,
    /// How many have arrived since it was closed.
    came: AtomicUsize,
}

impl Gate {
    const fn new(is_open: bool) -> Self {
        Self { is_open: Mutex::new(is_open), changed: Condvar::new(), came: AtomicUsize::new(0) }
    }

    fn open(&self) {
        *self.is_open.lock().unwrap() = true;
        self.changed.notify_all();
    }

    /// Closes it until the guard is dropped, also by a test that fails.
    fn close(&self) -> Opens<'_> {
        *self.is_open.lock().unwrap() = false;
        self.came.store(0, SeqCst);
        Opens(self)
    }

    fn pass(&self) {
        let is_open = self.is_open.lock().unwrap();
        self.came.fetch_add(1, SeqCst);
        drop(self.changed.wait_while(is_open, |is_open| !*is_open).unwrap());
    }
}

/// Opens a gate when it is dropped.
struct Opens<'a>(&'a Gate);

impl Drop for Opens<'_> {
    fn drop(&mut self) {
        self.0.open();
    }
}

/// Methods that have begun wait at this gate before they take an item.
static METHODS: Gate = Gate::new(true);

/// Items that are dropped wait at this gate.
static ITEMS: Gate = Gate::new(true);

/// Destructors of thread-locals wait at this gate.
static LOCALS: Gate = Gate::new(true);

/// How many destructors have ended.
static LOCALS_ENDED: AtomicUsize = AtomicUsize::new(0);

#[derive(Serialize, Deserialize)]
struct Item(Vec<u8>);

/// An empty one does nothing.
impl Drop for Item {
    fn drop(&mut self) {
        if !self.0.is_empty() {
            ITEMS.pass();
        }
    }
}

struct Local;

impl Drop for Local {
    fn drop(&mut self) {
        LOCALS.pass();
        LOCALS_ENDED.fetch_add(1, SeqCst);
    }
}

/// Makes this thread wait for the test when it ends.
fn leave_local() {
    thread_local!(static LOCAL: RefCell<Option<Local>> = const { RefCell::new(None) });
    LOCAL.set(Some(Local));
}

#[wit_service]
trait Host {
    fn take(&self, items: impl Iterator<Item = Item>) -> u64;
    fn ping(&self) -> bool;
    /// Waits for ever.
    async fn wait(&self);
}

struct Plain;

impl Host for Plain {
    fn take(&self, items: impl Iterator<Item = Item>) -> u64 {
        METHODS.pass();
        items.map(|item| item.0.len() as u64).sum()
    }

    fn ping(&self) -> bool {
        true
    }

    async fn wait(&self) {
        let _waits = Task;
        poll_fn(|cx| {
            // A task that no waker belongs to would be dropped at once.
            *WAKER.lock().unwrap() = Some(cx.waker().clone());
            Poll::<()>::Pending
        })
        .await;
    }
}

static WAKER: Mutex<Option<Waker>> = Mutex::new(None);

/// How many handlers that waited have been dropped.
static TASKS_DROPPED: AtomicUsize = AtomicUsize::new(0);

struct Task;

impl Drop for Task {
    fn drop(&mut self) {
        TASKS_DROPPED.fetch_add(1, SeqCst);
    }
}

/// A hook that may wait for the test.
struct Book {
    joined: Gate,
    left: Gate,
    /// Whether its threads wait for the test when they end.
    leaves_locals: bool,
    lines: Mutex<Vec<(&'static str, u64)>>,
}

impl Book {
    fn note(&self, what: &'static str, client: &ClientInfo) {
        self.lines.lock().unwrap().push((what, client.id));
        if self.leaves_locals {
            leave_local();
        }
    }

    fn of(&self, what: &str) -> Vec<u64> {
        let lines = self.lines.lock().unwrap();
        lines.iter().filter(|line| line.0 == what).map(|line| line.1).collect()
    }
}

struct Notes(Arc<Book>);

impl ServerHook for Notes {
    fn joined(&self, client: &ClientInfo) {
        self.0.note("joined", client);
        self.0.joined.pass();
    }

    fn left(&self, client: &ClientInfo) {
        self.0.note("left", client);
        self.0.left.pass();
    }
}

struct Place {
    endpoint: Endpoint,
    server: WitServer,
    book: Arc<Book>,
    _alone: MutexGuard<'static, ()>,
    _watchdog: Watchdog,
}

impl Place {
    fn new(transport: Transport, leaves_locals: bool) -> Self {
        let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let endpoint: Endpoint = match transport {
            Transport::InProcess => InProcess::new().into(),
            _ => Mmf::unguessable().into(),
        };
        let (joined, left, lines) = (Gate::new(true), Gate::new(true), Mutex::default());
        let book = Arc::new(Book { joined, left, leaves_locals, lines });
        let builder = WitServer::builder().listen(endpoint.clone()).service(HostServer::new(Plain));
        let server = builder.hook(Notes(Arc::clone(&book))).start().unwrap();
        Self { endpoint, server, book, _alone, _watchdog: Watchdog::new(PATIENCE) }
    }

    fn client(&self) -> HostClient {
        HostClient::builder(self.endpoint.clone()).call_timeout(None).connect().unwrap()
    }

    /// Connects a client, and returns its id too.
    fn known_client(&self) -> (HostClient, u64) {
        let client = self.client();
        (client, *self.book.of("joined").last().expect("the hook is told before the client is in"))
    }

    fn running(&self) -> Vec<String> {
        self.server.running().iter().map(ToString::to_string).collect()
    }

    /// Makes uploads of a client, of which an item waits on the server until a method has a thread.
    /// The methods that have one keep it until `METHODS` is opened.
    fn leave_items_behind(&self) -> (u64, Uploads) {
        const LEN: usize = 10_000;
        let (client, id) = self.known_client();
        let upload = |items: usize| {
            let (open, rest) = mpsc::channel::<()>();
            let client = client.clone();
            let rest = rest.into_iter().map(|()| Item(Vec::new()));
            let items = (0..items).map(|_| Item(vec![1; LEN])).chain(rest);
            (open, thread::spawn(move || client.take(items)))
        };
        let mut uploads: Vec<_> = (0..FED_THREADS).map(|_| upload(0)).collect();
        eventually_equal("the methods that run", &FED_THREADS, || METHODS.came.load(SeqCst));
        uploads.push(upload(1));
        let bytes_in = || self.server.metrics().bytes_in;
        eventually("the item has come", || bytes_in() > LEN as u64);
        eventually("the stream has it", || {
            let metrics = self.server.metrics();
            metrics.parked_workers == metrics.workers
        });
        (id, Uploads { client, uploads })
    }

    /// Checks that the server serves its clients, and new ones.
    fn serves(&self, other: &HostClient) {
        assert_eq!(other.ping(), Ok(true), "a client that it has");
        assert_eq!(self.client().ping(), Ok(true), "a client that comes");
    }
}

type Upload = JoinHandle<Result<u64, CallError>>;

/// The uploads of one client.
struct Uploads {
    client: HostClient,
    uploads: Vec<(mpsc::Sender<()>, Upload)>,
}

impl Uploads {
    fn go(self) {
        self.client.connection().disconnect();
        for (open, call) in self.uploads {
            drop(open);
            assert!(call.join().unwrap().is_err());
        }
    }
}

over_both_transports! {
    fn items_that_wait_when_they_are_left_behind_keep_nothing_else_waiting(transport) {
        let place = Place::new(transport, false);
        let other = place.client();
        let methods_go_on = METHODS.close();
        let (id, uploads) = place.leave_items_behind();
        let items_go = ITEMS.close();
        let gone = thread::spawn(move || uploads.go());
        let drops = || place.running().contains(&format!("witrpc::drop_unread_items for client {id}"));
        eventually("an item waits", drops);
        place.serves(&other);
        drop(methods_go_on);
        drop(other);
        eventually_equal("the clients that are there", &0, || place.server.clients().len());
        assert!(!place.server.shutdown(SHORT));
        assert!(drops(), "{:?}", place.running());
        drop(items_go);
        gone.join().unwrap();
        eventually_equal("what runs", &Vec::new(), || place.running());
    }

    fn a_hook_that_waits_when_a_client_leaves_keeps_no_other_client_waiting(transport) {
        let place = Place::new(transport, false);
        let (other, (leaver, id)) = (place.client(), place.known_client());
        let opens = place.book.left.close();
        let gone = thread::spawn(move || drop(leaver));
        let telling = [format!("witrpc::ServerHook::left for client {id}")];
        eventually_equal("what runs", &telling[..].to_vec(), || place.running());
        place.serves(&other);
        assert!(!place.server.shutdown(SHORT));
        // A call may be listed for a moment after it was answered.
        eventually_equal("what runs", &telling[..].to_vec(), || place.running());
        drop(opens);
        gone.join().unwrap();
        eventually_equal("what runs", &Vec::new(), || place.running());
    }

    fn a_hook_that_waits_keeps_no_task_from_its_drop_when_the_server_ends(transport) {
        let place = Place::new(transport, false);
        let (waits, (leaver, id)) = (place.client(), place.known_client());
        let opens = place.book.left.close();
        let gone = thread::spawn(move || drop(leaver));
        let telling = format!("witrpc::ServerHook::left for client {id}");
        eventually_equal("what runs", &vec![telling.clone()], || place.running());
        let waits = thread::spawn(move || waits.wait());
        eventually("a handler waits", || WAKER.lock().unwrap().is_some());
        let dropped_before = TASKS_DROPPED.load(SeqCst);
        assert!(!place.server.shutdown(SHORT));
        eventually_equal("the tasks dropped", &1, || TASKS_DROPPED.load(SeqCst) - dropped_before);
        assert!(place.running().contains(&telling), "{:?}", place.running());
        drop(opens);
        assert!(waits.join().unwrap().is_err());
        gone.join().unwrap();
        drop(WAKER.lock().unwrap().take());
    }

    fn hooks_are_told_once_of_each_client_that_goes(transport) {
        const CLIENTS: usize = 20;
        let place = Place::new(transport, false);
        let opens = place.book.left.close();
        let (clients, ids): (Vec<_>, Vec<_>) = (0..CLIENTS).map(|_| place.known_client()).unzip();
        let gone: Vec<_> =
            clients.into_iter().map(|client| thread::spawn(move || drop(client))).collect();
        eventually_equal("the clients that are there", &0, || place.server.clients().len());
        drop(opens);
        gone.into_iter().for_each(|gone| gone.join().unwrap());
        assert!(place.server.shutdown(PATIENCE));
        let mut left = place.book.of("left");
        left.sort_unstable();
        assert_eq!(left, ids);
        assert_eq!(place.book.of("joined"), ids);
    }

    fn a_hook_that_waits_for_ever_bounds_how_many_clients_can_leave(transport) {
        let place = Place::new(transport, false);
        let opens = place.book.left.close();
        let connect = || HostClient::connect(place.endpoint.clone());
        // On another thread, because the hook would run on this one if there were no other for it.
        let leave = |client| drop(thread::spawn(move || drop::<HostClient>(client)));
        let refused = loop {
            match connect() {
                Ok(client) => leave(client),
                Err(refused) => break refused,
            }
        };
        let limit = LeftBehindLimit::Cleanups;
        assert!(
            matches!(refused, ConnectError::TooManyLeftBehind { limit: it, max: 1024 } if it == limit),
            "{refused}"
        );
        drop(opens);
        eventually("clients are let in again", || connect().is_ok());
    }

    fn a_shutdown_waits_for_no_destructor_of_a_thread_local_of_a_hook(transport) {
        let place = Place::new(transport, true);
        // In one process the hook runs on a thread of the client.
        let (endpoint, gate) = (place.endpoint.clone(), mpsc::channel::<()>());
        let client = thread::spawn(move || {
            let client = HostClient::connect(endpoint).unwrap();
            let _ = gate.1.recv();
            drop(client);
        });
        eventually_equal("the clients that are there", &1, || place.server.clients().len());
        let opens = LOCALS.close();
        let ended_before = LOCALS_ENDED.load(SeqCst);
        assert!(!place.server.shutdown(SHORT));
        eventually("the hook's thread ends", || LOCALS.came.load(SeqCst) > 0);
        assert!(!place.server.shutdown(SHORT), "again");
        assert_eq!(LOCALS_ENDED.load(SeqCst), ended_before);
        drop(opens);
        // The first shutdown has returned whether all calls were answered; this one waits for the
        // threads.
        let _ = place.server.shutdown(PATIENCE);
        assert_eq!(LOCALS_ENDED.load(SeqCst) - ended_before, LOCALS.came.load(SeqCst));
        drop(gate.0);
        client.join().unwrap();
    }
}

#[test]
fn a_shutdown_names_a_hook_that_waits_while_it_lets_a_client_in() {
    let place = Place::new(Transport::Mmf, false);
    let opens = place.book.joined.close();
    let endpoint = place.endpoint.clone();
    let newcomer = thread::spawn(move || HostClient::connect(endpoint));
    eventually("the hook is told", || place.book.of("joined").len() == 1);
    assert!(!place.server.shutdown(SHORT));
    let id = place.book.of("joined")[0];
    assert_eq!(place.running(), [format!("witrpc::ServerHook::joined for client {id}")]);
    drop(opens);
    assert!(newcomer.join().unwrap().is_err());
    eventually_equal("what runs", &Vec::new(), || place.running());
    eventually_equal("those that have left", &vec![id], || place.book.of("left"));
}
