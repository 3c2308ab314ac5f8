//! A connection whose two ends are one. A request reaches the server's threads at once, and an answer is handed
//! to the client as it is.
//!
//! It uses the inside of the kit. One table of calls serves both ends, which saves a second table with its lock
//! for each call. Messages may take along what a [`TransferredLease`] lends.

use std::sync::{Arc, Weak};
use std::task::Waker;

use witrpc_transport::{
    Answer, ChannelError, ClientInfo, Lessor, Outgoing, Peer, Request, Session, Ticket,
};

use crate::queue::arrivals::Arrivals;
use crate::queue::attached::Attached;
use crate::queue::end::End;
use crate::queue::handed_over::receive;
use crate::queue::in_flight::InFlight;
use crate::queue::limits::Limits;
use crate::queue::outlet::RequestSink;
use crate::queue::server::ServerQueue;
use crate::queue::transferred_lease::TransferredLease;

/// The server's end of a connection, and the target of the client's end.
pub struct Joined {
    client: ClientInfo,
    session: Session,
    pub in_flight: Arc<InFlight>,
}

impl Joined {
    pub fn new(
        client: ClientInfo,
        session: Session,
        limits: Limits,
        server: &Arc<ServerQueue>,
    ) -> Arc<Self> {
        Arc::new_cyclic(|me| {
            let arrivals = Arc::clone(server.arrivals());
            let (server, id) = (Arc::downgrade(server), client.id);
            let sink = Box::new(HandOver { link: me.clone(), arrivals, server, id });
            // The server's end sees in the calls themselves which were given up, so it needs no notice.
            let in_flight = Arc::new(InFlight::new(limits, sink, false));
            Self { client, session, in_flight }
        })
    }
}

impl Peer for Joined {
    fn client(&self) -> &ClientInfo {
        &self.client
    }

    fn session(&self) -> &Session {
        &self.session
    }

    fn answer(&self, ticket: Ticket, answer: Outgoing<'_>) -> Result<(), ChannelError> {
        self.in_flight.check_len(answer.body.len())?;
        let answer = Answer::new(answer.tag, receive(answer.body));
        self.in_flight.answer(ticket, answer)
    }

    fn is_connected(&self) -> bool {
        self.in_flight.lost().is_none()
    }

    fn lessor(&self) -> Option<&dyn Lessor> {
        Some(&TransferredLease)
    }

    fn is_cancelled(&self, ticket: Ticket) -> bool {
        self.in_flight.is_cancelled(ticket)
    }

    fn watch(&self, ticket: Ticket, waker: &Waker) -> u64 {
        self.in_flight.watch(ticket, waker)
    }

    fn unwatch(&self, key: u64) {
        self.in_flight.unwatch(key);
    }
}

impl Attached for Joined {
    fn end(&self, end: End) {
        self.in_flight.close(end.pending(), end.later());
    }

    fn drain(&self) {
        self.in_flight.drain();
    }
}

/// The client's way to the server.
struct HandOver {
    link: Weak<Joined>,
    arrivals: Arc<Arrivals>,
    server: Weak<ServerQueue>,
    id: u64,
}

impl RequestSink for HandOver {
    fn send(&self, request: Request) {
        // The server drops its reference only when it ends the connection, and with it this call.
        if let Some(link) = self.link.upgrade() {
            self.arrivals.publish(link, request);
        }
    }

    fn cancel(&self, _: Ticket) {}

    fn close(&self) {
        if let Some(server) = self.server.upgrade() {
            server.leave(self.id);
        }
    }
}
