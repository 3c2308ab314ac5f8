//! A service of handlers that take long, and note what they learn of their callers.

use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use witrpc::{CallContext, wit_service};

use crate::workshop::Gates;

/// What a handler has learned of its call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Note {
    /// The call's own number, as its caller gave it.
    pub token: u64,
    /// Whether it was told that the call is cancelled.
    pub cancelled: bool,
}

/// A gate through which the handlers come when they begin.
const BEGUN: u64 = 0;

/// Handlers that wait, and look after their callers.
#[wit_service]
pub trait Vigil {
    /// Looks until its call is cancelled.
    fn stay(&self, token: u64, #[wit(ctx)] cx: &CallContext);
    /// Sleeps until its call is cancelled.
    async fn stay_asleep(&self, token: u64, #[wit(ctx)] cx: &CallContext);
    /// Looks so many times, and gives the bytes back.
    fn pass(&self, token: u64, looks: u32, bytes: Vec<u8>, #[wit(ctx)] cx: &CallContext)
    -> Vec<u8>;
    /// The same, once a poll.
    async fn pass_later(
        &self,
        token: u64,
        looks: u32,
        bytes: Vec<u8>,
        #[wit(ctx)] cx: &CallContext,
    ) -> Vec<u8>;
    /// How long its caller still waits, if it says so.
    fn time_left(&self, #[wit(ctx)] cx: &CallContext) -> Option<Duration>;
    /// Counts, and does nothing else.
    fn count(&self);
    /// How often it was counted.
    fn counted(&self) -> u64;
    /// Answers when so many calls to stay have begun, since ever.
    async fn begun(&self, calls: u32);
    /// What the calls have noted that ended by now.
    fn notes(&self) -> Vec<Note>;
}

/// Whoever stays.
#[derive(Debug, Default)]
pub struct Watchman {
    notes: Mutex<Vec<Note>>,
    counted: AtomicU64,
    gates: Gates,
}

impl Watchman {
    fn note(&self, token: u64, cancelled: bool) {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        notes.push(Note { token, cancelled });
    }
}

impl Vigil for Watchman {
    fn stay(&self, token: u64, cx: &CallContext) {
        self.gates.arrive(BEGUN);
        while !cx.cancelled() {
            std::thread::yield_now();
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

    fn notes(&self) -> Vec<Note> {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        notes.sort_unstable();
        notes
    }
}
