//! The service that all cases call.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::thread;

use futures_util::{StreamExt, stream};
use witrpc::{CallContext, Shared, Stream, wit_service};

#[wit_service]
pub(crate) trait Probe {
    fn echo(&self, bytes: Vec<u8>) -> Vec<u8>;
    async fn echo_later(&self, bytes: Vec<u8>) -> Vec<u8>;
    /// Returns that many bytes.
    fn bytes(&self, len: u64) -> Vec<u8>;
    fn fail(&self, reason: String) -> Result<u64, String>;
    fn panic(&self, message: String);
    fn reverse(&self, bytes: Shared<[u8]>) -> Shared<[u8]>;
    /// Waits until that many calls of this method are there.
    fn meet(&self, count: u64) -> u64;
    /// Sleeps until its call is given up.
    async fn stay(&self, #[wit(ctx)] cx: &CallContext);
    /// Returns the identity of its client.
    fn identity(&self, #[wit(ctx)] cx: &CallContext) -> Option<String>;

    fn count(&self, end: u64) -> impl Iterator<Item = u64>;
    fn count_later(&self, end: u64) -> impl Stream<Item = u64>;
    /// Returns blocks of that many bytes without end.
    fn blocks(&self, len: u64) -> impl Iterator<Item = Vec<u8>>;
    fn sum(&self, numbers: impl Iterator<Item = u64>) -> u64;
    async fn sum_later(&self, numbers: impl Stream<Item = u64>) -> u64;
    /// Returns the lengths of the blocks that arrive.
    fn lens(&self, blocks: impl Iterator<Item = Vec<u8>>) -> Vec<u64>;

    /// Emits `count` events of that many bytes.
    fn emit(&self, count: u64, len: u64);
    #[wit(event)]
    fn emitted(&self, number: u64, bytes: &[u8]);
}

/// What the handlers have noted.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    /// Calls of `stay` that have begun, and that have learned that they were given up.
    pub(crate) stays: AtomicU64,
    pub(crate) given_up: AtomicU64,
    /// Calls of `meet`.
    pub(crate) met: AtomicU64,
    /// Blocks that were made, and methods that still make some.
    pub(crate) made: AtomicU64,
    pub(crate) making: AtomicU64,
}

pub(crate) struct Handlers {
    pub(crate) events: ProbeEvents,
    pub(crate) notes: Arc<Notes>,
}

/// Counts a method that makes blocks until it is dropped.
struct Making(Arc<Notes>);

impl Making {
    fn new(notes: &Arc<Notes>) -> Self {
        notes.making.fetch_add(1, SeqCst);
        Self(Arc::clone(notes))
    }

    fn block(&self, len: u64) -> Vec<u8> {
        self.0.made.fetch_add(1, SeqCst);
        pattern(len as usize)
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        self.0.making.fetch_sub(1, SeqCst);
    }
}

/// Returns bytes by which a place in them is known.
pub(crate) fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at ^ at >> 8) as u8).collect()
}

impl Probe for Handlers {
    fn echo(&self, bytes: Vec<u8>) -> Vec<u8> {
        bytes
    }

    async fn echo_later(&self, bytes: Vec<u8>) -> Vec<u8> {
        bytes
    }

    fn bytes(&self, len: u64) -> Vec<u8> {
        pattern(len as usize)
    }

    fn fail(&self, reason: String) -> Result<u64, String> {
        Err(reason)
    }

    fn panic(&self, message: String) {
        panic!("{message}");
    }

    fn reverse(&self, bytes: Shared<[u8]>) -> Shared<[u8]> {
        Shared::from_vec(bytes.to_vec().into_iter().rev().collect())
    }

    fn meet(&self, count: u64) -> u64 {
        self.notes.met.fetch_add(1, SeqCst);
        while self.notes.met.load(SeqCst) < count {
            thread::yield_now();
        }
        count
    }

    async fn stay(&self, cx: &CallContext) {
        self.notes.stays.fetch_add(1, SeqCst);
        cx.until_cancelled().await;
        self.notes.given_up.fetch_add(1, SeqCst);
    }

    fn identity(&self, cx: &CallContext) -> Option<String> {
        cx.identity().map(str::to_owned)
    }

    fn count(&self, end: u64) -> impl Iterator<Item = u64> {
        0..end
    }

    fn count_later(&self, end: u64) -> impl Stream<Item = u64> {
        stream::iter(0..end)
    }

    fn blocks(&self, len: u64) -> impl Iterator<Item = Vec<u8>> {
        let making = Making::new(&self.notes);
        std::iter::repeat_with(move || making.block(len))
    }

    fn sum(&self, numbers: impl Iterator<Item = u64>) -> u64 {
        numbers.sum()
    }

    async fn sum_later(&self, numbers: impl Stream<Item = u64>) -> u64 {
        numbers.fold(0, async |sum, number| sum + number).await
    }

    fn lens(&self, blocks: impl Iterator<Item = Vec<u8>>) -> Vec<u64> {
        blocks.map(|block| block.len() as u64).collect()
    }

    fn emit(&self, count: u64, len: u64) {
        let bytes = pattern(len as usize);
        for number in 0..count {
            self.events.emitted(number, &bytes).expect("it can be encoded");
        }
    }
}
