//! The stages of a server's end, and why no method runs once the server was found quiet.
//!
//! # Invariant
//!
//! A server that was found quiet ([`ServerStage::settle`]) begins no further method, and has answered all that
//! it has begun. It reports all that it has not answered as not taken, so this has to be true. A stream that a
//! method returns was answered when it was opened: its items may still be made, and its clients see it cut.
//!
//! - The thread that finds it quiet stores *refusing* and fences. Then it looks whether all threads stand by
//!   and no job is left.
//! - A thread that takes the poller role is counted as not standing by
//!   ([`ThreadCount::promote`](super::thread_count::ThreadCount)). It fences ([`ServerStage::enter`]), and
//!   looks at the stage before each call that it begins.
//!
//! One of the two fences comes first. If it is the former thread's, the latter refuses what it takes. If it is
//! the latter's, the former finds a thread that does not stand by.

use std::sync::atomic::Ordering::{Acquire, Relaxed};

use crate::rt::primitive::{Primitives, Word};

const SERVING: u64 = 0;
/// All that had arrived when this began is yet to be found.
const DRAINING: u64 = 1;
/// All of that was found: requests found now have come later.
const REFUSING: u64 = 2;
const STOPPING: u64 = 3;

/// The stage a server is in, which only grows.
#[derive(Debug)]
pub struct ServerStage<P: Primitives> {
    /// Read by every look of a thread.
    word: P::Word,
}

impl<P: Primitives> ServerStage<P> {
    pub fn new() -> Self {
        Self { word: P::Word::new(SERVING) }
    }

    /// Returns whether a shutdown waits for calls to be answered.
    pub fn is_draining(&self) -> bool {
        matches!(self.word.load(Acquire), DRAINING | REFUSING)
    }

    /// Returns whether calls that are found now must not begin.
    #[inline]
    pub fn refuses(&self) -> bool {
        self.word.load(Relaxed) >= REFUSING
    }

    /// Returns whether threads should end.
    pub fn is_stopped(&self) -> bool {
        self.word.load(Relaxed) == STOPPING
    }

    pub fn begin_draining(&self) {
        self.raise(DRAINING);
        // Pairs with the fence of a job that ends: it sees this, or the look that follows sees it gone.
        P::fence();
    }

    /// Refuses further calls. While draining, a look at everything has found nothing, so all that had arrived
    /// was taken.
    pub fn begin_refusing(&self) {
        self.raise(REFUSING);
    }

    /// Begins the stop. Returns `true` to the first caller, which then closes the port.
    pub fn begin_stop(&self) -> bool {
        self.raise(STOPPING) != STOPPING
    }

    /// Notes that this thread has taken the role and is counted as one that does not stand by.
    pub fn enter(&self) {
        P::fence();
    }

    /// Returns whether nothing runs, as `is_quiet` says behind the fence, and nothing will.
    pub fn settle(&self, is_quiet: impl FnOnce() -> bool) -> bool {
        self.begin_refusing();
        P::fence();
        is_quiet()
    }

    /// Raises the stage, and returns the one before.
    fn raise(&self, stage: u64) -> u64 {
        let mut seen = self.word.load(Acquire);
        while seen < stage {
            match self.word.compare_exchange(seen, stage) {
                Ok(_) => return seen,
                Err(now) => seen = now,
            }
        }
        seen
    }
}
