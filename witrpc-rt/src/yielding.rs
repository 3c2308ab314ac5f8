//! Yielding while a thread spins, and noticing that the processor is wanted by others.

use std::thread;
use std::time::{Duration, Instant};

/// A yield that takes longer has let a thread run that computes. Threads that spin give the processor back
/// within some microseconds, and a peer that only answers a call too. A thread that computes keeps it for a
/// time slice: some milliseconds.
const SHORT: Duration = Duration::from_micros(100);

/// How often a thread yields before it naps.
const YIELDS: u32 = 100;
/// Longer than it takes to wake a thread, and short for a thread that waits for another to go on.
const NAP: Duration = Duration::from_micros(200);

/// The pauses of a thread that waits for another one to take its next steps, where no event says so.
///
/// A yield alone does not do: a thread of real-time priority (`SCHED_FIFO`) that yields is run again at once,
/// and keeps those of lower priority from running. So the first pauses are yields, and the others naps.
#[derive(Debug, Default)]
pub struct Patience {
    pauses: u32,
}

impl Patience {
    /// Lets others run.
    pub fn pause(&mut self) {
        if self.pauses < YIELDS {
            self.pauses += 1;
            thread::yield_now();
        } else {
            thread::sleep(NAP);
        }
    }
}

/// Yields the processor. Returns whether another thread has kept it for long.
///
/// A thread that spins must stop when this is `true`. The scheduler lets a thread that was woken run before
/// one that computes, but not one that has yielded.
pub fn yield_to_others() -> bool {
    let began = Instant::now();
    thread::yield_now();
    began.elapsed() > SHORT
}
