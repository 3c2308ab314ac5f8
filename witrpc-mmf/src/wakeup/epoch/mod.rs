//! Asking to be rung: how a publisher knows that nobody looks.
//!
//! One *sleeper* and any number of *publishers* share a word, **written by the sleeper only**:
//! 0 while the sleeper looks at every turn, else an epoch that has never stood there before.
//!
//! - Sleeper, before it sleeps: store a new epoch; `fence(SeqCst)`; look once more at all that
//!   publishers may have published; sleep only if there is nothing.
//! - Publisher: publish; `fence(SeqCst)`; load the word; ring if it is an epoch that this side has
//!   not rung for yet.
//!
//! Why no wake-up is lost: of the two fences one comes first. If it is the sleeper's, the publisher
//! loads the epoch (or something later) and rings; if it is the publisher's, the sleeper's look
//! finds what was published. Why one ring an epoch is enough: the first publisher that sees the
//! epoch rings, and whoever else has seen it had published before the sleeper's look that follows
//! the ring.
//!
//! A sleeper that is slow to store its epoch may overwrite a later one. That costs a ring too many
//! and never one too few, since no epoch is stored twice.
//!
//! Where one thread answers the bell for many sleepers, an epoch each would be a ring each:
//! [`SharedWakeEpoch`] has one stand for all of them until it has been answered.

#[cfg(test)]
mod model;

use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use crate::memory::words::{Lock, ReadWord, Word, Words};

/// The sleeper's private half: which epochs it has used.
pub struct WakeEpoch<W: Words> {
    used: W::U64,
}

impl<W: Words> WakeEpoch<W> {
    /// No epoch used yet; `used` is a private word that holds 0.
    pub fn new(used: W::U64) -> Self {
        Self { used }
    }

    /// Asks to be rung. A `fence(SeqCst)` and one more look must follow before the sleeper sleeps.
    pub fn request_wakeup(&self, word: &W::U64) {
        // Relaxed: the fence that follows orders it; private uniqueness needs only atomicity.
        let epoch = self.used.fetch_add(1, Relaxed) + 1;
        word.store(epoch, Relaxed);
    }

    /// Says that every turn looks. What a turn misses that a publisher did not ring for, the next one
    /// finds, or the look that follows [`request_wakeup`](Self::request_wakeup).
    pub fn withdraw_request(&self, word: &W::U64) {
        word.store(0, Relaxed);
    }
}

/// The publishers' private half: which epoch they have rung for.
pub struct WakeRequest<W: Words> {
    last: W::U64,
}

impl<W: Words> WakeRequest<W> {
    /// Nothing rung yet; `last` is a private word that holds 0.
    pub fn new(last: W::U64) -> Self {
        Self { last }
    }

    /// Whether this publisher must ring. To be called after publishing.
    #[inline]
    pub fn should_wake(&self, word: &W::PeerU64) -> bool {
        fence::<W>();
        self.should_wake_after_fence(word)
    }

    /// Whether an epoch stands that this side has not rung for.
    pub fn is_awaited(&self, word: &W::PeerU64) -> bool {
        let epoch = word.load(Relaxed);
        epoch != 0 && self.last.load(Relaxed) != epoch
    }

    /// [`should_wake`](Self::should_wake) for who has fenced since publishing.
    #[inline]
    pub fn should_wake_after_fence(&self, word: &W::PeerU64) -> bool {
        let epoch = word.load(Relaxed);
        // The load first: while an epoch stands that has been rung for, nothing is written.
        epoch != 0 && self.last.load(Relaxed) != epoch && self.last.swap(epoch, Relaxed) != epoch
    }
}

/// The sleepers' private half where one thread answers the bell for all of them.
pub struct SharedWakeEpoch<W: Words> {
    wake_epoch: WakeEpoch<W>,
    /// Whether an epoch stands that the bell has not been answered for. Under a lock, so that no
    /// sleeper relies on an epoch before it stands, or after the sleepers have been looked at for it.
    requested: W::Lock<bool>,
}

impl<W: Words> SharedWakeEpoch<W> {
    /// No epoch used yet; `used` holds 0 and `requested` is false, both private.
    pub fn new(used: W::U64, requested: W::Lock<bool>) -> Self {
        Self { wake_epoch: WakeEpoch::new(used), requested }
    }

    /// Asks to be rung, unless that has been asked already. The caller has registered where
    /// [`answer`](Self::answer) finds it, and looks once more after this before it sleeps.
    pub fn request_wakeup(&self, word: &W::U64) {
        self.requested.locked(|requested| {
            if !*requested {
                self.wake_epoch.request_wakeup(word);
                *requested = true;
            }
        });
        // Whoever finds an epoch standing needs its own fence: the one that stored it may not have
        // come to its fence yet.
        fence::<W>();
    }

    /// Answers the bell, which has been drained. `wake` looks at every sleeper, wakes those whose
    /// wait is over, and says whether others sleep on.
    pub fn answer(&self, word: &W::U64, mut wake: impl FnMut() -> bool) {
        self.requested.locked(|requested| *requested = false);
        if wake() {
            self.request_wakeup(word);
            // What was published since the first look may have found the old epoch rung for.
            wake();
        }
    }
}

/// The fence between a publication and the look at the other side's wish to be woken, and between
/// such a wish and the last look. Every use pairs with another use on the other side.
#[inline]
pub fn fence<W: Words>() {
    W::fence(SeqCst);
}
