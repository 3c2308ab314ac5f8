//! The reasons why a stream was not opened.

use crate::error::StreamLimit;

/// The reason why a stream was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotOpened {
    /// Another stream has this number.
    NumberInUse,
    /// The client's streams have reached a limit.
    TooMany { limit: StreamLimit, max: usize },
    /// The client has already closed it, or has gone.
    Closed,
}
