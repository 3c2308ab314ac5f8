//! Handlers that run as jobs of clients that have gone.
//!
//! A client has as many calls in flight as lanes. But it may leave while handlers of its calls wait, and
//! reconnect, so its lanes do not bound the handlers that it leaves behind, nor the requests that these hold. So
//! a server counts both.
//!
//! # Invariant
//!
//! [`LeftBehind`] counts the jobs of all clients that have gone, and the bytes of their requests. Each client
//! has one word: its jobs, their bytes, and whether it has gone. One exchange changes the word, and its old
//! value decides which change is counted. A job that begins or ends after the client has gone counts itself.
//! The departure counts all jobs that exist by then. In between, the sum may be seen too low.
//!
//! A word holds the jobs in its low 24 bits and the bytes above, in KiB that have begun. So a client may have
//! 16 million jobs, and all clients together 512 TiB.

use std::sync::atomic::Ordering::Relaxed;

use crate::rt::primitive::{Primitives, Std, Word};

/// The limit of handlers that run as jobs of clients that have gone. Beyond it, no new client is let in.
pub const MAX_LEFT_BEHIND: u64 = 16_384;

/// The limit of the bytes that their requests have. A single request may exceed it.
pub const MAX_LEFT_BEHIND_BYTES: u64 = 256 << 20;

/// The flag of a client that has gone; the bits below count its jobs and their bytes.
const GONE: u64 = 1 << 63;

/// How many bits count jobs.
const JOB_BITS: u32 = 24;

/// The unit of bytes.
const KIB: u64 = 1 << 10;

/// Returns what a job with a request of that length adds to a word.
fn weight(request_len: usize) -> u64 {
    (request_len as u64).div_ceil(KIB) << JOB_BITS | 1
}

/// The number of handlers of clients that have gone, for one server, and the bytes of their requests. The sum
/// wraps below zero while the end of a job has been counted and the departure of its client has not.
#[derive(Debug)]
pub struct LeftBehind<P: Primitives = Std>(P::Word);

impl<P: Primitives> Default for LeftBehind<P> {
    fn default() -> Self {
        Self(P::Word::new(0))
    }
}

impl<P: Primitives> LeftBehind<P> {
    /// Returns the number of such handlers, and how many bytes their requests have.
    pub fn count(&self) -> (i64, i64) {
        let both = self.0.load(Relaxed).cast_signed();
        let spare = u64::BITS - JOB_BITS;
        let jobs = both << spare >> spare;
        (jobs, (both.wrapping_sub(jobs) >> JOB_BITS).saturating_mul(KIB as i64))
    }

    /// Returns whether the limit of handlers is reached.
    pub fn is_full(&self) -> bool {
        u64::try_from(self.count().0).is_ok_and(|jobs| jobs >= MAX_LEFT_BEHIND)
    }

    /// Returns whether the limit of bytes is reached.
    pub fn holds_too_much(&self) -> bool {
        u64::try_from(self.count().1).is_ok_and(|bytes| bytes >= MAX_LEFT_BEHIND_BYTES)
    }
}

/// The handlers of one client that run as jobs.
#[derive(Debug)]
pub struct ClientJobs<P: Primitives = Std>(P::Word);

impl<P: Primitives> Default for ClientJobs<P> {
    fn default() -> Self {
        Self(P::Word::new(0))
    }
}

impl<P: Primitives> ClientJobs<P> {
    /// Counts the client's jobs as left behind from now on.
    pub fn leave(&self, left_behind: &LeftBehind<P>) {
        let before = self.0.fetch_or(GONE, Relaxed);
        if before & GONE == 0 {
            left_behind.0.fetch_add(before, Relaxed);
        }
    }

    /// Counts a job that begins, with a request of that length.
    pub fn begin(&self, request_len: usize, left_behind: &LeftBehind<P>) {
        let weight = weight(request_len);
        if self.0.fetch_add(weight, Relaxed) & GONE != 0 {
            left_behind.0.fetch_add(weight, Relaxed);
        }
    }

    /// Counts a job off that has ended; its request has the same length.
    pub fn end(&self, request_len: usize, left_behind: &LeftBehind<P>) {
        let weight = weight(request_len);
        if self.0.fetch_sub(weight, Relaxed) & GONE != 0 {
            left_behind.0.fetch_sub(weight, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use loom::sync::Arc;
    use loom::thread;

    use crate::rt::primitive::Loom;

    use super::*;

    /// The length of the longest message.
    const LONG: usize = u32::MAX as usize;

    type Jobs = (ClientJobs<Loom>, LeftBehind<Loom>);

    /// Lets a client go by `leave`, while a job of it ends and another begins.
    fn a_client_goes(leave: fn(&Jobs)) {
        loom::model(move || {
            let jobs = Arc::new(Jobs::default());
            jobs.0.begin(LONG, &jobs.1);
            let threads: [fn(&Jobs); 3] =
                [|jobs| jobs.0.end(LONG, &jobs.1), |jobs| jobs.0.begin(1, &jobs.1), leave];
            let threads = threads.map(|act| {
                let jobs = Arc::clone(&jobs);
                thread::spawn(move || act(&jobs))
            });
            threads.into_iter().for_each(|thread| thread.join().unwrap());
            assert_eq!(jobs.1.count(), (1, KIB as i64), "the jobs left behind");
            jobs.0.end(1, &jobs.1);
            assert_eq!(jobs.1.count(), (0, 0), "the jobs left behind");
        });
    }

    #[test]
    fn each_job_of_a_client_that_has_gone_counts_until_it_ends() {
        a_client_goes(|(jobs, left_behind)| jobs.leave(left_behind));
    }

    /// Shows what happens if a client reads its jobs first, and then marks itself as gone.
    #[test]
    #[should_panic(expected = "the jobs left behind")]
    fn a_client_that_goes_in_two_steps_is_miscounted() {
        a_client_goes(|(jobs, left_behind)| {
            let before = jobs.0.load(Relaxed);
            jobs.0.fetch_or(GONE, Relaxed);
            left_behind.0.fetch_add(before, Relaxed);
        });
    }
}
