//! Cancelling calls from another thread.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::{fmt, mem};

use witrpc_rt::{lock, wake};

/// Cancels calls, from any thread: those that were made by clients which were given it with
/// [`CallOptions::cancelled_by`](crate::CallOptions::cancelled_by). Such a call ends at once with
/// [`CallError::Cancelled`](crate::CallError::Cancelled), and its handler can
/// [find out](crate::CallContext::cancelled); a stream that such a call has opened gives that error and
/// ends, and its producer is stopped. Once cancelled, a token stays so, and what is called with it is
/// not even sent.
///
/// The calls of an async client need none: to drop a future cancels its call.
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
    /// Set once, under the lock.
    cancelled: AtomicBool,
    waiting: Mutex<TokenWaiter>,
}

#[derive(Default)]
struct TokenWaiter {
    next_key: u64,
    wakers: BTreeMap<u64, Waker>,
}

impl CancelToken {
    /// A token that is not cancelled.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends all calls that were made with this token and are not over, and all that will be.
    pub fn cancel(&self) {
        let mut waiting = self.shared.waiting();
        self.shared.cancelled.store(true, Ordering::Release);
        let wakers = mem::take(&mut waiting.wakers);
        drop(waiting);
        wakers.into_values().for_each(wake);
    }

    /// Whether [`cancel`](Self::cancel) has been called.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        // Acquire: what the canceller wrote before is seen.
        self.shared.cancelled.load(Ordering::Acquire)
    }

    /// For one call, to be woken.
    pub(crate) fn watch(&self) -> TokenWatch {
        TokenWatch { token: self.clone(), key: None }
    }
}

impl TokenShared {
    fn waiting(&self) -> MutexGuard<'_, TokenWaiter> {
        lock(&self.waiting)
    }
}

impl fmt::Debug for CancelToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelToken").field("is_cancelled", &self.is_cancelled()).finish()
    }
}

/// A call's place among those that a token wakes.
pub struct TokenWatch {
    token: CancelToken,
    key: Option<u64>,
}

impl TokenWatch {
    /// Whether the token is cancelled.
    pub fn is_over(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Completes when the token is cancelled.
    pub fn poll(&mut self, cx: &Context<'_>) -> Poll<()> {
        if self.token.is_cancelled() {
            return Poll::Ready(());
        }
        // Cloned, and dropped, without the lock: it is code of the user's.
        let waker = cx.waker().clone();
        let mut waiting = self.token.shared.waiting();
        // Once more: the lock orders this look and the canceller's.
        if self.token.is_cancelled() {
            return Poll::Ready(());
        }
        let key = *self.key.get_or_insert_with(|| {
            waiting.next_key += 1;
            waiting.next_key
        });
        let former = waiting.wakers.insert(key, waker);
        drop(waiting);
        drop(former);
        Poll::Pending
    }
}

impl Drop for TokenWatch {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            let waker = self.token.shared.waiting().wakers.remove(&key);
            drop(waker);
        }
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
        assert_eq!(token.shared.waiting().wakers.len(), 1);
        drop(watch);
        assert_eq!(token.shared.waiting().wakers.len(), 0);
    }

    #[test]
    fn whoever_comes_late_is_told_at_once() {
        let token = CancelToken::new();
        token.clone().cancel();
        token.cancel();
        assert!(token.watch().poll(&Context::from_waker(Waker::noop())).is_ready());
    }
}
