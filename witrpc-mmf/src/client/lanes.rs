//! Which lanes are free, and what became of the others. All of it is private to this process.
//!
//! A lane has one owner from [`Lanes::take`] to [`Lanes::give_back`]. While its call is pending the
//! owner may lend it to the collector by a change of *phase*, which carries the call's seq so that
//! a phase left over from an earlier call means nothing:
//!
//! - `Owned`: only the caller touches the lane. The blocking path never leaves it.
//! - `Collectable`: a future has returned `Pending` and may never be polled again. Its answer may be
//!   moved to the shelf by whoever needs a lane.
//! - `Shelved`: that has happened; the lane has gone on to others.
//! - `Abandoned`: nobody waits; the lane comes back when the answer is there.
//!
//! Whoever wins the compare-exchange out of `Collectable` or `Abandoned` is the owner.

use std::sync::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst},
};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Instant;

use super::help::Help;
use crate::layout::GROUP;

/// See the head of this file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Phase {
    Owned = 0,
    Collectable = 1,
    Abandoned = 2,
    Shelved = 3,
}

fn word(seq: u64, phase: Phase) -> u64 {
    // 2^62 calls on one lane would take 14,000 years at 10 M a second.
    seq << 2 | phase as u64
}

/// [`Looks::Asleep`] as a word; no budget comes near it.
const ASLEEP: u32 = u32::MAX;

/// A future that sleeps until its lane's response line shows `seq`.
#[derive(Debug)]
pub(super) struct Sleeper {
    pub(super) seq: u64,
    pub(super) waker: Waker,
    pub(super) deadline: Option<Instant>,
    pub(super) help: Help,
}

/// How often the present call's future may still look in vain before it goes to sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Looks {
    /// It has not looked yet.
    NotGranted,
    Left(u32),
    /// It may have registered as a sleeper.
    Asleep,
}

/// The private half of a lane.
#[derive(Debug, Default)]
pub(super) struct Lane {
    /// The seq of the lane's latest line; changed by the owner only.
    seq: AtomicU64,
    phase: AtomicU64,
    /// See [`Looks`]. Accessed by the owner only.
    looks: AtomicU32,
    sleeper: Mutex<Option<Sleeper>>,
    /// The part of a segmented answer that has come.
    partial: Mutex<Option<Vec<u8>>>,
}

impl Lane {
    /// The seq for the lane's next line. Only the owner calls this.
    pub(super) fn next_seq(&self) -> u64 {
        let seq = self.seq.load(Relaxed) + 1;
        self.seq.store(seq, Relaxed);
        seq
    }

    /// Gives the owner's rights away. Release: the taker sees all that the owner did.
    pub(super) fn lend(&self, seq: u64, phase: Phase) {
        self.phase.store(word(seq, phase), Release);
    }

    /// Takes the owner's rights for this very call, if the lane is in `phase`.
    pub(super) fn reclaim(&self, seq: u64, phase: Phase) -> bool {
        let owned = word(seq, Phase::Owned);
        self.phase.compare_exchange(word(seq, phase), owned, AcqRel, Relaxed).is_ok()
    }

    /// Takes a collectable call off the lane: the winner is the lane's owner.
    pub(super) fn shelve(&self, seq: u64) -> bool {
        let (from, to) = (word(seq, Phase::Collectable), word(seq, Phase::Shelved));
        self.phase.compare_exchange(from, to, AcqRel, Relaxed).is_ok()
    }

    /// The seq of the lane's latest line.
    pub(super) fn seq(&self) -> u64 {
        self.seq.load(Relaxed)
    }

    /// The call and phase that the lane was last lent with.
    pub(super) fn lent(&self) -> Option<(u64, Phase)> {
        let word = self.phase.load(Acquire);
        match word & 3 {
            1 => Some((word >> 2, Phase::Collectable)),
            2 => Some((word >> 2, Phase::Abandoned)),
            3 => Some((word >> 2, Phase::Shelved)),
            _ => None,
        }
    }

