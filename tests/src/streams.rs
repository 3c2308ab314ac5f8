//! A service of streams.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::mpsc::{self, Sender};
use std::task::Poll;
use std::thread::{Scope, ScopedJoinHandle};

use futures_util::StreamExt;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use witrpc::{CallError, Stream, wit_service};

use crate::basic::{Bench, DivideError, Parcel, bytes_of, checksum};

/// Streams of every form. The gates are those of the basic service that is served beside it.
#[wit_service]
pub trait Streams {
    /// Counts up to the end, which is not included.
    fn range(&self, end: u64) -> impl Iterator<Item = u64>;
    /// Counts, and never ends.
    fn endless(&self) -> impl Iterator<Item = u64>;
    /// Does the same, as a stream that yields the thread.
    fn endless_later(&self) -> impl Stream<Item = u64>;
    /// Returns `count` random parcels.
    fn parcels(&self, seed: u64, count: u32) -> impl Iterator<Item = Parcel>;
    /// Returns `count` blocks of bytes: see `bytes_of`.
    fn blocks(&self, len: u64, count: u64) -> impl Iterator<Item = Vec<u8>>;
    /// The words of a text that is lent.
    fn words(&self, text: &str) -> impl Iterator<Item = String>;
    /// Returns each gate's number once the gate is open. Blocks a thread meanwhile.
    fn gated(&self, gates: Vec<u64>) -> impl Iterator<Item = u64>;
    /// Returns each gate's number once the gate is open, without a thread.
    fn gated_later(&self, gates: Vec<u64>) -> impl Stream<Item = u64>;
    /// Returns `count` numbers and errors in turn, unless that is too many.
    fn checked(&self, count: u32)
    -> Result<impl Iterator<Item = Result<u32, String>>, DivideError>;
    /// Does the same, and is async.
    async fn checked_later(
        &self,
        count: u32,
    ) -> Result<impl Stream<Item = Result<u32, String>>, DivideError>;
    /// Returns `after` numbers, then panics.
    fn breaks(&self, after: u32) -> impl Iterator<Item = u32>;
    /// Panics instead of returning a stream.
    fn breaks_at_once(&self) -> impl Iterator<Item = u32>;
    /// Returns numbers, at the end some that JSON cannot write.
    fn unspeakable(&self) -> impl Iterator<Item = Vec<Option<f64>>>;
    /// Returns how many iterators and streams of this service exist now.
    fn running(&self) -> u64;

    /// Returns the sum of the uploaded numbers.
    fn sum(&self, numbers: impl Iterator<Item = u64>) -> u64;
    /// Returns the checksum of the uploaded parts, unless a part is empty.
    async fn digest(&self, parts: impl Stream<Item = Vec<u8>>) -> Result<u64, String>;
    /// Returns the first `count` parcels, and does not look at the rest.
    async fn first(&self, parcels: impl Stream<Item = Parcel>, count: u32) -> Vec<Parcel>;
    /// Emits an event for each number that has arrived. Returns their count.
    fn follow(&self, numbers: impl Iterator<Item = u64>) -> u64;
    /// Does the same without a thread.
    async fn follow_later(&self, numbers: impl Stream<Item = u64>) -> u64;
    /// Returns how many numbers have arrived in those two methods, in all calls.
    fn seen(&self) -> u64;
    /// Waits for a gate before it takes anything. Returns the sum of the first `count` numbers.
    async fn take_behind(&self, gate: u64, count: u64, numbers: impl Stream<Item = u64>) -> u64;
    /// Returns the sum of weights. Panics if one is missing.
    fn weigh_all(&self, weights: impl Iterator<Item = Vec<Option<f64>>>) -> f64;
    /// Returns how many calls with uploads ended normally, and how many were broken off.
    fn fed(&self) -> Fed;

    /// A number has arrived in an upload.
    #[wit(event)]
    fn came(&self, number: u64);
}

/// How calls with uploads ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fed {
    /// They ended normally.
    pub whole: u64,
    /// They were broken off.
    pub broken: u64,
}

/// Uploads to a call of [`follow`](Streams::follow) as long as the sender exists.
pub fn feed<'scope>(
    scope: &'scope Scope<'scope, '_>,
    client: &'scope StreamsClient,
) -> (Sender<u64>, ScopedJoinHandle<'scope, Result<u64, CallError>>) {
    let (sender, items) = mpsc::channel();
    (sender, scope.spawn(move || client.follow(items.into_iter())))
}

/// The service.
#[derive(Debug)]
pub struct FixtureStreams {
    bench: Arc<Bench>,
    events: StreamsEvents,
    running: Arc<AtomicU64>,
    seen: AtomicU64,
    whole: AtomicU64,
    begun: AtomicU64,
    ended: Arc<AtomicU64>,
}

/// Counts one more until it is dropped.
struct Counted(Arc<AtomicU64>, i8);

impl Counted {
    fn up(count: &Arc<AtomicU64>) -> Self {
        count.fetch_add(1, SeqCst);
        Self(Arc::clone(count), -1)
    }

    fn at_end(count: &Arc<AtomicU64>) -> Self {
        Self(Arc::clone(count), 1)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(self.1 as u64, SeqCst);
    }
}

impl FixtureStreams {
    /// Creates the service beside this basic service.
    pub fn new(bench: &Arc<Bench>, events: StreamsEvents) -> Self {
        Self {
            bench: Arc::clone(bench),
            events,
            running: Arc::default(),
            seen: AtomicU64::new(0),
            whole: AtomicU64::new(0),
            begun: AtomicU64::new(0),
            ended: Arc::default(),
        }
    }

