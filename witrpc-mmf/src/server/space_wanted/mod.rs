//! Whether answers wait for space. Threads that publish blocks look at it.
//!
//! The arena may be full of answers that are not fetched at present: of futures that are not
//! polled, or of calls made ahead of time. So while an answer finds no space, the client is rung.
//! Its link thread moves such answers to private memory
//! ([`Client::make_room`](crate::client::Client)).
//!
//! # Invariants
//!
//! 1. The word is private to the server, and written under the lock of the queue of answers. It is
//!    1 from when a thread has gone through the queue and left answers in it, until a thread goes
//!    through it again.
//! 2. No ring is lost, by [two fences](crate::wakeup). A thread that leaves answers in the queue sets
//!    the word, and rings. A thread that publishes a block looks, and rings if the word is set. So
//!    either the block is there when the client handles the first ring, or the second thread rings
//!    too. If the second thread looks while the queue is gone through, it does not ring; the thread
//!    that goes through the queue fences and rings afterwards, if answers are left.
//! 3. A thread that goes through the queue without finding space has requested a ring for a release
//!    ([`crate::link::release`]). So the release by which the client makes room leads to the next
//!    pass through the queue.

use std::sync::atomic::Ordering::Relaxed;

use crate::memory::words::{ReadWord, Word, Words};
use crate::wakeup::epoch;

/// Whether answers wait for space.
pub struct SpaceWanted<W: Words>(W::U64);

impl<W: Words> SpaceWanted<W> {
    /// Creates the state in which no answer waits. `word` must hold 0.
    pub fn new(word: W::U64) -> Self {
        Self(word)
    }

    /// Clears the word. Called under the queue's lock, before the queue is gone through.
    pub fn relieve(&self) {
        self.0.store(0, Relaxed);
    }

    /// Sets the word, because answers are left in the queue, whose lock is still held. When the
    /// lock is released, [`announce`](Self::announce) must follow.
    pub fn leave(&self) {
        self.0.store(1, Relaxed);
    }

    /// Rings for the answers that were left.
    pub fn announce(ring: impl FnOnce()) {
        // Pairs with the fence of the thread that publishes a block.
        epoch::fence::<W>();
        ring();
    }

    /// Returns whether the client must be rung, for a thread that has published a block and
    /// executed a fence since.
    #[inline]
    pub fn is_there_after_fence(&self) -> bool {
        self.0.load(Relaxed) != 0
    }
}

#[cfg(test)]
mod model;
