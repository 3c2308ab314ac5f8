//! What a transport gives the kit: the ways out, and what stands for the server.

use std::time::Instant;

use witrpc_transport::{Answer, Request, Ticket};

use super::end::End;

/// A client's way to its server, which the transport implements.
///
/// Its methods are called from any thread, with no lock of the kit's held, and never wait: what they are
/// given is kept for a thread of the transport's that writes. The requests that are kept are never more
/// than [`Limits::lanes`](super::Limits::lanes), each of
/// [`Limits::max_message_size`](super::Limits::max_message_size) bytes at the most. If the server cannot be reached, they do
/// nothing: the transport says so by its [`AnswerHandle`](super::AnswerHandle).
pub trait RequestSink: Send + Sync {
    /// Sends a request, whose [`deadline`](Request::deadline) is a time of this process's clock. Requests of
    /// several threads may go in any order.
    fn send(&self, request: Request);

    /// Says that nobody waits any more for the answer to a request. It is to cross as it comes: for one
    /// call it may come twice, and then the first time before the request itself.
    fn cancel(&self, ticket: Ticket);

    /// Closes the connection: the client has left. The transport's reader is to end too, and to drop its
    /// [`AnswerHandle`](super::AnswerHandle). It may be called again.
    fn close(&self);
}

/// A server's way to one of its clients, which the transport implements.
///
/// Its methods are called from any thread, with no lock of the kit's held, and never wait: what they are
/// given is kept for a thread of the transport's that writes. The answers that are kept for a client that
/// does not read are not bounded by the kit, since each takes a request that the client has sent: a
/// transport reads no further requests while it keeps too many.
pub trait AnswerSink: Send + Sync {
    /// Sends the answer to a request.
    fn send(&self, ticket: Ticket, answer: Answer);

    /// Says that the server takes no new calls: the client's side is to call
    /// [`AnswerHandle::drain`](super::AnswerHandle::drain).
    fn drain(&self);

    /// Says why the server closes the connection, once, as the last word: what was sent before still goes
    /// out, and what comes afterwards, from a thread that was about to answer, does not. The client's side
    /// is to call [`AnswerHandle::end`](super::AnswerHandle::end).
    fn close(&self, end: End);

    /// Whether nothing that was sent is kept here still.
    fn has_delivered(&self) -> bool {
        true
    }
}

/// Where clients meet a server: what its transport keeps for as long as the server is there, as a
/// socket that listens, and a thread.
pub trait MeetingPoint: Send + Sync {
    /// The name that clients connect to; empty where there is none.
    fn name(&self) -> &str {
        ""
    }

    /// Gives the name up and has the transport's threads end, without waiting for them. It may be called
    /// again. All connections have been closed before.
    fn close(&self) {}

    /// Waits until the transport's threads have ended, until that time at the most. Returns whether they
    /// have.
    fn join(&self, until: Option<Instant>) -> bool {
        let _ = until;
        true
    }
}
