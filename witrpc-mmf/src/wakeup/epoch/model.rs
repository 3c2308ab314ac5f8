//! loom models: sleepers and publishers around an epoch word and a doorbell.

use core::sync::atomic::Ordering::{Acquire, Release};

use loom::sync::atomic::AtomicU64;
use loom::sync::{Arc, Mutex};
use loom::thread;

use crate::memory::words::modelled::{Doorbell, Flag, Modelled, explore};

use super::{SharedWakeEpoch, WakeEpoch, WakeRequest, fence};

/// What a sleeping side and a publishing side share.
struct Shared<const PLACES: usize> {
    word: AtomicU64,
    places: [AtomicU64; PLACES],
    wake_request: WakeRequest<Modelled>,
    doorbell: Doorbell,
}

impl<const PLACES: usize> Shared<PLACES> {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            word: AtomicU64::new(0),
            places: core::array::from_fn(|_| AtomicU64::new(0)),
            wake_request: WakeRequest::new(AtomicU64::new(0)),
            doorbell: Doorbell::new(),
        })
    }

    fn publish(&self, place: usize) {
        self.places[place].store(1, Release);
        if self.wake_request.should_wake(&self.word) {
            self.doorbell.ring();
        }
    }

    fn shows(&self, place: usize) -> bool {
        self.places[place].load(Acquire) != 0
    }

    fn all_show(&self) -> bool {
        (0..PLACES).all(|place| self.shows(place))
    }
}

fn wake_epoch() -> WakeEpoch<Modelled> {
    WakeEpoch::new(AtomicU64::new(0))
}

/// The sleeper requests, looks and sleeps until it has seen everything. A lost ring is a deadlock.
#[test]
fn a_sleeper_misses_nothing_that_two_publishers_publish() {
    explore(2, || {
        let shared = Shared::<2>::new();
        let publishers = [0, 1].map(|place| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.publish(place))
        });
        let wake_epoch = wake_epoch();
        let mut heard = 0;
        loop {
            wake_epoch.request_wakeup(&shared.word);
            fence::<Modelled>();
            if shared.all_show() {
                break;
            }
            heard = shared.doorbell.hear(heard);
        }
        for publisher in publishers {
            publisher.join().expect("a publisher");
        }
    });
}

/// The sleeper withdraws its request, looks, and requests again, as a poller does. What is
/// published meanwhile is found by a look or rings.
#[test]
fn a_sleeper_that_withdrew_its_request_misses_nothing_when_it_sleeps_again() {
    explore(3, || {
        let shared = Shared::<1>::new();
        let wake_epoch = wake_epoch();
        wake_epoch.request_wakeup(&shared.word);
        let publisher = thread::spawn({
            let shared = Arc::clone(&shared);
            move || shared.publish(0)
        });
        wake_epoch.withdraw_request(&shared.word);
        let mut found = shared.all_show();
        let heard = shared.doorbell.rings();
        if !found {
            wake_epoch.request_wakeup(&shared.word);
            fence::<Modelled>();
            found = shared.all_show();
        }
        if !found {
            shared.doorbell.hear(heard);
            assert!(shared.all_show(), "a ring without a publication");
        }
        publisher.join().expect("the publisher");
    });
}

#[test]
fn one_ring_for_each_epoch_and_no_other() {
    explore(3, || {
        let shared = Shared::<3>::new();
        let wake_epoch = wake_epoch();
        shared.publish(2);
        wake_epoch.request_wakeup(&shared.word);
        wake_epoch.withdraw_request(&shared.word);
        shared.publish(2);
        assert_eq!(shared.doorbell.rings(), 0);
        wake_epoch.request_wakeup(&shared.word);
        fence::<Modelled>();
        let publishers = [0, 1].map(|place| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.publish(place))
        });
        for publisher in publishers {
            publisher.join().expect("a publisher");
        }
        assert_eq!(shared.doorbell.rings(), 1);
    });
}

