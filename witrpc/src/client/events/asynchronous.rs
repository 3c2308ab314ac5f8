//! The events of an async client.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

use super::EventItem;
use super::inbox::Inbox;
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
pub struct EventStream<T>(Inbox<T>);

impl<T: EventItem> EventStream<T> {
    pub(super) fn new(inbox: Inbox<T>) -> Self {
        Self(inbox)
    }

    /// The next event; what the extension traits of futures crates call `next`, for those who use
    /// none.
    pub async fn next(&mut self) -> Option<Result<T, EventError>> {
        poll_fn(|cx| self.0.poll(cx)).await
    }
}

impl<T: EventItem> Stream for EventStream<T> {
    type Item = Result<T, EventError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().0.poll(cx)
    }
}

impl<T> fmt::Debug for EventStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream").finish_non_exhaustive()
    }
}
