//! How many threads a server has, and how many of them are free.
//!
//! A thread is one of three things: the *holder* of the poller role while it looks or serves, a
//! *stand-by*, which sleeps until something rings, or *displaced*: stuck in a handler that it
//! began as the holder, while another thread took the role.
//!
//! # Invariants
//!
//! 1. When a stand-by takes the role and no other is left, another thread is started, up to the
//!    bound. So a holder that runs a handler leaves somebody to be woken when the handler is slow. A
//!    holder at the bound starts one in place of a thread that is [left behind](super::shares).
//! 2. At the bound, with no stand-by left, the holder runs no handlers and no tasks, it only does
//!    the upkeep: with all others stuck it would be the last one that can be woken. The upkeep
//!    includes requests that run no method (pulls of items and of events, closes, subscriptions): no
//!    call that runs is cut off from its client. Among them it is busy like any holder, and may be
//!    displaced by a thread that comes back.
//! 3. A holder that is alone runs handlers all the same: no thread could be started, and to serve
//!    one call at a time is better than none.
//! 4. A thread counts as a stand-by from before it lets go of the role (or returns from a handler)
//!    until after it has taken the role again. So the count is exact whenever the role is vacant.

use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};

use crate::rt::primitive::{Primitives, Word};

/// A stand-by in the packed word; threads count in the low half.
const STANDBY: u64 = 1 << 32;

/// Stand-bys that stay however long nothing happens: one to hold the role when something rings,
/// one to be left.
const KEPT: u32 = 2;

/// The count.
pub struct ThreadCount<P: Primitives> {
    /// Threads in the low half, stand-bys among them in the high one: one word, so that they are
    /// seen together.
    counts: P::Word,
    /// Threads ever started, for their numbers.
    started: P::Word,
    /// How many threads there may be.
    bound: u32,
}

/// The two counts of one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolCounts {
    pub threads: u32,
    pub standbys: u32,
}

impl PoolCounts {
    fn unpack(word: u64) -> Self {
        Self { threads: word as u32, standbys: (word >> 32) as u32 }
    }

    fn pack(self) -> u64 {
        u64::from(self.threads) | u64::from(self.standbys) << 32
    }

    /// How many threads are in handlers beside the holder of the role.
    pub fn others_in_handlers(self) -> u32 {
        self.threads.saturating_sub(self.standbys + 1)
    }

    /// How many threads are in handlers, given that nobody holds the role.
    pub fn in_handlers(self) -> u32 {
        self.threads.saturating_sub(self.standbys)
    }

    /// Whether the holder of the role may run handlers: invariants 2 and 3 of the crew.
    pub fn may_serve(self) -> bool {
        self.standbys > 0 || self.threads <= 1
    }

    /// Whether there are threads beside the holder of the role, and none of them is in a handler.
    #[inline]
    pub fn others_only_stand_by(self) -> bool {
        self.standbys > 0 && !self.others_run()
    }

    /// Whether there are stand-bys beside the caller, who is one.
    pub fn others_stand_by(self) -> bool {
        self.standbys > 1
    }

    /// Whether no thread is in a handler, given that nobody holds the role.
    pub fn all_stand_by(self) -> bool {
        self.threads == self.standbys
    }

    /// Whether threads beside the holder of the role are in handlers.
    fn others_run(self) -> bool {
        self.threads > self.standbys + 1
    }

    /// Whether another thread may be started, for the holder of the role, if so many may be in handlers.
    pub fn needs_another(self, capacity: u32) -> bool {
        self.standbys == 0 && self.threads <= capacity
    }

    /// Whether there are more threads than one beside those that may be in handlers.
    pub fn exceed(self, capacity: u32) -> bool {
        self.threads > capacity.saturating_add(1)
    }

    /// Whether more stand by than need to.
    pub fn has_surplus(self) -> bool {
        self.standbys > KEPT
    }
}

impl<P: Primitives> ThreadCount<P> {
    /// No threads yet, and at most `max_workers` handlers at once: one more thread looks.
    pub fn new(max_workers: u32) -> Self {
        Self {
            counts: P::Word::new(0),
            started: P::Word::new(0),
            bound: max_workers.saturating_add(1),
        }
    }

    pub fn counts(&self) -> PoolCounts {
        PoolCounts::unpack(self.counts.load(Acquire))
    }

    /// A new thread is about to start, as a stand-by. Returns the number of those before it.
    pub fn hire(&self) -> u64 {
        self.counts.fetch_add(1 + STANDBY, AcqRel);
        self.started.fetch_add(1, Relaxed)
    }

    /// A stand-by is gone: it retired, or could not be started.
    pub fn dismiss(&self) {
        self.counts.fetch_sub(1 + STANDBY, AcqRel);
    }

    /// A stand-by has taken the role. `true`: it was the last, another is to be hired.
    pub fn promote(&self) -> bool {
        let counts = PoolCounts::unpack(self.counts.fetch_sub(STANDBY, AcqRel) - STANDBY);
        counts.standbys == 0 && counts.threads < self.bound
    }

    /// A thread stands by again.
    pub fn stand_by(&self) {
        self.counts.fetch_add(STANDBY, AcqRel);
    }

    /// Lets a stand-by retire if enough others stay.
    pub fn try_retire(&self) -> bool {
        let mut seen = self.counts.load(Acquire);
        loop {
            let mut counts = PoolCounts::unpack(seen);
            if !counts.has_surplus() {
                return false;
            }
            counts.threads -= 1;
            counts.standbys -= 1;
            match self.counts.compare_exchange(seen, counts.pack()) {
                Ok(_) => return true,
                Err(now) => seen = now,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::rt::primitive::Std;

    use super::*;

    #[test]
    fn the_last_stand_by_asks_for_another_up_to_the_bound() {
        let thread_count = ThreadCount::<Std>::new(2);
        thread_count.hire();
        thread_count.hire();
        assert!(!thread_count.promote(), "one stand-by is left");
        assert!(thread_count.promote(), "none is left, and a third thread is allowed");
        thread_count.hire();
        assert!(thread_count.counts().may_serve());
        assert!(!thread_count.promote(), "none is left, but three threads are the bound");
        assert!(
            !thread_count.counts().may_serve(),
            "two handlers are stuck: the third thread only looks"
        );
        thread_count.stand_by();
        assert!(thread_count.counts().may_serve());
    }

    #[test]
    fn a_thread_that_is_alone_serves() {
        let thread_count = ThreadCount::<Std>::new(8);
        thread_count.hire();
        assert!(thread_count.promote());
        assert!(thread_count.counts().may_serve());
    }

    #[test]
    fn two_stand_bys_never_retire() {
        let thread_count = ThreadCount::<Std>::new(8);
        for _ in 0..4 {
            thread_count.hire();
        }
        assert!(thread_count.try_retire());
        assert!(thread_count.try_retire());
        assert!(!thread_count.try_retire());
        assert_eq!(thread_count.counts(), PoolCounts { threads: 2, standbys: 2 });
    }

    #[test]
    fn numbers_are_not_given_twice() {
        let thread_count = ThreadCount::<Std>::new(8);
        let first = thread_count.hire();
        thread_count.dismiss();
        assert_ne!(first, thread_count.hire());
    }
}
