//! The server's half of the transport.

use std::ops::ControlFlow;
use std::sync::{Arc, Weak};
use std::task::Waker;
use std::time::{Duration, Instant};

use witrpc_transport::{
    ChannelError, ClientInfo, Lessor, Only, Outgoing, Peer, Request, Scanner, Serve, ServerPort,
    Session, ShortAnswer, ShortRequest, Shutdown, Ticket, Usage,
};

use crate::server::{Connection, Server, Serving};

impl ServerPort for Server {
    fn name(&self) -> &str {
        self.name()
    }

    fn scanner(&self) -> Box<dyn Scanner + '_> {
        Box::new(View { scanner: self.scanner(), peers: Vec::new() })
    }

    fn park(&self, timeout: Option<Duration>) {
        self.park(timeout);
    }

    fn ring(&self) {
        self.ring();
    }

    fn stop_accepting(&self) {
        self.stop_accepting();
    }

    fn clients(&self) -> Vec<ClientInfo> {
        self.clients().iter().map(|each| each.client_info().clone()).collect()
    }

    fn usage(&self) -> Usage {
        let mut usage = Usage::default();
        usage.reserved_memory = self.reserved();
        usage.broken_connections = self.broken().0;
        usage.refused_handshakes = self.refused();
        usage
    }

    fn disconnect(&self, client_id: u64) -> bool {
        self.disconnect(client_id)
    }

    fn drain(&self) {
        self.drain();
    }

    fn has_delivered(&self) -> bool {
        self.has_delivered()
    }

    fn close(&self, how: Shutdown) {
        match how {
            Shutdown::Drained => self.close_drained(),
            Shutdown::Failed => self.close_failed(),
            _ => self.close(),
        }
    }

    fn join(&self, until: Option<Instant>) -> bool {
        self.join(until)
    }
}

/// A scanner, and the peers whose requests it has found since its thread became the poller. Each
/// request is handed on with a reference to its peer, which costs nothing.
struct View<'a> {
    scanner: crate::server::Scanner<'a>,
    /// Each with the id of its connection.
    peers: Vec<(u64, Arc<dyn Peer>)>,
}

impl Scanner for View<'_> {
    fn turn(&mut self, only: Option<Only<'_>>, serve: &mut dyn Serve) -> bool {
        let mut handing = Handing { peers: &mut self.peers, serve, displaced: false };
        let found = self.scanner.turn_with(only, &mut handing);
        if handing.displaced {
            self.peers.clear();
        }
        found
    }

    fn set_aside(&mut self) {
        self.scanner.set_aside();
    }

    fn request_wakeup(&mut self, only: Option<Only<'_>>) -> bool {
        self.peers.clear();
        self.scanner.request_wakeup(only)
    }
}

/// Hands requests on, each with its peer.
struct Handing<'p, 's> {
    peers: &'p mut Vec<(u64, Arc<dyn Peer>)>,
    serve: &'s mut dyn Serve,
    displaced: bool,
}

impl Serving for Handing<'_, '_> {
    /// The index of the peer.
    type Met = usize;

    /// Returns the peer of a connection, which is created at its first request.
    #[inline]
    fn meet(&mut self, connection: &Arc<Connection>) -> usize {
        let id = connection.id();
        let met = self.peers.iter().position(|(met, _)| *met == id);
        met.unwrap_or_else(|| {
            self.peers.retain(|(_, peer)| peer.is_connected());
            self.peers.push((id, Arc::new(ConnectedPeer::of(connection))));
            self.peers.len() - 1
        })
    }

    #[inline]
    fn serve(&mut self, met: &mut usize, mut request: Request, answer: &mut Option<ShortAnswer>) {
        self.serve.serve(&self.peers[*met].1, &mut request, answer);
    }

    #[inline]
    fn serve_short(
        &mut self,
        met: &mut usize,
        request: &ShortRequest<'_>,
        answer: &mut Option<ShortAnswer>,
    ) {
        self.serve.serve_short(&self.peers[*met].1, request, answer);
    }

    #[cold]
    fn answer(&mut self, met: usize, ticket: Ticket, answer: &ShortAnswer) {
        // An error means that the client is gone.
        let _ = self.peers[met].1.answer(ticket, answer.outgoing());
    }

    #[inline]
    fn settled(&mut self) -> ControlFlow<()> {
        let goes_on = self.serve.settled();
        self.displaced = goes_on.is_break();
        goes_on
    }
}

/// The client at the other end of a connection. Handlers may keep it after the connection has
/// ended: it keeps neither the mappings nor the descriptors.
pub struct ConnectedPeer {
    connection: Weak<Connection>,
    client: ClientInfo,
    session: Session,
}

impl ConnectedPeer {
    fn of(connection: &Arc<Connection>) -> Self {
        let (client, session) = (connection.client_info().clone(), connection.session().clone());
        Self { connection: Arc::downgrade(connection), client, session }
    }

    /// Returns the connection, unless it has ended and its memory has been unmapped.
    ///
    /// # Errors
    ///
    /// [`ChannelError::PeerDied`] if it has.
    pub fn connection(&self) -> Result<Arc<Connection>, ChannelError> {
        self.connection.upgrade().ok_or(ChannelError::PeerDied)
    }
}

impl Peer for ConnectedPeer {
    fn client(&self) -> &ClientInfo {
        &self.client
    }

    fn session(&self) -> &Session {
        &self.session
    }

    fn answer(&self, ticket: Ticket, answer: Outgoing<'_>) -> Result<(), ChannelError> {
        self.connection()?.answer(ticket, answer)
    }

    fn is_connected(&self) -> bool {
        self.connection().is_ok_and(|connection| connection.is_connected())
    }

    fn lessor(&self) -> Option<&dyn Lessor> {
        Some(self)
    }

    fn is_cancelled(&self, ticket: Ticket) -> bool {
        self.connection.upgrade().is_none_or(|connection| connection.is_cancelled(ticket))
    }

    fn watch(&self, ticket: Ticket, waker: &Waker) -> u64 {
        match self.connection.upgrade() {
            Some(connection) => connection.watch(ticket, waker),
            None => {
                waker.wake_by_ref();
                0
            }
        }
    }

    fn unwatch(&self, key: u64) {
        if let Some(connection) = self.connection.upgrade() {
            connection.unwatch(key);
        }
    }
}
