//! Where the next link comes from.

use crate::connection::link::Link;
use crate::contract::ServiceDescriptor;
use crate::error::ConnectError;

/// Where the next link comes from.
pub trait LinkSource: Send + Sync {
    /// Returns the next link. Blocks the thread meanwhile.
    fn next_link(&self, descriptor: &'static ServiceDescriptor) -> Result<Link, ConnectError>;

    /// Ends an attempt that is being made, and lets none begin.
    fn give_up(&self);

    /// Whether the channel is this client's own, to be closed with it.
    fn has_channel(&self) -> bool;
}
