//! The duty to look: the poller role and the tasks' bell, used in the one correct order.
//!
//! All steps of a server thread that other threads depend on are here. The models of `model.rs` walk through
//! them with a port of their own.

use super::bell::TaskBell;
use super::poller_lock::{Claim, PollerGuard, PollerLock, ThreadNumber};
use crate::rt::primitive::Primitives;

/// The role and the bell, with the order in which a thread uses them.
pub struct PollerProtocol<P: Primitives> {
    poller_lock: PollerLock<P>,
    /// The count of ready tasks.
    pub bell: TaskBell<P>,
}

impl<P: Primitives> PollerProtocol<P> {
    pub fn new() -> Self {
        Self { poller_lock: PollerLock::new(), bell: TaskBell::new() }
    }

    /// Takes the role for a thread that woke up, unless a holder already looks at all that may have rung.
    pub fn woken(&self, me: ThreadNumber) -> Option<PollerGuard> {
        self.bell.heard();
        loop {
            match self.poller_lock.claim(me) {
                Claim::Taken(guard) => return Some(guard),
                Claim::Watched => return None,
                Claim::Unwatched if !self.bell.any_ready() => return None,
                // The holder has not seen yet that there are tasks now. It is one look away from that, or from
                // being busy or gone. This happens once in a server's life.
                Claim::Unwatched => P::pause(),
            }
        }
    }

    /// Makes the holder promise, before each look, to look at the tasks as soon as there can be any.
    pub fn notice_tasks(&self, guard: &mut PollerGuard) {
        if !guard.watches_tasks() && self.bell.is_in_use() {
            self.poller_lock.watch_tasks(guard);
        }
    }

    /// Makes the holder busy. Returns `true` if it must ring, because it leaves tasks behind.
    #[must_use]
    pub fn begin(&self, guard: &mut PollerGuard) -> bool {
        self.poller_lock.begin(guard) && self.bell.must_ring_for_rest()
    }

    /// Makes a holder that has answered look again. Returns `false` if another thread has the role now.
    #[must_use]
    pub fn end(&self, guard: &mut PollerGuard) -> bool {
        self.poller_lock.end(guard)
    }

    /// Lets go of the role. The caller must look once more afterwards, at requests and at
    /// [`TaskBell::any_ready`].
    pub fn release(&self, guard: PollerGuard) {
        self.poller_lock.release(guard);
    }

    /// Takes the role back after that last look found something.
    pub fn reacquire(&self, me: ThreadNumber) -> Option<PollerGuard> {
        self.poller_lock.reacquire(me)
    }

    /// Notes a task that was counted and queued. Returns `true` if the caller must ring.
    #[must_use]
    pub fn queued(&self) -> bool {
        self.bell.should_wake(&self.poller_lock)
    }
}
