//! The share of a connection's lanes that may wait for items.
//!
//! # Invariants
//!
//! 1. `used` counts the permits that are there, and is at most `most`.
//! 2. While somebody waits, a permit that comes back wakes the first who waits. Whoever was woken and
//!    does not take it (dropped, too late) wakes the next.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use witrpc_rt::{lock, wake};

use crate::rt::{Alarm, Timer};
use crate::transport::{ChannelError, Limit};

/// So many permits to wait for items.
pub(in crate::client) struct Share {
    most: u32,
    state: Mutex<State>,
    timer: Timer,
}

#[derive(Default)]
struct State {
    used: u32,
    next: u64,
    /// Those who wait, in the order in which they came.
    waiting: BTreeMap<u64, Waker>,
}

/// May wait for items, until it is dropped.
pub(in crate::client) struct Permit(Arc<Share>);

/// A place among those who wait for a permit.
pub(in crate::client) struct Turn {
    share: Arc<Share>,
    place: u64,
    alarm: Option<Alarm>,
}

impl Share {
    pub(super) fn new(most: u32) -> Arc<Self> {
        Arc::new(Self { most, state: Mutex::default(), timer: Timer::default() })
    }

    /// The timer of whoever waits for items.
    pub(super) fn timer(&self) -> &Timer {
        &self.timer
    }

    /// A permit for one who could do without: only while half of them are free.
    pub(super) fn spare(self: &Arc<Self>) -> Option<Permit> {
        let mut state = self.lock();
        if state.used >= self.most / 2 || !state.waiting.is_empty() {
            return None;
        }
        state.used += 1;
        Some(Permit(Arc::clone(self)))
    }

    /// Completes with a permit, or when the limit has passed. `turn` is kept between polls.
    ///
    /// # Errors
    ///
    /// [`ChannelError::NoFreeLane`]: none came in time, or there are none.
    pub(super) fn poll_permit(
        self: &Arc<Self>,
        cx: &Context<'_>,
        turn: &mut Option<Turn>,
        limit: &mut Limit,
    ) -> Poll<Result<Permit, ChannelError>> {
        let mut state = self.lock();
        let is_first = match turn {
            // Whoever was woken is not among those who wait any more.
            Some(turn) => !state.waiting.contains_key(&turn.place),
            None => state.waiting.is_empty(),
        };
        if is_first && state.used < self.most {
            state.used += 1;
            drop(state);
            *turn = None;
            return Poll::Ready(Ok(Permit(Arc::clone(self))));
        }
        let at = limit.instant();
        if self.most == 0 || at.is_some_and(|at| at <= Instant::now()) {
            drop(state);
            *turn = None;
            return Poll::Ready(Err(ChannelError::NoFreeLane));
        }
        let place = match turn {
            Some(turn) => turn.place,
            None => {
                state.next += 1;
                state.next
            }
        };
        let former = state.waiting.insert(place, cx.waker().clone());
        drop(state);
        // Without the lock, as it may be a task's last.
        drop(former);
        let turn = turn.get_or_insert_with(|| Turn { share: Arc::clone(self), place, alarm: None });
        let alarm = at.map(|at| self.timer.arm(at, cx.waker().clone()));
        if let Some(former) = std::mem::replace(&mut turn.alarm, alarm) {
            self.timer.disarm(former);
        }
        Poll::Pending
    }

    fn wake_first(&self, mut state: MutexGuard<'_, State>) {
        let first = if state.used < self.most { state.waiting.pop_first() } else { None };
        drop(state);
        first.into_iter().for_each(|(_, waker)| wake(waker));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.used -= 1;
        self.0.wake_first(state);
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(alarm) = self.alarm.take() {
            self.share.timer.disarm(alarm);
        }
        let mut state = self.share.lock();
        match state.waiting.remove(&self.place) {
            // Whoever was woken is not among those who wait any more.
            None => self.share.wake_first(state),
            Some(waker) => {
                drop(state);
                drop(waker);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    use std::task::Wake;
    use std::time::Duration;

    use super::*;

    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Relaxed);
        }
    }

    /// One who wants a permit.
    struct Waiter {
        wakes: Arc<Wakes>,
        turn: Option<Turn>,
    }

    impl Waiter {
        fn new() -> Self {
            Self { wakes: Arc::default(), turn: None }
        }

        fn poll(&mut self, share: &Arc<Share>, limit: &mut Limit) -> Poll<bool> {
            let waker = Waker::from(Arc::clone(&self.wakes));
            let polled = share.poll_permit(&Context::from_waker(&waker), &mut self.turn, limit);
            polled.map(|permit| permit.map(std::mem::forget).is_ok())
        }

        fn was_woken(&self) -> bool {
            self.wakes.0.load(Relaxed) > 0
        }
    }

    fn permit(share: &Arc<Share>) -> Permit {
        let cx = Context::from_waker(Waker::noop());
        match share.poll_permit(&cx, &mut None, &mut Limit::Never) {
            Poll::Ready(Ok(permit)) => permit,
            _ => panic!("one is free"),
        }
    }

    #[test]
    fn permits_go_to_those_who_wait_in_their_order() {
        let share = Share::new(1);
        let held = permit(&share);
        let [mut first, mut second] = [Waiter::new(), Waiter::new()];
        assert!(first.poll(&share, &mut Limit::Never).is_pending());
        assert!(second.poll(&share, &mut Limit::Never).is_pending());
        drop(held);
        assert!(first.was_woken() && !second.was_woken());
        assert!(second.poll(&share, &mut Limit::Never).is_pending(), "it is not its turn");
        assert_eq!(first.poll(&share, &mut Limit::Never), Poll::Ready(true));
    }

    #[test]
    fn one_who_was_woken_and_goes_wakes_the_next() {
        let share = Share::new(1);
        let held = permit(&share);
        let [mut first, mut second] = [Waiter::new(), Waiter::new()];
        assert!(first.poll(&share, &mut Limit::Never).is_pending());
        assert!(second.poll(&share, &mut Limit::Never).is_pending());
        drop(held);
        drop(first);
        assert!(second.was_woken());
        assert_eq!(second.poll(&share, &mut Limit::Never), Poll::Ready(true));
    }

    #[test]
    fn nobody_waits_beyond_the_limit_or_for_what_there_is_not() {
        let share = Share::new(1);
        let _held = permit(&share);
        let mut late = Waiter::new();
        assert_eq!(late.poll(&share, &mut Limit::Within(Duration::ZERO)), Poll::Ready(false));
        let none = Share::new(0);
        assert_eq!(Waiter::new().poll(&none, &mut Limit::Never), Poll::Ready(false));
    }

    #[test]
    fn spare_permits_leave_half_to_others() {
        let share = Share::new(4);
        let spare: Vec<_> = std::iter::from_fn(|| share.spare()).collect();
        assert_eq!(spare.len(), 2);
        let _needed = [permit(&share), permit(&share)];
    }
}
