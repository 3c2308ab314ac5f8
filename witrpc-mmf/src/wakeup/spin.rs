//! How long a waiter spins before it sleeps.

use std::hint;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use witrpc_rt::{has_quota_of_one_processor, yield_to_others};
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
/// After the eager part, one look of this number is followed by a yield instead of a pause. A peer that
/// has no other processor than this one then runs, and so do other threads that spin. Where nothing
/// else waits for the processor, a yield takes less than a microsecond.
const YIELD_EVERY: u32 = 512;
/// With an empty budget, one wait of this number spins all the same, as a probe.
const PROBE_EVERY: u32 = 16;
/// Each probe that fails doubles the waits until the next, up to this many.
const PROBE_EVERY_AT_MOST: u32 = 256;

/// A spin budget that adapts to its success. It counts looks, not time, because reading a clock
/// costs more than a look.
#[derive(Debug)]
pub struct Spin {
    policy: WaitPolicy,
    /// The looks of the next wait. Threads race on it; a lost update makes it slightly out of date.
    budget: AtomicU32,
    /// The waits since the budget fell to 0, or since the last probe.
    skipped: AtomicU32,
    /// The waits from one probe to the next.
    probe_every: AtomicU32,
}

impl Spin {
    pub fn new(policy: WaitPolicy) -> Self {
        Self::with_budget(match policy {
            WaitPolicy::Park => 0,
            WaitPolicy::Spin => LONG,
            // Adaptive. On a single processor too: that of the peer may be another, and whether it
            // is, outcomes tell.
            _ if has_quota_of_one_processor() => 0,
            _ => MAX,
        })
    }

    fn with_budget(budget: u32) -> Self {
        let policy = match budget {
            0 => WaitPolicy::Park,
            LONG => WaitPolicy::Spin,
            _ => WaitPolicy::Adaptive,
        };
        let (skipped, probe_every) = (AtomicU32::new(0), AtomicU32::new(PROBE_EVERY));
        Self { policy, budget: AtomicU32::new(budget), skipped, probe_every }
    }

    /// Returns the looks of a wait that begins now.
    #[inline]
    pub fn looks(&self) -> u32 {
        let budget = self.budget.load(Relaxed);
        if budget > 0 || self.policy == WaitPolicy::Park {
            return budget;
        }
        let skipped = self.skipped.load(Relaxed) + 1;
        let probes = skipped >= self.probe_every.load(Relaxed);
        self.skipped.store(if probes { 0 } else { skipped }, Relaxed);
        if probes { MAX } else { 0 }
    }

    /// Records that a spin found what it waited for. It writes only when something changes, so that
    /// the cache line stays shared between threads that all succeed.
    #[inline]
    pub fn succeeded(&self) {
        if self.policy == WaitPolicy::Adaptive && self.budget.load(Relaxed) != MAX {
            self.budget.store(MAX, Relaxed);
            self.probe_every.store(PROBE_EVERY, Relaxed);
        }
    }

    /// Records that a spin did not find what it waited for.
    pub fn failed(&self) {
        if self.policy == WaitPolicy::Adaptive {
            let before = self.budget.load(Relaxed);
            if before == 0 {
                let probe_every = self.probe_every.load(Relaxed) * 2;
                self.probe_every.store(probe_every.min(PROBE_EVERY_AT_MOST), Relaxed);
            }
            let budget = before / 2;
            // A spin that is much shorter than the eager part would hardly ever succeed.
            self.budget.store(if budget < EAGER / 8 { 0 } else { budget }, Relaxed);
        }
    }

    /// Spins until `look` returns something or the budget is used up. An adaptive spin also ends when a
    /// thread that computes has taken the processor, and fails then, whatever it finds.
    #[inline]
    pub fn until<T>(&self, look: impl FnMut() -> Option<T>) -> Option<T> {
        self.until_taken(look, yield_to_others)
    }

    /// Does the same. `yields` yields the processor, and returns whether another thread kept it for long.
    #[inline]
    fn until_taken<T>(
        &self,
        mut look: impl FnMut() -> Option<T>,
        yields: fn() -> bool,
    ) -> Option<T> {
        let looks = self.looks();
        for done in 0..looks {
            if let Some(found) = look() {
                self.succeeded();
                return Some(found);
            }
            if done < EAGER {
                continue;
            }
            if !done.is_multiple_of(YIELD_EVERY) {
                hint::spin_loop();
            } else if yields() && self.policy == WaitPolicy::Adaptive {
                self.failed();
                return look();
            }
        }
        if looks > 0 {
            self.failed();
        }
        None
    }
}

#[cfg(test)]
impl Spin {
    /// Returns the looks granted to the next wait, and the waits since there were none.
    pub fn outcomes(&self) -> (u32, u32) {
        (self.budget.load(Relaxed), self.skipped.load(Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_end_the_spinning_and_a_probe_brings_it_back() {
        let spin = Spin::with_budget(MAX);
        for _ in 0..20 {
            if spin.looks() > 0 {
                spin.failed();
            }
        }
        let probes_in = |waits: u32| (0..waits).filter(|_| spin.looks() > 0).count();
        assert_eq!(probes_in(2 * PROBE_EVERY), 2, "no probe has failed");
        (0..10).for_each(|_| spin.failed());
        assert_eq!(probes_in(2 * PROBE_EVERY_AT_MOST), 2, "many have");
        spin.succeeded();
        assert_eq!(spin.looks(), MAX);
        assert_eq!(spin.probe_every.load(Relaxed), PROBE_EVERY, "one has succeeded");
    }

    #[test]
    fn a_spin_that_loses_its_processor_fails_whatever_it_finds() {
        let answered = || {
            let mut looks = 0;
            move || {
                looks += 1;
                (looks > MAX / 2).then_some(())
            }
        };
        let spin = Spin::with_budget(MAX);
        assert_eq!(spin.until_taken(answered(), || false), Some(()));
        assert_eq!(spin.outcomes(), (MAX, 0), "the processor was not wanted");
        assert_eq!(spin.until_taken(answered(), || true), None);
        assert_eq!(spin.outcomes(), (MAX / 2, 0));
        let mut looks = 0;
        let soon = || {
            looks += 1;
            (looks > EAGER.next_multiple_of(YIELD_EVERY) + 1).then_some(())
        };
        assert_eq!(spin.until_taken(soon, || true), Some(()), "it came while the thread waited");
        assert_eq!(spin.outcomes(), (MAX / 4, 0));
        let stubborn = Spin::with_budget(LONG);
        assert_eq!(stubborn.until_taken(answered(), || true), Some(()), "the user wants it");
    }

    #[test]
    fn a_parker_never_spins() {
        let spin = Spin::new(WaitPolicy::Park);
        assert_eq!(spin.until(|| Some(())), None);
    }
}
