//! Counters of what a server does.
//!
//! # Invariants
//!
//! 1. A thread of the server has its own [`ThreadCounters`], which it alone writes, by plain loads and stores.
//!    So a call whose handler is not `async` costs no further locked instruction.
//! 2. All threads share the counters of late answers, and add to them by read-modify-write. Such a call has
//!    already paid for several of these.
//! 3. Words only grow. The counts of a thread are kept when it retires.
//! 4. Each call is counted twice: in `calls` when it is taken, then in `answered`, wherever that happens. So
//!    the calls in flight are a difference, and nothing counts down. `answered` is written last and read first:
//!    a reader that sees a call answered sees all its other counts.
//!
//! The words are read while they are written. Each is whole, but those of one look need not be of one instant.

use std::ops::AddAssign;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::{Arc, Mutex, MutexGuard};

use witrpc_rt::lock;

use super::left_behind::LeftBehind;
use super::method_meter::{MethodMeters, MethodSum};

/// The counts of one thread, or of all of them together. On a cache line of its own.
#[derive(Debug, Default)]
#[repr(align(64))]
pub struct ThreadCounters {
    calls: AtomicU64,
    answered: AtomicU64,
    errors: AtomicU64,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    promotions: AtomicU64,
    /// By method, where the server counts so.
    pub methods: MethodMeters,
}

/// The calls that a thread has answered, and how many of the answers were errors.
#[derive(Clone, Copy)]
pub struct Outcomes {
    pub answered: u64,
    pub errors: u64,
}

/// Counters that may be written, and how: invariants 1 and 2.
#[derive(Clone, Copy)]
pub enum Counter<'a> {
    /// Written by the thread that owns them.
    Own(&'a ThreadCounters),
    /// Written by any thread.
    Shared(&'a ThreadCounters),
}

/// The counts at one look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CounterSnapshot {
    pub calls: u64,
    pub answered: u64,
    pub errors: u64,
    pub bytes_in: u64,
    pub bytes_out: u64,
    pub promotions: u64,
}

impl ThreadCounters {
    /// Counts a request that this thread has taken.
    #[inline]
    pub fn request(&self, is_call: bool, len: usize) {
        if is_call {
            add_own(&self.calls, 1);
        }
        add_own(&self.bytes_in, len as u64);
    }

    /// Returns what the calling thread, which owns these counters, has answered.
    pub fn outcomes(&self) -> Outcomes {
        Outcomes { answered: self.answered.load(Relaxed), errors: self.errors.load(Relaxed) }
    }

    /// Counts that this thread has taken the role of a thread that was stuck.
    pub fn promotion(&self) {
        add_own(&self.promotions, 1);
    }

    fn read(&self) -> CounterSnapshot {
        // Invariant 4.
        let answered = self.answered.load(Acquire);
        CounterSnapshot {
            calls: self.calls.load(Relaxed),
            answered,
            errors: self.errors.load(Relaxed),
            bytes_in: self.bytes_in.load(Relaxed),
            bytes_out: self.bytes_out.load(Relaxed),
            promotions: self.promotions.load(Relaxed),
        }
    }
}

impl Counter<'_> {
    /// Counts the answer to a request, of that many bytes.
    #[inline]
    pub fn answer(self, is_call: bool, is_error: bool, len: usize) {
        if is_error {
            self.add(|counters| &counters.errors, 1);
        }
        self.add(|counters| &counters.bytes_out, len as u64);
        if is_call {
            self.add(|counters| &counters.answered, 1);
        }
    }

    #[inline]
    fn add(self, word: impl FnOnce(&ThreadCounters) -> &AtomicU64, more: u64) {
        match self {
            Counter::Own(counters) => add_own(word(counters), more),
            Counter::Shared(counters) => drop(word(counters).fetch_add(more, Release)),
        }
    }
}

/// Invariant 1: no other thread writes between the load and the store.
#[inline]
fn add_own(word: &AtomicU64, more: u64) {
    word.store(word.load(Relaxed).wrapping_add(more), Release);
}

