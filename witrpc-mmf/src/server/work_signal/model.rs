//! loom models: a call, the poller that becomes idle as it arrives, and the stand-by thread that is
//! rung.

use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use loom::sync::atomic::AtomicU64;
use loom::sync::{Arc, Mutex};
use loom::thread;

use crate::memory::words::modelled::{Doorbell, Modelled, explore};
use crate::wakeup::epoch;
use crate::wakeup::epoch::{WakeEpoch, WakeRequest};

use super::WorkSignal;

const IDLE: u64 = 0;
const POLLER: u64 = 1;
const STAND_BY: u64 = 2;

struct Server {
    /// Stands for the word of the poller role.
    role: AtomicU64,
    work_signal: WorkSignal<Modelled>,
    /// The number of connections that have rung.
    rung: Mutex<u32>,
    /// What else may be recorded before the signal, without a lock.
    recorded: AtomicU64,
    /// The wake-requested word, and its private halves.
    wake_requested: AtomicU64,
    wake_epoch: WakeEpoch<Modelled>,
    client: WakeRequest<Modelled>,
    doorbell: Doorbell,
    /// Stands for the request lines.
    requests: [AtomicU64; 2],
}

impl Server {
    fn new() -> Arc<Self> {
        let word = AtomicU64::new;
        Arc::new(Self {
            role: word(POLLER),
            work_signal: WorkSignal::new(word(1)),
            rung: Mutex::new(0),
            recorded: word(0),
            wake_requested: word(0),
            wake_epoch: WakeEpoch::new(word(0)),
            client: WakeRequest::new(word(0)),
            doorbell: Doorbell::new(),
            requests: [word(0), word(0)],
        })
    }

    fn call(&self, lane: usize) {
        self.requests[lane].store(1, Release);
        if self.client.should_wake(&self.wake_requested) {
            self.doorbell.ring();
        }
    }

    fn takes_role(&self, me: u64) -> bool {
        self.role.compare_exchange(IDLE, me, Acquire, Relaxed).is_ok()
    }

    /// Runs a turn of the poller: no ring is needed any more for what was published before it.
    fn turn(&self, read: &mut u64) {
        *read = self.work_signal.count();
        if *read > 1 {
            assert_eq!(self.recorded.load(Relaxed), 1, "told before it was recorded");
        }
        *self.rung.lock().expect("no panic") = 0;
        self.wake_epoch.withdraw_request(&self.wake_requested);
        for request in &self.requests {
            if request.load(Acquire) == 1 {
                request.store(2, Relaxed);
            }
        }
    }

    /// Releases the role and looks once more, and repeats both while there is something.
    fn rest(&self, me: u64, mut read: u64) {
        loop {
            self.role.store(IDLE, Release);
            self.wake_epoch.request_wakeup(&self.wake_requested);
            epoch::fence::<Modelled>();
            let waiting = self.work_signal.count() != read
                || self.requests.iter().any(|request| request.load(Acquire) == 1);
            if !waiting || !self.takes_role(me) {
                return;
            }
            self.turn(&mut read);
        }
    }

    /// Runs a stand-by thread that has been rung.
    fn woken(&self) {
        *self.rung.lock().expect("no panic") += 1;
        self.recorded.store(1, Relaxed);
        self.work_signal.notify();
        if self.takes_role(STAND_BY) {
            let mut read = 0;
            self.turn(&mut read);
            self.rest(STAND_BY, read);
        }
    }
}

/// In the end the call has been served and the signal read: a lost ring would leave one of them. A
/// ring that comes while the stand-by thread is awake wakes it when it would sleep.
#[test]
fn a_call_that_comes_as_the_poller_goes_idle_is_served() {
    explore(3, || {
        let server = Server::new();
        let poller = thread::spawn({
            let server = Arc::clone(&server);
            move || {
                let mut read = 0;
                server.turn(&mut read);
                server.rest(POLLER, read);
            }
        });
        let client = thread::spawn({
            let server = Arc::clone(&server);
            move || server.call(0)
        });
        // The stand-by thread: awake when a ring has not been handled.
        client.join().expect("the client");
        if server.doorbell.rings() > 0 {
            server.woken();
        }
        poller.join().expect("the poller");
        assert_eq!(*server.rung.lock().expect("no panic"), 0, "a signal that was not read");
        assert_eq!(server.requests[0].load(Relaxed), 2, "a call that was not served");
    });
}

/// A signal for something else, for example a cold connection, may come at any moment.
#[test]
fn a_signal_that_comes_as_the_poller_becomes_idle_is_read() {
    explore(3, || {
        let server = Server::new();
        let stand_by = thread::spawn({
            let server = Arc::clone(&server);
            move || server.woken()
        });
        let mut read = 0;
        server.turn(&mut read);
        server.rest(POLLER, read);
        stand_by.join().expect("the stand-by");
        assert_eq!(*server.rung.lock().expect("no panic"), 0, "a signal that was not read");
    });
}
