//! How long a waiter spins before it sleeps.

use std::hint;

use witrpc_rt::{SpinBudget, SpinLimits, has_quota_of_one_processor, yield_to_others};
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
/// The bounds of the adaptive budget. A spin that is much shorter than the eager part would hardly ever
/// succeed.
const LIMITS: SpinLimits = SpinLimits {
    full: MAX,
    least: EAGER / 8,
    probe: MAX,
    probe_every: 16,
    probe_every_at_most: 256,
};

/// The spinning of a connection's callers, which share one budget.
#[derive(Debug)]
pub struct CallerSpin(SpinBudget);

impl CallerSpin {
    pub fn new(policy: WaitPolicy) -> Self {
        Self(match policy {
            WaitPolicy::Park => SpinBudget::fixed(0),
            WaitPolicy::Spin => SpinBudget::fixed(LONG),
            // Adaptive. On a single processor too: that of the peer may be another, and whether it
            // is, outcomes tell.
            _ if has_quota_of_one_processor() => SpinBudget::fixed(0),
            _ => SpinBudget::adaptive(&LIMITS),
        })
    }

    /// Returns the looks of a wait that begins now.
    #[inline]
    pub fn looks(&self) -> u32 {
        self.0.next_wait()
    }

    /// Records that a spin found what it waited for.
    #[inline]
    pub fn succeeded(&self) {
        self.0.succeeded();
    }

    /// Records that a spin did not find what it waited for.
    pub fn failed(&self) {
        self.0.failed();
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
            } else if yields() && self.0.adapts() {
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
impl CallerSpin {
    /// Returns the looks granted to the next wait, and the waits since there were none.
    pub fn outcomes(&self) -> (u32, u32) {
        (self.0.current(), self.0.skipped())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spin_that_loses_its_processor_fails_whatever_it_finds() {
        let answered = || {
            let mut looks = 0;
            move || {
                looks += 1;
                (looks > MAX / 2).then_some(())
            }
        };
        let spin = CallerSpin(SpinBudget::adaptive(&LIMITS));
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
        let stubborn = CallerSpin::new(WaitPolicy::Spin);
        assert_eq!(stubborn.until_taken(answered(), || true), Some(()), "the user wants it");
    }

    #[test]
    fn a_parker_never_spins() {
        let spin = CallerSpin::new(WaitPolicy::Park);
        assert_eq!(spin.until(|| Some(())), None);
    }
}
