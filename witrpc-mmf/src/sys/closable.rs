//! Descriptors that can be closed while other threads hold them.
//!
//! # Invariants
//!
//! 1. A descriptor is used under the lock, and closed after it was taken out under the lock. So none is used
//!    when its number may already stand for another file.
//! 2. No user blocks under the lock, so closing does not block either.
//! 3. A user that comes too late finds none and does nothing. Its message to the other side, or to a thread
//!    of this one, no longer matters after the end.
//!
//! A lock orders all of this, so a model would check that lock alone.

use std::sync::{PoisonError, RwLock, RwLockReadGuard};

/// Descriptors until they are closed, or none from the beginning.
#[derive(Debug)]
pub struct Closable<T>(RwLock<Option<T>>);

impl<T> Closable<T> {
    pub fn new(open: Option<T>) -> Self {
        Self(RwLock::new(open))
    }

    /// Returns the descriptors, which stay open until the result is dropped.
    pub fn get(&self) -> RwLockReadGuard<'_, Option<T>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes the descriptors. Later users find none.
    pub fn close(&self) {
        let open = self.0.write().unwrap_or_else(PoisonError::into_inner).take();
        // Without the lock.
        drop(open);
    }
}
