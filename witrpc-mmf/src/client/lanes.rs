//! Which lanes are free, and the state of the others. All of it is private to this process.

use std::sync::atomic::Ordering::{Acquire, Relaxed, SeqCst};
use std::sync::atomic::{AtomicU32, AtomicU64};
use std::sync::{Mutex, MutexGuard};
use std::task::Waker;

use witrpc_rt::lock;
use witrpc_transport::Ticket;

use crate::link::reassembly::Reassembly;
use crate::memory::layout::GROUP;
use crate::memory::words::Mapped;

use super::lane_ownership::{LaneOwnership, LanePhase};
use super::lane_queue::FreeLanes;
use super::sleeper::SleeperSlot;
use super::stall_timer::StallTimer;

/// How often the current call may look for its response before it goes to sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looks {
    /// It has not looked yet.
    NotGranted,
    Left(u32),
    /// Its thread has looked as often as it may, or until there was an answer that it could not take. What
    /// came of it has been noted.
    Spun,
    /// It may have registered as a sleeper.
    Asleep,
}

/// [`Looks::Asleep`] as a word. No spin budget reaches it.
const ASLEEP: u32 = u32::MAX;

/// [`Looks::Spun`] likewise.
const SPUN: u32 = u32::MAX - 1;

/// The client's private state of a lane.
#[derive(Default)]
pub struct ClientLane {
    /// The seq of the lane's latest line. Written by the lane's owner only.
    seq: AtomicU64,
    /// Which thread may access the lane.
    pub ownership: LaneOwnership<Mapped>,
    /// See [`Looks`]. Accessed by the lane's owner only.
    looks: AtomicU32,
    pub sleeper: SleeperSlot<Mapped, Waker, StallTimer>,
    /// The segments of an answer that have arrived.
    reassembly: Mutex<Option<Reassembly>>,
}

impl ClientLane {
    /// Counts up and returns the seq of the lane's next line. Only the owner may call this.
    #[inline]
    pub fn next_seq(&self) -> u64 {
        let seq = self.seq.load(Relaxed) + 1;
        self.seq.store(seq, Relaxed);
        seq
    }

    /// Returns the seq of the lane's latest line.
    pub fn seq(&self) -> u64 {
        self.seq.load(Relaxed)
    }

    pub fn looks(&self) -> Looks {
        match self.looks.load(Relaxed) {
            0 => Looks::NotGranted,
            ASLEEP => Looks::Asleep,
            SPUN => Looks::Spun,
            more => Looks::Left(more - 1),
        }
    }

    pub fn set_looks(&self, looks: Looks) {
        let word = match looks {
            Looks::NotGranted => 0,
            Looks::Left(left) => left + 1,
            Looks::Spun => SPUN,
            Looks::Asleep => ASLEEP,
        };
        self.looks.store(word, Relaxed);
    }

    /// Takes the lane back for a call that may have lent it. Returns `false` if the answer was moved off
    /// the lane, which may be in use by a later call.
    #[inline]
    pub fn is_owned_again_by(&self, ticket: Ticket) -> bool {
        match self.ownership.current() {
            Some((seq, LanePhase::Collectable)) if seq == ticket.seq => {
                self.ownership.reclaim(seq, LanePhase::Collectable)
            }
            Some((seq, LanePhase::Completed)) if seq == ticket.seq => false,
            // Not lent since this call began, or the lane is already used by a later call.
            _ => self.seq() == ticket.seq,
        }
    }

    pub fn reassembly(&self) -> MutexGuard<'_, Option<Reassembly>> {
        lock(&self.reassembly)
    }
}

/// All lanes of a connection.
pub struct Lanes {
    /// One bit for each lane, set while it is free.
    free: Box<[AtomicU64]>,
    /// The lane that was given back last, as a hint. Taking it needs one atomic operation, while
    /// the lowest free lane has to be searched for first.
    last: AtomicU32,
    lanes: Box<[ClientLane]>,
}

impl Lanes {
    pub fn new(count: usize) -> Self {
        let groups = count.div_ceil(GROUP);
        let free = (0..groups).map(|group| {
            let bits = (count - group * GROUP).min(GROUP);
            AtomicU64::new(u64::MAX >> (GROUP - bits))
        });
        let lanes = (0..count).map(|_| ClientLane::default()).collect();
        Self { free: free.collect(), last: AtomicU32::new(0), lanes }
    }

    /// Takes the lane that was given back last, or else the lowest free one. So the client uses as
    /// few lanes as it has calls at once, which keeps the high water, and the server's scan, low.
    #[inline]
    pub fn take(&self) -> Option<usize> {
        let last = self.last.load(Relaxed) as usize;
        let bit = 1 << (last % GROUP);
        // Acquire: pairs with `give_back`. What the last owner did to the lane is seen.
        if self.free[last / GROUP].fetch_and(!bit, Acquire) & bit != 0 {
            return Some(last);
        }
        self.take_lowest()
    }

    fn take_lowest(&self) -> Option<usize> {
        for (group, free) in self.free.iter().enumerate() {
            // SeqCst here and in `give_back`: a call enters the lane queue and then looks here,
            // while a thread gives a lane back and then looks at the queue. One of the two sees
            // what the other did.
            let mut bits = free.load(SeqCst);
            while bits != 0 {
                let lowest = bits & bits.wrapping_neg();
                // Acquire, as in `take`.
                match free.compare_exchange_weak(bits, bits & !lowest, Acquire, Relaxed) {
                    Ok(_) => return Some(group * GROUP + lowest.trailing_zeros() as usize),
                    Err(now) => bits = now,
                }
            }
        }
        None
    }

    /// Gives a lane back. The caller must then check whether a call waits for a lane.
    #[inline]
    pub fn give_back(&self, lane: usize) {
        self.last.store(lane as u32, Relaxed);
        let free = &self.free[lane / GROUP];
        free.fetch_or(1 << (lane % GROUP), SeqCst);
    }

    pub fn count(&self) -> usize {
        self.lanes.len()
    }

    #[inline]
    pub fn get(&self, lane: usize) -> &ClientLane {
        &self.lanes[lane]
    }

    /// Returns the lanes of a group, with their numbers.
    pub fn group(&self, group: usize) -> impl Iterator<Item = (usize, &ClientLane)> {
        self.lanes.iter().enumerate().skip(group * GROUP).take(GROUP)
    }
}

impl FreeLanes for Lanes {
    fn free(&self) -> usize {
        // SeqCst, as in `take_lowest`.
        self.free.iter().map(|free| free.load(SeqCst).count_ones() as usize).sum()
    }

    fn take(&self) -> Option<usize> {
        self.take()
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
            assert_eq!(lanes.free(), 0);
            (0..count).for_each(|lane| lanes.give_back(lane));
            assert_eq!(lanes.free(), count);
        }
    }
}
