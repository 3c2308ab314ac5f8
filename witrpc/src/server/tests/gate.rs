//! A gate that handlers wait at, so that tests decide when they end.

use std::future::poll_fn;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::task::{Poll, Waker};
use std::time::Duration;

/// The longest wait for something that must happen, before the test fails.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Default)]
pub struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    open: bool,
    arrived: usize,
    wakers: Vec<Waker>,
}

impl Gate {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn arrive(&self) {
        self.state().arrived += 1;
        self.changed.notify_all();
    }

    /// Blocks the thread until the gate is open.
    pub fn pass(&self) {
        self.arrive();
        self.wait_until("the gate is opened", |state| state.open);
    }

    /// Suspends the task until the gate is open.
    pub async fn pass_later(&self) {
        self.arrive();
        poll_fn(|cx| {
            let mut state = self.state();
            if state.open {
                return Poll::Ready(());
            }
            state.wakers.push(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Waits until that many handlers have reached the gate.
    pub fn await_arrivals(&self, count: usize) {
        self.wait_until("enough have arrived", |state| state.arrived >= count);
    }

    pub fn open(&self) {
        let wakers = {
            let mut state = self.state();
            state.open = true;
            std::mem::take(&mut state.wakers)
        };
        self.changed.notify_all();
        wakers.into_iter().for_each(Waker::wake);
    }

    fn wait_until(&self, what: &str, done: impl Fn(&State) -> bool) {
        let waited = self.changed.wait_timeout_while(self.state(), PATIENCE, |state| !done(state));
        let (state, timeout) = waited.unwrap();
        drop(state);
        assert!(!timeout.timed_out(), "waited in vain until {what}");
    }
}
