//! Asking the server for a free thread.
//!
//! The server's poller runs handlers itself, and a slow one holds up who comes after it. A caller
//! that sleeps therefore rings again and again, at growing distances, until the server's claimed
//! word says that its call has been found; from then on its sleep is untimed. (A single ring is not
//! enough: the poller may be awake when it comes, and begin a slow handler just after.)

use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use crate::memory::words::ReadWord;

use super::Client;
use super::waiters::earliest;

const FIRST: Duration = Duration::from_micros(100);
const LONGEST: Duration = Duration::from_millis(2);

/// When to ask next, for one sleeping call.
#[derive(Clone, Copy, Debug)]
pub(super) struct StallTimer {
    /// `None` once the call has been claimed.
    next: Option<Instant>,
    pause: Duration,
}

impl StallTimer {
    /// For a call that goes to sleep now.
    pub(super) fn new() -> Self {
        Self { next: Some(Instant::now() + FIRST), pause: FIRST }
    }

    /// When the sleeper must look up: for its deadline, or to ask.
    pub(super) fn wake_at(&self, deadline: Option<Instant>) -> Option<Instant> {
        earliest(self.next, deadline)
    }
}

impl Client {
    /// Asks for a thread if the time has come and the call `seq` of `lane` has not been claimed.
    pub(super) fn ask_for_help(&self, lane: usize, seq: u64, help: &mut StallTimer, now: Instant) {
        if help.next.is_none_or(|at| now < at) {
            return;
        }
        // Relaxed: a hint that ends the ringing; nothing is read on the strength of it.
        let claimed = self.server.word64(self.layout.claimed_word(lane)).load(Relaxed);
        if claimed >= seq {
            help.next = None;
            return;
        }
        self.bell.ring();
        help.pause = (help.pause * 2).min(LONGEST);
        help.next = Some(now + help.pause);
    }
}
