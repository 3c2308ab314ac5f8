//! Tasks that wait until something is so, each registered only while its future is there.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::process;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

use witrpc_rt::{lock, wake};

/// The registered tasks; part of the state that they wait for, under its lock.
#[derive(Debug, Default)]
pub struct Waiters {
    wakers: BTreeMap<u64, Waker>,
    next_number: u64,
}

impl Waiters {
    /// Removes all tasks, to be woken by [`wake_all`](Self::wake_all) without the lock.
    pub fn take(&mut self) -> Self {
        Self { wakers: std::mem::take(&mut self.wakers), next_number: 0 }
    }

    /// Wakes all tasks.
    pub fn wake_all(self) {
        self.wakers.into_values().for_each(wake);
    }

    /// Registers a task anew under its number, or under a new one. Returns its former waker, to be
    /// dropped without the lock.
    fn register(&mut self, number: &mut Option<u64>, waker: Waker) -> Option<Waker> {
        let number = number.get_or_insert_with(|| {
            self.next_number += 1;
            self.next_number
        });
        self.wakers.insert(*number, waker)
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.wakers.len()
    }
}

/// Completes once `is_so`. What makes it so takes the waiters under the same lock, and wakes them
/// after.
pub async fn until_so<S>(
    state: &Mutex<S>,
    is_so: fn(&S) -> bool,
    waiters: fn(&mut S) -> &mut Waiters,
) {
    let process = process::id();
    let mut wait = StateWait { state, is_so, waiters, number: None, process };
    poll_fn(|cx| wait.poll(cx)).await;
}

/// One task's wait. Dropping it removes the registration.
struct StateWait<'a, S> {
    state: &'a Mutex<S>,
    is_so: fn(&S) -> bool,
    waiters: fn(&mut S) -> &mut Waiters,
    number: Option<u64>,
    process: u32,
}

impl<S> StateWait<'_, S> {
    fn poll(&mut self, cx: &Context<'_>) -> Poll<()> {
        // Cloned, and dropped, without the lock: it is code of the user's.
        let waker = cx.waker().clone();
        let mut state = lock(self.state);
        if (self.is_so)(&state) {
            drop(state);
            return Poll::Ready(());
        }
        let former = (self.waiters)(&mut state).register(&mut self.number, waker);
        drop(state);
        drop(former);
        Poll::Pending
    }
}

impl<S> Drop for StateWait<'_, S> {
    fn drop(&mut self) {
        // In a forked child a thread that is not there may hold the lock.
        if let Some(number) = self.number
            && process::id() == self.process
        {
            let former = (self.waiters)(&mut lock(self.state)).wakers.remove(&number);
            drop(former);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct State {
        so: bool,
        waiters: Waiters,
    }

    /// A waker that looks at the lock when it is dropped, as a user's may.
    struct Locks(Arc<Mutex<State>>, AtomicUsize);

    impl Wake for Locks {
        fn wake(self: Arc<Self>) {
            self.1.fetch_add(1, Ordering::Relaxed);
        }
    }

    impl Drop for Locks {
        fn drop(&mut self) {
            assert!(self.0.try_lock().is_ok(), "it is dropped under the lock");
        }
    }

    fn wait(state: &Mutex<State>) -> impl Future<Output = ()> {
        until_so(state, |state| state.so, |state| &mut state.waiters)
    }

    #[test]
    fn a_dropped_wait_is_not_registered_any_more() {
        let state = Arc::new(Mutex::new(State::default()));
        let mut stays = pin!(wait(&state));
        let polled = stays.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
        for _ in 0..3 {
            let mut given_up = Box::pin(wait(&state));
            // Polled twice by different tasks: the latter counts.
            for _ in 0..2 {
                let waker = Waker::from(Arc::new(Locks(Arc::clone(&state), AtomicUsize::new(0))));
                let polled = given_up.as_mut().poll(&mut Context::from_waker(&waker));
                assert!(polled.is_pending());
            }
            assert_eq!(lock(&state).waiters.len(), 2);
            drop(given_up);
            assert_eq!(lock(&state).waiters.len(), 1);
        }
    }

    #[test]
    fn all_who_wait_are_woken_once_it_is_so() {
        let state = Arc::new(Mutex::new(State::default()));
        let task = Arc::new(Locks(Arc::clone(&state), AtomicUsize::new(0)));
        let waker = Waker::from(Arc::clone(&task));
        let mut waits = [Box::pin(wait(&state)), Box::pin(wait(&state))];
        for wait in &mut waits {
            assert!(wait.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }
        let waiters = {
            let mut state = lock(&state);
            state.so = true;
            state.waiters.take()
        };
        waiters.wake_all();
        assert_eq!(task.1.load(Ordering::Relaxed), 2);
        for mut wait in waits {
            assert!(wait.as_mut().poll(&mut Context::from_waker(&waker)).is_ready());
        }
    }
}
