//! Wakes futures whose time is over.
//!
//! One thread a client, started when the first future waits with a limit. It ends once it wakes
//! up and nothing is left to wait for, or with the client. An alarm that is taken back does not
//! wake it, so a client that calls again and again keeps one thread.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::Waker;
use std::thread;
use std::time::Instant;

use super::lock;

/// The alarms of one client.
#[derive(Default)]
pub(super) struct Timer {
    shared: Arc<Shared>,
}

/// Names an alarm that is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Alarm {
    at: Instant,
    number: u64,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// An earlier alarm was set, or the client has gone.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    alarms: BTreeMap<Alarm, Waker>,
    next_number: u64,
    /// Until when the thread sleeps; `None` when there is no thread.
    asleep_until: Option<Instant>,
    closed: bool,
}

impl Timer {
    /// Has `waker` woken at `at`, unless [`disarm`](Self::disarm) comes first.
    pub(super) fn arm(&self, at: Instant, waker: Waker) -> Alarm {
        let mut state = lock(&self.shared.state);
        let alarm = Alarm { at, number: state.next_number };
        state.next_number += 1;
        match state.asleep_until {
            Some(until) if until <= at => {}
            Some(_) => {
                state.asleep_until = Some(at);
                self.shared.changed.notify_one();
            }
            None if self.start_thread() => state.asleep_until = Some(at),
            None => {
                // Without a thread, the future polls until a thread can be had or its time is over.
                drop(state);
                waker.wake();
                return alarm;
            }
        }
        state.alarms.insert(alarm, waker);
        alarm
    }

    /// Takes an alarm back; one that has gone off is no error.
    pub(super) fn disarm(&self, alarm: Alarm) {
        let waker = lock(&self.shared.state).alarms.remove(&alarm);
        // Outside of the lock, as the last waker of a task may drop its future.
        drop(waker);
    }

    fn start_thread(&self) -> bool {
        let shared = Arc::clone(&self.shared);
        thread::Builder::new().name("witrpc-timer".to_owned()).spawn(move || shared.run()).is_ok()
    }

    #[cfg(test)]
    pub(super) fn alarms(&self) -> usize {
        lock(&self.shared.state).alarms.len()
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        lock(&self.shared.state).closed = true;
        self.shared.changed.notify_one();
    }
}

impl Shared {
    fn run(&self) {
        let mut state = lock(&self.state);
        while !state.closed {
            let now = Instant::now();
            match state.alarms.first_entry() {
                Some(first) if first.key().at <= now => {
                    let waker = first.remove();
                    drop(state);
                    waker.wake();
                    state = lock(&self.state);
                }
                Some(first) => {
                    let at = first.key().at;
                    state.asleep_until = Some(at);
                    let slept = self.changed.wait_timeout(state, at - now);
                    state = slept.unwrap_or_else(PoisonError::into_inner).0;
                }
                None => match state.asleep_until {
                    // All alarms were taken back: stay for the next call's until the time that
                    // this thread meant to sleep is over.
                    Some(until) if until > now => {
                        let slept = self.changed.wait_timeout(state, until - now);
                        state = slept.unwrap_or_else(PoisonError::into_inner).0;
                    }
                    _ => break,
                },
            }
        }
        state.asleep_until = None;
    }
}
