//! The share of a connection's lanes that may be held for long.
//!
//! A request for items, for notices or for events may be answered late. Such requests leave a lane free:
//! what they wait for may need a call or a push.
//!
//! # Invariants
//!
//! 1. `items` and `kept` count the permits that are there. There are at most `most_items` for items, which
//!    is half of the lanes, and one lane fewer of both kinds than the connection has. Only
//!    [`Share::keep`] goes beyond that.
//! 2. While a request waits that a returned permit makes room for, that permit wakes the first one. A
//!    request that was woken and does not take it (dropped, too late) wakes the next.
//! 3. Requests to keep a lane come before those for items: there are two at most.
//! 4. Wakers are cloned, woken and dropped without the lock.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use witrpc_rt::{lock, wake};

use crate::rt::{Alarm, Timer};
use crate::transport::{ChannelError, Limit};

/// The permits to hold lanes for long.
pub(in crate::client) struct Share {
    most_items: u32,
    /// Of all permits.
    most: u32,
    state: Mutex<State>,
    timer: Timer,
}

#[derive(Default)]
struct State {
    items: u32,
    kept: u32,
    next: u64,
    /// The requests that wait for a permit, in the order in which they came.
    waiting: [BTreeMap<u64, Waker>; 2],
}

/// What a lane is held for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::client) enum Purpose {
    /// For notices of all uploads, or for all events.
    Kept = 0,
    /// For the items or the answer of one stream.
    Items = 1,
}

/// May hold a lane, until it is dropped.
pub(in crate::client) struct Permit(Arc<Share>, Purpose);

/// A place among the requests that wait for a permit.
pub(in crate::client) struct Turn {
    share: Arc<Share>,
    purpose: Purpose,
    place: u64,
    alarm: Option<Alarm>,
}

impl State {
    fn waiting(&mut self, purpose: Purpose) -> &mut BTreeMap<u64, Waker> {
        &mut self.waiting[purpose as usize]
    }

    fn count(&mut self, purpose: Purpose) -> &mut u32 {
        match purpose {
            Purpose::Kept => &mut self.kept,
            Purpose::Items => &mut self.items,
        }
    }
}

impl Share {
    /// Of a connection of so many lanes.
    pub(super) fn new(lanes: u32) -> Arc<Self> {
        let (most_items, most) = (lanes / 2, lanes.saturating_sub(1));
        Arc::new(Self { most_items, most, state: Mutex::default(), timer: Timer::default() })
    }

    /// The timer of requests that wait for items.
    pub(super) fn timer(&self) -> &Timer {
        &self.timer
    }

    fn fits(&self, state: &State, purpose: Purpose) -> bool {
        let fits = state.items + state.kept < self.most;
        fits && (purpose == Purpose::Kept || state.items < self.most_items)
    }

    /// A permit for a request that could do without: only while half of those for items are free, and a
    /// stream and the notices would still find a lane.
    pub(super) fn spare(self: &Arc<Self>) -> Option<Permit> {
        let mut state = self.lock();
        let would_be_free = self.most.saturating_sub(state.items + state.kept + 1);
        let is_spare = state.items < self.most_items / 2 && would_be_free >= 2;
        if !is_spare || state.waiting.iter().any(|waiting| !waiting.is_empty()) {
            return None;
        }
        state.items += 1;
        Some(Permit(Arc::clone(self), Purpose::Items))
    }

    /// Takes a lane to keep whether or not it fits.
    pub(in crate::client) fn keep(self: &Arc<Self>) -> Permit {
        self.lock().kept += 1;
        Permit(Arc::clone(self), Purpose::Kept)
    }

