//! What is left when a server has ended: nothing that waits for it, and none of its threads.
//!
//! The threads of all servers of this process are counted, so the tests run one at a time.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use futures_executor::block_on;
use futures_util::FutureExt;
use futures_util::future::join_all;
use tempfile::TempDir;
use witrpc::{
    CallError, ClientInfo, Endpoint, InProcess, Mmf, ServedCall, ServedEnd, ServerHook, WitServer,
    wit_service,
};
use witrpc_tests::fixture::{Address, Transport};
use witrpc_tests::over_both_transports;
use witrpc_tests::process::Child;
use witrpc_tests::roles::Role;
use witrpc_tests::watchdog::{PATIENCE, Watchdog, eventually, eventually_equal};

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

#[wit_service]
trait Waits {
    /// Waits for its client.
    fn total(&self, items: impl Iterator<Item = u64>) -> u64;
    /// Waits forever.
    async fn sleep(&self);
    /// Waits until a subscriber has room.
    fn shout(&self);
    /// Waits for the test.
    fn hold(&self);
    /// Waits forever, and for the test when it is dropped.
    async fn cling(&self);
    /// Drops the server.
    fn drop_server(&self);

    #[wit(event, overflow = "wait 3600s")]
    fn shouted(&self, bytes: &[u8]);
}

#[derive(Default)]
struct Shared {
    running: AtomicUsize,
    held: Mutex<bool>,
    released: Condvar,
    server: Mutex<Option<WitServer>>,
    /// How often each client has joined and left.
    joined: Mutex<BTreeMap<u64, [usize; 2]>>,
    drops_when_left: bool,
    /// Whether the hook waits for the test after each call.
    lingers: AtomicBool,
}

impl Shared {
    /// Waits for the test.
    fn wait(&self) {
        let held = self.held.lock().unwrap();
        drop(self.released.wait_while(held, |held| *held).unwrap());
    }
}

#[derive(Clone)]
struct Patient {
    shared: Arc<Shared>,
    events: WaitsEvents,
}

/// Counts as running until it is dropped.
struct Running<'a>(&'a Shared);

impl<'a> Running<'a> {
    fn new(shared: &'a Shared) -> Self {
        shared.running.fetch_add(1, SeqCst);
        Self(shared)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, SeqCst);
    }
}

impl Waits for Patient {
    fn total(&self, items: impl Iterator<Item = u64>) -> u64 {
        let _running = Running::new(&self.shared);
        items.sum()
    }

    async fn sleep(&self) {
        let _running = Running::new(&self.shared);
        // Kept where it is not found, as by a timer far in the future.
        let mut waker = None;
        std::future::poll_fn(|cx| {
            waker.get_or_insert_with(|| std::mem::forget(cx.waker().clone()));
            std::task::Poll::<()>::Pending
        })
        .await;
        pending::<()>().await;
    }

    fn shout(&self) {
        let _running = Running::new(&self.shared);
        while self.events.shouted(&[0; 100_000]).is_ok_and(|reached| reached > 0) {}
    }

    fn hold(&self) {
        let _running = Running::new(&self.shared);
        self.shared.wait();
    }

    async fn cling(&self) {
        struct Clinging<'a>(&'a Shared);

        impl Drop for Clinging<'_> {
            fn drop(&mut self) {
                self.0.wait();
            }
        }

        let _running = Running::new(&self.shared);
        let _clinging = Clinging(&self.shared);
        // Kept, as by a timer far in the future: a task that nothing can wake is dropped at once.
        std::future::poll_fn(|cx| {
            std::mem::forget(cx.waker().clone());
            std::task::Poll::Ready(())
        })
        .await;
        pending::<()>().await;
    }

    fn drop_server(&self) {
        let server = self.shared.server.lock().unwrap().take();
        drop(server);
    }
}

struct Counts(Arc<Shared>);

impl Counts {
    fn count(&self, client: &ClientInfo, which: usize) {
        self.0.joined.lock().unwrap().entry(client.id).or_default()[which] += 1;
    }
}

impl ServerHook for Counts {
    fn after(&self, _: &ServedCall<'_>, _: ServedEnd, _: usize) {
        if self.0.lingers.load(SeqCst) {
            self.0.wait();
        }
    }

    fn joined(&self, client: &ClientInfo) {
        self.count(client, 0);
    }

    fn left(&self, client: &ClientInfo) {
        self.count(client, 1);
        if self.0.drops_when_left {
            drop(self.0.server.lock().unwrap().take());
        }
    }
}

