//! The events of an async client.

use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;

use super::EventItem;
use super::queue::Queue;
use super::subscriptions::Subscription;
use crate::codec::Codec;
use crate::error::EventError;

/// The events that an async client has subscribed to: a [`Stream`] of `Result<T, EventError>`, on any
/// executor. All that is said of [`Events`](crate::Events) holds here.
///
/// # Examples
///
/// ```
/// use witrpc::{EventError, EventStream};
///
/// /// Counts what comes, and what does not.
/// async fn count<T: Send + 'static>(mut events: EventStream<T>) -> (u64, u64)
/// # where T: witrpc::__private::v1::EventItem
/// {
///     let (mut seen, mut missed) = (0, 0);
///     while let Some(event) = events.next().await {
///         match event {
///             Ok(_) => seen += 1,
///             Err(EventError::Lagged(events)) => missed += events,
///             Err(_) => {}
///         }
///     }
///     (seen, missed)
/// }
/// ```
#[must_use = "the subscription ends when this is dropped"]
pub struct EventStream<T> {
    queue: Arc<Queue>,
    codec: Codec,
    _subscription: Subscription,
    item: PhantomData<fn() -> T>,
}

impl<T: EventItem> EventStream<T> {
    pub(super) fn new(subscription: Subscription, queue: Arc<Queue>, codec: Codec) -> Self {
        Self { queue, codec, _subscription: subscription, item: PhantomData }
    }

    /// The next event; what the extension traits of futures crates call `next`, for those who use
    /// none.
    pub async fn next(&mut self) -> Option<Result<T, EventError>> {
        poll_fn(|cx| self.poll_event(cx)).await
    }

    fn poll_event(&mut self, cx: &Context<'_>) -> Poll<Option<Result<T, EventError>>> {
        let codec = self.codec;
        self.queue.poll(cx).map(|came| came.map(|came| came.read(codec)))
    }
}

impl<T: EventItem> Stream for EventStream<T> {
    type Item = Result<T, EventError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_event(cx)
    }
}

impl<T> Drop for EventStream<T> {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl<T> fmt::Debug for EventStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream").finish_non_exhaustive()
    }
}
