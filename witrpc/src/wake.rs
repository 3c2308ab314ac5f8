//! Running wakers, which are other people's code.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

/// Wakes a task. Should its executor panic, that is between the two: others who are to be woken
/// after it are.
pub(crate) fn wake(waker: Waker) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| waker.wake())) {
        // To drop it may panic again.
        std::mem::forget(panic);
    }
}
