//! Closures that are called for events.

use std::fmt;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use witrpc_rt::lock;

use crate::codec::Codec;
use crate::error::{CallError, EventError};
use crate::event::delivery::Emitted;
use crate::method::EventItem;

use super::subscription::Subscription;
use super::{Sink, read_item};

/// A guard that calls a closure for each event until it is dropped: what a client's `on_…` method
/// returns.
///
/// After the drop, the closure is not called for later events. The drop does not wait for a call that
/// runs on the connection's thread at that moment, or is about to. So a closure may drop its own guard.
/// A guard keeps its connection alive.
///
/// A closure that panics is not called again.
#[must_use = "the closure is called until this is dropped"]
pub struct EventGuard {
    closed: Arc<AtomicBool>,
    subscription: Subscription,
}

impl EventGuard {
    pub(crate) fn new(closed: Arc<AtomicBool>, subscription: Subscription) -> Self {
        Self { closed, subscription }
    }

    pub(crate) fn subscription(&self) -> &Subscription {
        &self.subscription
    }
}

impl Drop for EventGuard {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::Relaxed);
    }
}

impl fmt::Debug for EventGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventGuard").finish_non_exhaustive()
    }
}

/// A closure for events of type `T`, and whether it may still be called.
pub struct Reaction<T, F> {
    codec: Codec,
    closed: Arc<AtomicBool>,
    react: Mutex<F>,
    item: PhantomData<fn() -> T>,
}

impl<T, F: FnMut(Result<T, EventError>)> Reaction<T, F> {
    pub fn new(codec: Codec, closed: &Arc<AtomicBool>, react: F) -> Arc<Self> {
        let closed = Arc::clone(closed);
        Arc::new(Self { codec, closed, react: Mutex::new(react), item: PhantomData })
    }

    fn call(&self, came: Result<T, EventError>) {
        if self.closed.load(Ordering::Relaxed) {
            return;
        }
        // Only the connection's thread calls it.
        let mut react = lock(&self.react);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| react(came))) {
            self.closed.store(true, Ordering::Relaxed);
            // Dropping the payload may panic again.
            std::mem::forget(panic);
        }
    }
}

impl<T: EventItem, F: FnMut(Result<T, EventError>) + Send> Sink for Reaction<T, F> {
    fn deliver(&self, lost: u64, emitted: Option<Arc<Emitted>>) {
        if lost > 0 {
            self.call(Err(EventError::Lagged(lost)));
        }
        if let Some(emitted) = emitted {
            self.call(read_item(&emitted, self.codec));
        }
    }

    fn may_have_missed(&self) {
        self.call(Err(EventError::MayHaveMissed));
    }

    fn end(&self, error: CallError) {
        self.call(Err(EventError::Ended(error)));
    }
}
