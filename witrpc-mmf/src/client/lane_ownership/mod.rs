//! Who may touch a lane while its call is pending.
//!
//! A lane has one owner from [`Lanes::take`](super::lanes::Lanes::take) to
//! [`Lanes::give_back`](super::lanes::Lanes::give_back). While its call is pending the owner may lend
//! it by a change of *phase*, which carries the call's seq so that a phase left over from an earlier
//! call means nothing:
//!
//! - `Owned`: only the caller touches the lane. The blocking path never leaves it.
//! - `Collectable`: a future has returned `Pending` and may never be polled again. Its answer may be
//!   moved to the completed by whoever needs a lane.
//! - `Completed`: that has happened; the lane has gone on to others.
//! - `Abandoned`: nobody waits; the lane comes back when the answer is there.
//!
//! Whoever wins the compare-exchange out of `Collectable` or `Abandoned` is the owner.

#[cfg(test)]
mod model;

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use crate::memory::words::{Mapped, ReadWord, Word, Words};

/// See the head of this file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    Owned = 0,
    Collectable = 1,
    Abandoned = 2,
    Completed = 3,
}

/// A lane's phase and the seq that it is about, in a private word.
pub struct LaneOwnership<W: Words>(W::U64);

impl Default for LaneOwnership<Mapped> {
    fn default() -> Self {
        Self::new(0.into())
    }
}

impl<W: Words> LaneOwnership<W> {
    /// Never lent; `word` holds 0.
    pub fn new(word: W::U64) -> Self {
        Self(word)
    }

    /// Gives the owner's rights away. Release: the taker sees all that the owner did.
    pub fn lend(&self, seq: u64, phase: Phase) {
        self.0.store(word(seq, phase), Release);
    }

    /// Takes the owner's rights for this very call, if the lane is in `phase`.
    pub fn reclaim(&self, seq: u64, phase: Phase) -> bool {
        self.exchange(seq, phase, Phase::Owned)
    }

    /// Takes a collectable call off the lane: the winner is the lane's owner.
    pub fn complete(&self, seq: u64) -> bool {
        self.exchange(seq, Phase::Collectable, Phase::Completed)
    }

    fn exchange(&self, seq: u64, from: Phase, to: Phase) -> bool {
        // Acquire: the winner sees all that the owner did before it lent the lane.
        self.0.compare_exchange(word(seq, from), word(seq, to), Acquire, Relaxed).is_ok()
    }

    /// The call and phase that the lane was last lent with; `None` while it is owned.
    pub fn current(&self) -> Option<(u64, Phase)> {
        // Acquire: a call that finds its lane gone on sees the later call's seq.
        let word = self.0.load(Acquire);
        let phase = match word & 3 {
            1 => Phase::Collectable,
            2 => Phase::Abandoned,
            3 => Phase::Completed,
            _ => return None,
        };
        Some((word >> 2, phase))
    }
}

fn word(seq: u64, phase: Phase) -> u64 {
    // 2^62 calls on one lane would take 14,000 years at 10 M a second.
    seq << 2 | phase as u64
}
