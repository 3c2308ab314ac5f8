//! The duty to look: the poller role and the tasks' bell in the one order that is right.
//!
//! The steps of a server thread that other threads depend on are here and nowhere else; the models
//! of `model.rs` walk through them with a port of their own.

use super::bell::TaskBell;
use super::poller_lock::{Claim, PollerGuard, PollerLock, ThreadNumber};
use crate::rt::primitive::Primitives;

/// Who looks for requests and tasks, and who has to be told.
pub struct PollerProtocol<P: Primitives> {
    poller_lock: PollerLock<P>,
    /// What tasks are counted with.
    pub bell: TaskBell<P>,
}

impl<P: Primitives> PollerProtocol<P> {
    pub fn new() -> Self {
        Self { poller_lock: PollerLock::new(), bell: TaskBell::new() }
    }

    /// A thread woke up. It gets the role unless somebody looks already at all that may have rung.
    pub fn woken(&self, me: ThreadNumber) -> Option<PollerGuard> {
        self.bell.heard();
        loop {
            match self.poller_lock.claim(me) {
                Claim::Taken(guard) => return Some(guard),
                Claim::Watched => return None,
                Claim::Unwatched if !self.bell.any_ready() => return None,
                // The holder has not seen yet that there are tasks now. It is one look away from
                // that, or from being busy or gone. This happens once in a server's life.
                Claim::Unwatched => P::pause(),
            }
        }
    }

    /// Before each look: the holder promises to look at the tasks as soon as there can be any.
    pub fn notice_tasks(&self, guard: &mut PollerGuard) {
        if !guard.watches_tasks() && self.bell.is_in_use() {
            self.poller_lock.watch_tasks(guard);
        }
    }

    /// The holder goes busy. `true`: it must ring, tasks are left behind.
    #[must_use]
    pub fn begin(&self, guard: &mut PollerGuard) -> bool {
        self.poller_lock.begin(guard) && self.bell.must_ring_for_rest()
    }

    /// The holder has answered. `false`: somebody else has the role now.
    #[must_use]
    pub fn end(&self, guard: &mut PollerGuard) -> bool {
        self.poller_lock.end(guard)
    }

    /// The holder lets go. It must look once more afterwards, at requests and at
    /// [`TaskBell::any_ready`].
    pub fn release(&self, guard: PollerGuard) {
        self.poller_lock.release(guard);
    }

    /// That last look found something.
    pub fn reacquire(&self, me: ThreadNumber) -> Option<PollerGuard> {
        self.poller_lock.reacquire(me)
    }

    /// A task was counted and queued. `true`: the caller must ring.
    #[must_use]
    pub fn queued(&self) -> bool {
        self.bell.should_wake(&self.poller_lock)
    }
}
