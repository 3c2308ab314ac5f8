//! Cancellation of calls from another thread.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use witrpc_rt::WakerSet;

/// A token that cancels calls, from any thread. It covers the calls of clients that were given it with
/// [`CallOptions::cancelled_by`](crate::CallOptions::cancelled_by). Such a call ends at once with
/// [`CallError::Cancelled`](crate::CallError::Cancelled), and its handler can [find
/// out](crate::CallContext::cancelled). A stream that such a call has opened gives that error and ends, and its
/// producer is stopped. A cancelled token stays so, and calls made with it are not even sent.
///
/// The calls of an async client need no token: dropping a future cancels its call.
///
/// Clones are the same token.
///
/// # Examples
///
/// ```
/// use witrpc::{CallContext, CallError, CallOptions, CancelToken, wit_service};
///
/// #[wit_service]
/// pub trait Guard {
///     fn watch(&self, #[wit(ctx)] cx: &CallContext);
/// }
///
/// struct Sleepless;
///
/// impl Guard for Sleepless {
///     fn watch(&self, cx: &CallContext) {
///         while !cx.cancelled() {
///             std::thread::yield_now();
///         }
///     }
/// }
///
/// let guard = GuardClient::in_process(Sleepless);
/// let token = CancelToken::new();
/// let watching = guard.with(CallOptions::new().cancelled_by(&token));
/// let caller = std::thread::spawn(move || watching.watch());
///
/// token.cancel(); // say, on Ctrl-C
/// assert_eq!(caller.join().unwrap(), Err(CallError::Cancelled));
/// ```
#[derive(Clone, Default)]
pub struct CancelToken {
    shared: Arc<TokenShared>,
}

#[derive(Default)]
struct TokenShared {
    /// Set once, before all are woken.
    cancelled: AtomicBool,
    waiting: WakerSet,
}

impl CancelToken {
    /// Returns a token that is not cancelled.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends all calls that were made with this token and are not over, and all later ones.
    pub fn cancel(&self) {
        self.shared.cancelled.store(true, Ordering::Release);
        self.shared.waiting.wake_all();
    }

    /// Returns whether [`cancel`](Self::cancel) has been called.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        // Acquire: the caller sees what the cancelling thread wrote before.
        self.shared.cancelled.load(Ordering::Acquire)
    }

    /// Wakes `waker` when the token is cancelled, which may be at once. Returns the key for
    /// [`remove`](Self::remove).
    pub(crate) fn add(&self, waker: &Waker) -> u64 {
        let key = self.shared.waiting.add((), waker);
        if self.is_cancelled() {
            waker.wake_by_ref();
        }
        key
    }

    /// Removes the waker of this key.
    pub(crate) fn remove(&self, key: u64) {
        self.shared.waiting.remove(key);
    }

    /// Returns a watch for one call, which the token wakes.
    pub(crate) fn watch(&self) -> TokenWatch {
        TokenWatch { token: self.clone(), key: None }
    }
}

impl fmt::Debug for CancelToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelToken").field("is_cancelled", &self.is_cancelled()).finish()
    }
}

/// The entry of one call among those that a token wakes.
pub struct TokenWatch {
    token: CancelToken,
    key: Option<u64>,
}

impl TokenWatch {
    /// Returns whether the token is cancelled.
    pub fn is_over(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Polls until the token is cancelled.
    pub fn poll(&mut self, cx: &Context<'_>) -> Poll<()> {
        if self.token.is_cancelled() {
            return Poll::Ready(());
        }
        self.token.shared.waiting.register(&mut self.key, cx.waker());
        if self.token.is_cancelled() { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for TokenWatch {
    fn drop(&mut self) {
        self.token.shared.waiting.leave(&mut self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_is_over_leaves_nothing_behind() {
        let token = CancelToken::new();
        let cx = Context::from_waker(Waker::noop());
        let mut watch = token.watch();
        assert!(watch.poll(&cx).is_pending());
        assert!(watch.poll(&cx).is_pending());
        assert_eq!(token.shared.waiting.len(), 1);
        drop(watch);
        assert_eq!(token.shared.waiting.len(), 0);
    }

    #[test]
    fn a_watch_of_a_cancelled_token_is_over_at_once() {
        let token = CancelToken::new();
        token.clone().cancel();
        token.cancel();
        assert!(token.watch().poll(&Context::from_waker(Waker::noop())).is_ready());
    }
}
