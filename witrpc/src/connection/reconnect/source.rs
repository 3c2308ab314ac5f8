//! The source of the next link.

use crate::connection::link::Link;
use crate::contract::ServiceDescriptor;
use crate::error::ConnectError;

/// The source of the next link.
pub trait LinkSource: Send + Sync {
    /// Returns the next link. Blocks the thread meanwhile.
    fn next_link(&self, descriptor: &'static ServiceDescriptor) -> Result<Link, ConnectError>;

    /// Ends the current attempt, and prevents later ones.
    fn give_up(&self);

    /// Returns whether this client owns the channel, which is closed with it.
    fn has_channel(&self) -> bool;
}
