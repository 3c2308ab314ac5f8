//! A peer that runs code of the test at each answer, as a waker of the user's may.

use std::sync::{Arc, Mutex};

use witrpc_transport::{ChannelError, ClientInfo, Outgoing, Peer, Session, Ticket};

use crate::call::server::call_observer::CallObserver;
use crate::call::server::pending_reply::PendingReply;
use crate::codec::Codec;
use crate::server::client_parts;

/// The code that it runs at each answer.
type Act = Box<dyn Fn() + Send + Sync>;

pub struct Eavesdropper {
    client: ClientInfo,
    session: Session,
    act: Act,
    answers: Mutex<Vec<u64>>,
}

impl Eavesdropper {
    pub fn new(act: impl Fn() + Send + Sync + 'static) -> Arc<Self> {
        let session = client_parts::begin(Codec::Postcard, Arc::default());
        let client = ClientInfo::new(1, 1);
        Arc::new(Self { client, session, act: Box::new(act), answers: Mutex::default() })
    }

    /// Returns a request from this peer.
    pub fn asks(self: &Arc<Self>, seq: u64) -> PendingReply {
        let (peer, ticket) = (Arc::clone(self) as _, Ticket::new(0, seq));
        PendingReply { peer, ticket, codec: Codec::Postcard, observer: CallObserver::plain(false) }
    }

    /// Returns the requests that were answered.
    pub fn answers(&self) -> Vec<u64> {
        self.answers.lock().unwrap().clone()
    }
}

impl Peer for Eavesdropper {
    fn client(&self) -> &ClientInfo {
        &self.client
    }

    fn session(&self) -> &Session {
        &self.session
    }

    fn answer(&self, ticket: Ticket, _answer: Outgoing<'_>) -> Result<(), ChannelError> {
        self.answers.lock().unwrap().push(ticket.seq);
        (self.act)();
        Ok(())
    }

    fn is_connected(&self) -> bool {
        true
    }
}
