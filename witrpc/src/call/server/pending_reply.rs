//! A request that any thread may answer later.

use std::sync::Arc;

use witrpc_transport::{Peer, Ticket};

use crate::codec::Codec;

use super::call_observer::CallObserver;
use super::reply::Reply;
use super::session::ClientSession;

/// The client and the request that an answer belongs to.
#[derive(Clone)]
pub struct PendingReply {
    pub peer: Arc<dyn Peer>,
    pub ticket: Ticket,
    pub codec: Codec,
    pub observer: CallObserver,
}

impl PendingReply {
    pub fn reply(&self) -> Reply<'_> {
        self.reply_for(&self.observer)
    }

    /// Creates a reply as [`reply`](Self::reply) does, with the observer of another request.
    pub fn reply_for<'a>(&'a self, observer: &'a CallObserver) -> Reply<'a> {
        let counter = ClientSession::of(self.peer.session()).late();
        let (peer, ticket, codec) = (&*self.peer, self.ticket, self.codec);
        Reply { peer, ticket, codec, observer, counter }
    }
}
