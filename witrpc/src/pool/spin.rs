//! How long the holder of the role looks in vain before it parks.
//!
//! Counted in looks, not in time: a clock read costs a quarter of a call. What a look costs differs
//! by machine and by the number of busy clients, and the budget need not be exact, since it follows
//! outcomes: a spin that found nothing halves it, one that found something restores it.
//!
//! While other threads of the server run methods there may not be a core for each. One that spins then
//! would keep them from running for a whole slice of the scheduler's, and with them the clients that it
//! looks for. So it lets go of its core now and then.

use std::{hint, thread};

use witrpc_transport::WaitPolicy;

/// Looks without a pause between them: the first microsecond or so, in which a client that calls
/// again and again does so. A pause takes up to 140 cycles, a third of a round trip.
const EAGER: u32 = 100;

/// Looks of a full adaptive budget: some 50 to 100 µs at 25 to 50 ns each, pause included.
const ADAPTIVE: u32 = 2_000;

/// Looks of [`WaitPolicy::Spin`]: some tens of milliseconds.
const LONG: u32 = 1_000_000;

/// A budget that has been halved to less than this is none.
const LEAST: u32 = 100;

/// With no budget left, one in so many waits spins all the same, to find out whether it pays again.
const PROBE_EVERY: u32 = 16;

/// While other threads run methods, one look in so many is followed by a yield: after 10 µs or so.
const YIELD_EVERY: u32 = 256;

/// The budget of one thread.
#[derive(Clone, Debug)]
pub struct Spin {
    policy: WaitPolicy,
    budget: u32,
    left: u32,
    /// Looks in vain since the last that found something.
    vain: u32,
    waits_without: u32,
}

impl Spin {
    /// A full budget, or none where spinning only keeps the other side from running: who asks for
    /// [`WaitPolicy::Spin`] is believed to know better.
    pub fn new(policy: WaitPolicy) -> Self {
        Self::on_cpus(policy, thread::available_parallelism().map_or(1, usize::from))
    }

    fn on_cpus(policy: WaitPolicy, cpus: usize) -> Self {
        let policy = match policy {
            WaitPolicy::Adaptive if cpus == 1 => WaitPolicy::Park,
            policy => policy,
        };
        let budget = match policy {
            WaitPolicy::Spin => LONG,
            WaitPolicy::Park => 0,
            _ => ADAPTIVE,
        };
        Self { policy, budget, left: budget, vain: 0, waits_without: 0 }
    }

    /// A look found something.
    pub fn found(&mut self) {
        if self.vain > 0 && self.policy == WaitPolicy::Adaptive {
            self.budget = ADAPTIVE;
        }
        // A probe that was granted stands: what woke the thread was there at its first look.
        self.left = self.left.max(self.budget);
        self.vain = 0;
    }

    /// A look found nothing. Returns `true` if another is worth while, after a pause unless work
    /// has only just run out, or `false` if the thread should park. `others_run`: whether other
    /// threads of this server run methods.
    pub fn again(&mut self, others_run: impl FnOnce() -> bool) -> bool {
        if self.left == 0 {
            self.give_up();
            return false;
        }
        self.left -= 1;
        self.vain += 1;
        if self.vain.is_multiple_of(YIELD_EVERY) && others_run() {
            thread::yield_now();
        } else if self.vain > EAGER {
            hint::spin_loop();
        }
        true
    }

    fn give_up(&mut self) {
        self.vain = 0;
        if self.policy != WaitPolicy::Adaptive {
            self.left = self.budget;
            return;
        }
        self.budget = if self.budget / 2 < LEAST { 0 } else { self.budget / 2 };
        self.left = self.budget;
        if self.budget == 0 {
            self.waits_without += 1;
            if self.waits_without == PROBE_EVERY {
                self.waits_without = 0;
                self.left = LEAST;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looks_before_parking(spin: &mut Spin) -> u32 {
        let mut looks = 0;
        while spin.again(|| false) {
            looks += 1;
        }
        looks
    }

    #[test]
    fn failures_halve_the_budget_down_to_none_but_for_probes() {
        let mut spin = Spin::on_cpus(WaitPolicy::Adaptive, 2);
        assert_eq!(looks_before_parking(&mut spin), ADAPTIVE);
        assert_eq!(looks_before_parking(&mut spin), ADAPTIVE / 2);
        let later: Vec<u32> = (0..64).map(|_| looks_before_parking(&mut spin)).collect();
        let probes = later[16..].iter().filter(|&&looks| looks == LEAST).count();
        assert_eq!(probes, 3, "{later:?}");
        assert_eq!(later[16..].iter().sum::<u32>(), 3 * LEAST, "{later:?}");
    }

    #[test]
    fn a_spin_that_pays_restores_the_budget() {
        let mut spin = Spin::on_cpus(WaitPolicy::Adaptive, 2);
        while spin.budget > 0 {
            looks_before_parking(&mut spin);
        }
        while !spin.again(|| false) {}
        spin.found();
        assert_eq!(looks_before_parking(&mut spin), ADAPTIVE);
    }

    #[test]
    fn what_was_there_at_once_says_nothing_about_spinning() {
        let mut spin = Spin::on_cpus(WaitPolicy::Adaptive, 2);
        looks_before_parking(&mut spin);
        spin.found();
        assert_eq!(looks_before_parking(&mut spin), ADAPTIVE / 2);
    }

    #[test]
    fn one_processor_never_spins_unless_told_to_and_park_neither() {
        for mut spin in [Spin::on_cpus(WaitPolicy::Adaptive, 1), Spin::on_cpus(WaitPolicy::Park, 8)]
        {
            assert_eq!(looks_before_parking(&mut spin), 0);
            assert_eq!(looks_before_parking(&mut spin), 0);
        }
        assert_eq!(looks_before_parking(&mut Spin::on_cpus(WaitPolicy::Spin, 1)), LONG);
    }

    #[test]
    fn others_are_asked_for_now_and_then_and_not_while_calls_come_quickly() {
        let mut spin = Spin::on_cpus(WaitPolicy::Spin, 2);
        let mut asked = 0;
        let mut look = |spin: &mut Spin| {
            spin.again(|| {
                asked += 1;
                true
            })
        };
        for _ in 0..1_000 {
            (0..YIELD_EVERY - 1).for_each(|_| assert!(look(&mut spin)));
            spin.found();
        }
        (0..10 * YIELD_EVERY).for_each(|_| assert!(look(&mut spin)));
        assert_eq!(asked, 10);
    }

    #[test]
    fn spin_never_learns() {
        let mut spin = Spin::on_cpus(WaitPolicy::Spin, 2);
        assert_eq!(looks_before_parking(&mut spin), LONG);
        assert_eq!(looks_before_parking(&mut spin), LONG);
    }

    #[test]
    fn a_probe_outlives_the_find_that_woke_the_thread() {
        let mut spin = Spin::on_cpus(WaitPolicy::Adaptive, 2);
        while spin.budget > 0 {
            looks_before_parking(&mut spin);
        }
        let waits = (0..2 * PROBE_EVERY).map(|_| {
            spin.found();
            looks_before_parking(&mut spin)
        });
        assert_eq!(waits.max(), Some(LEAST));
    }
}
