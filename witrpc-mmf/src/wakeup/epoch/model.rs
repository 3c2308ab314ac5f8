//! loom models: sleepers and publishers around an epoch word and a doorbell.

use core::sync::atomic::Ordering::{Acquire, Release};

use loom::sync::atomic::AtomicU64;
use loom::sync::{Arc, Mutex};
use loom::thread;

use crate::memory::words::modelled::{Bell, Flag, Modelled, explore};

use super::{SharedWakeEpoch, WakeEpoch, WakeRequest, fence};

/// What one sleeping side and one publishing side share.
struct Shared<const PLACES: usize> {
    word: AtomicU64,
    places: [AtomicU64; PLACES],
    rung: WakeRequest<Modelled>,
    bell: Bell,
}

impl<const PLACES: usize> Shared<PLACES> {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            word: AtomicU64::new(0),
            places: core::array::from_fn(|_| AtomicU64::new(0)),
            rung: WakeRequest::new(AtomicU64::new(0)),
            bell: Bell::new(),
        })
    }

    fn publish(&self, place: usize) {
        self.places[place].store(1, Release);
        if self.rung.should_wake(&self.word) {
            self.bell.ring();
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

/// A poller that looks, arms, looks and sleeps, until all has come. A ring that is lost is a
/// deadlock.
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
            heard = shared.bell.hear(heard);
        }
        for publisher in publishers {
            publisher.join().expect("a publisher");
        }
    });
}

/// The poller's turn: while it looks every time nobody rings, and what is published as it stops is
/// found or rings.
#[test]
fn a_sleeper_that_turned_rings_off_misses_nothing_when_it_sleeps_again() {
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
        let heard = shared.bell.rings();
        if !found {
            wake_epoch.request_wakeup(&shared.word);
            fence::<Modelled>();
            found = shared.all_show();
        }
        if !found {
            shared.bell.hear(heard);
            assert!(shared.all_show(), "rung for nothing that can be seen");
        }
        publisher.join().expect("the publisher");
    });
}

#[test]
fn one_ring_an_epoch_and_none_without() {
    explore(3, || {
        let shared = Shared::<3>::new();
        let wake_epoch = wake_epoch();
        shared.publish(2);
        wake_epoch.request_wakeup(&shared.word);
        wake_epoch.withdraw_request(&shared.word);
        shared.publish(2);
        assert_eq!(shared.bell.rings(), 0);
        wake_epoch.request_wakeup(&shared.word);
        fence::<Modelled>();
        let publishers = [0, 1].map(|place| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.publish(place))
        });
        for publisher in publishers {
            publisher.join().expect("a publisher");
        }
        assert_eq!(shared.bell.rings(), 1);
    });
}

/// Two sleepers store their epochs in either order, each for what it waits for; the word may go back
/// from the later epoch to the earlier one at any moment.
#[test]
fn an_epoch_that_is_stored_late_silences_nobody() {
    explore(2, || {
        let shared = Shared::<2>::new();
        let wake_epoch = Arc::new(wake_epoch());
        let sleep = |shared: &Shared<2>, wake_epoch: &WakeEpoch<Modelled>, place| {
            // Whoever rings from now on wakes this sleeper: it has entered the queue.
            let mut heard = shared.bell.rings();
            loop {
                wake_epoch.request_wakeup(&shared.word);
                fence::<Modelled>();
                if shared.shows(place) {
                    return;
                }
                heard = shared.bell.hear(heard);
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

/// Futures that sleep until their place shows something, and the thread that answers their bell.
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

    /// A future's poll: `true` if it is over, else it sleeps.
    fn poll(&self, place: usize) -> bool {
        *self.asleep[place].lock().expect("no panic") = true;
        self.wake_epoch.request_wakeup(&self.shared.word);
        if self.shared.shows(place) {
            *self.asleep[place].lock().expect("no panic") = false;
            return true;
        }
        false
    }

    /// Wakes those whose place shows something; says whether others sleep on.
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

    /// The link thread, until nobody of `places` sleeps.
    fn answer_bell(&self, heard: &mut u32, places: &[usize]) {
        while places.iter().any(|place| self.sleeps(*place)) {
            *heard = self.shared.bell.hear(*heard);
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
fn a_future_that_finds_an_epoch_standing_may_rely_on_it() {
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