struct Place {
    endpoint: Endpoint,
    shared: Arc<Shared>,
    _alone: MutexGuard<'static, ()>,
    _watchdog: Watchdog,
}

impl Place {
    fn new(transport: Transport, drops_when_left: bool) -> Self {
        Self::with_lanes(64, transport, drops_when_left)
    }

    fn with_lanes(lanes: u32, transport: Transport, drops_when_left: bool) -> Self {
        let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let endpoint: Endpoint = match transport {
            Transport::InProcess => InProcess::new().lanes(lanes).into(),
            _ => Mmf::unguessable().lanes(lanes).into(),
        };
        let shared = Shared { held: Mutex::new(true), drops_when_left, ..Shared::default() };
        let shared = Arc::new(shared);
        let service =
            WaitsServer::with_events(|events| Patient { shared: Arc::clone(&shared), events });
        let server = WitServer::builder().listen(endpoint.clone()).service(service);
        let server = server.hook(Counts(Arc::clone(&shared))).start().unwrap();
        *shared.server.lock().unwrap() = Some(server);
        Self { endpoint, shared, _alone, _watchdog: Watchdog::new(PATIENCE) }
    }

    fn client(&self) -> WaitsClient {
        WaitsClient::builder(self.endpoint.clone()).call_timeout(None).connect().unwrap()
    }

    fn take_server(&self) -> WitServer {
        self.shared.server.lock().unwrap().take().unwrap()
    }

    fn running(&self, what: &str, count: usize) {
        eventually_equal(what, &count, || self.shared.running.load(SeqCst));
    }

    fn release(&self) {
        *self.shared.held.lock().unwrap() = false;
        self.shared.released.notify_all();
    }

    /// Checks that each client has joined and left once, and that no thread is left.
    fn is_over(&self, clients: usize) {
        self.running("the methods that run", 0);
        let once =
            || self.shared.joined.lock().unwrap().values().filter(|it| **it == [1, 1]).count();
        eventually_equal("the clients that came and left once", &clients, once);
        eventually_equal("the library's threads", &Vec::new(), threads);
        assert_eq!(once(), clients);
    }
}

/// Returns the names of the threads of the library.
fn threads() -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().map_while(Result::ok);
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
    let names = names.map(|name| name.trim().to_owned());
    names.filter(|name| name.starts_with("witrpc-")).collect()
}

