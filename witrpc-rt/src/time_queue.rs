//! What is to happen at certain times, in their order.

use std::collections::BTreeMap;
use std::time::Instant;

/// Values that are due at certain times. Plain state: its owner brings the lock and the thread.
#[derive(Debug)]
pub struct TimeQueue<V> {
    due: BTreeMap<TimeKey, V>,
    next_number: u64,
}

/// The time of a value, and its number among all of the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeKey {
    at: Instant,
    number: u64,
}

impl TimeKey {
    /// Returns the time.
    #[must_use]
    pub fn at(self) -> Instant {
        self.at
    }
}

impl<V> Default for TimeQueue<V> {
    fn default() -> Self {
        Self { due: BTreeMap::new(), next_number: 0 }
    }
}

impl<V> TimeQueue<V> {
    /// Returns a key for that time, under which nothing stands yet.
    pub fn key(&mut self, at: Instant) -> TimeKey {
        let number = self.next_number;
        self.next_number += 1;
        TimeKey { at, number }
    }

    /// Puts a value under its key.
    pub fn insert(&mut self, key: TimeKey, value: V) {
        self.due.insert(key, value);
    }

    /// Takes a value out, if it is still there.
    pub fn remove(&mut self, key: TimeKey) -> Option<V> {
        self.due.remove(&key)
    }

    /// Returns the earliest time.
    #[must_use]
    pub fn first(&self) -> Option<Instant> {
        self.due.keys().next().map(|key| key.at)
    }

    /// Takes out the earliest value, if its time has come.
    pub fn pop_due(&mut self, now: Instant) -> Option<V> {
        let first = self.due.first_entry().filter(|first| first.key().at <= now)?;
        Some(first.remove())
    }

    /// Takes out all values.
    pub fn take_all(&mut self) -> impl Iterator<Item = V> + use<V> {
        std::mem::take(&mut self.due).into_values()
    }

    /// Returns how many values there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.due.len()
    }

    /// Returns whether there are no values.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.due.is_empty()
    }
}
