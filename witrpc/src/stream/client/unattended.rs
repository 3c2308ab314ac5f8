//! Requests that no thread waits for: the events that they wait for make them proceed.
//!
//! A thread that wants such a request made calls [`go_on`]; so do the wakers that the channel wakes.
//! These calls do not wait for each other, and do not block the user's code.
//!
//! # Invariants
//!
//! 1. A request that has begun is in `under_way`, or with the one thread that polls. Only that thread
//!    takes it out and puts it back.
//! 2. A thread that calls `go_on` meanwhile sets `again` and leaves; so does a waker that is woken during
//!    the poll. The polling thread checks `again`, and what to send next, under the same lock hold in
//!    which it stops. So it sees every change that a thread makes before it calls `go_on`.
//! 3. Requests are polled and dropped, and other tasks woken, without the lock: each may run user code,
//!    which may call `go_on`.
//! 4. A poll that panics loses its request, which is dropped. The thread releases the errand as it
//!    unwinds. The next caller of `go_on` makes what there is to send.
//! 5. The waker holds its target weakly: a waker that a channel keeps does not keep the channel alive.

use std::mem;
use std::sync::{Arc, Weak};
use std::task::{Poll, Wake, Waker};

/// The state under the lock of an [`Errand`].
#[derive(Debug)]
pub struct Unattended<S, R> {
    /// The state from which requests are made.
    pub state: S,
    under_way: Option<R>,
    /// Set while a thread polls.
    is_polled: bool,
    /// Whether the polling thread must check once more.
    again: bool,
}

/// A sequence of requests, one at a time. The thread that calls [`go_on`] polls the current one.
pub trait Errand {
    /// The state from which requests are made.
    type State;
    type Request;
    /// The outcome of a request.
    type Outcome;

    /// Runs `look` on the state, under the lock.
    fn with<T>(&self, look: impl FnOnce(&mut Unattended<Self::State, Self::Request>) -> T) -> T;

    /// Makes the next request, if there is something to send. Runs under the lock.
    fn next(&self, state: &mut Self::State) -> Option<Self::Request>;

    /// Completes with the outcome of a request. If it is pending, a [`waker`] makes the errand proceed.
    fn poll(&self, request: &mut Self::Request) -> Poll<Self::Outcome>;

    /// Settles a request that is over.
    fn settle(&self, request: Self::Request, outcome: Self::Outcome);
}

impl<S, R> Unattended<S, R> {
    pub fn new(state: S) -> Self {
        Self { state, under_way: None, is_polled: false, again: false }
    }

    /// Returns the request that is in flight.
    pub fn under_way(&self) -> Option<&R> {
        self.under_way.as_ref()
    }

    /// Returns the request for this thread to poll. Returns `None` if another thread polls; that
    /// thread then checks once more.
    fn begin(&mut self, next: impl FnOnce(&mut S) -> Option<R>) -> Option<R> {
        if self.is_polled {
            self.again = true;
            return None;
        }
        self.follow(next)
    }

    /// Returns the request to poll after a poll of `request` was pending.
    fn rest(&mut self, request: R) -> Option<R> {
        if mem::take(&mut self.again) {
            return Some(request);
        }
        self.under_way = Some(request);
        self.is_polled = false;
        None
    }

    /// Ends the polling of a thread that unwinds. Its request is lost.
    fn let_go(&mut self) {
        self.is_polled = false;
    }

    /// Returns the request to poll when no thread has one.
    fn follow(&mut self, next: impl FnOnce(&mut S) -> Option<R>) -> Option<R> {
        self.again = false;
        let request = self.under_way.take().or_else(|| next(&mut self.state));
        self.is_polled = request.is_some();
        request
    }
}

/// Polls the current request and makes the next ones, unless another thread does so.
pub fn go_on(errand: &impl Errand) {
    let mut polled = errand.with(|it| it.begin(|state| errand.next(state)));
    if polled.is_none() {
        return;
    }
    let polling = Polling(errand);
    while let Some(mut request) = polled {
        polled = match errand.poll(&mut request) {
            Poll::Pending => errand.with(|it| it.rest(request)),
            Poll::Ready(outcome) => {
                errand.settle(request, outcome);
                errand.with(|it| it.follow(|state| errand.next(state)))
            }
        };
    }
    mem::forget(polling);
}

/// A guard that marks that this thread polls. It is dropped only when the thread unwinds. Otherwise
/// the thread has released the errand under the lock, and another thread may already poll.
struct Polling<'e, E: Errand>(&'e E);

impl<E: Errand> Drop for Polling<'_, E> {
    fn drop(&mut self) {
        self.0.with(Unattended::let_go);
    }
}

/// A waker that calls `go_on` for its target, if that still exists.
struct GoOn<T> {
    what: Weak<T>,
    go_on: fn(&Arc<T>),
}

impl<T: Send + Sync> Wake for GoOn<T> {
    fn wake(self: Arc<Self>) {
        if let Some(what) = self.what.upgrade() {
            (self.go_on)(&what);
        }
    }
}

/// Returns the waker that calls `go_on` with `what`, if that still exists.
pub fn waker<T: Send + Sync + 'static>(what: &Arc<T>, go_on: fn(&Arc<T>)) -> Waker {
    Waker::from(Arc::new(GoOn { what: Arc::downgrade(what), go_on }))
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Mutex;

    use super::*;

    /// Requests that are ready at once; the first panics.
    struct Panics(Mutex<Unattended<Vec<u32>, u32>>);

    impl Errand for Panics {
        type State = Vec<u32>;
        type Request = u32;
        type Outcome = ();

        fn with<T>(&self, look: impl FnOnce(&mut Unattended<Vec<u32>, u32>) -> T) -> T {
            look(&mut self.0.lock().unwrap())
        }

        fn next(&self, wanted: &mut Vec<u32>) -> Option<u32> {
            wanted.pop()
        }

        fn poll(&self, request: &mut u32) -> Poll<()> {
            assert_ne!(*request, 1, "as this test wants it");
            Poll::Ready(())
        }

        fn settle(&self, _: u32, (): ()) {}
    }

    #[test]
    fn a_poll_that_panics_loses_its_request_and_the_next_thread_makes_the_others() {
        let errand = Panics(Mutex::new(Unattended::new(vec![3, 2, 1])));
        let panicked = catch_unwind(AssertUnwindSafe(|| go_on(&errand)));
        assert!(panicked.is_err());
        assert_eq!(errand.with(|it| it.state.clone()), [3, 2]);
        go_on(&errand);
        assert!(errand.with(|it| it.state.is_empty()), "nothing is polled any more");
    }
}
