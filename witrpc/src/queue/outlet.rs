//! The traits that a transport implements for the kit: the ways out, and the meeting point.

use std::time::Instant;

use witrpc_transport::{Answer, Request, Ticket};

use super::end::End;

/// A client's way to its server. A transport implements it.
///
/// Its methods are called from any thread, several at once, without a lock of the kit's. They may run in a poll
/// of a future or in a drop. They must not wait or panic: a sink queues what it is given for a writer thread of
/// the transport. It never holds more than [`Limits::lanes`](super::Limits::lanes) requests, each of at most
/// [`Limits::max_message_size`](super::Limits::max_message_size) bytes. If the server cannot be reached, they
/// do nothing: the transport reports that by its [`AnswerHandle`](super::AnswerHandle).
pub trait RequestSink: Send + Sync {
    /// Sends a request. Its [`deadline`](Request::deadline) is a time of this process's clock. Requests of
    /// several threads may go in any order.
    fn send(&self, request: Request);

    /// Sends the notice that a request was given up. The notice must cross at once. It may come twice for one
    /// call, and then the first time before the request itself.
    fn cancel(&self, ticket: Ticket);

    /// Closes the connection: the client has left. The transport's reader must end too, and drop its
    /// [`AnswerHandle`](super::AnswerHandle). This may be called again.
    fn close(&self);
}

/// A server's way to one of its clients. A transport implements it.
///
/// Its methods are called from any thread, several at once, without a lock of the kit's. They must not wait or
/// panic: a sink queues what it is given for a writer thread of the transport. The kit does not bound the
/// answers for a client that does not read. A call is over once it is answered, and the client may send the
/// next. A transport bounds them instead: while it holds too many answers, it reads no further requests of that
/// client. It should still read that a call is given up, if it can tell the two apart.
pub trait AnswerSink: Send + Sync {
    /// Sends the answer to a request.
    fn send(&self, ticket: Ticket, answer: Answer);

    /// Sends the notice that the server takes no new calls. The client's side must call
    /// [`AnswerHandle::drain`](super::AnswerHandle::drain).
    fn drain(&self);

    /// Sends the reason why the server closes the connection, once, as the last message. What was sent before
    /// still goes out. An answer that a thread gives afterwards does not. The client's side must call
    /// [`AnswerHandle::end`](super::AnswerHandle::end).
    fn close(&self, end: End);

    /// Returns whether all that was sent has left. A shutdown asks each time that the server's threads are
    /// idle, and waits until its time is over. So a transport that returns `false` must
    /// [ring](crate::transport::ServerPort::ring) the server when that changes. An answer that a client does
    /// not read delays a shutdown. A client that has gone does not.
    fn has_delivered(&self) -> bool {
        true
    }
}

/// The meeting point of a server: what its transport keeps while the server exists, such as a listening socket
/// and a thread. Its methods are called from any thread, without a lock of the kit's.
pub trait MeetingPoint: Send + Sync {
    /// Returns the name that clients connect to, or an empty string without one.
    fn name(&self) -> &str {
        ""
    }

    /// Gives the name up and ends the transport's threads, without waiting for them. It may be called again,
    /// and in a drop of the server. All connections have been [closed](AnswerSink::close) before; what they
    /// hold for their clients still goes out.
    fn close(&self) {}

    /// Waits until the transport's threads on the server's side have ended, or the time is over; `None` has no
    /// limit. Returns whether they have ended. Then they run no more code of the transport or of users.
    ///
    /// A shutdown calls this on a thread of the user, after [`close`](Self::close) and once the server's own
    /// threads have ended. Several threads may call it at once, and more than once. It also waits for a thread
    /// that writes to a client which does not read. Unless the transport bounds that, such a client makes the
    /// shutdown take all of its time. On a thread of the transport itself, this returns `false`.
    fn join(&self, until: Option<Instant>) -> bool {
        let _ = until;
        true
    }
}
