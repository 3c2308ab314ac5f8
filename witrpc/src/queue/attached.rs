//! A connection, as the server holds it.

use witrpc_transport::Peer;

use super::end::End;

/// The server's end of a connection, of whatever transport.
pub trait Attached: Peer {
    /// Ends it, once; the first reason counts.
    fn end(&self, end: End);

    /// Has the client send no new calls.
    fn drain(&self);

    /// Whether all answers have left.
    fn has_delivered(&self) -> bool {
        true
    }
}
