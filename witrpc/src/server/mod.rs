//! The server.

mod call;
mod pool;

pub use call::{Arguments, BadArguments, CallContext, OwnedArguments, ServerCall, Service};

/// How a server ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shutdown {
    /// At once: what runs is cut off.
    Now,
    /// After all that had arrived was answered.
    Drained,
}
