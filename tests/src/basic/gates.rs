//! Gates at which calls wait.

use std::collections::{HashMap, HashSet};
use std::future::poll_fn;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::task::{Poll, Waker};

/// Numbered gates, closed until they are opened. Every waiter looks again whenever anything
/// changes.
#[derive(Debug, Default)]
pub struct Gates {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Whether all are open, because the service has been dropped.
    all_open: bool,
    open: HashSet<u64>,
    /// How many calls have ever arrived at each gate.
    arrived: HashMap<u64, u32>,
    wakers: Vec<Waker>,
}

impl State {
    fn is_open(&self, gate: u64) -> bool {
        self.all_open || self.open.contains(&gate)
    }
}

impl Gates {
    /// Blocks the thread until the gate is open.
    pub fn block_at(&self, gate: u64) {
        self.arrive(gate);
        let mut state = self.lock();
        while !state.is_open(gate) {
            state = self.changed.wait(state).expect("no thread panics with it");
        }
    }

    /// Completes when the gate is open.
    pub async fn wait_at(&self, gate: u64) {
        self.arrive(gate);
        self.until(|state| state.is_open(gate)).await;
    }

    /// Completes when this many calls have ever arrived at the gate.
    pub async fn arrived(&self, gate: u64, calls: u32) {
        self.until(|state| state.arrived.get(&gate).is_some_and(|arrived| *arrived >= calls)).await;
    }

    /// Opens a gate, which stays open.
    pub fn open(&self, gate: u64) {
        self.change(|state| state.open.extend([gate]));
    }

    /// Opens all gates, so that no handler outlives its test.
    pub fn open_all(&self) {
        self.change(|state| state.all_open = true);
    }

    /// Counts a call that arrives at the gate, without waiting.
    pub fn arrive(&self, gate: u64) {
        self.change(|state| *state.arrived.entry(gate).or_default() += 1);
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        change(&mut state);
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        self.changed.notify_all();
        wakers.into_iter().for_each(Waker::wake);
    }

    async fn until(&self, condition: impl Fn(&State) -> bool) {
        poll_fn(|cx| {
            let mut state = self.lock();
            if condition(&state) {
                return Poll::Ready(());
            }
            state.wakers.push(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread panics with it")
    }
}
