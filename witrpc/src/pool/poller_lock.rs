//! The poller role: which thread of a server looks for requests.
//!
//! One word, private to the process: which thread holds the role, what it is doing, and an epoch. The epoch
//! makes every state of the word different from all earlier ones.
//!
//! # Invariants
//!
//! 1. While the word says *looking*, only its holder writes it. So a holder that looks changes the word by a
//!    plain store ([`PollerLock::begin`], [`PollerLock::release`]).
//! 2. While it says *busy*, any thread may take it by compare-exchange. So the holder comes back to looking by
//!    compare-exchange, and thereby finds out whether it was displaced ([`PollerLock::end`]). This is the
//!    pool's one locked instruction a call; a transport has its own.
//! 3. While it says *vacant*, any thread may take it by compare-exchange.
//! 4. Busy lasts from the claim of a request, or of a task, until after its answer.
//! 5. A woken thread looks at the word *after a fence* ([`PollerLock::claim`]). A holder that puts the role
//!    down first makes the word vacant, *then* fences, *then* looks for work once more. If there is any, it
//!    retakes the role by compare-exchange. One of the two fences comes first: either the woken thread finds
//!    the role vacant, or the holder finds the work. To look first and then put the role down would lose the
//!    wake-up for good.
//! 6. A looking word that has [`WATCHING`] set is a promise: the holder fences after it goes busy, and rings if
//!    tasks are queued. So a thread that queues one may leave without a ring. A holder without the promise does
//!    neither. That saves every call a fence for as long as no task was ever suspended.
//!
//! Memory orders: each change of the word releases, and each look that leads to taking it acquires. So the next
//! holder sees what the last one did, for example where it stopped scanning.

use std::sync::atomic::Ordering::{Relaxed, Release};

use crate::rt::primitive::{Primitives, Word};

/// The holder is in a handler; otherwise it looks.
const BUSY: u64 = 1;
/// The holder has promised to look at the queue of tasks.
const WATCHING: u64 = 1 << 1;
/// Where the holder's number stands; zero when the role is vacant.
const OWNER_SHIFT: u32 = 2;
const OWNER_BITS: u32 = 14;
const OWNER: u64 = ((1 << OWNER_BITS) - 1) << OWNER_SHIFT;
/// The step from one epoch to the next.
const EPOCH: u64 = 1 << (OWNER_SHIFT + OWNER_BITS);

/// The number of a thread, from 1. Two threads that live at the same time never share one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThreadNumber(u64);

impl ThreadNumber {
    /// Wraps around after that many threads, long after the first of them retired. The epoch keeps their words
    /// apart all the same.
    pub fn from_count(count: u64) -> Self {
        Self(count % ((1 << OWNER_BITS) - 1) + 1)
    }
}

/// The word.
pub struct PollerLock<P: Primitives> {
    word: P::Word,
}

/// The held role: what the holder last made of the word. It is not `Clone`, so two threads cannot hold it.
#[derive(Debug)]
pub struct PollerGuard {
    word: u64,
    displaced_another: bool,
}

/// What a woken thread learns.
#[derive(Debug)]
pub enum Claim {
    /// The role was vacant or its holder busy: the caller holds it now.
    Taken(PollerGuard),
    /// Another thread looks, and will find what rang.
    Watched,
    /// Another thread looks, but not at the tasks.
    Unwatched,
}

impl<P: Primitives> PollerLock<P> {
    /// Returns a vacant role.
    pub fn new() -> Self {
        Self { word: P::Word::new(0) }
    }

    /// Takes the role unless its holder is looking. For a thread that was rung.
    pub fn claim(&self, me: ThreadNumber) -> Claim {
        // Invariant 5; pairs with the fence in `release` and with the one in `begin`.
        P::fence();
        let mut seen = self.word.load(Relaxed);
        loop {
            if seen & OWNER != 0 && seen & BUSY == 0 {
                return if seen & WATCHING == 0 { Claim::Unwatched } else { Claim::Watched };
            }
            match self.take(seen, me) {
                Ok(guard) => return Claim::Taken(guard),
                Err(now) => seen = now,
            }
        }
    }

    /// Takes the role back after it was put down, unless another thread was quicker and looks now.
    pub fn reacquire(&self, me: ThreadNumber) -> Option<PollerGuard> {
        let seen = self.word.load(Relaxed);
        if seen & OWNER != 0 { None } else { self.take(seen, me).ok() }
    }

    fn take(&self, seen: u64, me: ThreadNumber) -> Result<PollerGuard, u64> {
        let word = (seen & !(EPOCH - 1)).wrapping_add(EPOCH) | me.0 << OWNER_SHIFT;
        let displaced_another = seen & BUSY != 0;
        self.word.compare_exchange(seen, word).map(|_| PollerGuard { word, displaced_another })
    }

    /// Goes from looking to busy. Returns `true` if the promise holds: the caller must now look at the queue of
    /// tasks, and ring if there are any.
    pub fn begin(&self, guard: &mut PollerGuard) -> bool {
        debug_assert_eq!(guard.word & BUSY, 0);
        guard.word = guard.word.wrapping_add(EPOCH) | BUSY;
        self.word.store(guard.word, Release);
        let watching = guard.word & WATCHING != 0;
        if watching {
            // Invariant 6. Pairs with the fence of a thread that queues a task and with `claim`.
            P::fence();
        }
        watching
    }

    /// Goes from busy back to looking. Returns `false` if another thread took the role meanwhile.
    #[must_use]
    pub fn end(&self, guard: &mut PollerGuard) -> bool {
        debug_assert_ne!(guard.word & BUSY, 0);
        let looking = guard.word & !BUSY;
        let held = self.word.compare_exchange(guard.word, looking).is_ok();
        guard.word = looking;
        held
    }

    /// Makes the promise of [`WATCHING`]; the caller looks at the queue of tasks from here on.
    pub fn watch_tasks(&self, guard: &mut PollerGuard) {
        debug_assert_eq!(guard.word & BUSY, 0);
        guard.word |= WATCHING;
        self.word.store(guard.word, Release);
    }

    /// Lets go of the role. The caller must look for work once more, whatever it saw before.
    pub fn release(&self, guard: PollerGuard) {
        debug_assert_eq!(guard.word & BUSY, 0);
        self.word.store(guard.word & !(EPOCH - 1), Release);
        // Invariant 5. Pairs with the fence in `claim` and with that of a thread that queues a task.
        P::fence();
    }

    /// Returns whether a holder looks at the queue of tasks. The caller has fenced.
    pub fn watches_tasks(&self) -> bool {
        let seen = self.word.load(Relaxed);
        seen & OWNER != 0 && seen & BUSY == 0 && seen & WATCHING != 0
    }
}

impl PollerGuard {
    /// Returns whether it was taken from a thread that was stuck.
    pub fn displaced_another(&self) -> bool {
        self.displaced_another
    }

    /// Returns whether the promise of [`WATCHING`] was made.
    pub fn watches_tasks(&self) -> bool {
        self.word & WATCHING != 0
    }
}
