//! Tasks that are ready, and who has to be told of it.
//!
//! # Invariants
//!
//! 1. A task that is queued while nobody watches the queue has a ring on its way, and whoever that
//!    ring wakes looks at the role after it has put [`TaskBell::rung`] back. So one ring at a time
//!    is enough for any number of tasks.
//! 2. Whoever queues counts first, then fences, then looks at the role ([`TaskBell::should_wake`]). A
//!    holder that goes busy or vacant writes the role first, then fences, then looks at the count.
//!    Of the two fences one comes first: either the former sees that nobody looks and rings, or the
//!    latter sees the task.
//! 3. `rung` is only swapped, never stored to: the thread that puts it back acquires what those
//!    wrote who left without ringing because of it.

use std::sync::atomic::Ordering::{AcqRel, Relaxed, Release};

use super::poller_lock::PollerLock;
use crate::rt::primitive::{Primitives, Word};

/// Counts tasks that are ready and rings for them no more often than needed.
pub struct TaskBell<P: Primitives> {
    /// Set for good when the first task is suspended.
    in_use: P::Word,
    /// Tasks that are ready. Counted before they are queued and until after they were taken out.
    ready: P::Word,
    /// A ring is on its way.
    rung: P::Word,
}

impl<P: Primitives> TaskBell<P> {
    pub fn new() -> Self {
        Self { in_use: P::Word::new(0), ready: P::Word::new(0), rung: P::Word::new(0) }
    }

    /// Tasks can be woken from now on. Read by every look of the holder, so written once only.
    pub fn put_to_use(&self) {
        if !self.is_in_use() {
            self.in_use.store(1, Release);
        }
    }

    /// Whether a task was ever suspended.
    pub fn is_in_use(&self) -> bool {
        self.in_use.load(Relaxed) != 0
    }

    /// A task is about to be queued.
    pub fn add(&self) {
        self.ready.fetch_add(1, Release);
    }

    /// A task was taken out of the queue.
    pub fn remove(&self) {
        self.ready.fetch_sub(1, Relaxed);
    }

    /// Whether tasks are ready, or just about to be.
    pub fn any_ready(&self) -> bool {
        self.ready.load(Relaxed) != 0
    }

    /// Whether the caller, who has queued a task, must ring for it.
    pub fn should_wake(&self, poller_lock: &PollerLock<P>) -> bool {
        P::fence();
        !poller_lock.watches_tasks() && self.claim_ring()
    }

    /// Whether a holder that has just gone busy must ring for the tasks that it leaves behind.
    pub fn must_ring_for_rest(&self) -> bool {
        self.any_ready() && self.claim_ring()
    }

    /// A thread was woken, by whatever ring: it looks at the role next.
    pub fn heard(&self) {
        self.rung.swap(0, AcqRel);
    }

    fn claim_ring(&self) -> bool {
        self.rung.swap(1, AcqRel) == 0
    }
}
