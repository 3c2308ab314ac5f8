//! The words of the protocol: those of mapped memory, or loom's.
//!
//! Everything that two processes agree on without a system call is a 32-bit or 64-bit word with one
//! writing side. Protocol code is generic over [`Words`]. So the code that runs over mapped memory is
//! the code that the loom models explore: loom's atomics carry their own bookkeeping and cannot be laid
//! over a mapping.
//!
//! A side has two kinds of words:
//!
//! - its **own** ([`Word`]), in the region that it created and only it may write;
//! - its **peer's** ([`ReadWord`]), in the region that the peer created, mapped read-only here.
//!
//! # Orderings
//!
//! Publish by a `Release` store; look by an `Acquire` load. Where each side writes its own word and
//! then reads the other's, both need `fence(SeqCst)` in between: the *two fences* of `wakeup`. `SeqCst`
//! appears only as that fence, never on a load or a store, which is the form that loom models correctly.

use core::sync::atomic;
use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};
use std::ptr;
use std::sync::Mutex;

use witrpc_rt::lock;

/// A word that this side may load: its own, or the peer's.
pub trait ReadWord<V> {
    /// Returns the present value. `order` is `Relaxed` or `Acquire`.
    ///
    /// # Panics
    ///
    /// A word of the peer panics for any other `order`: see [`PeerU32`].
    fn load(&self, order: Ordering) -> V;
}

/// A word of this side's region. This process is its only writer.
///
/// The read-modify-write operations are for threads of that one process among themselves.
pub trait Word<V>: ReadWord<V> {
    /// Replaces the value.
    fn store(&self, value: V, order: Ordering);
    /// Replaces the value and returns the one before.
    fn swap(&self, value: V, order: Ordering) -> V;
    /// Replaces `current` by `new`.
    ///
    /// # Errors
    ///
    /// The value found, if it was not `current`; nothing is changed then.
    fn compare_exchange(
        &self,
        current: V,
        new: V,
        success: Ordering,
        failure: Ordering,
    ) -> Result<V, V>;
    /// Adds `value`, wrapping, and returns the value before.
    fn fetch_add(&self, value: V, order: Ordering) -> V;
    /// Subtracts `value`, wrapping, and returns the value before.
    fn fetch_sub(&self, value: V, order: Ordering) -> V;
    /// Sets the bits of `value` and returns the value before.
    fn fetch_or(&self, value: V, order: Ordering) -> V;
    /// Keeps only the bits of `value` and returns the value before.
    fn fetch_and(&self, value: V, order: Ordering) -> V;
}

/// A value that threads of this process share under a lock. It is in no region.
pub trait Lock<T> {
    /// Creates an unlocked value.
    fn new(value: T) -> Self;
    /// Runs `change` with the value while no other thread does.
    fn locked<R>(&self, change: impl FnOnce(&mut T) -> R) -> R;
}

/// A word of this process that holds a pointer. It is in no region.
pub trait Pointer<T> {
    /// Creates a null pointer.
    fn null() -> Self;
    /// Replaces the pointer and returns the one before.
    fn swap(&self, value: *mut T, order: Ordering) -> *mut T;
}

/// A family of words: [`Mapped`], or loom's in the models.
pub trait Words: 'static {
    /// A 32-bit word of this side.
    type U32: Word<u32>;
    /// A 64-bit word of this side.
    type U64: Word<u64>;
    /// A 32-bit word of the peer's.
    type PeerU32: ReadWord<u32>;
    /// A 64-bit word of the peer's.
    type PeerU64: ReadWord<u64>;
    /// A private value under a lock.
    type Lock<T>: Lock<T>;
    /// A private pointer.
    type Pointer<T>: Pointer<T>;

    /// Orders this thread's accesses to words before and after it.
    fn fence(order: Ordering);
}

/// The words of mapped memory.
#[derive(Debug, Clone, Copy)]
pub enum Mapped {}

