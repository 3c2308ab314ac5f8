//! A list that its user sets aside while it runs what may take long.
//!
//! The holder of the poller role looks at a list of connections, which keeps their mappings. A
//! handler that it runs may take for ever, and must keep none. So the list lies here meanwhile,
//! where the thread that ends a connection throws it away.
//!
//! # Invariants
//!
//! 1. A list is in the hands of one thread, or here: both ways of moving it are one exchange.
//! 2. No list stays here that names a connection which has ended. The thread that ends one tells
//!    the [news](super::news), then clears this place. A holder puts its list here, then looks at
//!    the news, and clears the place if there are any. The two exchanges have an order: if the
//!    holder's comes first, the other thread finds the list; if it comes second, it acquires what
//!    the other released, and so the holder finds the news.

use std::marker::PhantomData;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering::AcqRel};

/// A place for one boxed value.
pub(super) struct Shelf<T> {
    /// Null, or what `Box::into_raw` gave: whoever exchanges it owns it.
    place: AtomicPtr<T>,
    owns: PhantomData<Box<T>>,
}

impl<T: Send + Sync> Shelf<T> {
    pub(super) fn new() -> Self {
        Self { place: AtomicPtr::new(ptr::null_mut()), owns: PhantomData }
    }

    /// Puts a value here, and drops what was there.
    pub(super) fn put(&self, value: Box<T>) {
        drop(self.exchange(Box::into_raw(value)));
    }

    /// Takes what is here.
    pub(super) fn take(&self) -> Option<Box<T>> {
        self.exchange(ptr::null_mut())
    }

    fn exchange(&self, value: *mut T) -> Option<Box<T>> {
        let former = self.place.swap(value, AcqRel);
        // SAFETY: it came from `Box::into_raw` in `put`, and the swap gives it to this call alone.
        (!former.is_null()).then(|| unsafe { Box::from_raw(former) })
    }
}

impl<T> Drop for Shelf<T> {
    fn drop(&mut self) {
        let last = *self.place.get_mut();
        if !last.is_null() {
            // SAFETY: it came from `Box::into_raw` in `put`, and nobody else has this place any more.
            drop(unsafe { Box::from_raw(last) });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::*;

    #[test]
    fn what_is_put_is_taken_once_or_dropped() {
        let shelf = Shelf::new();
        let value = Arc::new(());
        assert!(shelf.take().is_none());
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..1_000 {
                        shelf.put(Box::new(Arc::clone(&value)));
                        drop(shelf.take());
                    }
                });
            }
        });
        shelf.put(Box::new(Arc::clone(&value)));
        drop(shelf);
        assert_eq!(Arc::strong_count(&value), 1);
    }
}
