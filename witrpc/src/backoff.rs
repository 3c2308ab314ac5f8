//! The pauses between attempts.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use witrpc_rt::Doubling;

/// The pauses between attempts at something that keeps failing (exponential back-off). Each is twice as long as
/// the one before, up to a longest. A random part of each pause, up to half, is cut off (jitter). So clients
/// that lost the same server do not all come back at the same moment.
///
/// The pauses begin again with the first once an attempt has succeeded for longer than the longest pause.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use witrpc::Backoff;
///
/// // 50 ms, 100 ms, 200 ms .. 5 s
/// let backoff = Backoff::default();
/// assert_eq!(backoff, Backoff::new(Duration::from_millis(50), Duration::from_secs(5)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
}

impl Backoff {
    /// Returns pauses from `first` to `longest`. A `longest` below `first` counts as `first`.
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest }
    }

    /// Returns the state of the pauses, before the first.
    pub(crate) fn pauses(self) -> Pauses {
        Pauses { backoff: self, doubling: self.doubling() }
    }

    fn doubling(self) -> Doubling {
        Doubling::new(self.first, self.longest())
    }

    fn longest(self) -> Duration {
        self.longest.max(self.first)
    }
}

impl Default for Backoff {
    /// Returns pauses from 50 ms to 5 s.
    fn default() -> Self {
        Self::new(Duration::from_millis(50), Duration::from_secs(5))
    }
}

/// The present position in the pauses of a [`Backoff`].
#[derive(Debug)]
pub struct Pauses {
    backoff: Backoff,
    doubling: Doubling,
}

impl Pauses {
    /// Returns the pause before the next attempt. `lasted` is how long the success of the last attempt lasted,
    /// or zero if it failed.
    pub fn after(&mut self, lasted: Duration) -> Duration {
        if lasted > self.backoff.longest() {
            self.doubling = self.backoff.doubling();
        }
        let whole = self.doubling.next_pause();
        whole - whole.mul_f64(random_fraction() / 2.0)
    }
}

/// Returns a number from 0 to below 1. The hasher's keys are random in each process, and different each time.
fn random_fraction() -> f64 {
    let bits = RandomState::new().hash_one(());
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn assert_within(pause: Duration, whole: Duration) {
        assert!(pause <= whole && pause >= whole / 2, "{pause:?} of {whole:?}");
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let mut pauses = Backoff::new(10 * MS, 35 * MS).pauses();
        for whole in [10, 20, 35, 35, 35] {
            assert_within(pauses.after(Duration::ZERO), whole * MS);
        }
    }

    #[test]
    fn a_success_that_lasted_begins_anew() {
        let mut pauses = Backoff::new(10 * MS, 40 * MS).pauses();
        for lasted in [Duration::ZERO, 39 * MS] {
            pauses.after(lasted);
        }
        assert_within(pauses.after(40 * MS), 40 * MS);
        assert_within(pauses.after(41 * MS), 10 * MS);
    }

    #[test]
    fn no_two_come_back_together() {
        let first = |_| Backoff::new(10 * MS, 10 * MS).pauses().after(Duration::ZERO);
        let mut pauses: Vec<_> = (0..32).map(first).collect();
        pauses.sort_unstable();
        pauses.dedup();
        assert!(pauses.len() > 16, "{pauses:?}");
    }

    #[test]
    fn odd_bounds_are_taken_as_they_make_sense() {
        assert_within(Backoff::new(9 * MS, MS).pauses().after(Duration::ZERO), 9 * MS);
        assert_eq!(Backoff::new(Duration::ZERO, MS).pauses().after(MS), Duration::ZERO);
        let mut pauses = Backoff::new(Duration::MAX, Duration::MAX).pauses();
        for _ in 0..2 {
            assert!(pauses.after(Duration::ZERO) >= Duration::MAX / 2 - MS);
        }
    }
}
