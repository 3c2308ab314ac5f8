//! The limits on what disconnected clients leave behind.

use std::fmt;

/// A server's limit on what clients leave behind when they disconnect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LeftBehindLimit {
    /// The number of `async` handlers that have not ended.
    AsyncHandlers,
    /// The bytes of the requests of `async` handlers that have not ended.
    RequestBytes,
    /// The number of threads in handlers that have not returned, including handlers that take an
    /// iterator. The limit is `max_workers`, but at least 8.
    Threads,
    /// The number of disconnected clients that wait for cleanup. Cleanup calls
    /// [`ServerHook::left`](crate::ServerHook::left) and drops the stream items that no method has
    /// taken, for one client after the other.
    Cleanups,
}

impl LeftBehindLimit {
    /// Returns the advice for this limit.
    pub(crate) fn advice(self) -> &'static str {
        match self {
            Self::AsyncHandlers | Self::RequestBytes => {
                "have them end when their `CallContext` says that the call is cancelled, or mark their \
                 methods #[wit(drop_on_disconnect)]"
            }
            Self::Threads => {
                "have them end when their `CallContext` says that the call is cancelled, or raise \
                 max_workers"
            }
            Self::Cleanups => "have `ServerHook::left` and the drops of items return soon",
        }
    }
}

impl fmt::Display for LeftBehindLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LeftBehindLimit::AsyncHandlers => "async handlers",
            LeftBehindLimit::RequestBytes => "bytes of requests of async handlers",
            LeftBehindLimit::Threads => "handlers that keep a thread",
            LeftBehindLimit::Cleanups => "cleanups (hooks to call, items to drop)",
        })
    }
}
