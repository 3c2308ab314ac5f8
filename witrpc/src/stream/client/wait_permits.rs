//! The share of a connection's lanes that may be held for long.
//!
//! A request for items or for notices may be answered late, and the events keep a lane of their own. The code
//! that these wait for may need a call or a push, so one lane is left for those. The number of lanes alone
//! decides how many each kind may hold, not the order of arrival:
//!
//! | Lanes | for calls | for events | for items and notices |
//! | --- | --- | --- | --- |
//! | 1 | 1 | 0 | 0 |
//! | 2 | 1 | 0 | one, for the first request |
//! | 3 | 1 | 1 | one, for the first request |
//! | more | 1 | 1 | half of the lanes for items, one for notices; with four, one for each |
//!
//! # Invariants
//!
//! 1. `items` and `notices` count the permits that are left. Together at most `most` are given out, for items
//!    at most `most_items`, for notices one. `most` leaves out a lane for calls, and from three lanes on one
//!    for events. So events need no permit, and wait for no other request, after a reconnection either.
//! 2. A permit that is returned goes to the first request that it makes room for, under the same hold of the
//!    lock. It counts as taken until that request takes it, or is dropped and so returns it. So a later request
//!    never overtakes it, however late its task runs.
//! 3. A request for notices comes before those for items.
//! 4. A request checks `lost` under the lock under which it begins to wait. The thread that loses the
//!    connection sets `lost`, and takes out all waiting requests, under one hold of the lock. So no request
//!    waits on.
//! 5. Wakers are cloned, woken and dropped without the lock. A `WakerSet` wakes, but could grant no permit.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use witrpc_rt::{lock, wake};
use witrpc_transport::{ChannelError, Limit};

use crate::rt::{Alarm, Timer};

/// The lanes that streams or uploads need: one that waits, and one for calls.
const LANES_FOR_STREAMS: u32 = 2;

/// The lanes that events need together with streams or uploads.
pub const LANES_FOR_EVENTS: u32 = 3;

/// The lanes that streams, uploads and events need together, so that each has what it waits for.
const LANES_FOR_ALL: u32 = 4;

/// The permits to hold lanes for long.
pub struct WaitPermits {
    lanes: u32,
    most_items: u32,
    /// The number of all permits.
    most: u32,
    state: Mutex<WaitPermitsState>,
    /// The timer of requests that wait for items.
    pub timer: Timer,
}

#[derive(Default)]
struct WaitPermitsState {
    items: u32,
    notices: u32,
    /// The reason why the connection is lost.
    lost: Option<ChannelError>,
    next: u64,
    /// The requests that wait for a permit, in the order in which they came.
    waiting: [BTreeMap<u64, Waker>; 2],
    /// The requests that were given a permit and have not taken it yet.
    granted: BTreeSet<u64>,
}

/// The use of a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// For the notices of all uploads.
    Notices = 0,
    /// For the items or the answer of one stream.
    Items = 1,
}

/// The right to hold a lane, until it is dropped.
pub struct WaitPermit(Arc<WaitPermits>, Purpose);

/// A place among the requests that wait for a permit.
pub struct PermitWaiter {
    permits: Arc<WaitPermits>,
    purpose: Purpose,
    place: u64,
    _alarm: Option<Alarm>,
}

impl WaitPermitsState {
    fn waiting(&mut self, purpose: Purpose) -> &mut BTreeMap<u64, Waker> {
        &mut self.waiting[purpose as usize]
    }

    fn count(&mut self, purpose: Purpose) -> &mut u32 {
        match purpose {
            Purpose::Notices => &mut self.notices,
            Purpose::Items => &mut self.items,
        }
    }
}

impl WaitPermits {
    /// Returns the permits of a connection with that many lanes.
    pub fn new(lanes: u32) -> Arc<Self> {
        let for_events = u32::from(lanes >= LANES_FOR_EVENTS);
        let most = lanes.saturating_sub(1 + for_events);
        let most_items = if most < 2 { most } else { (lanes / 2).min(most - 1) };
        let (state, timer) = (Mutex::default(), Timer::default());
        Arc::new(Self { lanes, most_items, most, state, timer })
    }

    fn fits(&self, state: &WaitPermitsState, purpose: Purpose) -> bool {
        let fits = match purpose {
            Purpose::Notices => state.notices == 0,
            Purpose::Items => state.items < self.most_items,
        };
        fits && state.items + state.notices < self.most
    }