over_both_transports! {
    fn a_drop_ends_all_that_waits_and_tells_each_session_once(transport) {
        const UPLOADS: usize = 20;
        let place = Place::new(transport, false);
        let (open, clients): (Vec<_>, Vec<_>) = (0..UPLOADS)
            .map(|_| {
                let (open, items) = mpsc::channel::<u64>();
                let client = place.client();
                let call = thread::spawn(move || client.total(items.into_iter()));
                open.send(1).unwrap();
                (open, call)
            })
            .unzip();
        let sleeper = WaitsAsyncClient::connect(place.endpoint.clone());
        let sleeper = block_on(sleeper).unwrap();
        let sleeping = thread::spawn(move || block_on(sleeper.sleep()));
        place.running("the methods that run", UPLOADS + 1);
        let server = place.take_server();
        // The last method to begin to wait may be listed twice for a moment.
        eventually_equal("the methods listed", &(UPLOADS + 1), || server.running().len());
        drop(server);
        place.running("the methods that run after the server", 0);
        assert!(matches!(sleeping.join().unwrap(), Err(CallError::Disconnected(_))));
        drop(open);
        for call in clients {
            assert!(call.join().unwrap().is_err());
        }
        place.is_over(UPLOADS + 1);
    }

    fn a_drop_ends_an_emission_that_waits(transport) {
        let place = Place::new(transport, false);
        let (listener, caller) = (place.client(), place.client());
        // The events that arrive are not taken.
        let events = listener.shouted().unwrap();
        let shouting = thread::spawn(move || caller.shout());
        place.running("the methods that run", 1);
        let server = place.take_server();
        // The emitter waits now, or soon.
        eventually("events are on their way", || server.metrics().bytes_out > 100_000);
        drop(server);
        place.running("the methods that run after the server", 0);
        assert!(shouting.join().unwrap().is_err());
        drop((events, listener));
        place.is_over(2);
    }

    fn a_process_that_ends_amid_calls_ends_quietly(transport) {
        let dir = TempDir::new().unwrap();
        let address = match transport {
            Transport::InProcess => Address::InProcess { name: "here".to_owned() },
            Transport::Mmf | Transport::Encrypted => Address::in_dir(dir.path(), "calc"),
        };
        let mut child = Child::start(&Role::ExitAmidCalls { address });
        let () = child.hear();
        let status = child.ended();
        assert!(status.success(), "{status}; {}", child.complaints());
        assert_eq!(child.complaints(), "its standard error: \"\"");
    }

    fn a_shutdown_joins_all_threads(transport) {
        let place = Place::new(transport, false);
        let client = place.client();
        thread::scope(|scope| {
            let holding = scope.spawn(|| client.hold());
            place.running("the methods that run", 1);
            place.release();
            holding.join().unwrap().unwrap();
        });
        drop(client);
        let server = place.take_server();
        assert!(server.shutdown(PATIENCE));
        assert!(server.running().is_empty());
        place.is_over(1);
    }

    fn a_shutdown_names_what_it_could_not_wait_for(transport) {
        let place = Place::new(transport, false);
        let client = place.client();
        let held = thread::spawn(move || client.hold());
        place.running("the methods that run", 1);
        let server = place.take_server();
        let id = server.clients()[0].id;
        assert!(!server.shutdown(Duration::from_millis(1)));
        // The hook too, while it runs.
        let named = || server.running().iter().map(ToString::to_string).collect::<Vec<_>>();
        eventually_equal("what runs", &vec![format!("Waits::hold for client {id}")], named);
        assert!(matches!(held.join().unwrap(), Err(CallError::Disconnected(_))));
        place.release();
        place.is_over(1);
        assert!(server.running().is_empty());
    }

    fn a_drop_waits_for_no_hook_and_no_future(transport) {
        const THREADS: usize = 8;
        let place = Place::new(transport, false);
        let client = place.client();
        // Twice as many as have threads.
        let uploads: Vec<_> = (0..2 * THREADS)
            .map(|_| {
                let (open, items) = mpsc::channel::<u64>();
                open.send(1).unwrap();
                let client = client.clone();
                (open, thread::spawn(move || client.total(items.into_iter())))
            })
            .collect();
        let clinging = WaitsAsyncClient::connect(place.endpoint.clone());
        let clinging = block_on(clinging).unwrap();
        let clinging = thread::spawn(move || block_on(clinging.cling()));
        place.running("the methods that run", THREADS + 1);
        let server = place.take_server();
        eventually_equal("the jobs", &(2 * THREADS + 1), || server.running().len());
        place.shared.lingers.store(true, SeqCst);
        drop(server);
        let told = || place.shared.joined.lock().unwrap().values().all(|it| *it == [1, 1]);
        eventually("the sessions are told before the future is dropped", told);
        place.release();
        assert!(clinging.join().unwrap().is_err());
        for (open, call) in uploads {
            drop(open);
            assert!(call.join().unwrap().is_err());
        }
        drop(client);
        place.is_over(2);
    }

    fn a_handler_may_drop_its_server(transport) {
        let place = Place::new(transport, false);
        let client = place.client();
        assert!(client.drop_server().is_err());
        drop(client);
        place.is_over(1);
    }

    fn a_handler_that_drops_its_server_ends_calls_that_wait_for_a_lane(transport) {
        const LANES: u32 = 2;
        let place = Place::with_lanes(LANES, transport, false);
        let client = WaitsAsyncClient::builder(place.endpoint.clone()).call_timeout(None);
        let client = block_on(client.connect()).unwrap();
        let dropper = place.client();
        let mut calls: Vec<_> = (0..3 * LANES).map(|_| Box::pin(client.sleep())).collect();
        for call in &mut calls {
            assert!(call.now_or_never().is_none(), "it has no lane, or sleeps");
        }
        place.running("the methods that run", LANES as usize);
        assert!(dropper.drop_server().is_err());
        for ended in block_on(join_all(calls)) {
            assert!(matches!(ended, Err(CallError::Disconnected(_))), "{ended:?}");
        }
        drop((client, dropper));
        place.is_over(2);
    }

    fn a_hook_may_drop_its_server(transport) {
        let place = Place::new(transport, true);
        let (leaves, stays) = (place.client(), place.client());
        drop(leaves);
        eventually("the other client is told", || !stays.connection().is_connected());
        drop(stays);
        place.is_over(2);
    }
}
