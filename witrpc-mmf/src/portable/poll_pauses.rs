//! Polling with back-off, where no wake-ups arrive.

use std::thread;
use std::time::{Duration, Instant};

use witrpc_rt::Doubling;

/// Pauses between looks that double: what comes soon is found soon, and a long wait costs little.
#[derive(Debug)]
pub struct PollPauses(Doubling);

impl PollPauses {
    /// The first sleep. The system extends it to about 50 µs.
    pub const SHORTEST: Duration = Duration::from_micros(5);
    /// The longest sleep.
    pub const LONGEST: Duration = Duration::from_millis(1);

    pub fn new() -> Self {
        Self(Doubling::new(Self::SHORTEST, Self::LONGEST))
    }

    /// Returns how long to sleep now.
    pub fn next(&mut self) -> Duration {
        self.0.next_pause()
    }

    /// Returns whether the sleeps have reached the longest.
    pub fn is_at_longest(&self) -> bool {
        self.0.is_at_longest()
    }

    /// Sleeps for the next pause, until `until` at the latest.
    pub fn sleep(&mut self, until: Option<Instant>) {
        let left = until.map(|at| at.saturating_duration_since(Instant::now()));
        thread::sleep(self.next().min(left.unwrap_or(Duration::MAX)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleeps_grow_to_the_longest_and_no_further() {
        let mut pauses = PollPauses::new();
        let sleeps: Vec<_> = (0..20).map(|_| pauses.next()).collect();
        assert!(sleeps.is_sorted());
        assert_eq!((sleeps[0], sleeps[19]), (PollPauses::SHORTEST, PollPauses::LONGEST));
        assert!(pauses.is_at_longest());
    }
}
