//! Handlers that wait until a test lets them go on.

use std::sync::{Arc, Condvar, Mutex};
use std::task::{Poll, Waker};

/// Holds handlers up, and says how many it holds.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    open: bool,
    waiting: usize,
    wakers: Vec<Waker>,
}

impl Gate {
    /// Blocks the thread until the gate is open.
    pub(crate) fn pass(&self) {
        let mut state = self.0.state.lock().unwrap();
        state.waiting += 1;
        self.0.changed.notify_all();
        while !state.open {
            state = self.0.changed.wait(state).unwrap();
        }
        state.waiting -= 1;
    }

    /// Completes once the gate is open.
    pub(crate) async fn pass_async(&self) {
        let mut counted = false;
        std::future::poll_fn(|cx| {
            let mut state = self.0.state.lock().unwrap();
            if state.open {
                state.waiting -= usize::from(counted);
                return Poll::Ready(());
            }
            state.waiting += usize::from(!counted);
            counted = true;
            state.wakers.push(cx.waker().clone());
            self.0.changed.notify_all();
            Poll::Pending
        })
        .await;
    }

    /// Blocks the thread until that many handlers wait.
    pub(crate) fn await_waiting(&self, handlers: usize) {
        let mut state = self.0.state.lock().unwrap();
        while state.waiting < handlers {
            state = self.0.changed.wait(state).unwrap();
        }
    }

    /// Lets every caller through, now and later.
    pub(crate) fn open(&self) {
        let mut state = self.0.state.lock().unwrap();
        state.open = true;
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        self.0.changed.notify_all();
        wakers.into_iter().for_each(Waker::wake);
    }
}
