//! The server's view of a connection.

use witrpc_transport::Peer;

use super::end::End;

/// The server's end of a connection, over any transport.
pub trait Attached: Peer {
    /// Ends it, once. The first reason counts.
    fn end(&self, end: End);

    /// Makes the client send no new calls.
    fn drain(&self);

    /// Returns whether all answers have left.
    fn has_delivered(&self) -> bool {
        true
    }
}
