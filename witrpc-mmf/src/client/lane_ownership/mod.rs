//! Which thread may access a lane while its call is pending.
//!
//! A lane has one owner from [`Lanes::take`](super::lanes::Lanes::take) to
//! [`Lanes::give_back`](super::lanes::Lanes::give_back). While its call is pending, the owner may
//! lend it by a change of *phase*. A phase carries the seq of the call, so one left over from an
//! earlier call has no effect:
//!
//! - `Owned`: only the caller accesses the lane. A blocking caller never leaves this phase.
//! - `Collectable`: a future has returned `Pending` and may never be polled again. A thread that
//!   needs a lane or space may move its answer to the completed ones.
//! - `Completed`: the answer was moved there, and the lane may be in use by other calls.
//! - `Abandoned`: the caller has given the call up. The lane is freed when the answer is there.
//!
//! The thread that wins the compare-exchange out of `Collectable` or `Abandoned` becomes the owner.

#[cfg(test)]
mod model;

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use crate::memory::words::{Mapped, ReadWord, Word, Words};

/// The state of a lane with a pending call. See the [module](self).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum LanePhase {
    Owned = 0,
    Collectable = 1,
    Abandoned = 2,
    Completed = 3,
}

/// The phase of a lane and the seq of its call, in a word that is private to the process.
pub struct LaneOwnership<W: Words>(W::U64);

impl Default for LaneOwnership<Mapped> {
    fn default() -> Self {
        Self::new(0.into())
    }
}

impl<W: Words> LaneOwnership<W> {
    /// Creates the state of a lane that was never lent. `word` must hold 0.
    pub fn new(word: W::U64) -> Self {
        Self(word)
    }

    /// Gives up ownership. Release: the next owner sees all that this one did.
    pub fn lend(&self, seq: u64, phase: LanePhase) {
        self.0.store(word(seq, phase), Release);
    }

    /// Takes ownership back for call `seq`, if the lane is in `phase` for that call. Returns
    /// whether it did.
    pub fn reclaim(&self, seq: u64, phase: LanePhase) -> bool {
        self.exchange(seq, phase, LanePhase::Owned)
    }

    /// Takes ownership, to move the answer of a collectable call off the lane. Returns whether it
    /// did.
    pub fn complete(&self, seq: u64) -> bool {
        self.exchange(seq, LanePhase::Collectable, LanePhase::Completed)
    }

    fn exchange(&self, seq: u64, from: LanePhase, to: LanePhase) -> bool {
        // Acquire: the winner sees all that the owner did before it lent the lane.
        self.0.compare_exchange(word(seq, from), word(seq, to), Acquire, Relaxed).is_ok()
    }

    /// Returns the call and phase with which the lane was lent last, or `None` while it is owned.
    pub fn current(&self) -> Option<(u64, LanePhase)> {
        // Acquire: a call that finds its lane in use by a later call sees the seq of that call.
        let word = self.0.load(Acquire);
        let phase = match word & 3 {
            1 => LanePhase::Collectable,
            2 => LanePhase::Abandoned,
            3 => LanePhase::Completed,
            _ => return None,
        };
        Some((word >> 2, phase))
    }
}

fn word(seq: u64, phase: LanePhase) -> u64 {
    // 2^62 calls on one lane take 14,000 years at ten million calls a second.
    seq << 2 | phase as u64
}
