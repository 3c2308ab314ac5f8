//! Asking the server for a free thread.
//!
//! The server's poller runs handlers itself, and a slow one holds up who comes after it. A caller
//! that sleeps therefore rings again and again, at growing distances, until the server's claimed
//! word says that its call has been found; from then on its sleep is untimed. (A single ring is not
//! enough: the poller may be awake when it comes, and begin a slow handler just after.)

use std::time::{Duration, Instant};

use super::deadlines::earliest;

const FIRST: Duration = Duration::from_micros(100);
const LONGEST: Duration = Duration::from_millis(2);

/// When to ask next, for one sleeping call.
#[derive(Clone, Copy, Debug)]
pub struct StallTimer {
    /// `None` once the call has been claimed.
    next: Option<Instant>,
    pause: Duration,
}

impl StallTimer {
    /// For a call that goes to sleep now.
    pub fn new() -> Self {
        Self { next: Some(Instant::now() + FIRST), pause: FIRST }
    }

    /// When the sleeper must look up: for its deadline, or to ask.
    pub fn wake_at(&self, deadline: Option<Instant>) -> Option<Instant> {
        earliest(self.next, deadline)
    }

    /// Whether it is time to ask.
    pub fn is_due(&self, now: Instant) -> bool {
        self.next.is_some_and(|at| now >= at)
    }

    /// The call has been claimed: there is nothing to ask for.
    pub fn stop(&mut self) {
        self.next = None;
    }

    /// The server has been asked: the next time is later than the last was.
    pub fn put_off(&mut self, now: Instant) {
        self.pause = (self.pause * 2).min(LONGEST);
        self.next = Some(now + self.pause);
    }
}
