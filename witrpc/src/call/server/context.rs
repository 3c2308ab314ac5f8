//! The caller of a call. What a handler asks about cancellation is in `cancel.rs`.

use std::fmt;
use std::sync::Arc;

use witrpc_transport::{ClientOrigin, Peer, Ticket};

use crate::method::{Borrowed, Lendable};
use crate::stream::server::stream_cancel::StreamCancel;

use super::cancel::Deadline;

/// The caller of a call: the argument of a method that is marked `#[wit(ctx)]`.
///
/// Process and user come from the kernel. The client cannot forge them.
#[derive(Clone)]
pub struct CallContext {
    pub(crate) peer: Arc<dyn Peer>,
    pub(crate) ticket: Ticket,
    pub(crate) deadline: Option<Deadline>,
    /// The state of the stream that the method returns or takes, if it has one.
    pub(crate) stream_cancel: Option<Arc<StreamCancel>>,
}

/// The type of an argument with `#[wit(ctx)]`.
#[diagnostic::on_unimplemented(
    message = "an argument with `#[wit(ctx)]` is the call's context; write its type as `&CallContext`",
    label = "not `CallContext`"
)]
pub trait IsContext {
    /// Returns the context as this type.
    fn of(context: &CallContext) -> &Self;
}

#[diagnostic::do_not_recommend]
impl IsContext for CallContext {
    fn of(context: &CallContext) -> &Self {
        context
    }
}

/// Returns the context as the type that the method's argument has.
pub fn context<T: IsContext + ?Sized>(context: &CallContext) -> &T {
    T::of(context)
}

#[diagnostic::do_not_recommend]
impl Lendable for CallContext {
    const HOW: Result<Borrowed<Self>, &'static str> =
        Err("the call's context is made by the server; write `#[wit(ctx)]` before the argument");
}

impl CallContext {
    pub(crate) fn new(
        peer: &Arc<dyn Peer>,
        ticket: Ticket,
        deadline: Option<Deadline>,
        stream_cancel: Option<Arc<StreamCancel>>,
    ) -> Self {
        Self { peer: Arc::clone(peer), ticket, deadline, stream_cancel }
    }

    /// Returns the client's number, which no other client of any server of this process has had.
    pub fn client_id(&self) -> u64 {
        self.peer.client().id
    }

    /// Returns where the client is: a process of this machine, or an address.
    pub fn origin(&self) -> ClientOrigin {
        self.peer.client().origin()
    }

    /// Returns the client's process id, in the pid namespace of this process; 0 for a client of another machine.
    pub fn pid(&self) -> u32 {
        self.peer.client().pid
    }

    /// Returns the user id that the client runs as; [`ClientInfo::NO_UID`](crate::ClientInfo::NO_UID) for a client
    /// of another machine.
    pub fn uid(&self) -> u32 {
        self.peer.client().uid
    }

    /// Returns the name that [`AccessTokens::allow`](crate::AccessTokens::allow) gave to the
    /// client's access token. Returns `None` for a token without a name, and on a server that
    /// requires no token.
    pub fn identity(&self) -> Option<&str> {
        self.peer.client().identity()
    }

    /// Returns a number that no other call of this client has.
    pub fn call_id(&self) -> u64 {
        self.ticket.call_id()
    }
}

impl fmt::Debug for CallContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallContext")
            .field("client", self.peer.client())
            .field("call_id", &self.call_id())
            .finish_non_exhaustive()
    }
}