impl Words for Mapped {
    type U32 = AtomicU32;
    type U64 = AtomicU64;
    type PeerU32 = PeerU32;
    type PeerU64 = PeerU64;
    type Lock<T> = Mutex<T>;
    type Pointer<T> = AtomicPtr<T>;

    #[inline]
    fn fence(order: Ordering) {
        atomic::fence(order);
    }
}

impl<T> Lock<T> for Mutex<T> {
    fn new(value: T) -> Self {
        Mutex::new(value)
    }

    fn locked<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        change(&mut lock(self))
    }
}

impl<T> Pointer<T> for AtomicPtr<T> {
    #[inline]
    fn null() -> Self {
        AtomicPtr::new(ptr::null_mut())
    }

    #[inline]
    fn swap(&self, value: *mut T, order: Ordering) -> *mut T {
        AtomicPtr::swap(self, value, order)
    }
}

/// Implements [`ReadWord`] and [`Word`] by the methods of the same names.
macro_rules! own_word {
    ($atomic:ty, $value:ty) => {
        impl $crate::memory::words::ReadWord<$value> for $atomic {
            #[inline]
            fn load(&self, order: Ordering) -> $value {
                <$atomic>::load(self, order)
            }
        }

        impl $crate::memory::words::Word<$value> for $atomic {
            #[inline]
            fn store(&self, value: $value, order: Ordering) {
                <$atomic>::store(self, value, order);
            }
            #[inline]
            fn swap(&self, value: $value, order: Ordering) -> $value {
                <$atomic>::swap(self, value, order)
            }
            #[inline]
            fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                <$atomic>::compare_exchange(self, current, new, success, failure)
            }
            #[inline]
            fn fetch_add(&self, value: $value, order: Ordering) -> $value {
                <$atomic>::fetch_add(self, value, order)
            }
            #[inline]
            fn fetch_sub(&self, value: $value, order: Ordering) -> $value {
                <$atomic>::fetch_sub(self, value, order)
            }
            #[inline]
            fn fetch_or(&self, value: $value, order: Ordering) -> $value {
                <$atomic>::fetch_or(self, value, order)
            }
            #[inline]
            fn fetch_and(&self, value: $value, order: Ordering) -> $value {
                <$atomic>::fetch_and(self, value, order)
            }
        }
    };
}
own_word!(AtomicU32, u32);
own_word!(AtomicU64, u64);

// Below the macro, which it uses.
#[cfg(test)]
pub(crate) mod modelled;

/// Defines a word of the peer's region.
macro_rules! peer_word {
    ($(#[$doc:meta])* $name:ident, $atomic:ty, $value:ty) => {
        $(#[$doc])*
        /// It can only be loaded: the page under it is mapped read-only, where any other atomic
        /// operation, even a compare-exchange that fails, may fault. Rust promises only that `Relaxed`
        /// loads of at most a machine word work there. So `Acquire` is made of a relaxed load and a
        /// fence (which costs nothing on x86-64). The thread sanitizer knows of no fences, and gets the
        /// load.
        #[derive(Debug)]
        #[repr(transparent)]
        pub struct $name($atomic);

        impl $name {
            /// Returns the address of the word, for futex system calls.
            ///
            /// It is a pointer for the kernel: nothing in this process may write through it.
            #[inline]
            pub fn as_ptr(&self) -> *const $value {
                self.0.as_ptr()
            }
        }

        impl ReadWord<$value> for $name {
            #[inline]
            fn load(&self, order: Ordering) -> $value {
                if cfg!(tsan) {
                    return self.0.load(order);
                }
                let value = self.0.load(Ordering::Relaxed);
                match order {
                    Ordering::Relaxed => {}
                    Ordering::Acquire => atomic::fence(Ordering::Acquire),
                    other => panic!("a peer's word is loaded Relaxed or Acquire, not {other:?}"),
                }
                value
            }
        }
    };
}

peer_word!(
    /// A 32-bit word of the peer's region.
    PeerU32,
    AtomicU32,
    u32
);
peer_word!(
    /// A 64-bit word of the peer's region.
    PeerU64,
    AtomicU64,
    u64
);
