//! A place for the poller's list of connections, while the poller runs what may take long.
//!
//! The poller looks at a list of connections, which keeps their mappings. A handler that it runs
//! may never return, and must keep none. So the list is here meanwhile, where the thread that ends
//! a connection drops it.
//!
//! # Invariants
//!
//! 1. There is one word, private to the process: null, or a list. Three threads write it: the
//!    poller, a thread that has displaced it, and the thread that ends connections. Each does so by
//!    one exchange. So a list is held by one thread, or is here.
//! 2. An exchange releases what it puts here and acquires what it takes: the thread that takes a
//!    list sees it as it was put here.
//! 3. No list that names an ended connection stays here. The thread that ends a connection counts
//!    that in the [work signal](super::work_signal), then clears this place ([`ListSlot::clear`]).
//!    A poller puts its list here, then looks at the work signal, and clears the place if the
//!    signal has changed ([`ListSlot::put`]). The two exchanges have an order. If the poller's
//!    comes first, the other thread finds the list. If it comes second, it acquires what the other
//!    released, so the poller finds the new count. An exchange in between belongs to the same
//!    release sequence.
//! 4. A list that a thread holds may name an ended connection for a moment. A poller runs no code
//!    of users with it, and looks at the work signal before each turn. A thread that comes back
//!    from a handler takes a list to send the answer, before it learns whether it was displaced. If
//!    it was, it drops that list at once, and the poller whose list it was makes another.
//! 5. A list that is not taken is dropped with the place.
//!
//! Neither exchange can be a plain store or load. To put the list here and then look at the work
//! signal is a store before a load: each thread could miss the other. To take the list by a load
//! would leave it to the other thread too.

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;

use std::ptr;
use std::sync::atomic::Ordering::AcqRel;

use crate::memory::words::{Pointer, Words};

use super::work_signal::WorkSignal;

/// A place for one list, which any thread may take.
pub struct ListSlot<W: Words, T: Send> {
    /// Null, or a pointer from `Box::into_raw`. The thread that exchanges it owns it.
    place: W::Pointer<T>,
}

impl<W: Words, T: Send> ListSlot<W, T> {
    /// Creates an empty place.
    pub fn new() -> Self {
        Self { place: W::Pointer::null() }
    }

    /// Puts a list here, and drops the list that was here. Drops the new one too if the work signal
    /// is no longer `read`, the count by which the list was made.
    #[inline]
    pub fn put(&self, list: Box<T>, read: u64, work_signal: &WorkSignal<W>) {
        if let Some(former) = self.exchange(Box::into_raw(list)) {
            discard(former);
        }
        if work_signal.count() != read {
            discard(self.take());
        }
    }

    /// Takes the list that is here.
    #[inline]
    pub fn take(&self) -> Option<Box<T>> {
        self.exchange(ptr::null_mut())
    }

    /// Drops the list that is here, because a connection has ended. No list that is made by a later
    /// work signal names that connection.
    pub fn clear(&self, work_signal: &WorkSignal<W>) {
        work_signal.notify();
        drop(self.take());
    }

    #[inline]
    fn exchange(&self, list: *mut T) -> Option<Box<T>> {
        let former = self.place.swap(list, AcqRel);
        // SAFETY: it came from `Box::into_raw` in `put`, and the swap gives it to this call alone.
        (!former.is_null()).then(|| unsafe { Box::from_raw(former) })
    }
}

/// Drops a list that is seldom there, out of line.
#[cold]
#[inline(never)]
fn discard<T>(list: T) {
    drop(list);
}

impl<W: Words, T: Send> Drop for ListSlot<W, T> {
    fn drop(&mut self) {
        drop(self.take());
    }
}