impl AddAssign for CounterSnapshot {
    fn add_assign(&mut self, other: Self) {
        self.calls += other.calls;
        self.answered += other.answered;
        self.errors += other.errors;
        self.bytes_in += other.bytes_in;
        self.bytes_out += other.bytes_out;
        self.promotions += other.promotions;
    }
}

/// All counters of a server.
#[derive(Debug, Default)]
pub struct CounterRegistry {
    late: ThreadCounters,
    threads: Mutex<CountedThreads>,
    /// The handlers of clients that have gone.
    pub left_behind: LeftBehind,
}

#[derive(Debug, Default)]
struct CountedThreads {
    present: Vec<Arc<ThreadCounters>>,
    /// The sum of threads that have ended.
    gone: CounterSnapshot,
    /// The same by method.
    gone_methods: Vec<MethodSum>,
}

/// The counters of one thread, until the thread ends.
pub struct CounterHandle {
    counter_registry: Arc<CounterRegistry>,
    pub counters: Arc<ThreadCounters>,
}

impl CounterRegistry {
    /// Returns counters for the calling thread.
    pub fn enroll(self: &Arc<Self>) -> CounterHandle {
        let counters = Arc::<ThreadCounters>::default();
        self.threads().present.push(Arc::clone(&counters));
        CounterHandle { counter_registry: Arc::clone(self), counters }
    }

    /// Returns the counters for answers from any thread.
    pub fn late(&self) -> Counter<'_> {
        Counter::Shared(&self.late)
    }

    pub fn counts(&self) -> CounterSnapshot {
        let threads = self.threads();
        let mut counts = threads.gone;
        // Late answers are read first: threads count the calls.
        counts += self.late.read();
        threads.present.iter().for_each(|counters| counts += counters.read());
        counts
    }

    /// Returns what has been counted of each method, up to the last one of which anything has.
    pub fn methods(&self) -> Vec<MethodSum> {
        let threads = self.threads();
        let mut sums = threads.gone_methods.clone();
        self.late.methods.add_to(&mut sums);
        threads.present.iter().for_each(|counters| counters.methods.add_to(&mut sums));
        sums
    }

    /// Returns the meters of calls that any thread may answer.
    pub fn late_methods(&self) -> &MethodMeters {
        &self.late.methods
    }

    fn threads(&self) -> MutexGuard<'_, CountedThreads> {
        lock(&self.threads)
    }
}

impl Drop for CounterHandle {
    fn drop(&mut self) {
        let mut threads = self.counter_registry.threads();
        threads.gone += self.counters.read();
        self.counters.methods.add_to(&mut threads.gone_methods);
        threads.present.retain(|counters| !Arc::ptr_eq(counters, &self.counters));
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn what_threads_have_counted_stays_when_they_are_gone() {
        let counter_registry = Arc::<CounterRegistry>::default();
        let own = counter_registry.enroll();
        own.counters.request(true, 10);
        own.counters.request(false, 5);
        thread::scope(|scope| {
            scope.spawn(|| {
                let other = counter_registry.enroll();
                other.counters.request(true, 100);
                other.counters.promotion();
                Counter::Own(&other.counters).answer(true, true, 7);
            });
        });
        let counts = CounterSnapshot {
            calls: 2,
            answered: 1,
            errors: 1,
            bytes_in: 115,
            bytes_out: 7,
            promotions: 1,
        };
        assert_eq!(counter_registry.counts(), counts);
        drop(own);
        assert_eq!(counter_registry.counts(), counts);
        assert!(counter_registry.threads().present.is_empty());
    }

    #[test]
    fn late_answers_of_many_threads_are_all_counted() {
        let counter_registry = CounterRegistry::default();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    (0..1000).for_each(|_| counter_registry.late().answer(true, false, 3))
                });
            }
        });
        let counts = counter_registry.counts();
        assert_eq!((counts.answered, counts.errors, counts.bytes_out), (4000, 0, 12_000));
    }
}
