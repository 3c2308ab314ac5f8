//! Handlers that run as jobs of clients that have gone.
//!
//! A client has as many calls in flight as lanes. But it may leave while handlers of its calls wait, and
//! reconnect, so its lanes do not bound the handlers that it leaves behind. So a server counts these.
//!
//! # Invariant
//!
//! [`LeftBehind`] counts the jobs of all clients that have gone. Each client has one word: its jobs, and
//! whether it has gone. One exchange changes the word, and its old value decides which change is counted. A job
//! that begins or ends after the client has gone counts itself. The departure counts all jobs that exist by
//! then. In between, the sum may be seen too low.

use std::sync::atomic::Ordering::Relaxed;

use crate::rt::primitive::{Primitives, Std, Word};

/// The limit of handlers that run as jobs of clients that have gone. Beyond it, no new client is let in.
pub const MAX_LEFT_BEHIND: u64 = 16_384;

/// The flag of a client that has gone; the bits below count its jobs.
const GONE: u64 = 1 << 63;

/// The number of handlers of clients that have gone, for one server. The sum wraps below zero while the end of
/// a job has been counted and the departure of its client has not.
#[derive(Debug)]
pub struct LeftBehind<P: Primitives = Std>(P::Word);

impl<P: Primitives> Default for LeftBehind<P> {
    fn default() -> Self {
        Self(P::Word::new(0))
    }
}

impl<P: Primitives> LeftBehind<P> {
    /// Returns the number of such handlers.
    pub fn count(&self) -> i64 {
        self.0.load(Relaxed).cast_signed()
    }

    /// Returns whether the limit is reached.
    pub fn is_full(&self) -> bool {
        u64::try_from(self.count()).is_ok_and(|count| count >= MAX_LEFT_BEHIND)
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

    /// Counts a job that begins.
    pub fn begin(&self, left_behind: &LeftBehind<P>) {
        if self.0.fetch_add(1, Relaxed) & GONE != 0 {
            left_behind.0.fetch_add(1, Relaxed);
        }
    }

    /// Counts a job off that has ended.
    pub fn end(&self, left_behind: &LeftBehind<P>) {
        if self.0.fetch_sub(1, Relaxed) & GONE != 0 {
            left_behind.0.fetch_sub(1, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use loom::sync::Arc;
    use loom::thread;

    use crate::rt::primitive::Loom;

    use super::*;

    type Jobs = (ClientJobs<Loom>, LeftBehind<Loom>);

    /// Lets a client go by `leave`, while a job of it ends and another begins.
    fn a_client_goes(leave: fn(&Jobs)) {
        loom::model(move || {
            let jobs = Arc::new(Jobs::default());
            jobs.0.begin(&jobs.1);
            let threads: [fn(&Jobs); 3] =
                [|jobs| jobs.0.end(&jobs.1), |jobs| jobs.0.begin(&jobs.1), leave];
            let threads = threads.map(|act| {
                let jobs = Arc::clone(&jobs);
                thread::spawn(move || act(&jobs))
            });
            threads.into_iter().for_each(|thread| thread.join().unwrap());
            assert_eq!(jobs.1.count(), 1, "the jobs left behind");
            jobs.0.end(&jobs.1);
            assert_eq!(jobs.1.count(), 0, "the jobs left behind");
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
