//! Pauses that double.

use std::time::Duration;

/// The pauses of something that is tried again: each is twice as long as the one before, up to a longest.
#[derive(Clone, Copy, Debug)]
pub struct Doubling {
    next: Duration,
    longest: Duration,
}

impl Doubling {
    /// Returns pauses from `first` to `longest`. A `first` above `longest` counts as `longest`.
    #[must_use]
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self { next: first.min(longest), longest }
    }

    /// Returns the next pause.
    pub fn next_pause(&mut self) -> Duration {
        let pause = self.next;
        self.next = pause.saturating_mul(2).min(self.longest);
        pause
    }

    /// Returns whether the pauses have reached the longest.
    #[must_use]
    pub fn is_at_longest(&self) -> bool {
        self.next == self.longest
    }
}
