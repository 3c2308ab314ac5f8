//! Running wakers, which are other people's code.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

/// Wakes a task. A waker is its executor's code: should it panic, that is between the executor and
/// its task, and neither the link thread nor another task's call ends of it.
pub(crate) fn wake(waker: Waker) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| waker.wake())) {
        // To drop it may panic again.
        std::mem::forget(panic);
    }
}

/// A task that can be woken, or what stands for one in a model.
pub(crate) trait Wakeup {
    /// Wakes it.
    fn wake_up(self);
}

impl Wakeup for Waker {
    fn wake_up(self) {
        wake(self);
    }
}
