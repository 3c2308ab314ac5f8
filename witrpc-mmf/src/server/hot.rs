//! The list of connections that a scanner looks at.

use std::sync::Arc;

use super::connection::Connection;

/// The connections that are looked at in every turn, as of the work signal that was read last.
#[derive(Debug)]
pub struct Hot {
    pub connections: Vec<Arc<Connection>>,
    /// The index at which the next turn begins: after the connection that was served last, by this
    /// scanner or by that of an earlier poller.
    pub first: usize,
    /// The count of the server's work signal up to which it has been read.
    pub read: u64,
}
