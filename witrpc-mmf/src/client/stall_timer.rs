//! When a sleeping caller rings the server for another thread.
//!
//! The server's poller runs handlers itself, and a slow handler delays the calls behind it. So a
//! caller that sleeps rings again and again, at growing intervals, until the server's claimed word
//! shows that its call has been taken. From then on its sleep has no time limit. (One ring is not
//! enough: the poller may be awake when it arrives, and start a slow handler just after.)

use std::time::{Duration, Instant};

use witrpc_rt::Doubling;

use super::deadlines::earliest;

const FIRST: Duration = Duration::from_micros(100);
const LONGEST: Duration = Duration::from_millis(2);

/// When to ring next, for one sleeping call.
#[derive(Clone, Copy, Debug)]
pub struct StallTimer {
    /// `None` once the server has taken the call.
    next: Option<Instant>,
    pauses: Doubling,
}

impl StallTimer {
    /// Starts the timer of a call that goes to sleep now.
    pub fn new() -> Self {
        let mut pauses = Doubling::new(FIRST, LONGEST);
        Self { next: Some(Instant::now() + pauses.next_pause()), pauses }
    }

    /// Returns when the sleeper must wake up: at its deadline or at the next ring, whichever is
    /// earlier.
    pub fn wake_at(&self, deadline: Option<Instant>) -> Option<Instant> {
        earliest(self.next, deadline)
    }

    /// Returns whether it is time to ring.
    pub fn is_due(&self, now: Instant) -> bool {
        self.next.is_some_and(|at| now >= at)
    }

    /// Stops the timer, because the server has taken the call.
    pub fn stop(&mut self) {
        self.next = None;
    }

    /// Doubles the interval, up to a limit, and starts it. To be called after each ring.
    pub fn put_off(&mut self, now: Instant) {
        self.next = Some(now + self.pauses.next_pause());
    }
}
