//! How long the holder of the role looks in vain before it parks.
//!
//! The budget is a [`SpinBudget`]. The cost of a look differs by machine and by the number of busy clients.
//!
//! There may be fewer processors than threads: other threads of the server run methods, or the client shares
//! this processor. A thread that only spins would then keep them, and what it waits for, from running for a
//! whole time slice. So it yields now and then.

use std::hint;

use witrpc_rt::{SpinBudget, SpinLimits, has_quota_of_one_processor, yield_to_others};
use witrpc_transport::WaitPolicy;

/// Looks without a pause between them: about a microsecond, in which a client that calls again and again sends
/// its next request. A pause takes up to 140 cycles, a third of a round trip.
const EAGER: u32 = 100;

/// Looks of a full adaptive budget: 50 to 100 µs at 25 to 50 ns each, pause included.
const ADAPTIVE: u32 = 2_000;

/// Looks of [`WaitPolicy::Spin`]: some tens of milliseconds.
const LONG: u32 = 1_000_000;

/// A budget that falls below this becomes zero. It is also the length of a probe.
const LEAST: u32 = 100;

const PROBE_EVERY: u32 = 16;

/// The bounds of the adaptive budget.
const LIMITS: SpinLimits = SpinLimits {
    full: ADAPTIVE,
    least: LEAST,
    probe: LEAST,
    probe_every: PROBE_EVERY,
    probe_every_at_most: PROBE_EVERY,
};

/// Every look of this number is followed by a yield, about every 10 µs. If nothing else waits for the
/// processor, a yield takes less than a microsecond.
const YIELD_EVERY: u32 = 256;

/// What a thread does before its next look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SpinStep {
    /// Nothing.
    Look,
    Pause,
    Yield,
    /// There is no next look.
    Park,
}

/// Returns the policy of the threads of a pool: parking, where a spin only keeps the other side from running.
/// [`WaitPolicy::Spin`] stays: the user may know better.
pub fn granted(policy: WaitPolicy) -> WaitPolicy {
    within_quota(policy, has_quota_of_one_processor())
}

/// Returns the policy, with or without a quota of one processor. On a machine with a single processor a thread
/// may still spin, since the client may run on another one; outcomes tell.
fn within_quota(policy: WaitPolicy, is_one_processor: bool) -> WaitPolicy {
    match policy {
        WaitPolicy::Adaptive if is_one_processor => WaitPolicy::Park,
        policy => policy,
    }
}

/// The looks of one thread.
#[derive(Debug)]
pub struct PollerSpin {
    budget: SpinBudget,
    left: u32,
    /// Looks in vain since the last that found something.
    vain: u32,
    /// A thread that computes has taken the processor since the last look that found something.
    was_taken: bool,
}

impl PollerSpin {
    /// Returns a full budget for a policy that was [granted](granted).
    pub fn new(policy: WaitPolicy) -> Self {
        let budget = match policy {
            WaitPolicy::Spin => SpinBudget::fixed(LONG),
            WaitPolicy::Park => SpinBudget::fixed(0),
            _ => SpinBudget::adaptive(&LIMITS),
        };
        let left = budget.current();
        Self { budget, left, vain: 0, was_taken: false }
    }

    /// Notes that a look found something.
    pub fn found(&mut self) {
        if self.was_taken {
            self.budget.failed();
            self.was_taken = false;
        } else if self.vain > 0 {
            self.budget.succeeded();
        }
        // A probe that was granted stays: the work that woke the thread was there at its first look.
        self.left = self.left.max(self.budget.current());
        self.vain = 0;
    }

    /// Notes that a look found nothing. Returns `true` if another is worthwhile, or `false` if the thread
    /// should park.
    pub fn again(&mut self) -> bool {
        match self.step() {
            SpinStep::Look => {}
            SpinStep::Pause => hint::spin_loop(),
            SpinStep::Yield => self.yielded(yield_to_others()),
            SpinStep::Park => return false,
        }
        true
    }

    /// Notes whether a thread that computes has taken the processor meanwhile. If so, the next look is the
    /// last one.
    fn yielded(&mut self, was_taken: bool) {
        if was_taken && self.budget.adapts() {
            self.was_taken = true;
            self.left = 0;
        }
    }

    /// Returns what follows a look that found nothing.
    fn step(&mut self) -> SpinStep {
        if self.left == 0 {
            self.give_up();
            return SpinStep::Park;
        }
        self.left -= 1;
        self.vain += 1;
        match self.vain {
            vain if vain.is_multiple_of(YIELD_EVERY) => SpinStep::Yield,
            vain if vain > EAGER => SpinStep::Pause,
            _ => SpinStep::Look,
        }
    }

