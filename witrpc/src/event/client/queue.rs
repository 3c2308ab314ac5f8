//! The events that wait for a subscriber that takes them one by one.

use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use witrpc_rt::{lock, wait, wake};

use crate::contract::Overflow;
use crate::error::{CallError, EventError};
use crate::event::backlog::{Backlog, Gap, NextEntry, Offer};
use crate::event::delivery::Emitted;

use super::Sink;

/// The events that wait for one subscriber.
pub struct Queue {
    state: Mutex<EventQueueState>,
    changed: Condvar,
}

struct EventQueueState {
    /// The entry that was taken out of the backlog and has not been fully returned.
    next: NextEntry<Arc<Emitted>>,
    backlog: Backlog<Arc<Emitted>>,
    /// Set when no more events come, to the reason.
    ended: Option<CallError>,
    waker: Option<Waker>,
}

/// An item that a subscriber receives.
pub enum Came {
    Event(Arc<Emitted>),
    Gap(EventError),
}

impl Queue {
    pub fn new(overflow: Overflow) -> Arc<Self> {
        let state = EventQueueState {
            next: NextEntry { gap: Gap::default(), item: None },
            backlog: Backlog::new(overflow),
            ended: None,
            waker: None,
        };
        Arc::new(Self { state: Mutex::new(state), changed: Condvar::new() })
    }

    /// Returns the next item; `None` if there is none now. Wakes a puller that waits for room.
    pub fn take(&self) -> Option<Came> {
        let came = lock(&self.state).take();
        self.changed.notify_all();
        came
    }

    /// Blocks the thread until there is an item; returns `None` if none will come.
    pub fn wait(&self) -> Option<Came> {
        let mut state = lock(&self.state);
        loop {
            if let Some(came) = state.take() {
                drop(state);
                self.changed.notify_all();
                return Some(came);
            }
            if state.is_over() {
                return None;
            }
            state = wait(&self.changed, state, None);
        }
    }

    /// Completes when there is an item; with `None` if none will come.
    pub fn poll(&self, cx: &Context<'_>) -> Poll<Option<Came>> {
        // Clone and drop wakers without the lock: that runs code of the user's.
        let waker = cx.waker().clone();
        let mut state = lock(&self.state);
        if let Some(came) = state.take() {
            drop(state);
            self.changed.notify_all();
            return Poll::Ready(Some(came));
        }
        if state.is_over() {
            return Poll::Ready(None);
        }
        let former = state.waker.replace(waker);
        drop(state);
        drop(former);
        Poll::Pending
    }

    /// Closes the queue, because the subscriber has been dropped: nothing waits for room any more.
    pub fn close(&self) {
        lock(&self.state).ended = Some(CallError::Cancelled);
        self.changed.notify_all();
    }

    /// Wakes the threads and tasks that wait for a change.
    fn tell(&self, mut state: MutexGuard<'_, EventQueueState>) {
        let waker = state.waker.take();
        drop(state);
        self.changed.notify_all();
        waker.into_iter().for_each(wake);
    }

    /// Waits until there is room, for at most this time.
    fn offer_within(&self, emitted: Arc<Emitted>, time: Duration) {
        let deadline = Instant::now().checked_add(time);
        let mut state = lock(&self.state);
        let mut emitted = emitted;
        let len = emitted.bytes.len();
        while state.ended.is_none() {
            match state.backlog.offer(emitted, len) {
                Offer::Full(back, _) => emitted = back,
                Offer::Taken | Offer::Dropped => break,
            }
            let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                state.backlog.give_up_waiting();
                state.backlog.lose(1);
                break;
            }
            state = wait(&self.changed, state, left);
        }
        self.tell(state);
    }
}

impl EventQueueState {
    fn take(&mut self) -> Option<Came> {
        if let Some(came) = self.tell_next() {
            return Some(came);
        }
        if let Some(next) = self.backlog.take() {
            self.next = next;
            return self.tell_next();
        }
        match self.ended.take()? {
            // The subscriber has received it already.
            CallError::Cancelled => {
                self.ended = Some(CallError::Cancelled);
                None
            }
            error => {
                self.ended = Some(CallError::Cancelled);
                Some(Came::Gap(EventError::Ended(error)))
            }
        }
    }

    /// Returns what the subscriber receives next: first the count of missing events, then the
    /// event.
    fn tell_next(&mut self) -> Option<Came> {
        let NextEntry { gap, item } = &mut self.next;
        if gap.lost > 0 {
            return Some(Came::Gap(EventError::Lagged(std::mem::take(&mut gap.lost))));
        }
        if gap.renewals > 0 {
            gap.renewals -= 1;
            return Some(Came::Gap(EventError::MayHaveMissed));
        }
        item.take().map(Came::Event)
    }

    fn is_over(&self) -> bool {
        self.ended.is_some()
    }
}

impl Sink for Queue {
    fn deliver(&self, lost: u64, emitted: Option<Arc<Emitted>>) {
        let mut state = lock(&self.state);
        if lost > 0 {
            state.backlog.lose(lost);
        }
        if let Some(emitted) = emitted {
            let len = emitted.bytes.len();
            if let Offer::Full(emitted, time) = state.backlog.offer(emitted, len) {
                drop(state);
                return self.offer_within(emitted, time);
            }
        }
        self.tell(state);
    }

    fn may_have_missed(&self) {
        let mut state = lock(&self.state);
        state.backlog.renew();
        self.tell(state);
    }

    fn end(&self, error: CallError) {
        let mut state = lock(&self.state);
        state.ended.get_or_insert(error);
        self.tell(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn emitted(byte: u8) -> Option<Arc<Emitted>> {
        Some(Arc::new(Emitted { raw: false, bytes: vec![byte] }))
    }

    fn taken(queue: &Queue) -> Vec<String> {
        let words = |came| match came {
            Came::Event(emitted) => format!("{:?}", emitted.bytes),
            Came::Gap(gap) => format!("{gap:?}"),
        };
        std::iter::from_fn(|| queue.take().map(words)).collect()
    }

    #[test]
    fn gaps_stand_where_something_is_missing_and_the_end_is_told_once() {
        let queue = Queue::new(Overflow::DropOldest);
        queue.deliver(0, emitted(1));
        queue.deliver(3, emitted(2));
        queue.may_have_missed();
        queue.deliver(0, emitted(3));
        queue.may_have_missed();
        queue.may_have_missed();
        queue.end(CallError::PeerDied);
        let missed = "MayHaveMissed";
        let all = ["[1]", "Lagged(3)", "[2]", missed, "[3]", missed, missed, "Ended(PeerDied)"];
        assert_eq!(taken(&queue), all);
        assert!(queue.wait().is_none());
    }

    #[test]
    fn the_wait_for_a_subscriber_that_takes_nothing_ends_with_its_time() {
        let queue = Queue::new(Overflow::Wait(Duration::from_millis(1)));
        for _ in 0..crate::event::backlog::MAX_EVENTS + 3 {
            queue.deliver(0, emitted(1));
        }
        let taken = taken(&queue);
        assert_eq!(taken.len(), crate::event::backlog::MAX_EVENTS + 1);
        assert_eq!(taken.last().unwrap(), "Lagged(3)");
    }
}