    /// Completes with a permit, or when the limit has passed. `turn` is kept between polls.
    ///
    /// # Errors
    ///
    /// [`ChannelError::NoFreeLane`]: none came in time, or there are none.
    pub(in crate::client) fn poll_permit(
        self: &Arc<Self>,
        purpose: Purpose,
        cx: &Context<'_>,
        turn: &mut Option<Turn>,
        limit: &mut Limit,
    ) -> Poll<Result<Permit, ChannelError>> {
        let waker = cx.waker().clone();
        let mut state = self.lock();
        let is_first = match turn {
            // A request that was woken is not among those that wait any more.
            Some(turn) => !state.waiting(purpose).contains_key(&turn.place),
            None => state.waiting[..=purpose as usize].iter().all(BTreeMap::is_empty),
        };
        if is_first && self.fits(&state, purpose) {
            *state.count(purpose) += 1;
            drop(state);
            *turn = None;
            return Poll::Ready(Ok(Permit(Arc::clone(self), purpose)));
        }
        let at = limit.instant();
        let most = if purpose == Purpose::Items { self.most_items } else { self.most };
        if most == 0 || at.is_some_and(|at| at <= Instant::now()) {
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
        let former = state.waiting(purpose).insert(place, waker);
        drop(state);
        // Without the lock, as it may be a task's last.
        drop(former);
        let turn = turn.get_or_insert_with(|| Turn {
            share: Arc::clone(self),
            purpose,
            place,
            alarm: None,
        });
        let alarm = at.map(|at| self.timer.arm(at, cx.waker().clone()));
        if let Some(former) = std::mem::replace(&mut turn.alarm, alarm) {
            self.timer.disarm(former);
        }
        Poll::Pending
    }

    fn wake_first(&self, mut state: MutexGuard<'_, State>) {
        let mut pop = |purpose| {
            if !self.fits(&state, purpose) {
                return None;
            }
            state.waiting(purpose).pop_first()
        };
        let first = pop(Purpose::Kept).or_else(|| pop(Purpose::Items));
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
        *state.count(self.1) -= 1;
        self.0.wake_first(state);
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(alarm) = self.alarm.take() {
            self.share.timer.disarm(alarm);
        }
        let mut state = self.share.lock();
        match state.waiting(self.purpose).remove(&self.place) {
            // A request that was woken is not among those that wait any more.
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
            let polled = share.poll_permit(
                Purpose::Items,
                &Context::from_waker(&waker),
                &mut self.turn,
                limit,
            );
            polled.map(|permit| permit.map(std::mem::forget).is_ok())
        }

        fn was_woken(&self) -> bool {
            self.wakes.0.load(Relaxed) > 0
        }
    }

    fn permit(share: &Arc<Share>) -> Permit {
        let cx = Context::from_waker(Waker::noop());
        match share.poll_permit(Purpose::Items, &cx, &mut None, &mut Limit::Never) {
            Poll::Ready(Ok(permit)) => permit,
            _ => panic!("one is free"),
        }
    }

    #[test]
    fn permits_go_to_those_who_wait_in_their_order() {
        let share = Share::new(2);
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
        let share = Share::new(2);
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
        let share = Share::new(2);
        let _held = permit(&share);
        let mut late = Waiter::new();
        assert_eq!(late.poll(&share, &mut Limit::Within(Duration::ZERO)), Poll::Ready(false));
        let none = Share::new(1);
        assert_eq!(Waiter::new().poll(&none, &mut Limit::Never), Poll::Ready(false));
    }

    #[test]
    fn spare_permits_leave_half_to_others() {
        let share = Share::new(8);
        let spare: Vec<_> = std::iter::from_fn(|| share.spare()).collect();
        assert_eq!(spare.len(), 2);
        let _needed = [permit(&share), permit(&share)];
    }

    #[test]
    fn a_lane_is_left_for_calls_whatever_is_held() {
        for lanes in 2..20 {
            let share = Share::new(lanes);
            let cx = Context::from_waker(Waker::noop());
            let take = |purpose| match share.poll_permit(purpose, &cx, &mut None, &mut Limit::Never)
            {
                Poll::Ready(permit) => permit.ok(),
                Poll::Pending => None,
            };
            let spare: Vec<_> = std::iter::from_fn(|| share.spare()).collect();
            let items: Vec<_> = std::iter::from_fn(|| take(Purpose::Items)).collect();
            let kept: Vec<_> = (0..2).filter_map(|_| take(Purpose::Kept)).collect();
            let held = spare.len() + items.len() + kept.len();
            assert!(held < lanes as usize, "{held} of {lanes}");
            assert_eq!(spare.len() + items.len(), lanes as usize / 2);
            assert!(lanes < 5 || kept.len() == 2, "with five lanes all have one");
        }
    }

    #[test]
    fn one_who_keeps_a_lane_comes_before_those_who_wait_for_items() {
        let share = Share::new(2);
        let held = permit(&share);
        let mut items = Waiter::new();
        assert!(items.poll(&share, &mut Limit::Never).is_pending());
        let wakes = Arc::<Wakes>::default();
        let (waker, mut turn) = (Waker::from(Arc::clone(&wakes)), None);
        let mut keep = || {
            let cx = Context::from_waker(&waker);
            share.poll_permit(Purpose::Kept, &cx, &mut turn, &mut Limit::Never)
        };
        assert!(keep().is_pending());
        drop(held);
        assert!(wakes.0.load(Relaxed) == 1 && !items.was_woken());
        let Poll::Ready(Ok(kept)) = keep() else { panic!("it is free") };
        drop(kept);
        assert!(items.was_woken());
    }
}
