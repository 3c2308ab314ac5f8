//! Whether a call's caller still waits: what a handler that takes long asks.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use crate::timer::{Alarm, Timer};

use super::context::CallContext;

/// When a call's caller stops waiting.
#[derive(Clone)]
pub(super) struct Deadline {
    pub(super) at: Instant,
    /// Wakes handlers that wait for it.
    pub(super) timer: Arc<Timer>,
}

impl CallContext {
    /// Whether nobody waits for the answer any more: the caller has dropped its future, cancelled
    /// the call or run out of time, its process has left or died, or [`deadline`](Self::deadline)
    /// has passed. Once it is true it stays true until the call is answered.
    ///
    /// A handler that takes long asks now and then, and returns early with whatever it likes: nobody
    /// reads it. Nothing ends a handler from outside. To ask costs a few nanoseconds, and a look at
    /// the clock if the call has a deadline.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    /// use witrpc::{CallContext, CallError, CallOptions, wit_service};
    ///
    /// #[wit_service]
    /// pub trait Miner {
    ///     /// Counts until nobody wants to know any more.
    ///     fn dig(&self, #[wit(ctx)] cx: &CallContext) -> u64;
    /// }
    ///
    /// struct Steady(std::sync::mpsc::SyncSender<u64>);
    ///
    /// impl Miner for Steady {
    ///     fn dig(&self, cx: &CallContext) -> u64 {
    ///         let mut found = 0;
    ///         while !cx.cancelled() {
    ///             found += 1;
    ///         }
    ///         self.0.send(found).unwrap();
    ///         found
    ///     }
    /// }
    ///
    /// let (ended, handler) = std::sync::mpsc::sync_channel(1);
    /// let miner = MinerClient::in_process(Steady(ended));
    /// let hasty = miner.with(CallOptions::new().timeout(Duration::from_millis(5)));
    /// assert!(matches!(hasty.dig(), Err(CallError::TimedOut { .. })));
    /// assert!(handler.recv().unwrap() > 0);
    /// ```
    pub fn cancelled(&self) -> bool {
        self.peer.is_cancelled(self.ticket)
            || self.deadline.as_ref().is_some_and(|deadline| Instant::now() >= deadline.at)
    }

    /// Completes when [`cancelled`](Self::cancelled) becomes true, on any executor: for an
    /// `async fn` that waits for something else meanwhile. Dropping it costs nothing but a lock.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::future::poll_fn;
    /// use std::pin::pin;
    /// use witrpc::CallContext;
    ///
    /// /// What `work` gives, or `None` when nobody wants it any more.
    /// async fn while_wanted<T>(cx: &CallContext, work: impl Future<Output = T>) -> Option<T> {
    ///     let (mut work, mut cancelled) = (pin!(work), pin!(cx.until_cancelled()));
    ///     poll_fn(|task| {
    ///         if cancelled.as_mut().poll(task).is_ready() {
    ///             return None.into();
    ///         }
    ///         work.as_mut().poll(task).map(Some)
    ///     })
    ///     .await
    /// }
    /// ```
    pub fn until_cancelled(&self) -> UntilCancelled<'_> {
        UntilCancelled { cx: self, watch: None }
    }

    /// When the caller stops waiting, if it said so by
    /// [`CallOptions::deadline`](crate::CallOptions::deadline) or
    /// [`timeout`](crate::CallOptions::timeout); the timeout that all calls of a client have by
    /// default is its own affair. To be handed on to the calls that the handler makes:
    /// `other.with(CallOptions::new().deadline(cx.deadline()))`.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline.as_ref().map(|deadline| deadline.at)
    }
}

/// What [`CallContext::until_cancelled`] gives.
#[must_use = "a future does nothing unless it is polled"]
pub struct UntilCancelled<'a> {
    cx: &'a CallContext,
    watch: Option<Watch>,
}

/// What a future has asked for so that it is woken.
struct Watch {
    waker: Waker,
    key: u64,
    alarm: Option<Alarm>,
}

impl UntilCancelled<'_> {
    fn watch(&self, waker: &Waker) -> Watch {
        let key = self.cx.peer.watch(self.cx.ticket, waker);
        let alarm = self.cx.deadline.as_ref();
        let alarm = alarm.map(|deadline| deadline.timer.arm(deadline.at, waker.clone()));
        Watch { waker: waker.clone(), key, alarm }
    }

    fn unwatch(&mut self) {
        let Some(watch) = self.watch.take() else { return };
        self.cx.peer.unwatch(watch.key);
        if let (Some(deadline), Some(alarm)) = (&self.cx.deadline, watch.alarm) {
            deadline.timer.disarm(alarm);
        }
    }
}

impl Future for UntilCancelled<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if !this.cx.cancelled() {
            let waker = task.waker();
            if this.watch.as_ref().is_some_and(|watch| watch.waker.will_wake(waker)) {
                return Poll::Pending;
            }
            this.unwatch();
            // What happens from here on wakes the task.
            this.watch = Some(this.watch(waker));
            return Poll::Pending;
        }
        this.unwatch();
        Poll::Ready(())
    }
}

impl Drop for UntilCancelled<'_> {
    fn drop(&mut self) {
        self.unwatch();
    }
}

impl fmt::Debug for UntilCancelled<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UntilCancelled").field(self.cx).finish()
    }
}
