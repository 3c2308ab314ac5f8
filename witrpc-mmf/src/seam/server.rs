//! The server's half of the transport.

use std::fmt;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use witrpc_transport::{
    ChannelError, ClientInfo, Lessor, Only, Outgoing, Peer, Scanner, Serve, ServerPort, Session,
    Shutdown, Ticket, Usage,
};

use crate::server::{Connection, Server};

/// A bound name, as the server's threads see it.
pub(super) struct Port(Arc<Server>);

impl Port {
    pub(super) fn new(server: Arc<Server>) -> Self {
        Self(server)
    }
}

impl ServerPort for Port {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn scanner(&self) -> Box<dyn Scanner + '_> {
        Box::new(View { scanner: self.0.scanner(), peers: Vec::new() })
    }

    fn park(&self, timeout: Option<Duration>) {
        self.0.park(timeout);
    }

    fn ring(&self) {
        self.0.ring();
    }

    fn stop_accepting(&self) {
        self.0.stop_accepting();
    }

    fn clients(&self) -> Vec<ClientInfo> {
        self.0.clients().iter().map(|each| each.client_info().clone()).collect()
    }

    fn usage(&self) -> Usage {
        let mut usage = Usage::default();
        usage.reserved_memory = self.0.reserved();
        usage.broken_connections = self.0.broken().0;
        usage.refused_handshakes = self.0.refused();
        usage
    }

    fn disconnect(&self, client_id: u64) -> bool {
        self.0.disconnect(client_id)
    }

    fn drain(&self) {
        self.0.drain();
    }

    fn has_delivered(&self) -> bool {
        self.0.has_delivered()
    }

    fn close(&self, _how: Shutdown) {
        self.0.close();
    }

    fn join(&self, until: Option<Instant>) -> bool {
        self.0.join(until)
    }
}

impl fmt::Debug for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A scanner, and the peers that it has met in this tenure: a request is handed on with a reference
/// to one, which costs nothing.
struct View<'a> {
    scanner: crate::server::Scanner<'a>,
    peers: Vec<Known>,
}

struct Known {
    connection: Arc<Connection>,
    peer: Arc<dyn Peer>,
}

impl Scanner for View<'_> {
    fn turn(&mut self, only: Option<Only<'_>>, serve: &mut Serve<'_>) -> bool {
        let peers = &mut self.peers;
        let mut displaced = false;
        let found = self.scanner.turn(only, |connection, mut request| {
            let go_on = serve(known(peers, connection), &mut request);
            displaced = go_on.is_break();
            go_on
        });
        if displaced {
            self.peers.clear();
        }
        found
    }

    fn arm(&mut self, only: Option<Only<'_>>) -> bool {
        // A sleeping server keeps no connection alive.
        self.peers.clear();
        self.scanner.arm(only)
    }
}

/// The peer of a connection, made when it is first met.
#[inline]
fn known<'p>(peers: &'p mut Vec<Known>, connection: &Arc<Connection>) -> &'p Arc<dyn Peer> {
    let met = peers.iter().position(|known| Arc::ptr_eq(&known.connection, connection));
    let index = met.unwrap_or_else(|| {
        peers.retain(|known| known.connection.is_connected());
        let peer = Arc::new(ConnectedPeer(Arc::clone(connection)));
        peers.push(Known { connection: Arc::clone(connection), peer });
        peers.len() - 1
    });
    &peers[index].peer
}

/// The server's end of a connection.
pub(super) struct ConnectedPeer(pub(super) Arc<Connection>);

impl Peer for ConnectedPeer {
    fn client(&self) -> &ClientInfo {
        self.0.client_info()
    }

    fn session(&self) -> &Session {
        self.0.session()
    }

    fn answer(&self, ticket: Ticket, answer: Outgoing<'_>) -> Result<(), ChannelError> {
        self.0.answer(ticket, answer)
    }

    fn is_connected(&self) -> bool {
        self.0.is_connected()
    }

    fn lessor(&self) -> Option<&dyn Lessor> {
        Some(self)
    }

    fn is_cancelled(&self, ticket: Ticket) -> bool {
        self.0.is_cancelled(ticket)
    }

    fn watch(&self, ticket: Ticket, waker: &Waker) -> u64 {
        self.0.watch(ticket, waker)
    }

    fn unwatch(&self, key: u64) {
        self.0.unwatch(key);
    }
}
