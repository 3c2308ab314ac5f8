//! Tasks that are woken all together: those that wait for space, since what one of them finds too little
//! is enough for another, and those that are to be told when the connection is lost.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Mutex, MutexGuard};
use std::task::Waker;
use std::time::Instant;

use witrpc_rt::{lock, wake};

/// A set of wakers, none of which is run, cloned or dropped under the lock: either may end a task that
/// waits here, and so come back to it.
#[derive(Debug, Default)]
pub struct Waiters {
    /// `queue.wakers.len()`, readable without the lock.
    count: AtomicUsize,
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    last_place: u64,
    wakers: BTreeMap<u64, Waker>,
}

/// A task's place, across its polls.
#[derive(Debug, Default)]
pub struct QueuePlace(Option<u64>);

impl Waiters {
    /// Waits in `place`. After this the caller must try once more before it sleeps: a thread that
    /// makes room looks at the count after having made it.
    pub fn enter(&self, place: &mut QueuePlace, waker: &Waker) {
        let waker = waker.clone();
        let mut queue = self.lock();
        let number = *place.0.get_or_insert_with(|| {
            queue.last_place += 1;
            queue.last_place
        });
        let earlier = queue.wakers.insert(number, waker);
        // SeqCst, as in `is_empty`: the caller's next try and the other side's look are ordered.
        self.count.store(queue.wakers.len(), SeqCst);
        drop(queue);
        drop(earlier);
    }

    /// Waits no more.
    pub fn leave(&self, place: &mut QueuePlace) {
        let Some(number) = place.0.take() else { return };
        let mut queue = self.lock();
        let waker = queue.wakers.remove(&number);
        self.count.store(queue.wakers.len(), SeqCst);
        drop(queue);
        drop(waker);
    }

    pub fn is_empty(&self) -> bool {
        self.count.load(SeqCst) == 0
    }

    /// Wakes all.
    pub fn notify_all(&self) {
        let mut queue = self.lock();
        let wakers = std::mem::take(&mut queue.wakers);
        self.count.store(0, SeqCst);
        drop(queue);
        wakers.into_values().for_each(wake);
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        lock(&self.queue)
    }
}

/// The earlier of two deadlines, either of which may be missing.
pub fn earliest(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
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
        let mut places: [QueuePlace; 3] = Default::default();
        for place in &mut places {
            queue.enter(place, &task());
            queue.enter(place, &task());
        }
        queue.leave(&mut places[1]);
        queue.notify_all();
        assert_eq!(wakes.load(SeqCst), 2);
        queue.leave(&mut places[0]);
        assert!(queue.is_empty());
        queue.notify_all();
        assert_eq!(wakes.load(SeqCst), 2);
    }
}
