//! Who calls. What a handler asks about its caller's patience is in `cancel.rs`.

use std::fmt;
use std::sync::Arc;

use witrpc_transport::{Peer, Ticket};

use crate::method::{Borrowed, Lendable};
use crate::stream::server::stream_cancel::StreamCancel;

use super::cancel::Deadline;

/// Who calls: what a method gets for an argument marked `#[wit(ctx)]`.
///
/// Process and user are the kernel's word, not the client's.
#[derive(Clone)]
pub struct CallContext {
    pub(crate) peer: Arc<dyn Peer>,
    pub(crate) ticket: Ticket,
    pub(crate) deadline: Option<Deadline>,
    /// Of the stream that the method returns or takes, if it does.
    pub(crate) stream_cancel: Option<Arc<StreamCancel>>,
}

/// The type of an argument with `#[wit(ctx)]`.
#[diagnostic::on_unimplemented(
    message = "an argument with `#[wit(ctx)]` is the call's context; write its type as `&CallContext`",
    label = "not `CallContext`"
)]
pub trait IsContext {
    /// The context itself.
    fn of(context: &CallContext) -> &Self;
}

#[diagnostic::do_not_recommend]
impl IsContext for CallContext {
    fn of(context: &CallContext) -> &Self {
        context
    }
}

/// Returns the context as the type that a method takes it as.
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

    /// The client's number, which no other client of any server of this process has had.
    pub fn client_id(&self) -> u64 {
        self.peer.client().id
    }

    /// The client's process, as this process's pid namespace numbers it.
    pub fn pid(&self) -> u32 {
        self.peer.client().pid
    }

    /// The user that the client runs as.
    pub fn uid(&self) -> u32 {
        self.peer.client().uid
    }

    /// The name under which the server knows the client's access token: what was given to
    /// [`AccessTokens::allow`](crate::AccessTokens::allow). `None` for a token without a name, and on
    /// a server that asks for none.
    pub fn identity(&self) -> Option<&str> {
        self.peer.client().identity()
    }

    /// A number that no other call of this client has.
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