    /// Returns why a request has waited in vain: the lane may be held for the other purpose.
    fn refusal(&self, state: &WaitPermitsState, purpose: Purpose) -> ChannelError {
        let lanes = self.lanes;
        let others = match purpose {
            Purpose::Notices => state.items,
            Purpose::Items => state.notices,
        };
        match self.most {
            1 if others > 0 => ChannelError::TooFewLanes { lanes, needed: LANES_FOR_ALL },
            _ => ChannelError::NoFreeLane,
        }
    }

    /// Checks whether there are permits at all.
    pub fn check(&self) -> Result<(), ChannelError> {
        let needed = LANES_FOR_STREAMS;
        match self.most {
            0 => Err(ChannelError::TooFewLanes { lanes: self.lanes, needed }),
            _ => Ok(()),
        }
    }

    /// Returns why a request for notices that still waits has no permit.
    pub fn refusal_of_notices(&self) -> ChannelError {
        self.refusal(&lock(&self.state), Purpose::Notices)
    }

    /// Takes a permit for a request that could do without: only while half of those for items are free.
    pub fn try_acquire_spare(self: &Arc<Self>) -> Option<WaitPermit> {
        let mut state = lock(&self.state);
        let is_spare = state.items < self.most_items / 2;
        if !is_spare || state.waiting.iter().any(|waiting| !waiting.is_empty()) {
            return None;
        }
        state.items += 1;
        Some(WaitPermit(Arc::clone(self), Purpose::Items))
    }

    /// Ends all waits, because the connection is lost.
    pub fn lose(&self, why: ChannelError) {
        let mut state = lock(&self.state);
        state.lost.get_or_insert(why);
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.into_iter().flat_map(BTreeMap::into_values).for_each(wake);
    }

    /// Polls for a permit until the limit has passed. The caller keeps `waiter` between polls.
    ///
    /// # Errors
    ///
    /// [`ChannelError::NoFreeLane`] if no permit came in time, [`ChannelError::TooFewLanes`] if there are none.
    /// Or the reason why the connection is lost.
    pub fn poll_permit(
        self: &Arc<Self>,
        purpose: Purpose,
        cx: &Context<'_>,
        waiter: &mut Option<PermitWaiter>,
        limit: &mut Limit,
    ) -> Poll<Result<WaitPermit, ChannelError>> {
        self.check()?;
        let waker = cx.waker().clone();
        let mut state = lock(&self.state);
        if let Some(lost) = state.lost {
            drop(state);
            *waiter = None;
            return Poll::Ready(Err(lost));
        }
        let has_permit = match waiter {
            Some(waiter) => state.granted.remove(&waiter.place),
            None => self.take_unless_others_wait(&mut state, purpose),
        };
        if has_permit {
            drop(state);
            *waiter = None;
            return Poll::Ready(Ok(WaitPermit(Arc::clone(self), purpose)));
        }
        let at = limit.instant();
        if at.is_some_and(|at| at <= Instant::now()) {
            let refusal = self.refusal(&state, purpose);
            drop(state);
            *waiter = None;
            return Poll::Ready(Err(refusal));
        }
        let place = match waiter {
            Some(waiter) => waiter.place,
            None => {
                state.next += 1;
                state.next
            }
        };
        let former = state.waiting(purpose).insert(place, waker);
        drop(state);
        // Outside of the lock, as it may be a task's last waker.
        drop(former);
        let waiter = waiter.get_or_insert_with(|| PermitWaiter {
            permits: Arc::clone(self),
            purpose,
            place,
            _alarm: None,
        });
        waiter._alarm = at.map(|at| self.timer.arm(at, cx.waker().clone()));
        Poll::Pending
    }

    /// Takes a permit for a request that has just arrived.
    fn take_unless_others_wait(&self, state: &mut WaitPermitsState, purpose: Purpose) -> bool {
        let is_first = state.waiting[..=purpose as usize].iter().all(BTreeMap::is_empty);
        let takes = is_first && self.fits(state, purpose);
        if takes {
            *state.count(purpose) += 1;
        }
        takes
    }

    /// Gives free permits to the requests that wait, and wakes them.
    fn hand_on(&self, mut state: MutexGuard<'_, WaitPermitsState>) {
        let mut wakers = Vec::new();
        for purpose in [Purpose::Notices, Purpose::Items] {
            while self.fits(&state, purpose)
                && let Some((place, waker)) = state.waiting(purpose).pop_first()
            {
                *state.count(purpose) += 1;
                state.granted.insert(place);
                wakers.push(waker);
            }
        }
        drop(state);
        wakers.into_iter().for_each(wake);
    }
}

impl Drop for WaitPermit {
    fn drop(&mut self) {
        let mut state = lock(&self.0.state);
        *state.count(self.1) -= 1;
        self.0.hand_on(state);
    }
}

