//! Runs wakers, which are code of other libraries.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

/// Wakes a task. A waker is code of its executor: its panic affects neither the waking thread nor the tasks
/// that this thread wakes next.
pub fn wake(waker: Waker) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| waker.wake())) {
        // Dropping the payload could panic again.
        std::mem::forget(panic);
    }
}
