//! A server's end, put on the seam.

use std::fmt;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use witrpc_mmf as channel;

use super::client::{from_payload, from_ticket, to_ticket, with_outgoing};
use super::errors;
use super::keys::Asking;
use crate::error::BindError;
use crate::server::{Session, Shutdown};
use crate::transport::{
    Admission, Admitted, BindConfig, ChannelError, Clearance, ClientInfo, Lessor, Only, Outgoing,
    Peer, Request, Scanner, Serve, ServerPort, Ticket, Usage,
};

pub(super) fn bind(
    name: channel::Name,
    place: &channel::Place,
    options: &channel::ServerOptions,
    config: BindConfig,
) -> Result<Arc<dyn ServerPort>, BindError> {
    let (gate, keys) = (Box::new(Gate(config.admission)), Box::new(Asking(config.guard)));
    match channel::Server::bind(name, place, options, gate, keys) {
        Ok(server) => Ok(Arc::new(Port(server))),
        Err(error) => Err(errors::bind(error)),
    }
}

/// The admission of the layers above, as the channel asks it.
struct Gate(Arc<dyn Admission>);

impl channel::Admission for Gate {
    fn admit(
        &self,
        hello: &[u8],
        id: u64,
        pid: u32,
        uid: u32,
        clearance: &channel::Clearance,
    ) -> channel::Admitted {
        let clearance: &Clearance = clearance.downcast_ref().expect("it is what `Asking` gave");
        let client = ClientInfo::numbered(id, pid, uid).cleared(clearance.clone());
        match self.0.admit(hello, &client) {
            Admitted::Welcome { welcome, session } => {
                let session = Arc::new(Kept { client, session });
                channel::Admitted::Welcome { welcome, session }
            }
            Admitted::Refusal(bytes) => channel::Admitted::Refusal(bytes),
        }
    }

    fn report(&self) -> Vec<u8> {
        self.0.report()
    }

    fn left(&self, _id: u64, _pid: u32, _uid: u32, session: &channel::Session) {
        let Kept { client, session } = kept(session);
        self.0.left(client, session);
    }
}

/// What the channel keeps beside a connection.
struct Kept {
    client: ClientInfo,
    session: Session,
}

fn kept(session: &channel::Session) -> &Kept {
    session.downcast_ref().expect("the gate gives the channel nothing else to keep")
}

struct Port(Arc<channel::Server>);

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
        self.0.clients().iter().map(|each| kept(each.session()).client.clone()).collect()
    }

    fn usage(&self) -> Usage {
        Usage {
            reserved_memory: self.0.reserved(),
            broken_connections: self.0.broken().0,
            refused_handshakes: self.0.refused(),
        }
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
}

impl fmt::Debug for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A scanner, and the peers that it has met in this tenure: a request is handed on with a reference
/// to one, which costs nothing.
struct View<'a> {
    scanner: channel::Scanner<'a>,
    peers: Vec<Known>,
}

struct Known {
    connection: Arc<channel::Connection>,
    peer: Arc<dyn Peer>,
}

impl Scanner for View<'_> {
    fn turn(&mut self, only: Option<Only>, serve: &mut Serve<'_>) -> bool {
        let peers = &mut self.peers;
        let mut displaced = false;
        let found = self.scanner.turn(only, |connection, request| {
            let peer = known(peers, connection);
            let mut request = Request {
                ticket: from_ticket(request.ticket),
                tag: request.tag,
                payload: from_payload(request.payload),
                deadline: request.deadline,
            };
            let go_on = serve(peer, &mut request);
            displaced = go_on.is_break();
            go_on
        });
        if displaced {
            self.peers.clear();
        }
        found
    }

    fn arm(&mut self) -> bool {
        // A sleeping server keeps no connection alive.
        self.peers.clear();
        self.scanner.arm()
    }
}

/// The peer of a connection, made when it is first met.
#[inline]
fn known<'p>(
    peers: &'p mut Vec<Known>,
    connection: &Arc<channel::Connection>,
) -> &'p Arc<dyn Peer> {
    let met = peers.iter().position(|known| Arc::ptr_eq(&known.connection, connection));
    let index = met.unwrap_or_else(|| {
        peers.retain(|known| known.connection.is_connected());
        let Kept { client, session } = kept(connection.session());
        let (client, session) = (client.clone(), session.clone());
        let peer = Arc::new(ConnectedPeer { connection: Arc::clone(connection), client, session });
        peers.push(Known { connection: Arc::clone(connection), peer });
        peers.len() - 1
    });
    &peers[index].peer
}

struct ConnectedPeer {
    connection: Arc<channel::Connection>,
    client: ClientInfo,
    session: Session,
}

impl Peer for ConnectedPeer {
    fn client(&self) -> &ClientInfo {
        &self.client
    }

    fn session(&self) -> &Session {
        &self.session
    }

    fn answer(&self, ticket: Ticket, answer: Outgoing<'_>) -> Result<(), ChannelError> {
        with_outgoing(answer, |answer| self.connection.answer(to_ticket(ticket), answer))
            .map_err(errors::channel)
    }

    fn is_connected(&self) -> bool {
        self.connection.is_connected()
    }

    fn lessor(&self) -> Option<&dyn Lessor> {
        Some(&self.connection)
    }

    fn is_cancelled(&self, ticket: Ticket) -> bool {
        self.connection.is_cancelled(to_ticket(ticket))
    }

    fn watch(&self, ticket: Ticket, waker: &Waker) -> u64 {
        self.connection.watch(to_ticket(ticket), waker)
    }

    fn unwatch(&self, key: u64) {
        self.connection.unwatch(key);
    }
}
