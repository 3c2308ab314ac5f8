//! The end of a task that waits when the server ends: one of two threads drops it.
//!
//! # Invariant
//!
//! Each such task is dropped by exactly one of two threads. The one that ends the server changes its stage,
//! fences ([`take_behind_stop`]), and tries the task's lock. The one that polls the task lets go of that lock,
//! fences ([`is_to_end`]), and looks at the stage. If the former thread's fence comes first, the latter finds
//! the server stopped, and then tries the lock itself. Otherwise the former finds the lock free. Neither waits
//! for the other, since user code runs under the lock.

use super::stage::ServerStage;
use crate::rt::primitive::Primitives;

/// Takes a task from its lock, unless a thread polls it. That thread then finds that the task is to end.
pub fn take_behind_stop<P: Primitives, T>(try_take: impl FnOnce() -> Option<T>) -> Option<T> {
    P::fence();
    try_take()
}

/// Returns whether a thread that has polled a task, and let go of its lock, must end it.
pub fn is_to_end<P: Primitives>(stage: &ServerStage<P>) -> bool {
    P::fence();
    stage.is_stopped()
}
