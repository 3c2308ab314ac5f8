//! What a method of a blocking client returns for a stream.

use std::fmt;
use std::iter::FusedIterator;
use std::time::Duration;

use crate::error::{CallError, NoAppError};

use super::stream_receiver::StreamReceiver;

/// The items of a method that returns a stream, for a blocking client: an iterator over `Result<T,
/// CallError<E>>`.
///
/// Each item arrives as soon as the server has made it. If there are many, they arrive in batches. The
/// server makes about 64 KiB of items ahead, then waits (flow control). The stream ends
///
/// - with the items: `None`;
/// - with an error that is not [`CallError::App`]: the producer panicked, the server died, or an item
///   could not be sent or read. The error is given once, then `None`;
/// - when it is dropped: the server stops the producer, even one that never ends by itself.
///
/// A [`CallError::App`] is an item of a stream whose items are `Result`s. It does not end the stream.
///
/// Without an [`item_timeout`](Self::item_timeout), a wait for an item lasts as long as the server
/// lives.
///
/// # Examples
///
/// ```
/// use witrpc::wit_service;
///
/// #[wit_service]
/// pub trait Numbers {
///     fn squares(&self, from: u64) -> impl Iterator<Item = u64>;
/// }
///
/// struct Endless;
///
/// impl Numbers for Endless {
///     fn squares(&self, from: u64) -> impl Iterator<Item = u64> {
///         (from..).map(|n| n * n)
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let numbers = NumbersClient::in_process(Endless);
/// let first: Vec<u64> = numbers.squares(3)?.take(3).collect::<Result<_, _>>()?;
/// assert_eq!(first, [9, 16, 25]);
/// # Ok(())
/// # }
/// ```
#[must_use = "a stream that is dropped is closed"]
pub struct BlockingStream<T, E = NoAppError>(StreamReceiver<T, E>);

impl<T, E> BlockingStream<T, E> {
    pub(crate) fn new(source: StreamReceiver<T, E>) -> Self {
        Self(source)
    }

    /// Sets how long to wait for each item. `None`, the default, waits as long as the server lives. An
    /// item that takes longer gives [`CallError::TimedOut`] in its place, and can still come after
    /// that.
    pub fn item_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.0.set_item_timeout(timeout.into());
        self
    }
}

impl<T, E> Iterator for BlockingStream<T, E> {
    type Item = Result<T, CallError<E>>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match self.0.here() {
            Some(item) => Some(item),
            None => self.0.wait_item(),
        }
    }
}

impl<T, E> FusedIterator for BlockingStream<T, E> {}

impl<T, E> fmt::Debug for BlockingStream<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BlockingStream").field(&self.0).finish()
    }
}
