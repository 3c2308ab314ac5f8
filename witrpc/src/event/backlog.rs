//! A bounded queue of events for a slow receiver, which counts the events that did not fit.

use std::collections::VecDeque;
use std::time::Duration;

use crate::contract::Overflow;

/// The most events of one kind that wait for a receiver.
pub const MAX_EVENTS: usize = 1024;

/// The most bytes of events of one kind that wait, unless a single event is longer.
pub const MAX_BYTES: usize = 1 << 20;

/// The events of one kind that wait for a receiver, the oldest first. Dropped events are counted where
/// they are missing.
pub struct Backlog<T> {
    overflow: Overflow,
    entries: VecDeque<BacklogEntry<T>>,
    bytes: usize,
    /// The events that are missing behind the last entry.
    gap: Gap,
    /// A producer has waited for room in vain. No producer waits again until an event has been
    /// taken.
    is_stuck: bool,
}

struct BacklogEntry<T> {
    /// The events that are missing before this one.
    gap: Gap,
    len: usize,
    item: T,
}

/// The events that are missing in one place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gap {
    /// How many events were dropped.
    pub lost: u64,
    /// How many times another server took over, at each of which any number of events may have been
    /// missed.
    pub renewals: u64,
}

impl Gap {
    /// Joins two gaps into one.
    fn join(&mut self, other: Self) {
        self.lost = self.lost.saturating_add(other.lost);
        self.renewals = self.renewals.saturating_add(other.renewals);
    }
}

/// The outcome of offering an event.
#[derive(Debug, PartialEq, Eq)]
pub enum Offer<T> {
    Taken,
    /// It was dropped and counted.
    Dropped,
    /// There is no room. The caller must wait this long for room, and offer the event again.
    Full(T, Duration),
}

/// The next entry: what is missing before it, and the event, if one came after that.
#[derive(Debug, PartialEq, Eq)]
pub struct NextEntry<T> {
    pub gap: Gap,
    pub item: Option<T>,
}

impl<T> Backlog<T> {
    pub fn new(overflow: Overflow) -> Self {
        Self { overflow, entries: VecDeque::new(), bytes: 0, gap: Gap::default(), is_stuck: false }
    }

    /// Takes an event of `len` bytes. If there is no room, applies the overflow rule of its kind.
    pub fn offer(&mut self, item: T, len: usize) -> Offer<T> {
        match self.overflow {
            _ if self.has_room(len) => {}
            Overflow::DropOldest => {
                while !self.has_room(len) {
                    self.drop_oldest();
                }
            }
            Overflow::Wait(time) if !self.is_stuck => return Offer::Full(item, time),
            Overflow::DropNewest | Overflow::Wait(_) => {
                self.lose(1);
                return Offer::Dropped;
            }
        }
        self.bytes += len;
        let gap = std::mem::take(&mut self.gap);
        self.entries.push_back(BacklogEntry { gap, len, item });
        Offer::Taken
    }

    /// Notes that there was no room in time: no producer waits again until an event has been taken.
    pub fn give_up_waiting(&mut self) {
        self.is_stuck = true;
    }

    /// Counts events that were lost on the way here.
    pub fn lose(&mut self, events: u64) {
        self.gap.join(Gap { lost: events, renewals: 0 });
    }

    /// Notes that later events come from another server.
    pub fn renew(&mut self) {
        self.gap.join(Gap { lost: 0, renewals: 1 });
    }

    /// Returns the oldest event that waits.
    pub fn first(&self) -> Option<&T> {
        self.entries.front().map(|entry| &entry.item)
    }

