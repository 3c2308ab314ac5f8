//! A service whose methods end when a test lets them, and calls of it.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

use futures_executor::block_on;
use futures_util::stream;
use witrpc::{
    CallError, ClientInfo, ConnectError, Endpoint, InProcess, LeftBehindLimit, Mmf, ServerHook,
    WitServer, wit_service,
};
use witrpc_tests::fixture::Transport;
use witrpc_tests::watchdog::{PATIENCE, Watchdog, eventually_equal};

/// How many calls of one client can be in flight, unless a server says otherwise.
pub const LANES: usize = 64;

/// How many methods with uploads of one client run at once.
pub const FED: usize = 8;

/// The time limit of a call that is not to be answered.
pub const SHORT: Duration = Duration::from_millis(10);

#[wit_service]
pub trait Turnstile {
    /// Keeps its worker until it is released.
    fn hold(&self) -> u64;
    /// Does the same, after it has waited without a worker.
    async fn hold_later(&self) -> u64;
    /// Does the same on a thread outside of the pool, whether items arrive or not.
    fn hold_fed(&self, items: impl Iterator<Item = u64>) -> u64;
    fn add(&self, a: u64, b: u64) -> u64;
    fn sum(&self, items: impl Iterator<Item = u64>) -> u64;
}

#[derive(Default)]
pub struct State {
    pub entered: usize,
    pub passes: usize,
    /// Futures that have begun and have not been dropped.
    pub futures: usize,
    /// Tasks that wait without a worker.
    pub waiting: Vec<Waker>,
    pub are_woken: bool,
    /// The test, which waits for a change.
    pub test: Option<Waker>,
}

#[derive(Clone, Default)]
pub struct Gate(pub Arc<(Mutex<State>, Condvar)>);

impl Gate {
    pub fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.0.0.lock().unwrap();
        change(&mut state);
        let test = state.test.take();
        drop(state);
        self.0.1.notify_all();
        test.into_iter().for_each(Waker::wake);
    }

    /// Polls calls, none of which is answered meanwhile, until the condition holds.
    pub fn drive(&self, calls: &mut [Pending<'_>], is_so: impl Fn(&State) -> bool) {
        block_on(poll_fn(|cx| {
            for call in &mut *calls {
                let polled = call.as_mut().poll(cx);
                assert!(polled.is_pending(), "{polled:?}");
            }
            let mut state = self.0.0.lock().unwrap();
            state.test = Some(cx.waker().clone());
            if is_so(&state) { Poll::Ready(()) } else { Poll::Pending }
        }));
    }

    pub fn wait_until(&self, is_so: impl Fn(&State) -> bool) {
        let state = self.0.0.lock().unwrap();
        let waited = self.0.1.wait_timeout_while(state, PATIENCE, |state| !is_so(state)).unwrap();
        let State { entered, futures, .. } = &*waited.0;
        assert!(!waited.1.timed_out(), "{entered} entered, {futures} futures");
    }
}

/// Counts a future until it is dropped.
pub struct Alive<'a>(pub &'a Gate);

impl<'a> Alive<'a> {
    fn new(gate: &'a Gate) -> Self {
        gate.change(|state| state.futures += 1);
        Self(gate)
    }
}

impl Drop for Alive<'_> {
    fn drop(&mut self) {
        self.0.change(|state| state.futures -= 1);
    }
}

impl Turnstile for Gate {
    fn hold(&self) -> u64 {
        self.change(|state| state.entered += 1);
        let state = self.0.0.lock().unwrap();
        self.0.1.wait_while(state, |state| state.passes == 0).unwrap().passes -= 1;
        7
    }

    async fn hold_later(&self) -> u64 {
        let _alive = Alive::new(self);
        poll_fn(|cx| {
            let mut state = self.0.0.lock().unwrap();
            if state.are_woken {
                return Poll::Ready(());
            }
            state.waiting.push(cx.waker().clone());
            state.test.take().into_iter().for_each(Waker::wake);
            Poll::Pending
        })
        .await;
        self.hold()
    }

    fn hold_fed(&self, _items: impl Iterator<Item = u64>) -> u64 {
        self.hold()
    }

