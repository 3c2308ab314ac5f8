//! The limits on what clients that have gone leave behind.

use std::fmt;

/// What a server limits of the handlers of clients that have gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LeftBehindLimit {
    /// The number of `async` handlers that have not ended.
    AsyncHandlers,
    /// The number of threads in handlers that have not returned, including handlers that take an
    /// iterator. The limit is `max_workers`, but at least 8.
    Threads,
}

impl fmt::Display for LeftBehindLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LeftBehindLimit::AsyncHandlers => "async handlers",
            LeftBehindLimit::Threads => "handlers that keep a thread",
        })
    }
}
