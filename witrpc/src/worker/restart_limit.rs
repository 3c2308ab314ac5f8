//! How often a worker may be started again.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// At most a number of restarts within a time that moves along.
#[derive(Debug)]
pub struct RestartLimit {
    pub most: u32,
    pub within: Duration,
    /// When processes were allowed to follow, the oldest first; at most `most`.
    allowed: VecDeque<Instant>,
}

impl RestartLimit {
    pub fn new(most: u32, within: Duration) -> Self {
        Self { most, within, allowed: VecDeque::new() }
    }

    /// Returns whether another process may follow `now`, and counts it.
    pub fn allows(&mut self, now: Instant) -> bool {
        while self.allowed.front().is_some_and(|at| now.duration_since(*at) >= self.within) {
            self.allowed.pop_front();
        }
        let allows = self.allowed.len() < self.most as usize;
        if allows {
            self.allowed.push_back(now);
        }
        allows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restarts_are_counted_within_a_time_that_moves_along() {
        let second = Duration::from_secs(1);
        let start = Instant::now();
        let mut limit = RestartLimit::new(2, 10 * second);
        let after = [0, 9, 9, 10, 18, 19, 19].map(|at| limit.allows(start + at * second));
        assert_eq!(after, [true, true, false, true, false, true, false]);
    }

    #[test]
    fn none_may_follow_a_limit_of_none() {
        assert!(!RestartLimit::new(0, Duration::MAX).allows(Instant::now()));
    }
}
