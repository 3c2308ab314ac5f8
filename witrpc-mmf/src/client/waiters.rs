//! Tasks that wait for a lane or for space, first come first served.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Instant;

/// A queue of wakers. A notified waiter that goes away without having used its turn passes it on
/// by [`Waiters::leave`].
#[derive(Debug, Default)]
pub(super) struct Waiters {
    /// `queue.entries.len()`, readable without the lock.
    count: AtomicUsize,
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    next_place: u64,
    entries: BTreeMap<u64, Entry>,
}

#[derive(Debug)]
struct Entry {
    waker: Waker,
    deadline: Option<Instant>,
}

/// A place in a queue, kept across notifications so that a waiter that was woken in vain does not
/// fall behind later ones.
#[derive(Debug, Default)]
pub(super) struct Place(Option<u64>);

impl Waiters {
    /// Waits in `place`. After this the caller must try once more before it sleeps: whoever makes
    /// room looks at the count after having made it.
    pub(super) fn enter(&self, place: &mut Place, waker: &Waker, deadline: Option<Instant>) {
        let mut queue = self.lock();
        let number = place.0.unwrap_or_else(|| {
            queue.next_place += 1;
            queue.next_place
        });
        place.0 = Some(number);
        queue.entries.insert(number, Entry { waker: waker.clone(), deadline });
        // SeqCst, as in `is_empty`: the caller's next try and the other side's look are ordered.
        self.count.store(queue.entries.len(), SeqCst);
    }

    /// Leaves: `served` when the waiter got what it waited for. A turn not used is passed on.
    pub(super) fn leave(&self, place: &mut Place, served: bool) {
        let Some(number) = place.0.take() else { return };
        let mut queue = self.lock();
        let was_waiting = queue.entries.remove(&number).is_some();
        self.count.store(queue.entries.len(), SeqCst);
        drop(queue);
        if !was_waiting && !served {
            self.notify_one();
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count.load(SeqCst) == 0
    }

    /// Wakes the one that has waited longest.
    pub(super) fn notify_one(&self) {
        let mut queue = self.lock();
        let first = queue.entries.pop_first();
        self.count.store(queue.entries.len(), SeqCst);
        drop(queue);
        if let Some((_, entry)) = first {
            entry.waker.wake();
        }
    }

    /// Wakes all.
    pub(super) fn notify_all(&self) {
        let mut queue = self.lock();
        let entries = std::mem::take(&mut queue.entries);
        self.count.store(0, SeqCst);
        drop(queue);
        entries.into_values().for_each(|entry| entry.waker.wake());
    }

    /// Wakes those whose deadline has passed; returns the earliest of the others.
    pub(super) fn expire(&self, now: Instant) -> Option<Instant> {
        if self.is_empty() {
            return None;
        }
        let queue = self.lock();
        let mut next = None;
        for entry in queue.entries.values() {
            match entry.deadline {
                Some(at) if at <= now => entry.waker.wake_by_ref(),
                Some(at) => next = earliest(next, Some(at)),
                None => {}
            }
        }
        next
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The earlier of two deadlines, either of which may be missing.
pub(super) fn earliest(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
