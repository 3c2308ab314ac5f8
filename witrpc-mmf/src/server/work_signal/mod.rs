//! Telling the holder of the poller role that there is something to read.
//!
//! A stand-by that was rung records for whom, tells the news, and then looks at the role. A holder
//! puts the role down, then looks at the news. Between the two steps of each stands a fence, so that
//! at least one sees what the other did: the stand-by takes the role, or the holder takes it again.

#[cfg(test)]
mod model;

use std::sync::atomic::Ordering::{AcqRel, Acquire};

use crate::memory::words::{ReadWord, Word, Words};
use crate::wakeup::epoch;

/// Counts what there was to read; the items themselves stand elsewhere.
pub struct WorkSignal<W: Words> {
    count: W::U64,
}

impl<W: Words> WorkSignal<W> {
    /// `count` is a private word that holds 1, so that who has read nothing (0) has something to
    /// read.
    pub fn new(count: W::U64) -> Self {
        Self { count }
    }

    /// Something has been recorded; returns the count before. The caller goes on to look at the
    /// role.
    pub fn tell(&self) -> u64 {
        // Release: whoever reads the new count finds what was recorded.
        let before = self.count.fetch_add(1, AcqRel);
        // Pairs with the fence of `Scanner::arm`.
        epoch::fence::<W>();
        before
    }

    /// How much there was to read so far.
    #[inline]
    pub fn count(&self) -> u64 {
        self.count.load(Acquire)
    }
}
