//! A switch between the atomics of `std` and those of a model checker.
//!
//! The protocols of the pool are generic over [`Primitives`]. So the models check the code that runs, under the
//! plain test command.

use std::sync::atomic;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// A source of atomic words and fences.
pub trait Primitives {
    /// A word that threads share.
    type Word: Word;

    /// Runs [`atomic::fence`] with [`Ordering::SeqCst`].
    fn fence();

    /// Runs [`witrpc_rt::light_barrier`].
    fn light_barrier();

    /// Runs [`witrpc_rt::heavy_barrier`].
    fn heavy_barrier();

    /// Returns [`witrpc_rt::has_heavy_barrier`].
    fn has_heavy_barrier() -> bool;

    /// Lets another thread go on. The caller waits for that thread's next step.
    fn pause();
}

/// The operations of an atomic word that a protocol here needs.
pub trait Word {
    fn new(value: u64) -> Self;
    fn load(&self, order: Ordering) -> u64;
    fn store(&self, value: u64, order: Ordering);
    fn swap(&self, value: u64, order: Ordering) -> u64;
    fn fetch_add(&self, value: u64, order: Ordering) -> u64;
    fn fetch_sub(&self, value: u64, order: Ordering) -> u64;
    fn fetch_or(&self, value: u64, order: Ordering) -> u64;
    /// Exchanges the word. Success acquires and releases. A failure returns the word that was found, relaxed.
    fn compare_exchange(&self, current: u64, new: u64) -> Result<u64, u64>;
}

/// The atomics of `std`, which run in production.
#[derive(Debug)]
pub struct Std;

impl Primitives for Std {
    type Word = AtomicU64;

    fn fence() {
        atomic::fence(Ordering::SeqCst);
    }

    #[inline(always)]
    fn light_barrier() {
        witrpc_rt::light_barrier();
    }

    fn heavy_barrier() {
        witrpc_rt::heavy_barrier();
    }

    fn has_heavy_barrier() -> bool {
        witrpc_rt::has_heavy_barrier()
    }

    fn pause() {
        thread::yield_now();
    }
}

macro_rules! word {
    ($atomic:ty) => {
        impl Word for $atomic {
            #[inline]
            fn new(value: u64) -> Self {
                Self::new(value)
            }

            #[inline]
            fn load(&self, order: Ordering) -> u64 {
                self.load(order)
            }

            #[inline]
            fn store(&self, value: u64, order: Ordering) {
                self.store(value, order);
            }

            #[inline]
            fn swap(&self, value: u64, order: Ordering) -> u64 {
                self.swap(value, order)
            }

            #[inline]
            fn fetch_add(&self, value: u64, order: Ordering) -> u64 {
                self.fetch_add(value, order)
            }

            #[inline]
            fn fetch_sub(&self, value: u64, order: Ordering) -> u64 {
                self.fetch_sub(value, order)
            }

            #[inline]
            fn fetch_or(&self, value: u64, order: Ordering) -> u64 {
                self.fetch_or(value, order)
            }

            #[inline]
            fn compare_exchange(&self, current: u64, new: u64) -> Result<u64, u64> {
                self.compare_exchange(current, new, Ordering::AcqRel, Ordering::Relaxed)
            }
        }
    };
}

word!(AtomicU64);

/// The atomics of the models.
#[cfg(test)]
#[derive(Debug)]
pub struct Loom;

#[cfg(test)]
impl Primitives for Loom {
    type Word = loom::sync::atomic::AtomicU64;

    fn fence() {
        loom::sync::atomic::fence(Ordering::SeqCst);
    }

    // The pair orders what two full fences order.
    fn light_barrier() {
        Self::fence();
    }

    fn heavy_barrier() {
        Self::fence();
    }

    fn has_heavy_barrier() -> bool {
        true
    }

    fn pause() {
        loom::thread::yield_now();
    }
}

#[cfg(test)]
word!(loom::sync::atomic::AtomicU64);
