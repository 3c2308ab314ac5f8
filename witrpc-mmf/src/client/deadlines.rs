//! When to wake the futures of a client for their limits.
//!
//! Limits are kept apart from what a future waits for, so that a future is woken at its limit in
//! any case. The link thread watches the time. Each connection has that thread anyway, and the peer
//! cannot hold it up. It ends only after the connection, when it has woken every sleeper. A `Timer`
//! of `witrpc` would start one more thread. A future registers only when it goes to sleep, so a
//! call that is answered while it spins costs nothing.
//!
//! Wakers run code of users. They are woken, cloned and dropped without the lock.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};
use std::task::Waker;
use std::time::Instant;

use witrpc_rt::{TimeKey, TimeQueue, lock, wake};
use witrpc_transport::Ticket;

/// The deadlines of a client's futures. See the [module](self).
#[derive(Debug, Default)]
pub struct Deadlines(Mutex<DeadlineState>);

#[derive(Debug, Default)]
struct DeadlineState {
    set: TimeQueue<Set>,
    /// The deadlines of calls that wait for their answer. These calls have no place to keep an
    /// [`DeadlineSlot`] in.
    of_calls: HashMap<Ticket, TimeKey>,
}

#[derive(Debug)]
struct Set {
    waker: Waker,
    call: Option<Ticket>,
}

/// The deadline of a future, if one is set. It must be [cleared](Deadlines::clear) when the future
/// ends.
#[derive(Debug, Default)]
pub struct DeadlineSlot(Option<TimeKey>);

impl Deadlines {
    /// Registers `waker` to be woken at `at`, instead of what `slot` held before. The caller must
    /// then tell the link thread of the deadline.
    pub fn set(&self, slot: &mut DeadlineSlot, at: Instant, waker: &Waker) {
        let waker = waker.clone();
        let (key, earlier) = self.lock().set(slot.0, at, waker, None);
        drop(earlier);
        slot.0 = Some(key);
    }

    /// Clears a deadline, if one is set.
    pub fn clear(&self, slot: &mut DeadlineSlot) {
        let Some(key) = slot.0.take() else { return };
        let former = self.lock().set.remove(key);
        drop(former);
    }

    /// Does [`set`](Self::set) for a call that waits for its answer.
    pub fn set_for(&self, call: Ticket, at: Instant, waker: &Waker) {
        let waker = waker.clone();
        let mut state = self.lock();
        let former = state.of_calls.get(&call).copied();
        let (key, earlier) = state.set(former, at, waker, Some(call));
        state.of_calls.insert(call, key);
        drop(state);
        drop(earlier);
    }

    /// Does [`clear`](Self::clear) for a call that no longer waits for its answer.
    pub fn clear_for(&self, call: Ticket) {
        let mut state = self.lock();
        let former = state.of_calls.remove(&call).and_then(|key| state.set.remove(key));
        drop(state);
        drop(former);
    }

    /// Wakes the futures whose deadline has passed. Returns the earliest deadline of the others.
    pub fn expire(&self, now: Instant) -> Option<Instant> {
        loop {
            let mut state = self.lock();
            let Some(Set { waker, call }) = state.set.pop_due(now) else {
                return state.set.first();
            };
            if let Some(call) = call {
                state.of_calls.remove(&call);
            }
            drop(state);
            wake(waker);
        }
    }

    fn lock(&self) -> MutexGuard<'_, DeadlineState> {
        lock(&self.0)
    }
}

impl DeadlineState {
    /// Sets a deadline in place of `former`. Returns its key, and the former entry, to be dropped
    /// without the lock.
    fn set(
        &mut self,
        former: Option<TimeKey>,
        at: Instant,
        waker: Waker,
        call: Option<Ticket>,
    ) -> (TimeKey, Option<Set>) {
        let earlier = former.and_then(|key| self.set.remove(key));
        let key = former.filter(|key| key.at() == at).unwrap_or_else(|| self.set.key(at));
        self.set.insert(key, Set { waker, call });
        (key, earlier)
    }
}

/// Returns the earlier of two deadlines, either of which may be missing.
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
    use std::sync::atomic::Ordering::SeqCst;
    use std::task::Wake;
    use std::time::Duration;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    /// A task that asserts, when it is dropped, that the lock is not held.
    struct Task {
        deadlines: Arc<Deadlines>,
        wakes: Arc<AtomicU32>,
    }

    impl Wake for Task {
        fn wake(self: Arc<Self>) {
            self.wakes.fetch_add(1, SeqCst);
        }
    }

    impl Drop for Task {
        fn drop(&mut self) {
            assert!(self.deadlines.0.try_lock().is_ok(), "woken or dropped under the lock");
        }
    }

    #[test]
    fn each_is_woken_once_at_its_deadline_unless_cleared() {
        let deadlines = Arc::new(Deadlines::default());
        let wakes = Arc::new(AtomicU32::new(0));
        let task = || {
            let (deadlines, wakes) = (Arc::clone(&deadlines), Arc::clone(&wakes));
            Waker::from(Arc::new(Task { deadlines, wakes }))
        };
        let now = Instant::now();
        let call = |seq| Ticket::new(0, seq);
        let [mut kept, mut cleared] = [DeadlineSlot::default(), DeadlineSlot::default()];
        // Each is set twice, and the second replaces the first.
        for at in [now, now + HOUR] {
            deadlines.set(&mut kept, at, &task());
            deadlines.set(&mut cleared, at, &task());
            deadlines.set_for(call(1), at + HOUR, &task());
            deadlines.set_for(call(2), at, &task());
        }
        assert_eq!(deadlines.expire(now), Some(now + HOUR), "the first ones are replaced");
        assert_eq!(wakes.load(SeqCst), 0);
        deadlines.clear(&mut cleared);
        deadlines.clear_for(call(2));
        assert_eq!(deadlines.expire(now + HOUR), Some(now + 2 * HOUR));
        assert_eq!(wakes.load(SeqCst), 1);
        assert_eq!(deadlines.expire(now + 2 * HOUR), None);
        assert_eq!(wakes.load(SeqCst), 2);
        deadlines.clear_for(call(1));
        deadlines.clear(&mut kept);
        let state = deadlines.lock();
        assert!(state.set.is_empty() && state.of_calls.is_empty());
    }
}
