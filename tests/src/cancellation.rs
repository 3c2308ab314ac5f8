//! A service whose handlers take long, and note what they learn of their callers.

use std::collections::HashSet;
use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use futures_executor::block_on;
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use witrpc::{
    CallContext, CallError, ClientInfo, Rejection, ServedCall, ServedEnd, ServerHook, Stream,
    wit_service,
};

use crate::basic::Gates;
use crate::fixture::Fixture;
use crate::watchdog::{PATIENCE, eventually};

/// What a handler has learned of its call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Note {
    /// The number of the call, as its caller gave it.
    pub token: u64,
    /// Whether the handler learned that the call is cancelled.
    pub cancelled: bool,
}

/// What a hook got of one call, after the call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Service and method.
    pub method: (String, String),
    /// The client's number and process.
    pub client: (u64, u32),
    /// The call's number.
    pub call_id: u64,
    /// The encoded arguments' length, and the answer's, in bytes.
    pub lens: (usize, usize),
    /// How it ended.
    pub end: String,
    /// Whether the hook got how long the call took.
    pub timed: bool,
}

/// Makes `call` with longer and longer time limits, until its handler begins before the limit. On a
/// machine under load that may take a while. Returns the limit, and how the call ended.
///
/// # Panics
///
/// When the call ends well, or its handler never begins.
pub fn begun_in_time(
    fixture: &Fixture,
    token: u64,
    call: impl Fn(Duration) -> Result<(), CallError>,
) -> (Duration, CallError) {
    let observer = CancellationClient::connect(fixture.endpoint()).expect("the client connects");
    let mut time = Duration::from_millis(40);
    while time < PATIENCE {
        let ended = call(time).expect_err("it stays until its time is over");
        eventually("the server is done with it", || fixture.metrics().in_flight == 0);
        let notes = observer.notes().expect("the server answers");
        if notes.iter().any(|note| note.token == token) {
            return (time, ended);
        }
        time *= 2;
    }
    panic!("the handler of {token} does not begin");
}

/// The gate at which handlers arrive when they begin.
const BEGUN: u64 = 0;

/// A gate that a test opens.
const THEN: u64 = 1;

