//! The list of connections that a scanner looks at.

use std::sync::Arc;

use super::connection::Connection;

/// The connections that are looked at every turn, as the news said that have been read.
#[derive(Debug)]
pub struct Hot {
    pub connections: Vec<Arc<Connection>>,
    /// Where the next turn begins: behind the connection that was served last, by this scanner or,
    /// after a change of the role, by another.
    pub first: usize,
    /// The server's news that has been read.
    pub read: u64,
}
