//! Requests that no thread waits for: whatever they wait for has them go on.
//!
//! Whoever wants such a request made calls [`go_on`], as does what the channel wakes. None of them waits for
//! another, and none holds up the user's code.
//!
//! # Invariants
//!
//! 1. A request that has begun lies in `under_way`, or is with the one thread that polls: that thread alone
//!    takes it out, and alone puts it there.
//! 2. Whoever comes meanwhile, as a waker does that is woken during the poll, leaves `again`, and goes.
//!    The thread looks for that, and for what is to be sent next, under the lock under which it stops. So
//!    whoever has changed something before it came has had that looked at.
//! 3. A request is polled and dropped, and others are woken, without the lock: either may run code of the
//!    user's, which may come back here.
//! 4. The waker holds what it wakes weakly: what a channel keeps to wake does not keep the channel.

use std::sync::{Arc, Weak};
use std::task::{Poll, Wake, Waker};

/// What stands under the lock of an [`Errand`].
#[derive(Debug)]
pub struct Unattended<S, R> {
    /// What the requests are made of.
    pub state: S,
    under_way: Option<R>,
    /// A thread polls.
    is_polled: bool,
    /// It is to do so once more.
    again: bool,
}

/// Requests, one after the other, of which each is polled by whoever comes.
pub trait Errand {
    /// What the requests are made of.
    type State;
    type Request;
    /// What comes of a request.
    type Outcome;

    /// Looks at what is under the lock.
    fn with<T>(&self, look: impl FnOnce(&mut Unattended<Self::State, Self::Request>) -> T) -> T;

    /// Makes the next request, if there is something to ask or tell. Runs under the lock.
    fn next(&self, state: &mut Self::State) -> Option<Self::Request>;

    /// Completes with what comes of a request. If it does not, a [`waker`] has the errand go on.
    fn poll(&self, request: &mut Self::Request) -> Poll<Self::Outcome>;

    /// A request is over.
    fn settle(&self, request: Self::Request, outcome: Self::Outcome);
}

impl<S, R> Unattended<S, R> {
    pub fn new(state: S) -> Self {
        Self { state, under_way: None, is_polled: false, again: false }
    }

    /// The request that waits for something.
    pub fn under_way(&self) -> Option<&R> {
        self.under_way.as_ref()
    }

    /// What is to be polled by a thread that comes: nothing if another does so, which then looks once more.
    fn begin(&mut self, next: impl FnOnce(&mut S) -> Option<R>) -> Option<R> {
        if self.is_polled {
            self.again = true;
            return None;
        }
        self.follow(next)
    }

    /// What is to be polled after a request that waits.
    fn rest(&mut self, request: R) -> Option<R> {
        if std::mem::take(&mut self.again) {
            return Some(request);
        }
        self.under_way = Some(request);
        self.is_polled = false;
        None
    }

    /// What is to be polled when no request is with a thread.
    fn follow(&mut self, next: impl FnOnce(&mut S) -> Option<R>) -> Option<R> {
        self.again = false;
        let request = self.under_way.take().or_else(|| next(&mut self.state));
        self.is_polled = request.is_some();
        request
    }
}

/// Polls what is under way, and makes the requests that are to be made, unless another thread does.
pub fn go_on(errand: &impl Errand) {
    let mut polled = errand.with(|it| it.begin(|state| errand.next(state)));
    while let Some(mut request) = polled {
        polled = match errand.poll(&mut request) {
            Poll::Pending => errand.with(|it| it.rest(request)),
            Poll::Ready(outcome) => {
                errand.settle(request, outcome);
                errand.with(|it| it.follow(|state| errand.next(state)))
            }
        };
    }
}

/// Has something go on, if it is still there.
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

/// The waker that calls `go_on` with this, if that is still there.
pub fn waker<T: Send + Sync + 'static>(what: &Arc<T>, go_on: fn(&Arc<T>)) -> Waker {
    Waker::from(Arc::new(GoOn { what: Arc::downgrade(what), go_on }))
}
