//! Tasks that wait for a lane, woken in their order, or for space, woken all together: what one of
//! them finds too little is enough for another. Nobody is served in order, since whoever comes tries
//! before it waits.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

use crate::wake::wake;

/// A queue of wakers, none of which is run or dropped under the lock: either may end a task that
/// waits here, and so come back to it.
///
/// A notified waiter that goes away without having used its turn passes it on by
/// [`Waiters::leave`]. One that is neither dropped nor polled again cannot; where waiters are woken
/// one at a time, the link thread wakes others for it after a [`turn`](Waiters::turn).
#[derive(Debug, Default)]
pub(super) struct Waiters {
    turn: Option<Duration>,
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
pub(super) struct Place {
    number: Option<u64>,
    /// It is one for a request that is sent while the server drains its calls too.
    pub(super) continues: bool,
}

/// How long a waiter has to use its turn. Executors take far less; if one does not, waking another
/// waiter beside it does no harm.
const TURN: Duration = Duration::from_millis(10);

impl Waiters {
    /// A queue whose waiters are woken one at a time.
    pub(super) fn one_at_a_time() -> Self {
        Self { turn: Some(TURN), ..Self::default() }
    }

    /// How long to wait for a waiter that was woken before another is; `None` where all are woken.
    pub(super) fn turn(&self) -> Option<Duration> {
        self.turn
    }

    /// Waits in `place`. After this the caller must try once more before it sleeps: whoever makes
    /// room looks at the count after having made it.
    pub(super) fn enter(&self, place: &mut Place, waker: &Waker, deadline: Option<Instant>) {
        let mut queue = self.lock();
        let number = place.number.unwrap_or_else(|| {
            queue.next_place += 1;
            queue.next_place
        });
        place.number = Some(number);
        let earlier = queue.entries.insert(number, Entry { waker: waker.clone(), deadline });
        // SeqCst, as in `is_empty`: the caller's next try and the other side's look are ordered.
        self.count.store(queue.entries.len(), SeqCst);
        drop(queue);
        drop(earlier);
    }

    /// Leaves: `served` when the waiter got what it waited for. A turn not used is passed on.
    pub(super) fn leave(&self, place: &mut Place, served: bool) {
        let Some(number) = place.number.take() else { return };
        let mut queue = self.lock();
        let entry = queue.entries.remove(&number);
        self.count.store(queue.entries.len(), SeqCst);
        drop(queue);
        if entry.is_none() && !served {
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
            wake(entry.waker);
        }
    }

    /// Wakes all.
    pub(super) fn notify_all(&self) {
        let mut queue = self.lock();
        let entries = std::mem::take(&mut queue.entries);
        self.count.store(0, SeqCst);
        drop(queue);
        entries.into_values().for_each(|entry| wake(entry.waker));
    }

    /// Wakes those whose deadline has passed; returns the earliest of the others.
    pub(super) fn expire(&self, now: Instant) -> Option<Instant> {
        if self.is_empty() {
            return None;
        }
        let queue = self.lock();
        let mut next = None;
        let mut late = Vec::new();
        for entry in queue.entries.values() {
            match entry.deadline {
                Some(at) if at <= now => late.push(entry.waker.clone()),
                Some(at) => next = earliest(next, Some(at)),
                None => {}
            }
        }
        drop(queue);
        late.into_iter().for_each(wake);
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicU32;
    use std::task::Wake;

    use super::*;

    /// A task that comes back to the queue when it is woken, and when it ends.
    struct Returning {
        queue: Arc<Waiters>,
        wakes: Arc<AtomicU32>,
    }

    impl Wake for Returning {
        fn wake(self: Arc<Self>) {
            assert!(self.queue.queue.try_lock().is_ok(), "woken under the lock");
            self.wakes.fetch_add(1, SeqCst);
        }
    }

    impl Drop for Returning {
        fn drop(&mut self) {
            assert!(self.queue.queue.try_lock().is_ok(), "dropped under the lock");
        }
    }

    #[test]
    fn no_waker_runs_or_ends_under_the_lock() {
        let queue = Arc::new(Waiters::default());
        let wakes = Arc::new(AtomicU32::new(0));
        let task = || {
            let (queue, wakes) = (Arc::clone(&queue), Arc::clone(&wakes));
            Waker::from(Arc::new(Returning { queue, wakes }))
        };
        let mut places: [Place; 3] = Default::default();
        let past = Instant::now();
        for place in &mut places {
            queue.enter(place, &task(), Some(past));
            queue.enter(place, &task(), Some(past));
        }
        assert_eq!(queue.expire(past), None);
        assert_eq!(wakes.load(SeqCst), 3);
        queue.notify_one();
        assert_eq!(wakes.load(SeqCst), 4);
        // Notified, and gone without having used its turn: the next is notified.
        queue.leave(&mut places[0], false);
        assert_eq!(wakes.load(SeqCst), 5);
        queue.leave(&mut places[2], false);
        assert!(queue.is_empty());
        queue.notify_all();
        assert_eq!(wakes.load(SeqCst), 5);
    }
}
