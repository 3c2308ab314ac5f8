//! The events of an async client.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

use crate::error::EventError;
use crate::method::EventItem;

use super::inbox::Inbox;

/// The events that an async client has subscribed to: a [`Stream`] of `Result<T, EventError>`, on any
/// executor. It behaves as [`Events`](crate::Events).
///
/// # Examples
///
/// ```
/// use witrpc::{EventError, InProcess, WitServer, wit_service};
///
/// #[wit_service]
/// pub trait Jobs {
///     fn run(&self, steps: u32);
///     #[wit(event)]
///     fn progress(&self, step: u32);
/// }
///
/// struct Worker {
///     events: JobsEvents,
/// }
///
/// impl Jobs for Worker {
///     fn run(&self, steps: u32) {
///         for step in 1..=steps {
///             let _ = self.events.progress(step);
///         }
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let place = InProcess::new();
/// let service = JobsServer::with_events(|events| Worker { events });
/// let _server = WitServer::builder().listen(place.clone()).service(service).start()?;
///
/// futures_executor::block_on(async {
///     let jobs = JobsAsyncClient::connect(place).await?;
///     let mut progress = jobs.progress().await?;
///     jobs.run(2).await?;
///     let (mut seen, mut missed) = (0, 0);
///     while seen + missed < 2 {
///         match progress.next().await {
///             Some(Ok(_)) => seen += 1,
///             Some(Err(EventError::Lagged(events))) => missed += events,
///             other => panic!("{other:?}"),
///         }
///     }
///     Ok(())
/// })
/// # }
/// ```
#[must_use = "the subscription ends when this is dropped"]
pub struct EventStream<T>(Inbox<T>);

impl<T: EventItem> EventStream<T> {
    pub(crate) fn new(inbox: Inbox<T>) -> Self {
        Self(inbox)
    }

    /// Returns the next event. The extension traits of futures crates also call this `next`; with this
    /// method, none of them is needed.
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
