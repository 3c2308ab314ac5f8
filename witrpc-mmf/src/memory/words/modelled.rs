//! loom's words, for the models: the same word is one side's own and the other side's peer's. Also what
//! a model sleeps on.

use core::sync::atomic::Ordering;

use loom::model::Builder;
use loom::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64};
use loom::sync::{Condvar, Mutex, atomic};

use super::Words;

pub use loom::sync::Mutex as Flag;

/// The words of a loom model.
#[derive(Debug, Clone, Copy)]
pub enum Modelled {}

impl Words for Modelled {
    type U32 = AtomicU32;
    type U64 = AtomicU64;
    type PeerU32 = AtomicU32;
    type PeerU64 = AtomicU64;
    type Lock<T> = Mutex<T>;
    type Pointer<T> = AtomicPtr<T>;

    fn fence(order: Ordering) {
        atomic::fence(order);
    }
}

impl<T> super::Lock<T> for Mutex<T> {
    fn new(value: T) -> Self {
        Mutex::new(value)
    }

    fn locked<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        change(&mut self.lock().expect("no model panics under a lock"))
    }
}

impl<T> super::Pointer<T> for AtomicPtr<T> {
    fn null() -> Self {
        AtomicPtr::new(core::ptr::null_mut())
    }

    fn swap(&self, value: *mut T, order: Ordering) -> *mut T {
        AtomicPtr::swap(self, value, order)
    }
}

own_word!(AtomicU32, u32);
own_word!(AtomicU64, u64);

/// Runs `model` in every order with at most `preemptions` preemptions: enough for what two sides can do
/// to each other, few enough to end in seconds.
pub fn explore(preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(model);
}

/// A futex on some word. A sleeper that is never woken is a deadlock, which loom reports.
#[derive(Debug)]
pub struct Futex {
    queue: Mutex<()>,
    wakes: Condvar,
}

impl Futex {
    /// Creates a futex without sleepers.
    pub fn new() -> Self {
        Self { queue: Mutex::new(()), wakes: Condvar::new() }
    }

    /// Sleeps if `word` holds `shown`, until woken.
    pub fn wait(&self, word: &AtomicU64, shown: u64) {
        let queue = self.queue.lock().expect("no model panics under a lock");
        if word.load(Ordering::Relaxed) == shown {
            drop(self.wakes.wait(queue));
        }
    }

    /// Wakes all sleepers.
    pub fn wake(&self) {
        drop(self.queue.lock());
        self.wakes.notify_all();
    }
}

/// A doorbell. A listener that is never woken is a deadlock, which loom reports.
#[derive(Debug)]
pub struct Doorbell {
    /// How often it was rung.
    rings: Mutex<u32>,
    wakes: Condvar,
}

impl Doorbell {
    /// Creates a doorbell that has not been rung.
    pub fn new() -> Self {
        Self { rings: Mutex::new(0), wakes: Condvar::new() }
    }

    /// Wakes the listener.
    pub fn ring(&self) {
        *self.rings.lock().expect("no model panics under a lock") += 1;
        self.wakes.notify_all();
    }

    /// Returns how often it has been rung.
    pub fn rings(&self) -> u32 {
        *self.rings.lock().expect("no model panics under a lock")
    }

    /// Sleeps until it has been rung more often than `heard`; returns how often.
    pub fn hear(&self, heard: u32) -> u32 {
        let mut rings = self.rings.lock().expect("no model panics under a lock");
        while *rings == heard {
            rings = self.wakes.wait(rings).expect("no model panics under a lock");
        }
        *rings
    }
}
