//! A pair of memory barriers, of which one is free and the other expensive.
//!
//! Two threads each store a word and then load the word of the other. Without barriers, each may miss the
//! store of the other. With a [`light_barrier`] between store and load in one thread and a
//! [`heavy_barrier`] in the other, at least one of them sees the store of the other, as with two
//! `SeqCst` fences.
//!
//! The light barrier only keeps the compiler from moving memory accesses. The heavy one has the system
//! run a full barrier on each processor that runs a thread of this process (`membarrier` of Linux). A
//! thread that does not run has had one when it was switched out.

use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicU8, compiler_fence};

/// The state of the registration that the system wants before the first heavy barrier.
static STATE: AtomicU8 = AtomicU8::new(UNKNOWN);

const UNKNOWN: u8 = 0;
const REGISTERING: u8 = 1;
const READY: u8 = 2;
const ABSENT: u8 = 3;

/// The cheap barrier of the pair. It does nothing beside a heavy barrier of another process.
#[inline(always)]
pub fn light_barrier() {
    compiler_fence(SeqCst);
}

/// The expensive barrier of the pair. Only threads that have seen [`has_heavy_barrier`] may rely on it.
#[cold]
pub fn heavy_barrier() {
    system::heavy_barrier();
}

/// Returns whether there is a heavy barrier by now.
///
/// The system may need tens of milliseconds to prepare for it. So the first call has a thread ask for it,
/// and returns `false` without waiting.
#[inline]
pub fn has_heavy_barrier() -> bool {
    match STATE.load(Relaxed) {
        READY => true,
        UNKNOWN => {
            begin_to_register();
            false
        }
        _ => false,
    }
}

#[cold]
fn begin_to_register() {
    if STATE.compare_exchange(UNKNOWN, REGISTERING, Relaxed, Relaxed).is_err() {
        return;
    }
    let register = || STATE.store(if system::register() { READY } else { ABSENT }, Relaxed);
    if crate::spawn("witrpc-barrier", register).is_err() {
        STATE.store(ABSENT, Relaxed);
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::sync::atomic::Ordering::{Relaxed, SeqCst};
    use std::sync::atomic::fence;
    use std::thread;
    use std::time::Duration;

    use rustix::thread::{MembarrierCommand, MembarrierQuery, membarrier, membarrier_query};

    /// Registers this process. Returns whether it may use the barrier.
    pub(super) fn register() -> bool {
        let wanted =
            MembarrierQuery::PRIVATE_EXPEDITED | MembarrierQuery::REGISTER_PRIVATE_EXPEDITED;
        membarrier_query().contains(wanted)
            && membarrier(MembarrierCommand::RegisterPrivateExpedited).is_ok()
            && membarrier(MembarrierCommand::PrivateExpedited).is_ok()
    }

    pub(super) fn heavy_barrier() {
        fence(SeqCst);
        if membarrier(MembarrierCommand::PrivateExpedited).is_ok() {
            return;
        }
        // A forked process registers anew, in case that the system does not count it as registered.
        if !register() {
            withdrawn();
        }
    }

    /// Goes without a barrier that the process was denied after it had registered, by a filter of system
    /// calls. No thread counts on the barrier from now on. A thread that does already has its stores
    /// visible within far less than this time.
    fn withdrawn() {
        super::STATE.store(super::ABSENT, Relaxed);
        thread::sleep(Duration::from_millis(1));
        fence(SeqCst);
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    pub(super) fn register() -> bool {
        false
    }

    pub(super) fn heavy_barrier() {
        unreachable!("no thread was told that there is one");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;
    use std::sync::atomic::Ordering::{Acquire, Release};
    use std::thread;

    use super::*;

    #[test]
    fn a_process_that_asks_has_a_heavy_barrier_after_a_while() {
        while !has_heavy_barrier() {
            if STATE.load(Relaxed) == ABSENT {
                eprintln!("skipped: this system has no membarrier");
                return;
            }
            thread::yield_now();
        }
        heavy_barrier();
        assert!(has_heavy_barrier());
    }

    /// One thread stores a number and looks whether it is asked for; the other asks, and then looks for
    /// the number. In no round may both miss each other.
    #[test]
    fn of_two_threads_one_sees_the_store_of_the_other() {
        const ROUNDS: u64 = 20_000;
        while !has_heavy_barrier() {
            if STATE.load(Relaxed) == ABSENT {
                eprintln!("skipped: this system has no membarrier");
                return;
            }
            thread::yield_now();
        }
        let [number, asked, seen] = [(); 3].map(|()| AtomicU64::new(0));
        let [light_done, heavy_done] = [(); 2].map(|()| AtomicU64::new(0));
        let meet = |mine: &AtomicU64, other: &AtomicU64, round| {
            mine.store(round, Release);
            while other.load(Acquire) < round {
                thread::yield_now();
            }
        };
        thread::scope(|scope| {
            scope.spawn(|| {
                for round in 1..=ROUNDS {
                    number.store(round, Relaxed);
                    light_barrier();
                    seen.store(asked.load(Relaxed), Relaxed);
                    meet(&light_done, &heavy_done, 2 * round);
                    meet(&light_done, &heavy_done, 2 * round + 1);
                }
            });
            for round in 1..=ROUNDS {
                asked.store(round, Relaxed);
                heavy_barrier();
                let found = number.load(Relaxed);
                meet(&heavy_done, &light_done, 2 * round);
                assert!(found == round || seen.load(Relaxed) == round, "round {round}");
                meet(&heavy_done, &light_done, 2 * round + 1);
            }
        });
    }
}
