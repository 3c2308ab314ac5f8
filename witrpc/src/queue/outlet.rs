//! What a transport gives the kit: the ways out, and what stands for the server.

use std::time::Instant;

use witrpc_transport::{Answer, Request, Ticket};

use super::end::End;

/// A client's way to its server, which the transport implements.
///
/// Its methods are called from any thread, several at once, with no lock of the kit's held, and never wait or
/// panic: what they are given is kept for a thread of the transport's that writes. They may run in a poll of
/// a future or in a drop. The requests that are kept are never more
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
/// Its methods are called from any thread, several at once, with no lock of the kit's held, and never wait or
/// panic: what they are given is kept for a thread of the transport's that writes. The answers that are kept
/// for a client that does not read are not bounded by the kit, since a call is over once it is answered, and
/// the client may send the next. Each takes a request that the client has sent: a transport reads no further
/// requests while it keeps too many. It still reads that a call is given up, if it can tell the two apart.
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

    /// Returns whether nothing that was sent is kept here still. A shutdown asks each time that the server's
    /// threads have nothing to do, and waits for it until its time is over: so a transport that says `false`
    /// [rings](crate::transport::ServerPort::ring) the server when that changes. An answer that a client does
    /// not read keeps a shutdown waiting. One that has gone keeps nothing.
    fn has_delivered(&self) -> bool {
        true
    }
}

/// Where clients meet a server: what its transport keeps for as long as the server is there, as a
/// socket that listens, and a thread. Its methods are called from any thread, with no lock of the kit's
/// held.
pub trait MeetingPoint: Send + Sync {
    /// Returns the name that clients connect to; empty where there is none.
    fn name(&self) -> &str {
        ""
    }

    /// Gives the name up and has the transport's threads end, without waiting for them. It may be called
    /// again, and in a drop of the server. All connections have been [closed](AnswerSink::close) before; what
    /// they keep for their clients still goes out.
    fn close(&self) {}

    /// Waits until the transport's threads on the server's side have ended, until that time at the most;
    /// `None` has no limit. Returns whether they have: then none of them runs code of the transport or of users
    /// any more.
    ///
    /// Called by a shutdown, on a thread of the user, after [`close`](Self::close) and once the server's own
    /// threads have ended; perhaps by several threads at once and more than once. A thread that writes to a
    /// client which does not read is waited for too: unless the transport bounds that, such a client has
    /// the shutdown take all of its time. On a thread of the transport itself, this returns `false`.
    fn join(&self, until: Option<Instant>) -> bool {
        let _ = until;
        true
    }
}