/// Two sleepers store their epochs in either order, each for what it waits for. The word may go
/// back from the later epoch to the earlier one at any moment.
#[test]
fn an_epoch_that_is_stored_late_loses_no_wake_up() {
    explore(2, || {
        let shared = Shared::<2>::new();
        let wake_epoch = Arc::new(wake_epoch());
        let sleep = |shared: &Shared<2>, wake_epoch: &WakeEpoch<Modelled>, place| {
            // A ring from now on wakes this sleeper, which has entered the queue.
            let mut heard = shared.doorbell.rings();
            loop {
                wake_epoch.request_wakeup(&shared.word);
                fence::<Modelled>();
                if shared.shows(place) {
                    return;
                }
                heard = shared.doorbell.hear(heard);
            }
        };
        let other = thread::spawn({
            let (shared, wake_epoch) = (Arc::clone(&shared), Arc::clone(&wake_epoch));
            move || sleep(&shared, &wake_epoch, 1)
        });
        let publisher = thread::spawn({
            let shared = Arc::clone(&shared);
            move || [0, 1].map(|place| shared.publish(place))
        });
        sleep(&shared, &wake_epoch, 0);
        other.join().expect("the other sleeper");
        publisher.join().expect("the publisher");
    });
}

/// Futures that sleep until their place shows something, and the thread that answers their
/// doorbell.
struct Futures {
    shared: Arc<Shared<2>>,
    wake_epoch: SharedWakeEpoch<Modelled>,
    asleep: [Mutex<bool>; 2],
}

impl Futures {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            shared: Shared::new(),
            wake_epoch: SharedWakeEpoch::new(AtomicU64::new(0), Flag::new(false)),
            asleep: core::array::from_fn(|_| Mutex::new(false)),
        })
    }

    /// Polls a future. Returns `true` if its wait is over; otherwise it sleeps.
    fn poll(&self, place: usize) -> bool {
        *self.asleep[place].lock().expect("no panic") = true;
        self.wake_epoch.request_wakeup(&self.shared.word);
        if self.shared.shows(place) {
            *self.asleep[place].lock().expect("no panic") = false;
            return true;
        }
        false
    }

    /// Wakes the futures whose place shows something. Returns whether others sleep on.
    fn wake(&self) -> bool {
        let mut others = false;
        for (place, asleep) in self.asleep.iter().enumerate() {
            let mut asleep = asleep.lock().expect("no panic");
            *asleep &= !self.shared.shows(place);
            others |= *asleep;
        }
        others
    }

    fn sleeps(&self, place: usize) -> bool {
        *self.asleep[place].lock().expect("no panic")
    }

    /// Runs the link thread until no future of `places` sleeps.
    fn answer_bell(&self, heard: &mut u32, places: &[usize]) {
        while places.iter().any(|place| self.sleeps(*place)) {
            *heard = self.shared.doorbell.hear(*heard);
            self.wake_epoch.answer(&self.shared.word, || self.wake());
        }
    }
}

#[test]
fn futures_that_share_an_epoch_are_all_woken() {
    explore(2, || {
        let futures = Futures::new();
        futures.poll(0);
        let server = thread::spawn({
            let shared = Arc::clone(&futures.shared);
            move || [0, 1].map(|place| shared.publish(place))
        });
        let other = thread::spawn({
            let futures = Arc::clone(&futures);
            move || futures.poll(1)
        });
        let mut heard = 0;
        futures.answer_bell(&mut heard, &[0]);
        other.join().expect("the other future");
        futures.answer_bell(&mut heard, &[1]);
        server.join().expect("the server");
        assert!(futures.shared.all_show());
    });
}

#[test]
fn a_future_may_rely_on_an_earlier_request() {
    explore(2, || {
        let futures = Futures::new();
        let server = thread::spawn({
            let shared = Arc::clone(&futures.shared);
            move || shared.publish(1)
        });
        let first = thread::spawn({
            let futures = Arc::clone(&futures);
            move || futures.poll(0)
        });
        futures.poll(1);
        futures.answer_bell(&mut 0, &[1]);
        first.join().expect("the first future");
        server.join().expect("the server");
    });
}
