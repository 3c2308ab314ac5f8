//! What a shutdown reports while calls, new clients, drops and other shutdowns cross it: `true`
//! only if every caller knows the outcome of its call.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use futures_executor::block_on;
use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use witrpc::{
    CallError, ClientInfo, Endpoint, InProcess, Mmf, ServerHook, Stream, WitServer, wit_service,
};
use witrpc_tests::fixture::Transport;
use witrpc_tests::over_both_transports;
use witrpc_tests::watchdog::{PATIENCE, Watchdog, eventually};

const ROUNDS: usize = 20;

#[wit_service]
trait Till {
    fn take(&self) -> u64;
    /// Does the same, after it has waited.
    async fn take_later(&self) -> u64;
    /// Does the same with an upload.
    async fn take_all(&self, numbers: impl Stream<Item = u64>) -> u64;
}

/// Counts the calls that run to their end.
struct Counting(Arc<AtomicU64>);

async fn wait() {
    let mut waited = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut waited, true) {
            return std::task::Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

impl Till for Counting {
    fn take(&self) -> u64 {
        self.0.fetch_add(1, SeqCst);
        1
    }

    async fn take_later(&self) -> u64 {
        wait().await;
        self.take()
    }

    async fn take_all(&self, numbers: impl Stream<Item = u64>) -> u64 {
        let count = numbers.count().await as u64;
        assert_eq!(count, 3, "a part is no whole");
        self.take()
    }
}

/// What the callers of one server know.
struct Calls {
    endpoint: Endpoint,
    ran: Arc<AtomicU64>,
    answered: AtomicU64,
    /// The error of a call that failed and may have run.
    unknown: Mutex<Option<CallError>>,
}

impl Calls {
    fn new(transport: Transport) -> (WitServer, Self) {
        let endpoint: Endpoint = match transport {
            Transport::InProcess => InProcess::new().into(),
            _ => Mmf::unguessable().into(),
        };
        let ran = Arc::default();
        let service = TillServer::new(Counting(Arc::clone(&ran)));
        let server = WitServer::builder().listen(endpoint.clone()).service(service);
        let server = server.start().unwrap();
        (server, Self { endpoint, ran, answered: AtomicU64::new(0), unknown: Mutex::default() })
    }

    /// Records the outcome of a call. Returns `false` if it failed.
    fn note(&self, answer: Result<u64, CallError>) -> bool {
        let is_answered = answer.is_ok();
        match answer {
            Ok(count) => _ = self.answered.fetch_add(count, SeqCst),
            Err(error) if error.maybe_executed() => *self.unknown.lock().unwrap() = Some(error),
            Err(_) => {}
        }
        is_answered
    }

    /// Calls until the server takes no more calls.
    fn call(&self) {
        let client = TillClient::connect(self.endpoint.clone());
        let Ok(client) = client else { return };
        while self.note(client.take()) && self.note(client.take_later()) {}
    }

    /// Does the same with many calls at once.
    fn call_at_once(&self) {
        let client = block_on(TillAsyncClient::connect(self.endpoint.clone()));
        let Ok(client) = client else { return };
        loop {
            let uploads = (0..4).map(|_| {
                client.take_all(stream::iter(0..3).then(|it| async move {
                    wait().await;
                    it
                }))
            });
            let calls = join_all((0..8).map(|_| client.take_later()));
            let (uploads, calls) = block_on(futures_util::future::join(join_all(uploads), calls));
            let answers = uploads.into_iter().chain(calls).map(|answer| self.note(answer));
            if answers.filter(|is_answered| !is_answered).count() > 0 {
                return;
            }
        }
    }

    /// Makes each call with a new client, until the server takes none.
    fn come_and_go(&self) {
        while let Ok(client) = TillClient::connect(self.endpoint.clone()) {
            if !self.note(client.take()) {
                return;
            }
        }
    }
}

/// Makes clients of all kinds call while the server ends, repeatedly. `end` returns whether it was
/// told that all calls were answered.
fn ends_among_calls(transport: Transport, end: impl Fn(WitServer) -> bool) {
    let _watchdog = Watchdog::new(PATIENCE);
    for round in 0..ROUNDS {
        let (server, calls) = Calls::new(transport);
        let all_answered = thread::scope(|scope| {
            for caller in [Calls::call, Calls::call_at_once, Calls::come_and_go] {
                let calls = &calls;
                scope.spawn(move || caller(calls));
            }
            // Not at the same call in each round.
            while calls.ran.load(SeqCst) < 20 + round as u64 {
                thread::yield_now();
            }
            end(server)
        });
        let (answered, ran) = (calls.answered.into_inner(), calls.ran.load(SeqCst));
        if all_answered {
            let unknown = calls.unknown.into_inner().unwrap();
            assert_eq!(unknown, None, "a call has failed that may have run");
            assert_eq!(answered, ran);
        }
        assert!(answered <= ran);
    }
}

/// Ends the server in several ways at once, and returns the result of each.
fn at_once<const N: usize>(ends: [&(dyn Fn() -> bool + Sync); N]) -> [bool; N] {
    let start = Barrier::new(N);
    thread::scope(|scope| {
        let ends = ends.map(|end| {
            let start = &start;
            scope.spawn(move || {
                start.wait();
                end()
            })
        });
        ends.map(|end| end.join().unwrap())
    })
}

/// Admits a client when it is told to.
struct Doorkeeper(Mutex<mpsc::Receiver<()>>, Arc<AtomicU64>);

impl ServerHook for Doorkeeper {
    fn joined(&self, _: &ClientInfo) {
        if self.1.fetch_add(1, SeqCst) > 0 {
            self.0.lock().unwrap().recv().unwrap();
        }
    }
}

#[wit_service]
trait Held {
    fn ping(&self);
    async fn hold(&self);
}

/// Waits until it is released.
struct Holding(Arc<AtomicBool>);

impl Held for Holding {
    fn ping(&self) {}

    async fn hold(&self) {
        while !self.0.load(SeqCst) {
            wait().await;
        }
    }
}

over_both_transports! {
    fn a_client_that_is_let_in_while_the_server_drains_is_told(transport) {
        let _watchdog = Watchdog::new(PATIENCE);
        let endpoint: Endpoint = match transport {
            Transport::InProcess => InProcess::new().into(),
            _ => Mmf::unguessable().into(),
        };
        let (let_in, waits) = mpsc::channel();
        let (at_the_door, may_go) = (Arc::<AtomicU64>::default(), Arc::<AtomicBool>::default());
        let server = WitServer::builder()
            .listen(endpoint.clone())
            .service(HeldServer::new(Holding(Arc::clone(&may_go))))
            .hook(Doorkeeper(Mutex::new(waits), Arc::clone(&at_the_door)))
            .start()
            .unwrap();
        let first = HeldClient::connect(endpoint.clone()).unwrap();
        let asynchronous: HeldAsyncClient = first.connection().client().unwrap();
        thread::scope(|scope| {
            let hold = scope.spawn(|| block_on(asynchronous.hold()));
            eventually("it is held", || server.handle().metrics().in_flight == 1);
            let second = scope.spawn(|| HeldClient::connect(endpoint.clone()));
            eventually("it is at the door", || at_the_door.load(SeqCst) == 2);
            let shutdown = scope.spawn(|| server.shutdown(PATIENCE));
            eventually("it drains", || first.ping() == Err(CallError::ShuttingDown));
            let_in.send(()).unwrap();
            let answer = second.join().unwrap().map(|second| second.ping());
            may_go.store(true, SeqCst);
            assert!(matches!(answer, Err(_) | Ok(Err(CallError::ShuttingDown))), "{answer:?}");
            assert_eq!(hold.join().unwrap(), Ok(()));
            assert!(shutdown.join().unwrap(), "it had the time");
        });
    }

    fn a_shutdown_among_calls_has_answered_all_that_ran(transport) {
        ends_among_calls(transport, |server| {
            assert!(server.shutdown(PATIENCE), "it had the time");
            true
        });
    }

    fn a_shutdown_that_a_drop_crosses_says_if_all_was_answered(transport) {
        ends_among_calls(transport, |server| {
            let handle = server.handle();
            let server = Mutex::new(Some(server));
            let dropped = || server.lock().unwrap().take().is_none();
            let [all_answered, _] = at_once([&|| handle.shutdown(PATIENCE), &dropped]);
            all_answered
        });
    }

    fn shutdowns_at_once_agree(transport) {
        ends_among_calls(transport, |server| {
            let shutdown = || server.shutdown(PATIENCE);
            assert_eq!(at_once([&shutdown, &shutdown]), [true; 2], "they had the time");
            true
        });
    }

    fn a_shutdown_that_a_shorter_one_crosses_says_if_all_was_answered(transport) {
        ends_among_calls(transport, |server| {
            let [short, long] =
                at_once([&|| server.shutdown(Duration::ZERO), &|| server.shutdown(PATIENCE)]);
            assert!(long || !short, "the longer one had the time");
            long
        });
    }
}
