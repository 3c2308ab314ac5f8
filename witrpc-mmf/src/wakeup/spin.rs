//! How long a waiter spins before it sleeps.

use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use witrpc_transport::WaitPolicy;

/// The number of looks without a pause between them. They take about a microsecond, in which a
/// short call is answered. A `pause` instruction takes up to 140 cycles on Intel since Skylake, a
/// third of a round trip.
const EAGER: u32 = 1_000;
/// The looks of the longest adaptive spin: about 100 µs where a pause is short. It must be longer
/// than it takes to wake a server that sleeps (25 to 50 µs). Otherwise the caller sleeps too, its
/// next call finds the server asleep again, and this goes on for every call.
const MAX: u32 = 10_000;
/// The looks of [`WaitPolicy::Spin`]: about 10 ms.
const LONG: u32 = 200_000;
/// Of this many waits with an empty budget, one spins.
const PROBE_EVERY: u32 = 16;

/// A spin budget that adapts to its success. It counts looks, not time, because reading a clock
/// costs more than a look.
#[derive(Debug)]
pub struct Spin {
    policy: WaitPolicy,
    /// The looks of the next wait. Threads race on it; a lost update makes it slightly out of date.
    budget: AtomicU32,
    /// The waits since the budget fell to 0.
    skipped: AtomicU32,
}

impl Spin {
    pub fn new(policy: WaitPolicy) -> Self {
        // With one processor, the peer cannot run while this thread spins. The count honours CPU
        // quotas.
        let alone = std::thread::available_parallelism().is_ok_and(|cpus| cpus.get() == 1);
        let budget = match policy {
            WaitPolicy::Park => 0,
            WaitPolicy::Spin => LONG,
            // Adaptive.
            _ if alone => 0,
            _ => MAX,
        };
        let policy = if budget == 0 { WaitPolicy::Park } else { policy };
        Self { policy, budget: AtomicU32::new(budget), skipped: AtomicU32::new(0) }
    }

    /// Returns the looks of a wait that begins now.
    #[inline]
    pub fn looks(&self) -> u32 {
        let budget = self.budget.load(Relaxed);
        if budget > 0 || self.policy == WaitPolicy::Park {
            return budget;
        }
        let skipped = self.skipped.load(Relaxed) + 1;
        self.skipped.store(skipped % PROBE_EVERY, Relaxed);
        if skipped == PROBE_EVERY { MAX } else { 0 }
    }

    /// Records that a spin found what it waited for. It writes only when something changes, so that
    /// the cache line stays shared between threads that all succeed.
    #[inline]
    pub fn succeeded(&self) {
        if self.policy == WaitPolicy::Adaptive && self.budget.load(Relaxed) != MAX {
            self.budget.store(MAX, Relaxed);
        }
    }

    /// Records that a spin did not find what it waited for.
    pub fn failed(&self) {
        if self.policy == WaitPolicy::Adaptive {
            let budget = self.budget.load(Relaxed) / 2;
            // A spin that is much shorter than the eager part would hardly ever succeed.
            self.budget.store(if budget < EAGER / 8 { 0 } else { budget }, Relaxed);
        }
    }

    /// Pauses between two looks, of which `done` have been made.
    #[inline]
    pub fn breathe(done: u32) {
        if done >= EAGER {
            std::hint::spin_loop();
        }
    }

    /// Spins until `look` returns something or the budget is used up.
    #[inline]
    pub fn until<T>(&self, mut look: impl FnMut() -> Option<T>) -> Option<T> {
        let looks = self.looks();
        for done in 0..looks {
            if let Some(found) = look() {
                self.succeeded();
                return Some(found);
            }
            Self::breathe(done);
        }
        if looks > 0 {
            self.failed();
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_end_the_spinning_and_a_probe_brings_it_back() {
        let spin = Spin { policy: WaitPolicy::Adaptive, budget: MAX.into(), skipped: 0.into() };
        for _ in 0..20 {
            if spin.looks() > 0 {
                spin.failed();
            }
        }
        let waits: Vec<u32> = (0..2 * PROBE_EVERY).map(|_| spin.looks()).collect();
        assert_eq!(waits.iter().filter(|&&looks| looks > 0).count(), 2, "{waits:?}");
        spin.succeeded();
        assert_eq!(spin.looks(), MAX);
    }

    #[test]
    fn a_parker_never_spins() {
        let spin = Spin::new(WaitPolicy::Park);
        assert_eq!(spin.until(|| Some(())), None);
    }
}
