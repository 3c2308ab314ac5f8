//! Calls that wait for a lane, in the order in which they came.
//!
//! # Invariants
//!
//! 1. An entry is in the queue from [`enter`](LaneQueue::enter) until its call takes a lane,
//!    leaves, or is passed over. A free lane belongs to no entry: it stays free until a call takes
//!    it. So no lane is lost with a call that is dropped or never polled again.
//! 2. While `n` lanes are free, only the first `n` entries may take one. A call without an entry
//!    may take one only while the queue is empty, because it is behind every entry.
//! 3. The first `n` entries have been *called*: their tasks were woken. Every change that frees a
//!    lane or moves an entry up is followed by [`call_next`](LaneQueue::call_next).
//! 4. A called entry whose task does not come for a whole [`TURN`] is passed over: it leaves the
//!    queue, so that a leaked future delays no other call. Its place remembers its number. A task
//!    that comes late enters under that number, before all calls that came after it.
//!
//! A thread frees a lane first, and then looks whether the queue is empty. A call enters first, and
//! then looks for free lanes. At least one sees what the other did, by [two fences](crate::wakeup).
//!
//! Wakers run code of users. They are woken and dropped without the lock. They are not kept in a
//! [`WakerSet`](witrpc_rt::WakerSet), because an entry outlives its waker: it keeps the turn that
//! its task was woken for.

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use crate::memory::words::{Lock, ReadWord, Word, Words};
use crate::wakeup::wake::Wakeup;

/// How long a called task has to come. Executors take far less. A task that comes later is still
/// served before the calls that came after it.
pub const TURN: Duration = Duration::from_millis(10);

/// The free lanes.
pub trait FreeLanes {
    /// Returns how many lanes are free at this moment.
    fn free(&self) -> usize;
    /// Takes a free lane.
    fn take(&self) -> Option<usize>;
}

/// The queue of the calls that wait for a lane. See the [module](self).
pub struct LaneQueue<W: Words, T> {
    /// The number of entries, readable without the lock.
    len: W::U64,
    entries: W::Lock<Entries<T>>,
}

struct Entries<T> {
    last_number: u64,
    by_number: BTreeMap<u64, Entry<T>>,
}

enum Entry<T> {
    /// Its task sleeps.
    Waiting(T),
    /// Its task has been woken. `is_late`: it has not come although a [`TURN`] has ended since.
    Called { is_late: bool },
}

/// A call's place in the queue, across the polls of its future.
#[derive(Debug, Default)]
pub struct LanePlace(Option<u64>);

impl LanePlace {
    /// Returns whether it has never been in the queue.
    pub fn is_new(&self) -> bool {
        self.0.is_none()
    }
}

impl<W: Words, T: Wakeup> LaneQueue<W, T> {
    /// Creates an empty queue. `len` is a private word that must hold 0.
    pub fn new(len: W::U64) -> Self {
        let entries = Entries { last_number: 0, by_number: BTreeMap::new() };
        Self { len, entries: W::Lock::new(entries) }
    }

    /// Returns whether no call waits. Only then may a call without a place take a lane.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len.load(SeqCst) == 0
    }

    /// Enters the queue, in the former place if there is one, with a task that is about to sleep.
    /// The caller must then try to [take](Self::try_take) a lane before the task sleeps.
    pub fn enter(&self, place: &mut LanePlace, task: T) {
        let earlier = self.entries.locked(|entries| {
            let number = *place.0.get_or_insert_with(|| {
                entries.last_number += 1;
                entries.last_number
            });
            let earlier = entries.by_number.insert(number, Entry::Waiting(task));
            self.note_len(entries);
            earlier
        });
        drop(earlier);
        W::fence(SeqCst);
    }

    /// Takes a lane if it is this place's turn. The place keeps its number.
    pub fn try_take(&self, place: &LanePlace, lanes: &impl FreeLanes) -> Option<usize> {
        let number = place.0?;
        let (lane, entry) = self.entries.locked(|entries| {
            let mut first = entries.by_number.keys().take(lanes.free());
            if !first.any(|first| *first == number) {
                return None;
            }
            let lane = lanes.take()?;
            let entry = entries.by_number.remove(&number);
            self.note_len(entries);
            Some((lane, entry))
        })?;
        drop(entry);
        Some(lane)
    }

    /// Wakes the tasks whose turn has come. To be called when a lane has become free while the
    /// queue [is not empty](Self::is_empty).
    pub fn call_next(&self, lanes: &impl FreeLanes) {
        let tasks = self.entries.locked(|entries| entries.call(lanes.free()));
        tasks.into_iter().for_each(T::wake_up);
    }

    /// Leaves the queue. A turn of this place goes to the next entry.
    pub fn leave(&self, place: &mut LanePlace, lanes: &impl FreeLanes) {
        let Some(number) = place.0.take() else { return };
        let (entry, tasks) = self.entries.locked(|entries| {
            let entry = entries.by_number.remove(&number);
            self.note_len(entries);
            (entry, entries.call(lanes.free()))
        });
        drop(entry);
        tasks.into_iter().for_each(T::wake_up);
    }

    /// Passes over the entries that were called and whose tasks have not come since the call before
    /// the last. To be called once in each [`TURN`] while the queue is not empty.
    pub fn pass_over_late(&self, lanes: &impl FreeLanes) {
        let tasks = self.entries.locked(|entries| {
            entries.by_number.retain(|_, entry| match entry {
                Entry::Waiting(_) => true,
                Entry::Called { is_late } => !std::mem::replace(is_late, true),
            });
            self.note_len(entries);
            entries.call(lanes.free())
        });
        tasks.into_iter().for_each(T::wake_up);
    }

    /// Empties the queue and wakes all tasks, because there is nothing to wait for any more. A call
    /// that waits on enters again in its former place.
    pub fn wake_all(&self) {
        let entries = self.entries.locked(|entries| {
            let all = std::mem::take(&mut entries.by_number);
            self.note_len(entries);
            all
        });
        for entry in entries.into_values() {
            if let Entry::Waiting(task) = entry {
                task.wake_up();
            }
        }
    }

    /// Stores the number of entries. Called under the lock. SeqCst, as in
    /// [`is_empty`](Self::is_empty).
    fn note_len(&self, entries: &Entries<T>) {
        self.len.store(entries.by_number.len() as u64, SeqCst);
    }
}

impl<T> Entries<T> {
    /// Marks the first `free` entries as called. Returns the tasks to wake.
    fn call(&mut self, free: usize) -> Vec<T> {
        let first = self.by_number.values_mut().take(free);
        let called = first.filter_map(|entry| {
            match std::mem::replace(entry, Entry::Called { is_late: false }) {
                Entry::Waiting(task) => Some(task),
                called @ Entry::Called { .. } => {
                    *entry = called;
                    None
                }
            }
        });
        called.collect()
    }
}
