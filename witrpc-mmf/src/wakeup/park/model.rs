//! loom models: blocked callers against responses, and against the end of the connection.

use core::sync::atomic::Ordering::{Acquire, Release};

use loom::sync::Arc;
use loom::sync::atomic::AtomicU64;
use loom::thread;

use crate::link::line::{publish, shows};
use crate::memory::layout::{LINE_WORDS, line, wait};
use crate::memory::words::modelled::{Doorbell, Flag, Futex, Modelled, explore};
use crate::wakeup::epoch::{SharedWakeEpoch, WakeRequest};

use super::{parked, still_parked, what_to_wake};

/// The words of a group of lanes that waiting is about.
struct Group<const LANES: usize> {
    wait_line: [AtomicU64; LINE_WORDS],
    responses: [[AtomicU64; LINE_WORDS]; LANES],
    futexes: [Futex; LANES],
    wake_request: WakeRequest<Modelled>,
    doorbell: Doorbell,
    /// The client's record that the connection has ended.
    lost: AtomicU64,
}

impl<const LANES: usize> Group<LANES> {
    fn new() -> Arc<Self> {
        let line = || core::array::from_fn(|_| AtomicU64::new(0));
        Arc::new(Self {
            wait_line: line(),
            responses: core::array::from_fn(|_| line()),
            futexes: core::array::from_fn(|_| Futex::new()),
            wake_request: WakeRequest::new(AtomicU64::new(0)),
            doorbell: Doorbell::new(),
            lost: AtomicU64::new(0),
        })
    }

    /// Does what the server does for the response `seq` of `lane`. Returns whether it woke a
    /// caller.
    fn respond(&self, lane: usize, seq: u64) -> bool {
        publish::<Modelled>(&self.responses[lane], seq, 0, &[0; 6], 0);
        let to_wake = what_to_wake(&self.wait_line, 1 << lane, &self.wake_request);
        if to_wake.caller {
            self.futexes[lane].wake();
        }
        if to_wake.link {
            self.doorbell.ring();
        }
        to_wake.caller
    }

    /// Runs a blocked caller. loom reports a deadlock if it is never woken. Returns `false` if the
    /// connection ended first.
    fn park(&self, lane: usize, seq: u64) -> bool {
        let response = &self.responses[lane];
        parked::<Modelled, _>(&self.wait_line[wait::PARKED], 1 << lane, || {
            loop {
                let shown = shows::<Modelled>(response);
                if shown == seq {
                    return true;
                }
                if self.lost.load(Acquire) != 0 {
                    return false;
                }
                self.futexes[lane].wait(&response[line::SEQ], shown);
            }
        })
    }
}

#[test]
fn a_parked_caller_is_woken_by_its_response() {
    explore(3, || {
        let group = Group::<1>::new();
        let server = thread::spawn({
            let group = Arc::clone(&group);
            move || group.respond(0, 1)
        });
        assert!(group.park(0, 1));
        server.join().expect("the server");
    });
}

#[test]
fn two_callers_of_a_group_are_each_woken() {
    explore(2, || {
        let group = Group::<2>::new();
        let other = thread::spawn({
            let group = Arc::clone(&group);
            move || group.park(1, 1)
        });
        let server = thread::spawn({
            let group = Arc::clone(&group);
            move || [1, 0].map(|lane| group.respond(lane, 1))
        });
        assert!(group.park(0, 1));
        assert!(other.join().expect("the other caller"));
        server.join().expect("the server");
    });
}

#[test]
fn a_response_without_a_sleeper_wakes_no_thread() {
    explore(3, || {
        let group = Group::<2>::new();
        let server = thread::spawn({
            let group = Arc::clone(&group);
            move || group.respond(1, 1)
        });
        assert!(!group.respond(0, 1));
        assert!(group.park(0, 1), "answered before it parks");
        assert!(!server.join().expect("the server"), "no caller sleeps on lane 1");
        assert!(!group.respond(0, 2), "no caller sleeps any more");
    });
}

#[test]
fn the_end_of_the_connection_wakes_every_sleeper() {
    explore(3, || {
        let group = Group::<1>::new();
        let link = thread::spawn({
            let group = Arc::clone(&group);
            move || {
                group.lost.store(1, Release);
                while still_parked::<Modelled>(&group.wait_line[wait::PARKED]) != 0 {
                    group.futexes[0].wake();
                    thread::yield_now();
                }
            }
        });
        assert!(!group.park(0, 1));
        link.join().expect("the link thread");
    });
}

/// One fence of the server serves both the blocked caller and the future.
#[test]
fn a_caller_and_a_future_of_a_group_are_both_woken() {
    explore(2, || {
        let group = Group::<2>::new();
        let caller = thread::spawn({
            let group = Arc::clone(&group);
            move || group.park(0, 1)
        });
        let server = thread::spawn({
            let group = Arc::clone(&group);
            move || [0, 1].map(|lane| group.respond(lane, 1))
        });
        let wake_epoch = SharedWakeEpoch::<Modelled>::new(AtomicU64::new(0), Flag::new(false));
        wake_epoch.request_wakeup(&group.wait_line[wait::WAKE_REQUESTED]);
        let mut waits = shows::<Modelled>(&group.responses[1]) != 1;
        let mut heard = 0;
        while waits {
            heard = group.doorbell.hear(heard);
            wake_epoch.answer(&group.wait_line[wait::WAKE_REQUESTED], || {
                waits = shows::<Modelled>(&group.responses[1]) != 1;
                waits
            });
        }
        assert!(caller.join().expect("the caller"));
        server.join().expect("the server");
    });
}