impl Drop for PermitWaiter {
    fn drop(&mut self) {
        let mut state = lock(&self.permits.state);
        if state.granted.remove(&self.place) {
            *state.count(self.purpose) -= 1;
        }
        let waker = state.waiting(self.purpose).remove(&self.place);
        // The requests that waited behind it may have their permit.
        self.permits.hand_on(state);
        drop(waker);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering::Relaxed;
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

    /// A request that waits for a permit.
    struct Waiter {
        wakes: Arc<Wakes>,
        waiter: Option<PermitWaiter>,
    }

    impl Waiter {
        fn new() -> Self {
            Self { wakes: Arc::default(), waiter: None }
        }

        fn poll(&mut self, permits: &Arc<WaitPermits>, limit: &mut Limit) -> Poll<bool> {
            let waker = Waker::from(Arc::clone(&self.wakes));
            let polled = permits.poll_permit(
                Purpose::Items,
                &Context::from_waker(&waker),
                &mut self.waiter,
                limit,
            );
            polled.map(|permit| permit.map(std::mem::forget).is_ok())
        }

        fn was_woken(&self) -> bool {
            self.wakes.0.load(Relaxed) > 0
        }
    }

    fn permit(permits: &Arc<WaitPermits>) -> WaitPermit {
        let cx = Context::from_waker(Waker::noop());
        match permits.poll_permit(Purpose::Items, &cx, &mut None, &mut Limit::Never) {
            Poll::Ready(Ok(permit)) => permit,
            _ => panic!("one is free"),
        }
    }

    #[test]
    fn permits_go_to_waiting_requests_in_their_order() {
        let permits = WaitPermits::new(2);
        let held = permit(&permits);
        let [mut first, mut second] = [Waiter::new(), Waiter::new()];
        assert!(first.poll(&permits, &mut Limit::Never).is_pending());
        assert!(second.poll(&permits, &mut Limit::Never).is_pending());
        drop(held);
        assert!(first.was_woken() && !second.was_woken());
        assert!(second.poll(&permits, &mut Limit::Never).is_pending(), "it is not its turn");
        assert_eq!(first.poll(&permits, &mut Limit::Never), Poll::Ready(true));
    }

    #[test]
    fn a_woken_request_that_is_dropped_wakes_the_next() {
        let permits = WaitPermits::new(2);
        let held = permit(&permits);
        let [mut first, mut second] = [Waiter::new(), Waiter::new()];
        assert!(first.poll(&permits, &mut Limit::Never).is_pending());
        assert!(second.poll(&permits, &mut Limit::Never).is_pending());
        drop(held);
        drop(first);
        assert!(second.was_woken());
        assert_eq!(second.poll(&permits, &mut Limit::Never), Poll::Ready(true));
    }

    #[test]
    fn a_later_request_does_not_overtake_a_woken_one() {
        for lanes in 2..=4 {
            let permits = WaitPermits::new(lanes);
            let held = permit(&permits);
            let [mut first, mut later] = [Waiter::new(), Waiter::new()];
            assert!(first.poll(&permits, &mut Limit::Never).is_pending());
            drop(held);
            assert!(first.was_woken());
            assert!(permits.try_acquire_spare().is_none());
            assert!(later.poll(&permits, &mut Limit::Never).is_pending(), "{lanes} lanes");
            assert_eq!(first.poll(&permits, &mut Limit::Never), Poll::Ready(true));
        }
    }

    #[test]
    fn a_request_behind_a_dropped_one_gets_what_is_free() {
        let permits = WaitPermits::new(4);
        let held = take(&permits, Purpose::Notices).expect("it is free");
        let (cx, mut notices) = (Context::from_waker(Waker::noop()), None);
        let polled = permits.poll_permit(Purpose::Notices, &cx, &mut notices, &mut Limit::Never);
        assert!(polled.is_pending());
        let mut items = Waiter::new();
        assert!(items.poll(&permits, &mut Limit::Never).is_pending(), "notices come first");
        drop(notices);
        assert!(items.was_woken());
        assert_eq!(items.poll(&permits, &mut Limit::Never), Poll::Ready(true));
        drop(held);
    }

    #[test]
    fn no_request_waits_beyond_the_limit_or_for_a_missing_permit() {
        let permits = WaitPermits::new(2);
        let _held = permit(&permits);
        let mut late = Waiter::new();
        assert_eq!(late.poll(&permits, &mut Limit::Within(Duration::ZERO)), Poll::Ready(false));
        let none = WaitPermits::new(1);
        assert_eq!(Waiter::new().poll(&none, &mut Limit::Never), Poll::Ready(false));
    }

    #[test]
    fn spare_permits_leave_half_to_others() {
        let permits = WaitPermits::new(8);
        let spare: Vec<_> = std::iter::from_fn(|| permits.try_acquire_spare()).collect();
        assert_eq!(spare.len(), 2);
        let _needed = [permit(&permits), permit(&permits)];
    }

    fn take(permits: &Arc<WaitPermits>, purpose: Purpose) -> Option<WaitPermit> {
        let cx = Context::from_waker(Waker::noop());
        match permits.poll_permit(purpose, &cx, &mut None, &mut Limit::Never) {
            Poll::Ready(permit) => permit.ok(),
            Poll::Pending => None,
        }
    }

    #[test]
    fn lanes_are_left_for_calls_and_events_whatever_is_held() {
        for lanes in 2..20 {
            let permits = WaitPermits::new(lanes);
            let spare: Vec<_> = std::iter::from_fn(|| permits.try_acquire_spare()).collect();
            let items: Vec<_> = std::iter::from_fn(|| take(&permits, Purpose::Items)).collect();
            let notices = take(&permits, Purpose::Notices);
            let of_items = spare.len() + items.len();
            let held = (of_items + usize::from(notices.is_some())) as u32;
            let events = u32::from(lanes >= LANES_FOR_EVENTS);
            assert!(held + events < lanes, "{held} of {lanes}");
            assert!(!items.is_empty() && of_items <= lanes as usize / 2);
            assert!(lanes < 5 || of_items == lanes as usize / 2);
            assert_eq!(notices.is_some(), lanes >= LANES_FOR_ALL);
        }
    }

    #[test]
    fn notices_come_before_requests_for_items() {
        let permits = WaitPermits::new(2);
        let held = permit(&permits);
        let mut items = Waiter::new();
        assert!(items.poll(&permits, &mut Limit::Never).is_pending());
        let wakes = Arc::<Wakes>::default();
        let (waker, mut waiter) = (Waker::from(Arc::clone(&wakes)), None);
        let mut notices = || {
            let cx = Context::from_waker(&waker);
            permits.poll_permit(Purpose::Notices, &cx, &mut waiter, &mut Limit::Never)
        };
        assert!(notices().is_pending());
        drop(held);
        assert!(wakes.0.load(Relaxed) == 1 && !items.was_woken());
        let Poll::Ready(Ok(notices)) = notices() else { panic!("it is free") };
        drop(notices);
        assert!(items.was_woken());
    }

    #[test]
    fn a_request_that_waited_in_vain_learns_how_many_lanes_are_needed() {
        let refused = |permits: &Arc<WaitPermits>, purpose| {
            let cx = Context::from_waker(Waker::noop());
            let mut limit = Limit::Within(Duration::ZERO);
            match permits.poll_permit(purpose, &cx, &mut None, &mut limit) {
                Poll::Ready(Err(refusal)) => refusal,
                _ => panic!("there is none"),
            }
        };
        let too_few = |lanes, needed| ChannelError::TooFewLanes { lanes, needed };
        let kinds = [Purpose::Items, Purpose::Notices];
        assert_eq!(kinds.map(|kind| refused(&WaitPermits::new(1), kind)), [too_few(1, 2); 2]);
        for lanes in [2, 3] {
            let permits = WaitPermits::new(lanes);
            let held = permit(&permits);
            assert_eq!(refused(&permits, Purpose::Items), ChannelError::NoFreeLane);
            assert_eq!(refused(&permits, Purpose::Notices), too_few(lanes, 4));
            drop(held);
            let _held = take(&permits, Purpose::Notices).expect("it is free");
            assert_eq!(refused(&permits, Purpose::Items), too_few(lanes, 4));
        }
    }

    #[test]
    fn a_lost_connection_ends_every_wait_and_begins_none() {
        let permits = WaitPermits::new(3);
        let _held = permit(&permits);
        let mut waiters = [Waiter::new(), Waiter::new()];
        for waiter in &mut waiters {
            assert!(waiter.poll(&permits, &mut Limit::Never).is_pending());
        }
        permits.lose(ChannelError::PeerDied);
        for waiter in &mut waiters {
            assert!(waiter.was_woken());
            assert_eq!(waiter.poll(&permits, &mut Limit::Never), Poll::Ready(false));
        }
        assert!(take(&permits, Purpose::Notices).is_none());
        assert_eq!(Waiter::new().poll(&permits, &mut Limit::Never), Poll::Ready(false));
    }
}