    /// Returns the same items, counted as running until they are dropped.
    fn counted<T>(&self, items: impl Iterator<Item = T>) -> impl Iterator<Item = T> {
        let counted = Counted::up(&self.running);
        items.inspect(move |_| _ = &counted)
    }

    fn begin(&self) -> Counted {
        self.begun.fetch_add(1, SeqCst);
        Counted::at_end(&self.ended)
    }
}

impl Streams for FixtureStreams {
    fn range(&self, end: u64) -> impl Iterator<Item = u64> {
        self.counted(0..end)
    }

    fn endless(&self) -> impl Iterator<Item = u64> {
        self.counted(0..)
    }

    fn endless_later(&self) -> impl Stream<Item = u64> {
        let counted = Counted::up(&self.running);
        stream::iter(0..).then(move |number| {
            _ = &counted;
            let mut waited = false;
            std::future::poll_fn(move |cx| {
                if std::mem::replace(&mut waited, true) {
                    return Poll::Ready(number);
                }
                cx.waker().wake_by_ref();
                Poll::Pending
            })
        })
    }

    fn parcels(&self, seed: u64, count: u32) -> impl Iterator<Item = Parcel> {
        let mut rng = fastrand::Rng::with_seed(seed);
        self.counted((0..count).map(move |_| Parcel::random(&mut rng, 300)))
    }

    fn blocks(&self, len: u64, count: u64) -> impl Iterator<Item = Vec<u8>> {
        self.counted((0..count).map(move |seed| bytes_of(len as usize, seed)))
    }

    fn words(&self, text: &str) -> impl Iterator<Item = String> {
        self.counted(text.split_whitespace().map(str::to_owned))
    }

    fn gated(&self, gates: Vec<u64>) -> impl Iterator<Item = u64> {
        self.counted(gates.into_iter().inspect(|gate| self.bench.gates().block_at(*gate)))
    }

    fn gated_later(&self, gates: Vec<u64>) -> impl Stream<Item = u64> {
        let counted = Counted::up(&self.running);
        stream::iter(gates).then(move |gate| {
            _ = &counted;
            async move {
                self.bench.gates().wait_at(gate).await;
                gate
            }
        })
    }

    fn checked(
        &self,
        count: u32,
    ) -> Result<impl Iterator<Item = Result<u32, String>>, DivideError> {
        if count > 100 {
            return Err(DivideError::ByZero);
        }
        Ok(self.counted((0..count).map(|n| match n % 2 {
            0 => Ok(n),
            _ => Err(format!("{n} is odd")),
        })))
    }

    async fn checked_later(
        &self,
        count: u32,
    ) -> Result<impl Stream<Item = Result<u32, String>>, DivideError> {
        self.checked(count).map(stream::iter)
    }

    fn breaks(&self, after: u32) -> impl Iterator<Item = u32> {
        self.counted((0..=after).inspect(move |n| assert!(*n < after, "broken after {after}")))
    }

    fn breaks_at_once(&self) -> impl Iterator<Item = u32> {
        if self.running.load(SeqCst) < u64::MAX {
            panic!("broken at once");
        }
        0..1
    }

    fn unspeakable(&self) -> impl Iterator<Item = Vec<Option<f64>>> {
        [vec![Some(1.0)], vec![Some(f64::NAN)]].into_iter()
    }

    fn running(&self) -> u64 {
        self.running.load(SeqCst)
    }

    fn sum(&self, numbers: impl Iterator<Item = u64>) -> u64 {
        let _ended = self.begin();
        let sum = numbers.fold(0, u64::wrapping_add);
        self.whole.fetch_add(1, SeqCst);
        sum
    }

    async fn digest(&self, parts: impl Stream<Item = Vec<u8>>) -> Result<u64, String> {
        let mut parts = std::pin::pin!(parts);
        let mut all = Vec::new();
        while let Some(part) = parts.next().await {
            if part.is_empty() {
                return Err("an empty part".to_owned());
            }
            all.extend(part);
        }
        Ok(checksum(&all))
    }

    async fn first(&self, parcels: impl Stream<Item = Parcel>, count: u32) -> Vec<Parcel> {
        parcels.take(count as usize).collect().await
    }

    fn follow(&self, numbers: impl Iterator<Item = u64>) -> u64 {
        let _ended = self.begin();
        let mut count = 0;
        for number in numbers {
            count += 1;
            self.seen.fetch_add(1, SeqCst);
            self.events.came(number).expect("numbers can be emitted");
        }
        self.whole.fetch_add(1, SeqCst);
        count
    }

    async fn follow_later(&self, numbers: impl Stream<Item = u64>) -> u64 {
        let _ended = self.begin();
        let mut numbers = std::pin::pin!(numbers);
        let mut count = 0;
        while let Some(number) = numbers.next().await {
            count += 1;
            self.seen.fetch_add(1, SeqCst);
            self.events.came(number).expect("numbers can be emitted");
        }
        self.whole.fetch_add(1, SeqCst);
        count
    }

    fn seen(&self) -> u64 {
        self.seen.load(SeqCst)
    }

    async fn take_behind(&self, gate: u64, count: u64, numbers: impl Stream<Item = u64>) -> u64 {
        self.bench.gates().wait_at(gate).await;
        numbers.take(count as usize).fold(0, |sum, number| async move { sum + number }).await
    }

    fn weigh_all(&self, weights: impl Iterator<Item = Vec<Option<f64>>>) -> f64 {
        weights.flatten().map(|weight| weight.expect("a weight is missing")).sum()
    }

    fn fed(&self) -> Fed {
        let (whole, ended) = (self.whole.load(SeqCst), self.ended.load(SeqCst));
        Fed { whole, broken: ended - whole }
    }
}
