//! Tells the poller that there is something to read.
//!
//! A stand-by thread that was rung records for which connection, counts that in the work signal,
//! and then looks at the poller role. A poller releases the role, then looks at the work signal.
//! By [two fences](crate::wakeup), the stand-by thread takes the role, or the poller takes it again.

#[cfg(test)]
mod model;

use std::sync::atomic::Ordering::{AcqRel, Acquire};

use crate::memory::words::{ReadWord, Word, Words};
use crate::wakeup::epoch;

/// Counts what there is to read. The items themselves are recorded elsewhere.
pub struct WorkSignal<W: Words> {
    count: W::U64,
}

impl<W: Words> WorkSignal<W> {
    /// Creates a signal. `count` is a private word that must hold 1, so that a thread that has read
    /// nothing (0) has something to read.
    pub fn new(count: W::U64) -> Self {
        Self { count }
    }

    /// Counts something that has been recorded. Returns the count before. The caller must look at
    /// the poller role after this.
    pub fn notify(&self) -> u64 {
        // Release: a thread that reads the new count finds what was recorded.
        let before = self.count.fetch_add(1, AcqRel);
        // Pairs with the fence of `Scanner::request_wakeup`.
        epoch::fence::<W>();
        before
    }

    /// Returns the count so far. Acquire: what was recorded before is seen.
    #[inline]
    pub fn count(&self) -> u64 {
        self.count.load(Acquire)
    }
}
