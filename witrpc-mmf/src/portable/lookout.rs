//! Where idle threads of a server with the portable backend sleep, for which clients cannot ring.
//!
//! The thread that came last is *on the lookout*: it wakes up at growing intervals and looks at all
//! connections. The others sleep until a thread of this process wakes them.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use witrpc_rt::{lock, wait};

use super::PollPauses;

#[derive(Debug, Default)]
pub struct Lookout {
    state: Mutex<LookoutState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct LookoutState {
    /// A thread of this process has rung, and no sleeper has seen that yet.
    rung: bool,
    /// How many threads ever came to sleep.
    arrivals: u64,
    /// The number of the thread that is on the lookout.
    on_lookout: Option<u64>,
}

impl Lookout {
    /// Wakes one sleeper, or the next that would sleep.
    pub fn ring(&self) {
        lock(&self.state).rung = true;
        self.changed.notify_one();
    }

    /// Sleeps until a thread rings, `look` finds something, or the time is over. `look` gets
    /// whether the longest interval has passed since it was called before.
    pub fn sleep(&self, timeout: Option<Duration>, mut look: impl FnMut(bool) -> bool) {
        let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut pauses = PollPauses::new();
        let mut state = lock(&self.state);
        state.arrivals += 1;
        let me = state.arrivals;
        // The thread on the lookout has become slow. This thread has just finished some work, which
        // may continue soon.
        state.on_lookout = Some(me);
        while !std::mem::take(&mut state.rung) {
            let left = until.map(|at| at.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                break;
            }
            if *state.on_lookout.get_or_insert(me) != me {
                state = wait(&self.changed, state, left);
                continue;
            }
            let slow = pauses.is_at_longest();
            let pause = pauses.next();
            state = wait(&self.changed, state, Some(left.map_or(pause, |left| left.min(pause))));
            if state.rung {
                continue;
            }
            drop(state);
            let found = look(slow);
            state = lock(&self.state);
            if found {
                break;
            }
        }
        if state.on_lookout == Some(me) {
            state.on_lookout = None;
            drop(state);
            // Another thread takes the lookout over.
            self.changed.notify_one();
        }
    }
}

/// The result of the last look at a connection.
#[derive(Debug)]
pub struct LastLook {
    /// How many requests had been taken on all lanes, if others waited; `u64::MAX` if none did.
    taken: AtomicU64,
}

impl Default for LastLook {
    fn default() -> Self {
        Self { taken: AtomicU64::new(u64::MAX) }
    }
}

impl LastLook {
    /// Returns whether a sleeping thread should handle the connection, and records the result of
    /// this look. `waiting`: if requests wait, how many have been taken on all lanes. `slow`: the
    /// look before this one was [`PollPauses::LONGEST`] ago.
    pub fn needs_thread(
        &self,
        waiting: Option<u64>,
        slow: bool,
        is_asked_to_ring: impl FnOnce() -> bool,
    ) -> bool {
        let last = self.taken.swap(waiting.unwrap_or(u64::MAX), Relaxed);
        // Requests that were there at the last look are left to the thread that was woken for them,
        // or that looks in every turn. If they are still there after a while, that thread must be
        // stuck in a handler.
        waiting.is_some_and(|taken| if taken == last { slow } else { is_asked_to_ring() })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::sync::atomic::Ordering::SeqCst;
    use std::sync::mpsc::channel;
    use std::thread;

    use super::*;

    #[test]
    fn a_ring_before_the_sleep_is_not_lost() {
        let lookout = Lookout::default();
        lookout.ring();
        lookout.sleep(None, |_| panic!("there is no time to look"));
    }

    #[test]
    fn one_looks_at_a_time_and_hands_over_when_it_leaves() {
        let lookout = Lookout::default();
        let there = AtomicBool::new(false);
        let (sender, left) = channel();
        thread::scope(|scope| {
            for _ in 0..3 {
                let (lookout, there, sender) = (&lookout, &there, sender.clone());
                scope.spawn(move || {
                    lookout.sleep(None, |_| there.swap(false, SeqCst));
                    sender.send(()).expect("the test listens");
                });
            }
            // Each is found by the thread on the lookout, which then leaves: three times.
            for _ in 0..3 {
                there.store(true, SeqCst);
                left.recv_timeout(Duration::from_secs(60)).expect("a thread is on the lookout");
            }
        });
    }

    #[test]
    fn each_ring_wakes_one() {
        let lookout = Lookout::default();
        let (sender, left) = channel();
        thread::scope(|scope| {
            for _ in 0..2 {
                let (lookout, sender) = (&lookout, sender.clone());
                scope.spawn(move || {
                    lookout.sleep(None, |_| false);
                    sender.send(()).expect("the test listens");
                });
            }
            for _ in 0..2 {
                lookout.ring();
                left.recv_timeout(Duration::from_secs(60)).expect("a sleeper was woken");
            }
        });
    }

    #[test]
    fn the_time_ends_a_sleep_that_nothing_else_ends() {
        Lookout::default().sleep(Some(Duration::from_millis(3)), |_| false);
    }
}