    fn add(&self, a: u64, b: u64) -> u64 {
        a + b
    }

    fn sum(&self, items: impl Iterator<Item = u64>) -> u64 {
        items.sum()
    }
}

/// The number of clients that the server knows to have left.
#[derive(Clone, Default)]
pub struct Departures(pub Arc<AtomicU64>);

impl ServerHook for Departures {
    fn left(&self, _client: &ClientInfo) {
        self.0.fetch_add(1, SeqCst);
    }
}

pub struct Served {
    pub gate: Gate,
    pub departures: Departures,
    pub endpoint: Endpoint,
    /// Releases all calls at the end, so that no thread stays behind.
    pub server: WitServer,
    pub _watchdog: Watchdog,
}

impl Served {
    pub fn new(transport: Transport, max_workers: Option<u32>) -> Self {
        let endpoint: Endpoint = match transport {
            Transport::InProcess => InProcess::new().into(),
            _ => Mmf::unguessable().into(),
        };
        let (gate, departures) = (Gate::default(), Departures::default());
        let server = WitServer::builder().listen(endpoint.clone()).hook(departures.clone());
        let server = server.service(TurnstileServer::new(gate.clone()));
        let server = match max_workers {
            Some(max_workers) => server.max_workers(max_workers),
            None => server,
        };
        let server = server.start().unwrap();
        Self { gate, departures, endpoint, server, _watchdog: Watchdog::new(PATIENCE) }
    }

    pub fn client(&self) -> TurnstileAsyncClient {
        self.try_client().unwrap()
    }

    pub fn try_client(&self) -> Result<TurnstileAsyncClient, ConnectError> {
        let client = TurnstileAsyncClient::builder(self.endpoint.clone()).call_timeout(None);
        block_on(client.connect())
    }

    /// Returns a client whose calls fail if they are not served.
    pub fn honest_client(&self) -> TurnstileClient {
        TurnstileClient::connect(self.endpoint.clone()).unwrap()
    }

    pub fn have_left(&self, count: u64) {
        eventually_equal("clients that have left", &count, || self.departures.0.load(SeqCst));
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.gate.change(|state| state.passes = usize::MAX);
    }
}

pub type Pending<'a> = Pin<Box<dyn Future<Output = Result<u64, CallError>> + 'a>>;

/// Returns as many calls as a client can have in flight.
pub fn as_many_as_lanes(client: &TurnstileAsyncClient) -> Vec<Pending<'_>> {
    (0..LANES).map(|_| Box::pin(client.hold()) as Pending<'_>).collect()
}

/// Returns `count` calls of a method with an upload.
pub fn fed_calls(client: &TurnstileAsyncClient, count: usize) -> Vec<Pending<'_>> {
    (0..count).map(|_| Box::pin(client.hold_fed(stream::pending())) as Pending<'_>).collect()
}

/// Makes as many tasks wait as a client can have in flight, and then all want a worker. Each that
/// gets one keeps it.
pub fn tasks_that_want_workers<'a>(
    gate: &Gate,
    client: &'a TurnstileAsyncClient,
    workers: usize,
) -> Vec<Pending<'a>> {
    let calls = (0..LANES).map(|_| Box::pin(client.hold_later()) as Pending<'_>);
    let mut pending: Vec<_> = calls.collect();
    gate.drive(&mut pending, |state| state.waiting.len() == LANES);
    let mut wakers = Vec::new();
    gate.change(|state| {
        state.are_woken = true;
        wakers = std::mem::take(&mut state.waiting);
    });
    wakers.into_iter().for_each(Waker::wake);
    gate.drive(&mut pending, |state| state.entered >= workers);
    pending
}

/// Asserts that a client was refused because this many threads were left behind.
pub fn assert_too_many(refused: &ConnectError, threads: u64) {
    let said = format!("clients that have gone have left {threads} handlers that keep a thread ");
    assert!(refused.to_string().starts_with(&said), "{refused}");
    let ConnectError::TooManyLeftBehind { limit: LeftBehindLimit::Threads, max } = *refused else {
        panic!("{refused}");
    };
    assert_eq!(max, threads);
    assert!(refused.is_retryable());
}
