//! Tasks that are ready, and whether a thread has to be woken for them.
//!
//! # Invariants
//!
//! 1. A task that is queued while no thread watches the queue has a ring on its way. The thread that this ring
//!    wakes puts [`TaskBell::ring_pending`] back, and then looks at the role. So one ring at a time is enough
//!    for any number of tasks.
//! 2. A thread that queues a task counts it first, then fences, then looks at the role
//!    ([`TaskBell::should_wake`]). A holder that goes busy or vacant writes the role first, then fences, then
//!    looks at the count. One of the two fences comes first. Either the queueing thread sees that no holder
//!    looks, and rings, or the holder sees the task.
//! 3. `ring_pending` is only swapped, never stored to. A thread that finds it set leaves without a ring; the
//!    thread that puts it back acquires what the former wrote.

use std::sync::atomic::Ordering::{AcqRel, Relaxed, Release};

use super::poller_lock::PollerLock;
use crate::rt::primitive::{Primitives, Word};

/// The count of ready tasks, which rings for them only when needed.
pub struct TaskBell<P: Primitives> {
    /// Set for good when the first task is suspended.
    in_use: P::Word,
    /// Ready tasks. Counted before they are queued, and until after they were taken out.
    ready: P::Word,
    /// A ring is on its way.
    ring_pending: P::Word,
}

impl<P: Primitives> TaskBell<P> {
    pub fn new() -> Self {
        Self { in_use: P::Word::new(0), ready: P::Word::new(0), ring_pending: P::Word::new(0) }
    }

    /// Notes that tasks can be woken from now on. Written once only, since every look of the holder reads it.
    pub fn put_to_use(&self) {
        if !self.is_in_use() {
            self.in_use.store(1, Release);
        }
    }

    /// Returns whether a task was ever suspended.
    pub fn is_in_use(&self) -> bool {
        self.in_use.load(Relaxed) != 0
    }

    /// Counts a task that is about to be queued.
    pub fn add(&self) {
        self.ready.fetch_add(1, Release);
    }

    /// Counts a task off that was taken out of the queue.
    pub fn remove(&self) {
        self.ready.fetch_sub(1, Relaxed);
    }

    /// Returns whether tasks are ready, or about to be.
    pub fn any_ready(&self) -> bool {
        self.ready.load(Relaxed) != 0
    }

    /// Returns whether the caller, which has queued a task, must ring for it.
    pub fn should_wake(&self, poller_lock: &PollerLock<P>) -> bool {
        P::fence();
        !poller_lock.watches_tasks() && self.claim_ring()
    }

    /// Returns whether a holder that has just gone busy must ring for the tasks that it leaves behind.
    pub fn must_ring_for_rest(&self) -> bool {
        self.any_ready() && self.claim_ring()
    }

    /// Notes that a ring woke this thread, which looks at the role next.
    pub fn heard(&self) {
        self.ring_pending.swap(0, AcqRel);
    }

    fn claim_ring(&self) -> bool {
        self.ring_pending.swap(1, AcqRel) == 0
    }
}
