//! How long to spin before parking.

use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use witrpc_transport::WaitPolicy;

/// Looks without a pause between them: the first microsecond or so, in which a short call is
/// answered. A `pause` takes up to 140 cycles on Intel since Skylake, a third of a round trip.
const EAGER: u32 = 1_000;
/// The longest adaptive spin: some 100 µs where a pause is short. It must outlast the waking of a
/// server that sleeps (25 to 50 µs): a caller that gave up before would sleep too, its next call
/// would find the server asleep again, and both would go on like that for good.
const MAX: u32 = 10_000;
/// The spin of [`WaitPolicy::Spin`]: some 10 ms.
const LONG: u32 = 200_000;
/// After so many parks in a row without a spin, one spin is tried.
const PROBE_EVERY: u32 = 16;

/// A spin budget that follows outcomes. Counted in looks, not in time: reading a clock would cost
/// more than the look.
#[derive(Debug)]
pub struct Spin {
    policy: WaitPolicy,
    /// Looks granted to the next wait. Threads race on it; a lost update is a slightly older guess.
    budget: AtomicU32,
    /// Waits since the budget fell to nothing.
    skipped: AtomicU32,
}

impl Spin {
    pub fn new(policy: WaitPolicy) -> Self {
        // With one processor the peer cannot run while we spin. The count honours CPU quotas.
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

    /// Looks granted to a wait that begins now.
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

    /// The wait ended while spinning. Writes only when there is something to change, so that the
    /// line stays shared between threads that all succeed.
    #[inline]
    pub fn succeeded(&self) {
        if self.policy == WaitPolicy::Adaptive && self.budget.load(Relaxed) != MAX {
            self.budget.store(MAX, Relaxed);
        }
    }

    /// The looks were spent in vain.
    pub fn failed(&self) {
        if self.policy == WaitPolicy::Adaptive {
            let budget = self.budget.load(Relaxed) / 2;
            // Less than the eager part finds nothing that is worth looking for.
            self.budget.store(if budget < EAGER / 8 { 0 } else { budget }, Relaxed);
        }
    }

    /// The breath between two looks, of which `done` have been taken.
    #[inline]
    pub fn breathe(done: u32) {
        if done >= EAGER {
            std::hint::spin_loop();
        }
    }

    /// Spins until `look` finds something or the budget is spent.
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
