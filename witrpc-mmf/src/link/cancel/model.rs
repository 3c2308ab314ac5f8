//! loom models: callers that give up, and handlers that check or sleep.

use loom::sync::atomic::AtomicU64;
use loom::sync::{Arc, Mutex};
use loom::thread;

use crate::link::line::{publish, shows};
use crate::memory::layout::LINE_WORDS;
use crate::memory::words::modelled::{Doorbell, Flag, Modelled, explore};
use crate::wakeup::epoch::{SharedWakeEpoch, WakeRequest, fence};

use super::{cancel, is_cancelled};

/// A lane, and the server's record of the handler that sleeps.
struct Lane {
    request: [AtomicU64; LINE_WORDS],
    response: [AtomicU64; LINE_WORDS],
    cancelled: AtomicU64,
    wants_cancel: AtomicU64,
    wake_request: WakeRequest<Modelled>,
    doorbell: Doorbell,
    wake_epoch: SharedWakeEpoch<Modelled>,
    /// The seq of the call whose handler sleeps, or 0.
    asleep: Mutex<u64>,
}

impl Lane {
    fn new() -> Arc<Self> {
        let line = || core::array::from_fn(|_| AtomicU64::new(0));
        Arc::new(Self {
            request: line(),
            response: line(),
            cancelled: AtomicU64::new(0),
            wants_cancel: AtomicU64::new(0),
            wake_request: WakeRequest::new(AtomicU64::new(0)),
            doorbell: Doorbell::new(),
            wake_epoch: SharedWakeEpoch::new(AtomicU64::new(0), Flag::new(false)),
            asleep: Mutex::new(0),
        })
    }

    fn give_up(&self, seq: u64) {
        cancel::<Modelled>(&self.cancelled, seq);
        fence::<Modelled>();
        if self.wake_request.should_wake_after_fence(&self.wants_cancel) {
            self.doorbell.ring();
        }
    }

    fn is_cancelled(&self, seq: u64) -> bool {
        is_cancelled::<Modelled>(&self.cancelled, seq)
    }

    /// Polls a handler. Returns `true` if its call has been given up; otherwise it sleeps.
    fn poll(&self, seq: u64) -> bool {
        *self.asleep.lock().expect("no panic") = seq;
        self.wake_epoch.request_wakeup(&self.wants_cancel);
        self.is_cancelled(seq)
    }

    /// Wakes the handler if its call has been given up. Returns whether it sleeps on.
    fn wake(&self) -> bool {
        let mut asleep = self.asleep.lock().expect("no panic");
        if *asleep != 0 && self.is_cancelled(*asleep) {
            *asleep = 0;
        }
        *asleep != 0
    }

    fn sleeps(&self) -> bool {
        *self.asleep.lock().expect("no panic") != 0
    }

    /// Runs the server's thread that answers the doorbell, until the handler is awake.
    fn listen(&self) {
        let mut heard = 0;
        while self.sleeps() {
            heard = self.doorbell.hear(heard);
            self.wake_epoch.answer(&self.wants_cancel, || self.wake());
        }
    }
}

/// A lost wake-up is a deadlock.
#[test]
fn a_handler_that_sleeps_learns_that_its_call_was_given_up() {
    explore(3, || {
        let lane = Lane::new();
        let client = thread::spawn({
            let lane = Arc::clone(&lane);
            move || lane.give_up(1)
        });
        if !lane.poll(1) {
            lane.listen();
        }
        assert!(lane.is_cancelled(1));
        client.join().expect("the client");
    });
}

/// Two threads of the server: one answers the doorbell while the handler goes to sleep on the
/// other.
#[test]
fn a_handler_that_goes_to_sleep_as_the_bell_is_answered_is_woken_too() {
    explore(2, || {
        let lane = Lane::new();
        let client = thread::spawn({
            let lane = Arc::clone(&lane);
            move || lane.give_up(1)
        });
        let listener = thread::spawn({
            let lane = Arc::clone(&lane);
            move || lane.wake_epoch.answer(&lane.wants_cancel, || lane.wake())
        });
        if !lane.poll(1) {
            lane.listen();
        }
        client.join().expect("the client");
        listener.join().expect("the listener");
    });
}

/// The next call of the lane begins while the word still names the last one, and must never look
/// cancelled.
#[test]
fn a_cancel_never_hits_the_next_call() {
    explore(3, || {
        let lane = Lane::new();
        let client = thread::spawn({
            let lane = Arc::clone(&lane);
            move || {
                publish::<Modelled>(&lane.request, 1, 0, &[0; 6], 0);
                lane.give_up(1);
                while shows::<Modelled>(&lane.response) != 1 {
                    thread::yield_now();
                }
                publish::<Modelled>(&lane.request, 2, 0, &[0; 6], 0);
            }
        });
        while shows::<Modelled>(&lane.request) != 1 {
            thread::yield_now();
        }
        publish::<Modelled>(&lane.response, 1, 0, &[0; 6], 0);
        while shows::<Modelled>(&lane.request) != 2 {
            thread::yield_now();
        }
        assert!(!lane.is_cancelled(2), "a call that was not given up");
        assert!(lane.is_cancelled(1), "a cancel that was lost");
        client.join().expect("the client");
    });
}
