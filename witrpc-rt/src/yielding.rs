//! Yielding while a thread spins, and noticing that the processor is wanted by others.

use std::thread;
use std::time::{Duration, Instant};

/// A yield that takes longer has let a thread run that computes. Threads that spin give the processor back
/// within some microseconds, and a peer that only answers a call too. A thread that computes keeps it for a
/// time slice: some milliseconds.
const SHORT: Duration = Duration::from_micros(100);

/// Yields the processor. Returns whether another thread has kept it for long.
///
/// A thread that spins must stop when this is `true`. The scheduler lets a thread that was woken run before
/// one that computes, but not one that has yielded.
pub fn yield_to_others() -> bool {
    let began = Instant::now();
    thread::yield_now();
    began.elapsed() > SHORT
}