/// Handlers that wait, and check whether their callers still do.
#[wit_service]
pub trait Cancellation {
    /// Checks until its call is cancelled.
    fn stay(&self, token: u64, #[wit(ctx)] cx: &CallContext);
    /// Sleeps until its call is cancelled.
    async fn stay_asleep(&self, token: u64, #[wit(ctx)] cx: &CallContext);
    /// Checks `looks` times, and returns the bytes.
    fn pass(&self, token: u64, looks: u32, bytes: Vec<u8>, #[wit(ctx)] cx: &CallContext)
    -> Vec<u8>;
    /// Does the same, with one check for each poll.
    async fn pass_later(
        &self,
        token: u64,
        looks: u32,
        bytes: Vec<u8>,
        #[wit(ctx)] cx: &CallContext,
    ) -> Vec<u8>;
    /// Returns its token, and then checks until the caller wants no more items.
    fn search(&self, token: u64, #[wit(ctx)] cx: &CallContext) -> impl Iterator<Item = u64>;
    /// Does the same, while another thread sleeps until the caller wants no more.
    fn search_asleep(&self, token: u64, #[wit(ctx)] cx: &CallContext) -> impl Stream<Item = u64>;
    /// Takes all items, then checks until its call is cancelled.
    fn ponder(&self, token: u64, numbers: impl Iterator<Item = u64>, #[wit(ctx)] cx: &CallContext);
    /// Does the same, while another thread sleeps until the call is cancelled.
    async fn ponder_asleep(
        &self,
        token: u64,
        numbers: impl Stream<Item = u64>,
        #[wit(ctx)] cx: &CallContext,
    );
    /// Returns whether there is a deadline, and whether the call is cancelled: once at once, and
    /// once after the gate.
    fn outlast(&self, #[wit(ctx)] cx: &CallContext) -> impl Iterator<Item = (bool, bool)>;
    /// Opens that gate.
    fn then(&self);
    /// Returns how long its caller still waits, if the caller has a limit.
    fn time_left(&self, #[wit(ctx)] cx: &CallContext) -> Option<Duration>;
    /// Counts, and does nothing else.
    fn count(&self);
    /// How often it was counted.
    fn counted(&self) -> u64;
    /// Answers when this many calls have ever begun to wait.
    async fn begun(&self, calls: u32);
    /// Returns what the calls that have ended have noted.
    fn notes(&self) -> Vec<Note>;
    /// Returns what the server's hook has noted, in order.
    fn book(&self) -> Vec<Line>;
}

/// The service.
#[derive(Debug, Default)]
pub struct Watchman {
    notes: Arc<Mutex<Vec<Note>>>,
    counted: AtomicU64,
    gates: Gates,
    book: Arc<Mutex<Vec<Line>>>,
}

impl Watchman {
    /// Returns a hook that notes all that it gets. It rejects the first call of `count` of each
    /// client.
    pub fn bookkeeper(&self) -> Bookkeeper {
        Bookkeeper { book: Arc::clone(&self.book), rejected: Mutex::default() }
    }

    fn note(&self, token: u64, cancelled: bool) {
        note(&self.notes, token, cancelled);
    }

    /// Makes another thread sleep until the call is cancelled, and note it.
    fn note_elsewhere(&self, token: u64, cx: &CallContext) {
        let (cx, notes) = (cx.clone(), Arc::clone(&self.notes));
        thread::spawn(move || {
            block_on(cx.until_cancelled());
            note(&notes, token, cx.cancelled());
        });
        self.gates.arrive(BEGUN);
    }
}

fn note(notes: &Mutex<Vec<Note>>, token: u64, cancelled: bool) {
    notes.lock().unwrap_or_else(PoisonError::into_inner).push(Note { token, cancelled });
}

impl Cancellation for Watchman {
    fn stay(&self, token: u64, cx: &CallContext) {
        self.gates.arrive(BEGUN);
        while !cx.cancelled() {
            thread::yield_now();
        }
        self.note(token, true);
    }

    async fn stay_asleep(&self, token: u64, cx: &CallContext) {
        self.gates.arrive(BEGUN);
        cx.until_cancelled().await;
        self.note(token, cx.cancelled());
    }

    fn pass(&self, token: u64, looks: u32, bytes: Vec<u8>, cx: &CallContext) -> Vec<u8> {
        let cancelled = (0..looks).any(|_| cx.cancelled());
        self.note(token, cancelled);
        bytes
    }

    async fn pass_later(
        &self,
        token: u64,
        looks: u32,
        bytes: Vec<u8>,
        cx: &CallContext,
    ) -> Vec<u8> {
        let mut looks = looks;
        let mut cancelled = std::pin::pin!(cx.until_cancelled());
        let told = poll_fn(|task| {
            if cancelled.as_mut().poll(task).is_ready() {
                return Poll::Ready(true);
            }
            if looks == 0 {
                return Poll::Ready(false);
            }
            looks -= 1;
            task.waker().wake_by_ref();
            Poll::Pending
        });
        let told = told.await;
        self.note(token, told);
        bytes
    }

    fn search(&self, token: u64, cx: &CallContext) -> impl Iterator<Item = u64> {
        let mut first = Some(token);
        std::iter::from_fn(move || {
            first.take().or_else(|| {
                self.stay(token, cx);
                None
            })
        })
    }

    fn search_asleep(&self, token: u64, cx: &CallContext) -> impl Stream<Item = u64> {
        self.note_elsewhere(token, cx);
        stream::iter([token]).chain(stream::pending())
    }

    fn ponder(&self, token: u64, numbers: impl Iterator<Item = u64>, cx: &CallContext) {
        assert_eq!(numbers.count(), 3);
        self.stay(token, cx);
    }

    async fn ponder_asleep(&self, token: u64, numbers: impl Stream<Item = u64>, cx: &CallContext) {
        assert_eq!(numbers.count().await, 3);
        self.note_elsewhere(token, cx);
        std::future::pending().await
    }

    fn outlast(&self, cx: &CallContext) -> impl Iterator<Item = (bool, bool)> {
        (0..2).map(move |item| {
            if item > 0 {
                self.gates.block_at(THEN);
            }
            (cx.deadline().is_some(), cx.cancelled())
        })
    }

    fn then(&self) {
        self.gates.open(THEN);
    }

    fn time_left(&self, cx: &CallContext) -> Option<Duration> {
        cx.deadline().map(|at| at.saturating_duration_since(Instant::now()))
    }

    fn count(&self) {
        self.counted.fetch_add(1, Ordering::Relaxed);
    }

    fn counted(&self) -> u64 {
        self.counted.load(Ordering::Relaxed)
    }

    async fn begun(&self, calls: u32) {
        self.gates.arrived(BEGUN, calls).await;
    }

    fn book(&self) -> Vec<Line> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn notes(&self) -> Vec<Note> {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        notes.sort_unstable();
        notes
    }
}

/// See [`Watchman::bookkeeper`].
#[derive(Debug)]
pub struct Bookkeeper {
    book: Arc<Mutex<Vec<Line>>>,
    rejected: Mutex<HashSet<u64>>,
}

impl Bookkeeper {
    fn note(&self, line: Line) {
        self.book.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    fn note_client(&self, client: &ClientInfo, end: &str) {
        let client = (client.id, client.pid);
        let method = Default::default();
        self.note(Line { method, client, call_id: 0, lens: (0, 0), end: end.into(), timed: false });
    }
}

impl ServerHook for Bookkeeper {
    fn before(&self, call: &ServedCall<'_>) -> Result<(), Rejection> {
        let mut rejected = self.rejected.lock().unwrap_or_else(PoisonError::into_inner);
        if call.method() == "count" && rejected.insert(call.client().id) {
            return Err(Rejection::new("not the first time").retryable());
        }
        assert_ne!(call.method(), "time_left", "this hook is fragile");
        Ok(())
    }

    fn after(&self, call: &ServedCall<'_>, end: ServedEnd, answer_len: usize) {
        self.note(Line {
            method: (call.service().to_owned(), call.method().to_owned()),
            client: (call.client().id, call.client().pid),
            call_id: call.call_id(),
            lens: (call.request_len(), answer_len),
            end: format!("{end:?}"),
            timed: call.duration().is_some(),
        });
    }

    fn wants_durations(&self) -> bool {
        true
    }

    fn joined(&self, client: &ClientInfo) {
        self.note_client(client, "joined");
    }

    fn left(&self, client: &ClientInfo) {
        self.note_client(client, "left");
    }
}
