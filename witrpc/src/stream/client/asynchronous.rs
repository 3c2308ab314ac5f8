//! What a method of an async client returns for a stream.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use futures_core::stream::FusedStream;

use crate::error::{CallError, NoAppError};

use super::stream_receiver::StreamReceiver;

/// The items of a method that returns a stream, for an async client: a [`Stream`] of `Result<T,
/// CallError<E>>`, on any executor.
///
/// It behaves as [`BlockingStream`](crate::BlockingStream). Dropping a wait for the next item loses
/// nothing: the next wait gets that item.
///
/// # Examples
///
/// ```
/// use witrpc::{CallError, wit_service};
///
/// #[wit_service]
/// pub trait Numbers {
///     fn countdown(&self, from: u32) -> impl Iterator<Item = Result<u32, String>>;
/// }
///
/// struct Careful;
///
/// impl Numbers for Careful {
///     fn countdown(&self, from: u32) -> impl Iterator<Item = Result<u32, String>> {
///         (1..=from).rev().map(Ok).chain([Err("nothing below one".to_owned())])
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # futures_executor::block_on(async {
/// let numbers = NumbersAsyncClient::in_process(Careful);
/// let mut countdown = numbers.countdown(2).await?;
/// assert_eq!(countdown.next().await, Some(Ok(2)));
/// assert_eq!(countdown.next().await, Some(Ok(1)));
/// let no_more = CallError::App("nothing below one".to_owned());
/// assert_eq!(countdown.next().await, Some(Err(no_more)));
/// assert_eq!(countdown.next().await, None);
/// # Ok(())
/// # })
/// # }
/// ```
#[must_use = "a stream that is dropped is closed"]
pub struct AsyncStream<T, E = NoAppError> {
    source: StreamReceiver<T, E>,
    is_over: bool,
}

impl<T, E> AsyncStream<T, E> {
    pub(crate) fn new(source: StreamReceiver<T, E>) -> Self {
        Self { source, is_over: false }
    }

    /// Sets how long to wait for each item. `None`, the default, waits as long as the server lives. An
    /// item that takes longer gives [`CallError::TimedOut`] in its place, and can still come after
    /// that.
    pub fn item_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.source.set_item_timeout(timeout.into());
        self
    }

    /// Returns the next item. The extension traits of futures crates also call this `next`; with this
    /// method, none of them is needed.
    pub async fn next(&mut self) -> Option<Result<T, CallError<E>>> {
        poll_fn(|cx| self.poll_item(cx)).await
    }

    fn poll_item(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, CallError<E>>>> {
        let polled = self.source.poll_item(cx);
        self.is_over = matches!(polled, Poll::Ready(None));
        polled
    }
}

/// No field is pinned.
impl<T, E> Unpin for AsyncStream<T, E> {}

impl<T, E> Stream for AsyncStream<T, E> {
    type Item = Result<T, CallError<E>>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_item(cx)
    }
}

impl<T, E> FusedStream for AsyncStream<T, E> {
    fn is_terminated(&self) -> bool {
        self.is_over
    }
}

impl<T, E> fmt::Debug for AsyncStream<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AsyncStream").field(&self.source).finish()
    }
}
