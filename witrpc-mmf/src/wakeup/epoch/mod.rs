//! Wake-up requests: how a publisher knows that no thread looks for what it publishes.
//!
//! One *sleeper* and any number of *publishers* share a word, **written by the sleeper only**. It
//! is 0 while the sleeper looks regularly, and otherwise an epoch, which the word never held
//! before.
//!
//! - Sleeper, before it sleeps: store a new epoch; fence; look once more at all that publishers may
//!   have published; sleep only if there is nothing.
//! - Publisher: publish; fence; load the word; ring if it is an epoch for which this side has not rung
//!   yet.
//!
//! No wake-up is lost, by [two fences](super). The publisher may also load a later epoch, and rings.
//!
//! Why one ring for each epoch is enough: the first publisher that sees the epoch rings. Any other
//! publisher that saw it had published before the look with which the sleeper follows the ring.
//!
//! A sleeper that is slow to store its epoch may overwrite a later one. That may cause an extra
//! ring, but never a missing one, because each epoch is stored once.
//!
//! Where one thread answers the doorbell for many sleepers, [`SharedWakeEpoch`] requests one ring
//! for all of them instead of one for each.

#[cfg(test)]
mod model;

use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use crate::memory::words::{Lock, ReadWord, Word, Words};

/// The sleeper's private half: the epochs that it has used.
pub struct WakeEpoch<W: Words> {
    used: W::U64,
}

impl<W: Words> WakeEpoch<W> {
    /// Creates a half that has used no epoch. `used` is a private word that must hold 0.
    pub fn new(used: W::U64) -> Self {
        Self { used }
    }

    /// Requests a ring, in `word` of this side's region. The sleeper must then execute
    /// `fence(SeqCst)` and look once more before it sleeps.
    pub fn request_wakeup(&self, word: &W::U64) {
        // Relaxed: the fence that follows orders the word. Distinct epochs need only atomicity.
        let epoch = self.used.fetch_add(1, Relaxed) + 1;
        word.store(epoch, Relaxed);
    }

    /// Withdraws the request, because this side looks regularly from now on. What a publisher
    /// publishes without a ring is found by the next regular look, or by the look after the next
    /// [`request_wakeup`](Self::request_wakeup).
    pub fn withdraw_request(&self, word: &W::U64) {
        word.store(0, Relaxed);
    }
}

/// The publishers' private half: the epoch for which they have rung last.
pub struct WakeRequest<W: Words> {
    last: W::U64,
}

impl<W: Words> WakeRequest<W> {
    /// Creates a half that has not rung. `last` is a private word that must hold 0.
    pub fn new(last: W::U64) -> Self {
        Self { last }
    }

    /// Returns whether this publisher must ring for the request in `word`. To be called after
    /// publishing.
    #[inline]
    pub fn should_wake(&self, word: &W::PeerU64) -> bool {
        fence::<W>();
        self.should_wake_after_fence(word)
    }

    /// Returns whether there is a request for which this side has not rung.
    pub fn is_awaited(&self, word: &W::PeerU64) -> bool {
        let epoch = word.load(Relaxed);
        epoch != 0 && self.last.load(Relaxed) != epoch
    }

    /// Does [`should_wake`](Self::should_wake) for a caller that has executed a fence since it
    /// published.
    #[inline]
    pub fn should_wake_after_fence(&self, word: &W::PeerU64) -> bool {
        let epoch = word.load(Relaxed);
        // The load comes first: nothing is written if this side has rung for the epoch already.
        epoch != 0 && self.last.load(Relaxed) != epoch && self.last.swap(epoch, Relaxed) != epoch
    }
}

/// The sleepers' private half where one thread answers the doorbell for all of them.
pub struct SharedWakeEpoch<W: Words> {
    wake_epoch: WakeEpoch<W>,
    /// Whether the request has not been answered yet. Under a lock, so that no sleeper relies on a
    /// request that is not stored yet, or for which the sleepers have been looked at already.
    requested: W::Lock<bool>,
}

impl<W: Words> SharedWakeEpoch<W> {
    /// Creates a half that has used no epoch. `used` must hold 0 and `requested` must be false;
    /// both are private.
    pub fn new(used: W::U64, requested: W::Lock<bool>) -> Self {
        Self { wake_epoch: WakeEpoch::new(used), requested }
    }

    /// Requests a ring, unless there is a request already. The caller must have registered before
    /// where [`answer`](Self::answer) finds it, and must look once more after this before it
    /// sleeps.
    pub fn request_wakeup(&self, word: &W::U64) {
        self.requested.locked(|requested| {
            if !*requested {
                self.wake_epoch.request_wakeup(word);
                *requested = true;
            }
        });
        // A caller that finds an earlier request needs a fence too: the thread that stored the
        // request may not have executed its own yet.
        fence::<W>();
    }

    /// Answers a ring, after the doorbell was drained. `wake` looks at every sleeper, wakes those
    /// whose wait is over, and returns whether others sleep on.
    pub fn answer(&self, word: &W::U64, mut wake: impl FnMut() -> bool) {
        self.requested.locked(|requested| *requested = false);
        if wake() {
            self.request_wakeup(word);
            // For what was published since the first look, the publisher may have seen the old
            // epoch, for which it has rung.
            wake();
        }
    }
}

/// Executes the fence between a publication and the look at the other side's request, or between a
/// request and the last look. Every use pairs with one on the other side.
#[inline]
pub fn fence<W: Words>() {
    W::fence(SeqCst);
}
