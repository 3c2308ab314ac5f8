//! A list that its user lays aside while it runs what may take long.
//!
//! The holder of the poller role looks at a list of connections, which keeps their mappings. A
//! handler that it runs may take for ever, and must keep none. So the list lies here meanwhile,
//! where the thread that ends a connection throws it away.
//!
//! # Invariants
//!
//! 1. There is one word, private to the process: null, or a list. Three write it: the holder of the
//!    role, one that has displaced it, and the thread that ends connections. Each does so by one
//!    exchange. So a list is in the hands of one thread, or here.
//! 2. An exchange releases what it puts there and acquires what it takes: whoever takes a list sees it as
//!    it was put there.
//! 3. No list stays here that names a connection which has ended. The thread that ends one tells
//!    the [news](super::work_signal), then clears this place ([`ListSlot::clear`]). A holder puts its list
//!    here, then looks at the news, and clears the place if there are any ([`ListSlot::put`]). The two
//!    exchanges have an order: if the holder's comes first, the other thread finds the list; if it
//!    comes second, it acquires what the other released, and so the holder finds the news. An
//!    exchange in between belongs to the same chain of releases.
//! 4. A list that is in a thread's hands may name a connection that has ended, for a moment: a
//!    holder runs no code of users with it, and looks at the news before each turn. A thread that comes back
//!    from a handler takes a list to send the answer by, before it learns whether it was displaced; if it
//!    was, it drops that list at once, and the holder whose list it was makes another.
//! 5. What is here goes with the place, if nobody takes it before.
//!
//! Neither exchange can be a plain store or load. To put the list there, and then look at the news, is a
//! store before a load: both threads would miss each other. To take it back by a load would leave it
//! to the other thread too.

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
    /// Null, or what `Box::into_raw` gave: whoever exchanges it owns it.
    place: W::Pointer<T>,
}

impl<W: Words, T: Send> ListSlot<W, T> {
    /// Nothing lies here.
    pub fn new() -> Self {
        Self { place: W::Pointer::null() }
    }

    /// Lays a list here, and drops what was here. It goes at once if there are other news than it was
    /// made by: `read`.
    #[inline]
    pub fn put(&self, list: Box<T>, read: u64, work_signal: &WorkSignal<W>) {
        drop(self.exchange(Box::into_raw(list)));
        if work_signal.count() != read {
            drop(self.take());
        }
    }

    /// Takes what is here.
    #[inline]
    pub fn take(&self) -> Option<Box<T>> {
        self.exchange(ptr::null_mut())
    }

    /// Drops what is here. A connection has ended, and no list that is made by later news names it.
    pub fn clear(&self, work_signal: &WorkSignal<W>) {
        work_signal.tell();
        drop(self.take());
    }

    #[inline]
    fn exchange(&self, list: *mut T) -> Option<Box<T>> {
        let former = self.place.swap(list, AcqRel);
        // SAFETY: it came from `Box::into_raw` in `put`, and the swap gives it to this call alone.
        (!former.is_null()).then(|| unsafe { Box::from_raw(former) })
    }
}

impl<W: Words, T: Send> Drop for ListSlot<W, T> {
    fn drop(&mut self) {
        drop(self.take());
    }
}