    /// Returns whether there is nothing to take.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.gap == Gap::default()
    }

    /// Takes the next entry.
    pub fn take(&mut self) -> Option<NextEntry<T>> {
        if let Some(entry) = self.entries.pop_front() {
            self.bytes -= entry.len;
            self.is_stuck = false;
            return Some(NextEntry { gap: entry.gap, item: Some(entry.item) });
        }
        let gap = std::mem::take(&mut self.gap);
        (gap != Gap::default()).then_some(NextEntry { gap, item: None })
    }

    fn has_room(&self, len: usize) -> bool {
        self.entries.is_empty()
            || self.entries.len() < MAX_EVENTS && self.bytes.saturating_add(len) <= MAX_BYTES
    }

    fn drop_oldest(&mut self) {
        let Some(dropped) = self.entries.pop_front() else { return };
        self.bytes -= dropped.len;
        let next = self.entries.front_mut().map_or(&mut self.gap, |next| &mut next.gap);
        next.join(dropped.gap);
        next.join(Gap { lost: 1, renewals: 0 });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Returns all entries that can be taken, in words.
    fn taken(backlog: &mut Backlog<usize>) -> Vec<String> {
        let mut taken = Vec::new();
        while let Some(next) = backlog.take() {
            if next.gap.lost > 0 {
                taken.push(format!("{} lost", next.gap.lost));
            }
            taken.extend((0..next.gap.renewals).map(|_| "renewed".to_owned()));
            taken.extend(next.item.map(|item| item.to_string()));
        }
        taken
    }

    fn filled(overflow: Overflow, more: usize) -> Backlog<usize> {
        let mut backlog = Backlog::new(overflow);
        for item in 0..MAX_EVENTS + more {
            backlog.offer(item, 1);
        }
        backlog
    }

    #[test]
    fn the_oldest_make_room_and_are_counted_before_what_is_left() {
        let mut backlog = filled(Overflow::DropOldest, 3);
        let taken = taken(&mut backlog);
        assert_eq!(taken[..3], ["3 lost", "3", "4"]);
        assert_eq!(taken.len(), MAX_EVENTS + 1);
        assert!(backlog.is_empty());
    }

    #[test]
    fn the_newest_are_counted_after_what_was_there_before() {
        let mut backlog = filled(Overflow::DropNewest, 3);
        assert_eq!(backlog.take(), Some(NextEntry { gap: Gap::default(), item: Some(0) }));
        assert_eq!(backlog.offer(7, 1), Offer::Taken);
        let taken = taken(&mut backlog);
        assert_eq!(taken[MAX_EVENTS - 2..], ["1023", "3 lost", "7"]);
    }

    #[test]
    fn what_is_lost_at_last_is_told_too() {
        let mut backlog = filled(Overflow::DropNewest, 2);
        assert_eq!(taken(&mut backlog).last().unwrap(), "2 lost");
        backlog.lose(1);
        assert!(!backlog.is_empty());
        assert_eq!(taken(&mut backlog), ["1 lost"]);
    }

    #[test]
    fn a_renewal_keeps_its_place_and_goes_with_what_is_missing_there() {
        let mut backlog = Backlog::new(Overflow::DropOldest);
        backlog.offer(1, 1);
        backlog.renew();
        backlog.lose(2);
        backlog.renew();
        backlog.offer(2, 1);
        backlog.renew();
        assert!(!backlog.is_empty());
        let all = ["1", "2 lost", "renewed", "renewed", "2", "renewed"];
        assert_eq!(taken(&mut backlog), all);
        // If the event behind it was dropped, the gap stands before the next event.
        backlog.renew();
        (0..MAX_EVENTS + 2).for_each(|item| _ = backlog.offer(item, 1));
        assert_eq!(taken(&mut backlog)[..3], ["2 lost", "renewed", "2"]);
    }

    #[test]
    fn no_producer_waits_again_for_a_receiver_that_took_nothing_in_time() {
        let mut backlog = filled(Overflow::Wait(SECOND), 0);
        assert_eq!(backlog.offer(7, 1), Offer::Full(7, SECOND));
        backlog.give_up_waiting();
        assert_eq!(backlog.offer(7, 1), Offer::Dropped);
        backlog.take();
        assert_eq!(backlog.offer(8, 1), Offer::Taken);
        assert_eq!(backlog.offer(9, 1), Offer::Full(9, SECOND));
    }

    #[test]
    fn bytes_count_too_but_a_single_one_may_be_of_any_size() {
        let mut backlog = Backlog::new(Overflow::DropOldest);
        assert_eq!(backlog.offer(0, 2 * MAX_BYTES), Offer::Taken);
        assert_eq!(backlog.offer(1, MAX_BYTES / 2), Offer::Taken);
        assert_eq!(backlog.offer(2, MAX_BYTES / 2), Offer::Taken);
        assert_eq!(backlog.offer(3, 1), Offer::Taken);
        assert_eq!(taken(&mut backlog), ["2 lost", "2", "3"]);
    }
}
