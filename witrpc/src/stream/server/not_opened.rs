//! Why a stream was not opened.

use crate::error::StreamLimit;

/// Why a stream was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotOpened {
    /// There is one of that number.
    NumberInUse,
    /// The streams of the client take as much as they may.
    TooMany { limit: StreamLimit, max: usize },
    /// The client has closed it already, or has gone.
    Closed,
}
