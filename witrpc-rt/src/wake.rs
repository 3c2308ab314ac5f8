//! Running wakers, which are other people's code.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

/// Wakes a task. A waker is its executor's code: if it panics, that concerns the executor and its task.
/// Neither the waking thread nor the tasks that it wakes next are affected.
pub fn wake(waker: Waker) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| waker.wake())) {
        // To drop it may panic again.
        std::mem::forget(panic);
    }
}
