//! Whether answers wait for space, for those who publish what could be moved out of its way.
//!
//! What fills the arena may be answers that nobody fetches for now: to futures that are not polled, or
//! asked for ahead of time. So while an answer finds no space the client is rung, whose link thread
//! moves such answers to private memory ([`Client::make_room`](crate::client::Client)).
//!
//! # Invariants
//!
//! 1. The word is private to the server, and written under the lock of the queue of answers: it says
//!    1 from when somebody has gone through the queue and left answers in it, until somebody goes
//!    through it again.
//! 2. No ring is lost. Whoever leaves an answer in the queue says so, fences, and rings. Whoever
//!    publishes a block fences, looks, and rings if that is said. Of the two fences one comes first:
//!    either the block is there when the ring of the former is answered, or the latter rings too. One
//!    who looks while the queue is gone through rings for nobody: whoever goes through it fences and
//!    rings behind that, if any answer is left.
//! 3. Who goes through the queue without finding space has asked to be rung for a release
//!    ([`crate::link::release`]). So the release by which the client makes room brings the queue's next turn.

use std::sync::atomic::Ordering::Relaxed;

use crate::memory::words::{ReadWord, Word, Words};
use crate::wakeup::epoch;

/// Says whether answers wait for space.
pub struct SpaceWanted<W: Words>(W::U64);

impl<W: Words> SpaceWanted<W> {
    /// None wait; `word` holds 0.
    pub fn new(word: W::U64) -> Self {
        Self(word)
    }

    /// The queue is gone through, under its lock.
    pub fn relieve(&self) {
        self.0.store(0, Relaxed);
    }

    /// Answers are left in the queue, whose lock is still held. When that is let go,
    /// [`announce`](Self::announce) must follow.
    pub fn leave(&self) {
        self.0.store(1, Relaxed);
    }

    /// Rings for what was left.
    pub fn announce(ring: impl FnOnce()) {
        // Pairs with the fence of whoever publishes a block.
        epoch::fence::<W>();
        ring();
    }

    /// Whether the client is to be rung. For who has published a block and fenced since.
    #[inline]
    pub fn is_there_after_fence(&self) -> bool {
        self.0.load(Relaxed) != 0
    }
}

#[cfg(test)]
mod model;
