//! What a server keeps for each of its clients.

use std::fmt;
use std::sync::Arc;

use crate::codec::Codec;

use super::events::ClientEvents;
use super::streams::Flows;
use super::tally::{Counter, Ledger};

/// What a server keeps for a client, made when the client is let in and gone with its connection.
/// For a transport it is a thing to keep beside the connection and to hand back
/// ([`Peer::session`](crate::transport::Peer::session)). Clones are the same session.
#[derive(Clone)]
pub struct Session(Arc<State>);

struct State {
    /// How the client's values become bytes.
    codec: Codec,
    flows: Flows,
    events: Arc<ClientEvents>,
    /// Where the server counts.
    ledger: Arc<Ledger>,
}

impl Session {
    pub(crate) fn new(codec: Codec, ledger: Arc<Ledger>) -> Self {
        let (flows, events) = (Flows::default(), ClientEvents::new(codec));
        Self(Arc::new(State { codec, flows, events, ledger }))
    }

    /// Where answers are counted that are given from any thread.
    pub(super) fn late(&self) -> Counter<'_> {
        self.0.ledger.late()
    }

    /// The client's streams.
    pub(super) fn flows(&self) -> &Flows {
        &self.0.flows
    }

    /// The events that the client wants.
    pub(super) fn events(&self) -> &Arc<ClientEvents> {
        &self.0.events
    }

    /// The client has gone: ends its streams and subscriptions.
    pub(super) fn leave(&self) {
        self.0.flows.leave();
        self.0.events.leave();
    }

    #[inline]
    pub(super) fn codec(&self) -> Codec {
        self.0.codec
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("codec", &self.0.codec).finish_non_exhaustive()
    }
}