    fn give_up(&mut self) {
        self.vain = 0;
        self.was_taken = false;
        self.budget.failed();
        self.left = self.budget.next_wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks in vain until the thread should park. Yields to no other thread: how long that takes is the
    /// machine's.
    fn looks_before_parking(spin: &mut PollerSpin) -> u32 {
        let mut looks = 0;
        while spin.step() != SpinStep::Park {
            looks += 1;
        }
        looks
    }

    #[test]
    fn failures_halve_the_budget_down_to_none_but_for_probes() {
        let mut spin = PollerSpin::new(within_quota(WaitPolicy::Adaptive, false));
        assert_eq!(looks_before_parking(&mut spin), ADAPTIVE);
        assert_eq!(looks_before_parking(&mut spin), ADAPTIVE / 2);
        let later: Vec<u32> = (0..64).map(|_| looks_before_parking(&mut spin)).collect();
        let probes = later[16..].iter().filter(|&&looks| looks == LEAST).count();
        assert_eq!(probes, 3, "{later:?}");
        assert_eq!(later[16..].iter().sum::<u32>(), 3 * LEAST, "{later:?}");
    }

    #[test]
    fn a_spin_that_pays_restores_the_budget() {
        let mut spin = PollerSpin::new(within_quota(WaitPolicy::Adaptive, false));
        while spin.budget.current() > 0 {
            looks_before_parking(&mut spin);
        }
        while spin.step() == SpinStep::Park {}
        spin.found();
        assert_eq!(looks_before_parking(&mut spin), ADAPTIVE);
    }

    #[test]
    fn a_spin_that_loses_its_processor_fails_whatever_it_finds() {
        let mut spin = PollerSpin::new(within_quota(WaitPolicy::Adaptive, false));
        let mut lose = |finds: bool| {
            assert_eq!(spin.step(), SpinStep::Look);
            spin.yielded(true);
            match finds {
                true => spin.found(),
                false => assert_eq!(spin.step(), SpinStep::Park),
            }
            spin.budget.current()
        };
        assert_eq!([lose(true), lose(false), lose(true)], [2, 4, 8].map(|part| ADAPTIVE / part));
        assert_eq!(looks_before_parking(&mut spin), ADAPTIVE / 8, "it is its own again");
        let mut stubborn = PollerSpin::new(within_quota(WaitPolicy::Spin, false));
        stubborn.yielded(true);
        assert_eq!(looks_before_parking(&mut stubborn), LONG);
    }

    #[test]
    fn what_was_there_at_once_says_nothing_about_spinning() {
        let mut spin = PollerSpin::new(within_quota(WaitPolicy::Adaptive, false));
        looks_before_parking(&mut spin);
        spin.found();
        assert_eq!(looks_before_parking(&mut spin), ADAPTIVE / 2);
    }

    #[test]
    fn with_time_for_one_processor_none_spins_unless_told_to_and_park_neither() {
        for mut spin in [
            PollerSpin::new(within_quota(WaitPolicy::Adaptive, true)),
            PollerSpin::new(within_quota(WaitPolicy::Park, false)),
        ] {
            assert_eq!(looks_before_parking(&mut spin), 0);
            assert_eq!(looks_before_parking(&mut spin), 0);
        }
        assert_eq!(
            looks_before_parking(&mut PollerSpin::new(within_quota(WaitPolicy::Spin, true))),
            LONG
        );
    }

    #[test]
    fn a_thread_yields_now_and_then_and_not_while_calls_come_quickly() {
        let mut spin = PollerSpin::new(within_quota(WaitPolicy::Spin, false));
        let yields_in = |spin: &mut PollerSpin, looks: u32| {
            (0..looks).filter(|_| spin.step() == SpinStep::Yield).count()
        };
        for _ in 0..1_000 {
            assert_eq!(yields_in(&mut spin, YIELD_EVERY - 1), 0);
            spin.found();
        }
        assert_eq!(yields_in(&mut spin, 10 * YIELD_EVERY), 10);
    }

    #[test]
    fn spin_never_learns() {
        let mut spin = PollerSpin::new(within_quota(WaitPolicy::Spin, false));
        assert_eq!(looks_before_parking(&mut spin), LONG);
        assert_eq!(looks_before_parking(&mut spin), LONG);
    }

    #[test]
    fn a_probe_outlives_the_find_that_woke_the_thread() {
        let mut spin = PollerSpin::new(within_quota(WaitPolicy::Adaptive, false));
        while spin.budget.current() > 0 {
            looks_before_parking(&mut spin);
        }
        let waits = (0..2 * PROBE_EVERY).map(|_| {
            spin.found();
            looks_before_parking(&mut spin)
        });
        assert_eq!(waits.max(), Some(LEAST));
    }
}