    pub(super) fn sleeper(&self) -> MutexGuard<'_, Option<Sleeper>> {
        self.sleeper.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nobody is to be woken any more.
    pub(super) fn forget_sleeper(&self) {
        let sleeper = self.sleeper().take();
        // Without the lock, as its waker may be a task's last.
        drop(sleeper);
    }

    pub(super) fn looks(&self) -> Looks {
        match self.looks.load(Relaxed) {
            0 => Looks::NotGranted,
            ASLEEP => Looks::Asleep,
            more => Looks::Left(more - 1),
        }
    }

    pub(super) fn set_looks(&self, looks: Looks) {
        let word = match looks {
            Looks::NotGranted => 0,
            Looks::Left(left) => left + 1,
            Looks::Asleep => ASLEEP,
        };
        self.looks.store(word, Relaxed);
    }

    pub(super) fn partial(&self) -> MutexGuard<'_, Option<Vec<u8>>> {
        self.partial.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All lanes of a connection.
#[derive(Debug)]
pub(super) struct Lanes {
    /// A bit a lane: free.
    free: Box<[AtomicU64]>,
    lanes: Box<[Lane]>,
}

impl Lanes {
    pub(super) fn new(count: usize) -> Self {
        let groups = count.div_ceil(GROUP);
        let free = (0..groups).map(|group| {
            let bits = (count - group * GROUP).min(GROUP);
            AtomicU64::new(u64::MAX >> (GROUP - bits))
        });
        Self { free: free.collect(), lanes: (0..count).map(|_| Lane::default()).collect() }
    }

    /// Takes the lowest free lane: low lanes keep the high water, and so the server's scan, low.
    #[inline]
    pub(super) fn take(&self) -> Option<usize> {
        for (group, free) in self.free.iter().enumerate() {
            // SeqCst here and in `give_back`: whoever enters the queue of waiters and then finds
            // nothing here is seen there by whoever gives a lane back and then looks at the queue.
            let mut bits = free.load(SeqCst);
            while bits != 0 {
                let lowest = bits & bits.wrapping_neg();
                // Acquire pairs with `give_back`: the lane's last owner is done.
                match free.compare_exchange_weak(bits, bits & !lowest, Acquire, Relaxed) {
                    Ok(_) => return Some(group * GROUP + lowest.trailing_zeros() as usize),
                    Err(now) => bits = now,
                }
            }
        }
        None
    }

    /// The owner is done. The caller then looks whether somebody waits for a lane.
    #[inline]
    pub(super) fn give_back(&self, lane: usize) {
        let free = &self.free[lane / GROUP];
        free.fetch_or(1 << (lane % GROUP), SeqCst);
    }

    pub(super) fn count(&self) -> usize {
        self.lanes.len()
    }

    #[inline]
    pub(super) fn get(&self, lane: usize) -> &Lane {
        &self.lanes[lane]
    }

    /// The lanes of a group, with their numbers.
    pub(super) fn group(&self, group: usize) -> impl Iterator<Item = (usize, &Lane)> {
        self.lanes.iter().enumerate().skip(group * GROUP).take(GROUP)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lane_is_given_out_once() {
        for count in [1, 63, 64, 65, 130] {
            let lanes = Lanes::new(count);
            let taken: Vec<_> = std::iter::from_fn(|| lanes.take()).collect();
            assert_eq!(taken, (0..count).collect::<Vec<_>>());
            lanes.give_back(count - 1);
            assert_eq!(lanes.take(), Some(count - 1));
            assert_eq!(lanes.take(), None);
        }
    }

    #[test]
    fn a_phase_of_an_earlier_call_means_nothing() {
        let lane = Lane::default();
        let first = lane.next_seq();
        lane.lend(first, Phase::Collectable);
        assert!(lane.reclaim(first, Phase::Collectable));
        let second = lane.next_seq();
        lane.lend(second, Phase::Collectable);
        assert!(!lane.reclaim(first, Phase::Collectable));
        assert_eq!(lane.lent(), Some((second, Phase::Collectable)));
    }
}
