//! Bounds of what clients that have gone leave behind.

use std::fmt;

/// What a server bounds of the handlers of clients that have gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LeftBehindLimit {
    /// How many `async` handlers have not ended.
    AsyncHandlers,
    /// How many threads are in handlers that have not returned, also in those that take an iterator: its
    /// `max_workers`, or 8 if it has fewer.
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
