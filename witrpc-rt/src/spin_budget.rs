//! How often a thread looks in vain before it sleeps.
//!
//! The budget counts looks, not time, because reading a clock costs more than a look. It need not be
//! exact, since it follows outcomes: a spin that fails halves it, and one that succeeds restores it.

use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

/// The bounds within which a [`SpinBudget`] adapts.
#[derive(Debug)]
pub struct SpinLimits {
    /// The looks of the longest spin.
    pub full: u32,
    /// A budget that falls below this becomes zero.
    pub least: u32,
    /// The looks of a probe: a wait that spins although the budget is zero, to find out whether it pays
    /// again.
    pub probe: u32,
    /// One wait of this number is a probe.
    pub probe_every: u32,
    /// Each probe that fails doubles the waits until the next, up to this number.
    pub probe_every_at_most: u32,
}

/// A number of looks that adapts to its success, or is fixed. Threads may share one and race on it: a
/// lost update makes it slightly out of date.
#[derive(Debug)]
pub struct SpinBudget {
    /// `None` if it is fixed.
    limits: Option<&'static SpinLimits>,
    looks: AtomicU32,
    /// The waits since the budget fell to 0, or since the last probe.
    skipped: AtomicU32,
    /// The waits from one probe to the next.
    probe_every: AtomicU32,
}

impl SpinBudget {
    /// Returns a full budget that adapts.
    #[must_use]
    pub const fn adaptive(limits: &'static SpinLimits) -> Self {
        Self {
            limits: Some(limits),
            looks: AtomicU32::new(limits.full),
            skipped: AtomicU32::new(0),
            probe_every: AtomicU32::new(limits.probe_every),
        }
    }

    /// Returns a budget that is always this.
    #[must_use]
    pub const fn fixed(looks: u32) -> Self {
        let (skipped, probe_every) = (AtomicU32::new(0), AtomicU32::new(0));
        Self { limits: None, looks: AtomicU32::new(looks), skipped, probe_every }
    }

    /// Returns whether it adapts.
    #[inline]
    #[must_use]
    pub const fn adapts(&self) -> bool {
        self.limits.is_some()
    }

    /// Returns the looks of a wait that is no probe.
    #[inline]
    #[must_use]
    pub fn current(&self) -> u32 {
        self.looks.load(Relaxed)
    }

    /// Returns the looks of a wait that begins now.
    #[inline]
    #[must_use]
    pub fn next_wait(&self) -> u32 {
        let looks = self.current();
        match self.limits {
            Some(limits) if looks == 0 => self.wait_without(limits),
            _ => looks,
        }
    }

    /// Counts a wait without a budget, which may be a probe.
    fn wait_without(&self, limits: &SpinLimits) -> u32 {
        let skipped = self.skipped.load(Relaxed) + 1;
        let probes = skipped >= self.probe_every.load(Relaxed);
        self.skipped.store(if probes { 0 } else { skipped }, Relaxed);
        if probes { limits.probe } else { 0 }
    }

    /// Records that a spin found what it waited for. It writes only when something changes, so that
    /// the cache line stays shared between threads that all succeed.
    #[inline]
    pub fn succeeded(&self) {
        if let Some(limits) = self.limits
            && self.current() != limits.full
        {
            self.looks.store(limits.full, Relaxed);
            self.probe_every.store(limits.probe_every, Relaxed);
        }
    }

    /// Records that a spin did not find what it waited for.
    pub fn failed(&self) {
        let Some(limits) = self.limits else { return };
        let before = self.current();
        if before == 0 {
            let probe_every = self.probe_every.load(Relaxed) * 2;
            self.probe_every.store(probe_every.min(limits.probe_every_at_most), Relaxed);
        }
        let half = before / 2;
        self.looks.store(if half < limits.least { 0 } else { half }, Relaxed);
    }

    /// Returns the waits without a budget since the last probe.
    #[doc(hidden)]
    #[must_use]
    pub fn skipped(&self) -> u32 {
        self.skipped.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: SpinLimits = SpinLimits {
        full: 10_000,
        least: 125,
        probe: 200,
        probe_every: 16,
        probe_every_at_most: 256,
    };

    #[test]
    fn failures_end_the_spinning_and_a_probe_brings_it_back() {
        let budget = SpinBudget::adaptive(&LIMITS);
        for _ in 0..20 {
            if budget.next_wait() > 0 {
                budget.failed();
            }
        }
        let probes_in =
            |waits: u32| (0..waits).filter(|_| budget.next_wait() == LIMITS.probe).count();
        assert_eq!(probes_in(2 * LIMITS.probe_every), 2, "no probe has failed");
        (0..10).for_each(|_| budget.failed());
        assert_eq!(probes_in(2 * LIMITS.probe_every_at_most), 2, "many have");
        budget.succeeded();
        assert_eq!(budget.next_wait(), LIMITS.full);
        assert_eq!(budget.probe_every.load(Relaxed), LIMITS.probe_every, "one has succeeded");
    }

    #[test]
    fn a_fixed_budget_never_learns() {
        for looks in [0, 7] {
            let budget = SpinBudget::fixed(looks);
            budget.failed();
            assert_eq!(budget.next_wait(), looks);
            budget.succeeded();
            assert_eq!(budget.next_wait(), looks);
        }
    }
}
