//! The server.

mod call;

pub use call::{Arguments, BadArguments, CallContext, OwnedArguments, ServerCall, Service};

use std::time::Duration;

/// How a server ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shutdown {
    /// At once: what runs is cut off.
    Now,
    /// After what runs has been answered, at most after this time.
    Within(Duration),
}
