//! Handlers that run as jobs of clients that have gone.
//!
//! A client has as many calls in flight as lanes. But it may go while handlers of its calls wait, and
//! come back, so that its lanes bound nothing that it has left behind. So a server counts these.
//!
//! # Invariant
//!
//! [`LeftBehind`] counts the jobs of all clients that have gone. Each client has one word: its jobs,
//! and whether it has gone. Whatever changes the word by one exchange knows from what stood there
//! before which of the two counts it: a job that begins or ends after the client has gone does, the
//! going itself for all that there are by then. In between, the sum may be seen too low.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicI64, AtomicU64};

/// How many handlers may run as jobs of clients that have gone. With more, no new clients are let in.
pub const MAX_LEFT_BEHIND: u64 = 16_384;

/// Says that the client has gone; the bits below count its jobs.
const GONE: u64 = 1 << 63;

/// The handlers of clients that have gone, of one server.
#[derive(Debug, Default)]
pub struct LeftBehind(AtomicI64);

impl LeftBehind {
    /// Returns how many there are.
    #[cfg(test)]
    pub fn count(&self) -> i64 {
        self.0.load(Relaxed)
    }

    /// Returns whether there are as many as there may be.
    pub fn is_full(&self) -> bool {
        u64::try_from(self.0.load(Relaxed)).is_ok_and(|count| count >= MAX_LEFT_BEHIND)
    }
}

/// The handlers of one client that run as jobs.
#[derive(Debug, Default)]
pub struct ClientJobs(AtomicU64);

impl ClientJobs {
    /// Counts the client's jobs as left behind from now on.
    pub fn leave(&self, left_behind: &LeftBehind) {
        let before = self.0.fetch_or(GONE, Relaxed);
        if before & GONE == 0 {
            left_behind.0.fetch_add(before as i64, Relaxed);
        }
    }

    /// Counts another job.
    pub fn begin(&self, left_behind: &LeftBehind) {
        if self.0.fetch_add(1, Relaxed) & GONE != 0 {
            left_behind.0.fetch_add(1, Relaxed);
        }
    }

    /// A job has ended.
    pub fn end(&self, left_behind: &LeftBehind) {
        if self.0.fetch_sub(1, Relaxed) & GONE != 0 {
            left_behind.0.fetch_sub(1, Relaxed);
        }
    }
}
