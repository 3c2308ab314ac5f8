//! Cancellation of a call, as its handler sees it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Acquire;
use std::sync::atomic::fence;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use crate::rt::{Alarm, Timer};
use crate::stream::server::stream_cancel::{StreamCancel, StreamStage};

use super::context::CallContext;

/// The state that says when a call's caller stops waiting.
#[derive(Clone)]
pub struct Deadline {
    pub at: Instant,
    /// Wakes handlers that wait for it.
    pub timer: Arc<Timer>,
}

impl CallContext {
    /// Returns whether the caller no longer waits for the answer. The caller has dropped its
    /// future, cancelled the call or run out of time; its process has left or died; or the
    /// [`deadline`](Self::deadline) has passed. Once it is true, it stays true until the call is
    /// answered.
    ///
    /// In a method that returns a stream, it means the same until the stream is open. From then on
    /// it means that the client wants no more items: it has dropped or cancelled the stream, or has
    /// gone. The deadline then covers only the opening. In a method that takes a stream, it applies
    /// from the first item to the answer.
    ///
    /// A handler that takes long should ask now and then. If the answer is `true`, it may return
    /// any value early: the value is not read. The server never ends a handler from outside, with
    /// one exception: an `async fn` that is marked `#[wit(drop_on_disconnect)]` is dropped when its
    /// client disconnects. Asking costs a few nanoseconds, and reads the clock if the call has a
    /// deadline.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    /// use witrpc::{CallContext, CallError, CallOptions, wit_service};
    ///
    /// #[wit_service]
    /// pub trait Miner {
    ///     /// Counts until the caller stops waiting.
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
        match &self.stream_cancel {
            None => self.is_given_up() || self.is_late(),
            Some(stream_cancel) => self.is_unwanted(stream_cancel),
        }
    }

    /// Returns whether the caller has given the call up. Valid only while the call is unanswered.
    fn is_given_up(&self) -> bool {
        self.peer.is_cancelled(self.ticket)
    }

    fn is_late(&self) -> bool {
        self.deadline.as_ref().is_some_and(|deadline| Instant::now() >= deadline.at)
    }

    /// Implements [`cancelled`](Self::cancelled) for a method with a stream. The conditions that
    /// apply only to the opening are checked once more: the stream may have been opened meanwhile.
    fn is_unwanted(&self, stream_cancel: &StreamCancel) -> bool {
        let is_over = match stream_cancel.stage() {
            StreamStage::Opening if self.is_given_up() => {
                // Pairs with the opening's answer: after it, another call may use the lane.
                fence(Acquire);
                stream_cancel.stage() != StreamStage::Open
            }
            stage => stage == StreamStage::Cut,
        };
        is_over || stream_cancel.has_deadline() && self.is_late() && stream_cancel.has_deadline()
    }

    /// Returns a future that completes when [`cancelled`](Self::cancelled) becomes true, on any
    /// executor. It is meant for an `async fn` that waits for something else meanwhile. Dropping
    /// the future costs one lock.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::future::poll_fn;
    /// use std::pin::pin;
    /// use witrpc::CallContext;
    ///
    /// /// Returns the output of `work`, or `None` once the caller has stopped waiting.
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

    /// Returns the instant at which the caller stops waiting, if it set one by
    /// [`CallOptions::deadline`](crate::CallOptions::deadline) or
    /// [`timeout`](crate::CallOptions::timeout). The default timeout of a client is not sent to the
    /// server, so it does not appear here.
    ///
    /// Pass the deadline on to the calls that the handler makes:
    /// `other.with(CallOptions::new().deadline(cx.deadline()))`.
    ///
    /// A method that returns a stream has a deadline until the stream is open. From then on its
    /// caller may wait without a limit.
    pub fn deadline(&self) -> Option<Instant> {
        self.present_deadline().map(|deadline| deadline.at)
    }

    fn present_deadline(&self) -> Option<&Deadline> {
        let holds =
            self.stream_cancel.as_ref().is_none_or(|stream_cancel| stream_cancel.has_deadline());
        self.deadline.as_ref().filter(|_| holds)
    }
}

/// The future that [`CallContext::until_cancelled`] returns.
#[must_use = "a future does nothing unless it is polled"]
pub struct UntilCancelled<'a> {
    cx: &'a CallContext,
    watch: Option<CancelWatch>,
}

/// The registrations that wake a future.
struct CancelWatch {
    waker: Waker,
    /// The registration for the end of the call.
    call: Option<u64>,
    /// The registration for the end of the stream.
    stream: Option<u64>,
    _alarm: Option<Alarm>,
}

impl UntilCancelled<'_> {
    fn watch(&self, waker: &Waker) -> CancelWatch {
        let cx = self.cx;
        let stream_cancel = cx.stream_cancel.as_ref();
        let stream = stream_cancel.map(|stream_cancel| stream_cancel.watch(waker));
        // An open stream ends in other ways. If it opens while this future waits, the future may be
        // woken in vain.
        let call =
            stream_cancel.is_none_or(|stream_cancel| stream_cancel.stage() == StreamStage::Opening);
        let call = call.then(|| cx.peer.watch(cx.ticket, waker));
        let alarm = cx.present_deadline();
        let alarm = alarm.map(|deadline| deadline.timer.arm(deadline.at, waker.clone()));
        CancelWatch { waker: waker.clone(), call, stream, _alarm: alarm }
    }

    fn unwatch(&mut self) {
        let Some(watch) = self.watch.take() else { return };
        if let Some(call) = watch.call {
            self.cx.peer.unwatch(call);
        }
        if let (Some(stream_cancel), Some(stream)) = (&self.cx.stream_cancel, watch.stream) {
            stream_cancel.unwatch(stream);
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
            // Only what happens after this registration wakes the task.
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
