//! How many threads a server has, and how many of them are free.
//!
//! A thread has one of three states. The *holder* of the poller role looks or serves. A *stand-by* sleeps until
//! something rings. A *displaced* thread is stuck in a handler that it began as the holder, while another
//! thread took the role.
//!
//! # Invariants
//!
//! 1. When the last stand-by takes the role, another thread is started, up to the bound. So a holder that runs
//!    a handler leaves a thread that can be woken when the handler is slow. A holder at the bound starts one in
//!    place of a thread that is [left behind](super::shares).
//! 2. At the bound, without a stand-by, the holder does only upkeep, and runs no handlers and no tasks. With
//!    all others stuck, it is the last thread that can be woken. The upkeep includes requests that run no
//!    method (pulls of items and of events, closes, subscriptions). So a call that runs is not cut off from its
//!    client. During upkeep it is busy like any holder, and a thread that comes back may displace it.
//! 3. A holder that is alone runs handlers all the same. No other thread could be started, and one call at a
//!    time is better than none.
//! 4. A thread counts as a stand-by from before it lets go of the role, or returns from a handler. It does so
//!    until after it has taken the role again. So the count is exact whenever the role is vacant.

use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};

use crate::rt::primitive::{Primitives, Word};

/// A stand-by in the packed word; threads count in the low half.
const STANDBY: u64 = 1 << 32;

/// Stand-bys that never retire: one to take the role when something rings, and one to be left then.
const KEPT: u32 = 2;

/// The count of threads.
pub struct ThreadCount<P: Primitives> {
    /// Threads in the low half, the stand-bys among them in the high half: one word, so that both are read
    /// together.
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

    /// Returns how many other threads are in handlers, for the holder of the role.
    pub fn others_in_handlers(self) -> u32 {
        self.threads.saturating_sub(self.standbys + 1)
    }

    /// Returns how many threads are in handlers, while the role is vacant.
    pub fn in_handlers(self) -> u32 {
        self.threads.saturating_sub(self.standbys)
    }

    /// Returns whether the holder of the role may run handlers: invariants 2 and 3.
    pub fn may_serve(self) -> bool {
        self.standbys > 0 || self.threads <= 1
    }

    /// Returns whether the holder of the role has other threads, all of which stand by.
    #[inline]
    pub fn others_only_stand_by(self) -> bool {
        self.standbys > 0 && !self.others_run()
    }

    /// Returns whether threads stand by other than the caller, which is one.
    pub fn others_stand_by(self) -> bool {
        self.standbys > 1
    }

    /// Returns whether no thread is in a handler, while the role is vacant.
    pub fn all_stand_by(self) -> bool {
        self.threads == self.standbys
    }

    /// Returns whether other threads are in handlers, for the holder of the role.
    fn others_run(self) -> bool {
        self.threads > self.standbys + 1
    }

    /// Returns whether the holder of the role may start another thread, if `capacity` threads may be in
    /// handlers.
    pub fn needs_another(self, capacity: u32) -> bool {
        self.standbys == 0 && self.threads <= capacity
    }

    /// Returns whether there is more than one thread in addition to the `capacity` that may be in handlers.
    pub fn exceed(self, capacity: u32) -> bool {
        self.threads > capacity.saturating_add(1)
    }

    /// Returns whether more threads stand by than need to.
    pub fn has_surplus(self) -> bool {
        self.standbys > KEPT
    }
}

impl<P: Primitives> ThreadCount<P> {
    /// Returns a count of zero, for at most `max_workers` handlers at once and one more thread that looks.
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

    /// Counts a new thread that is about to start, as a stand-by. Returns the number of those before it.
    pub fn hire(&self) -> u64 {
        self.counts.fetch_add(1 + STANDBY, AcqRel);
        self.started.fetch_add(1, Relaxed)
    }

    /// Counts a stand-by off: it retired, or could not be started.
    pub fn dismiss(&self) {
        self.counts.fetch_sub(1 + STANDBY, AcqRel);
    }

    /// Notes that a stand-by has taken the role. Returns `true` if it was the last, and another must be hired.
    pub fn promote(&self) -> bool {
        let counts = PoolCounts::unpack(self.counts.fetch_sub(STANDBY, AcqRel) - STANDBY);
        counts.standbys == 0 && counts.threads < self.bound
    }

    /// Notes that a thread stands by again.
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
