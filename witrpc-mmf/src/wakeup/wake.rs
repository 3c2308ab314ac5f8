//! Tasks that can be woken, in the library or in a model.

use std::task::Waker;

use witrpc_rt::wake;

/// A task that can be woken, or what stands for one in a model.
pub trait Wakeup {
    /// Wakes the task.
    fn wake_up(self);
}

impl Wakeup for Waker {
    fn wake_up(self) {
        wake(self);
    }
}
