//! What a server keeps for each of its clients.

use std::fmt;
use std::sync::Arc;

use witrpc_transport::Session;

use crate::codec::Codec;
use crate::event::server::client::ClientEvents;
use crate::observe::counters::{Counter, CounterRegistry};
use crate::observe::left_behind::{ClientJobs, LeftBehind};
use crate::stream::server::stream_cancel::StreamCancel;
use crate::stream::server::{Remains, ServerStreams};

/// What a server keeps for a client: made when the client is let in, gone with its connection. The
/// transport keeps it as a [`Session`].
pub(crate) struct ClientSession {
    /// How the client's values become bytes.
    codec: Codec,
    flows: ServerStreams,
    events: Arc<ClientEvents>,
    jobs: ClientJobs,
    /// Cut when the client goes.
    presence: Arc<StreamCancel>,
    /// Where the server counts.
    ledger: Arc<CounterRegistry>,
}

impl ClientSession {
    /// Makes what a transport keeps for a new client.
    pub(crate) fn begin(codec: Codec, ledger: Arc<CounterRegistry>) -> Session {
        let (flows, events) = (ServerStreams::default(), ClientEvents::new(codec));
        let (jobs, presence) = (ClientJobs::default(), StreamCancel::taken());
        Session::new(Arc::new(Self { codec, flows, events, jobs, presence, ledger }))
    }

    /// Returns what a transport has kept.
    ///
    /// # Panics
    ///
    /// When the transport hands back a session that no server of this crate has given it.
    #[inline]
    pub(crate) fn of(session: &Session) -> &Self {
        session.get().expect("a transport hands back the session that the admission gave it")
    }

    /// Where answers are counted that are given from any thread.
    pub(crate) fn late(&self) -> Counter<'_> {
        self.ledger.late()
    }

    /// The client's streams.
    pub(crate) fn flows(&self) -> &ServerStreams {
        &self.flows
    }

    /// The events that the client wants.
    pub(crate) fn events(&self) -> &Arc<ClientEvents> {
        &self.events
    }

    /// Returns the count of the client's jobs.
    pub(crate) fn jobs(&self) -> &ClientJobs {
        &self.jobs
    }

    /// Returns what counts the jobs of clients that have gone.
    pub(crate) fn left_behind(&self) -> &LeftBehind {
        self.ledger.left_behind()
    }

    /// Returns what is cut when the client goes.
    pub(crate) fn presence(&self) -> &StreamCancel {
        &self.presence
    }

    /// The client has gone: ends its streams and subscriptions, and tells the jobs that go with it.
    /// Code of users runs only where the result is dropped.
    pub(crate) fn leave(&self) -> Remains {
        self.jobs.leave(self.left_behind());
        self.presence.cut();
        let remains = self.flows.leave();
        self.events.leave();
        remains
    }

    #[inline]
    pub(crate) fn codec(&self) -> Codec {
        self.codec
    }
}

impl fmt::Debug for ClientSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSession").field("codec", &self.codec).finish_non_exhaustive()
    }
}
