//! The limits on what clients that have gone leave behind.

use std::fmt;

/// What a server limits of that which clients leave behind when they go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LeftBehindLimit {
    /// The number of `async` handlers that have not ended.
    AsyncHandlers,
    /// The number of threads in handlers that have not returned, including handlers that take an
    /// iterator. The limit is `max_workers`, but at least 8.
    Threads,
    /// How many clients wait until [`ServerHook::left`](crate::ServerHook::left) is called, and until what no
    /// method has taken of their streams is dropped: one after the other.
    Cleanups,
}

impl LeftBehindLimit {
    /// What helps.
    pub(crate) fn advice(self) -> &'static str {
        match self {
            Self::AsyncHandlers => {
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
            LeftBehindLimit::Threads => "handlers that keep a thread",
            LeftBehindLimit::Cleanups => "cleanups (hooks to call, items to drop)",
        })
    }
}
