//! A server's side of a transport.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use super::mmf::{TrustedPeer, next_client_id};
use super::{ChannelError, Lessor, Outgoing, Request, Ticket};
use crate::security::{Clearance, Guard};
use crate::server::{Session, Shutdown};
use crate::wait::WaitPolicy;

/// What a server gives its transport at the start.
pub struct BindConfig {
    /// Decides which clients come in.
    pub admission: Arc<dyn Admission>,
    /// How idle threads of the server wait.
    pub wait: WaitPolicy,
    /// Decides which clients are heard at all: to be asked before the admission.
    pub guard: Arc<Guard>,
    /// Whether what clients send may be read in place.
    pub trusted: Option<TrustedPeer>,
}

/// Decides which clients come in; implemented by the server above the transport.
pub trait Admission: Send + Sync {
    /// Reads a client's hello. Called once a client, on a transport thread, with untrusted bytes.
    fn admit(&self, hello: &[u8], client: &ClientInfo) -> Admitted;

    /// A client that was let in has gone, whoever ended its connection. A transport calls this once
    /// for each [`Admitted::Welcome`], from any thread, with no lock held.
    fn left(&self, client: &ClientInfo, session: &Session);

    /// What [`Metrics`](crate::Metrics) are read from by another process of the server's user: for a
    /// transport to hand over as it is, to whomever it may. At most 240 bytes, none before the server
    /// has started. Never waits.
    fn report(&self) -> Vec<u8> {
        Vec::new()
    }
}

/// What [`Admission::admit`] decided.
pub enum Admitted {
    /// The client is in.
    Welcome {
        /// Sent to the client, which reads it with
        /// [`ClientChannel::welcome`](super::ClientChannel::welcome).
        welcome: Vec<u8>,
        /// Kept beside the connection: [`Peer::session`].
        session: Session,
    },
    /// The client is turned away; the bytes reach it in
    /// [`ConnectError::Refused`](crate::ConnectError::Refused).
    Refusal(Vec<u8>),
}

/// Who a client is, in the kernel's words.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientInfo {
    /// Counts the clients of all servers of this process from 1; never used twice.
    pub id: u64,
    /// The process that connected, as the server's pid namespace numbers it.
    pub pid: u32,
    /// The user it runs as.
    pub uid: u32,
    clearance: Option<Clearance>,
}

impl ClientInfo {
    /// A client that has come, with the next number; for those who write a transport.
    pub fn new(pid: u32, uid: u32) -> Self {
        Self::numbered(next_client_id(), pid, uid)
    }

    pub(super) fn numbered(id: u64, pid: u32, uid: u32) -> Self {
        Self { id, pid, uid, clearance: None }
    }

    /// The same client, which the server's [`Guard`] has let pass.
    #[must_use]
    pub fn cleared(self, clearance: Clearance) -> Self {
        Self { clearance: Some(clearance), ..self }
    }

    /// The word of the server's [`Guard`] on this client, if it was asked.
    pub fn clearance(&self) -> Option<&Clearance> {
        self.clearance.as_ref()
    }

    /// The name under which the server knows the client's access token, if it has one.
    pub fn identity(&self) -> Option<&str> {
        self.clearance.as_ref().and_then(Clearance::identity)
    }
}

/// The server's end of one connection.
pub trait Peer: Send + Sync {
    /// Who is there.
    fn client(&self) -> &ClientInfo;

    /// What [`Admission::admit`] gave it.
    fn session(&self) -> &Session;

    /// Answers a call, once, from any thread, without ever waiting for the client.
    ///
    /// # Errors
    ///
    /// [`ChannelError::TooLarge`]: the call is still unanswered. Anything else: nobody is there to
    /// hear it.
    fn answer(&self, ticket: Ticket, answer: Outgoing<'_>) -> Result<(), ChannelError>;

    /// Whether the client is still there.
    fn is_connected(&self) -> bool;

    /// What gives out space that answers can hand over, if the transport has such. It never waits
    /// for the client.
    fn lessor(&self) -> Option<&dyn Lessor> {
        None
    }

    /// Whether the caller has [given the call up](super::ClientChannel::abandon), or the client has
    /// gone. To be asked while the call is unanswered; cheap enough for a loop. A transport that
    /// cannot tell says when the client has gone.
    fn is_cancelled(&self, _ticket: Ticket) -> bool {
        !self.is_connected()
    }

    /// Has `waker` woken once [`is_cancelled`](Self::is_cancelled) says so, which may be at once.
    /// Gives the key by which [`unwatch`](Self::unwatch) takes it back. A transport that cannot tell
    /// never wakes it.
    fn watch(&self, _ticket: Ticket, _waker: &Waker) -> u64 {
        0
    }

    /// Wakes nobody for this key any more; whoever watches takes it back, woken or not.
    fn unwatch(&self, _key: u64) {}
}

/// What a transport adds to the [`Metrics`](crate::Metrics) of a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// Memory that is reserved for clients, shared and private; in bytes. A client that has gone
    /// counts for as long as its handlers run or [`Shared`](crate::Shared) values of its connection
    /// are kept.
    pub reserved_memory: u64,
    /// Connections that ended because the client broke the protocol.
    pub broken_connections: u64,
    /// Clients that the transport itself turned away, before their hello was read.
    pub refused_handshakes: u64,
}

/// A bound name, seen by the server's threads.
pub trait ServerPort: fmt::Debug + Send + Sync {
    /// The name that clients connect to; empty for a place without one.
    fn name(&self) -> &str {
        ""
    }

    /// A view for one thread to look for requests with. Only the thread that holds the poller
    /// role uses its scanner; where the last one stopped is remembered here.
    fn scanner(&self) -> Box<dyn Scanner + '_>;

    /// Sleeps until something rings, or the time is over. Any number of threads may sleep; one
    /// ring wakes one of them.
    fn park(&self, timeout: Option<Duration>);

    /// Rings: wakes one sleeping thread, or the next that would sleep.
    fn ring(&self);

    /// Turns new clients away; connected ones go on.
    fn stop_accepting(&self);

    /// The clients that are connected.
    fn clients(&self) -> Vec<ClientInfo>;

    /// What it takes of the machine, and what it had to end.
    fn usage(&self) -> Usage {
        Usage::default()
    }

    /// Closes one client's connection; `false` when there is none of that id.
    fn disconnect(&self, client_id: u64) -> bool;

    /// Tells clients that nothing new is taken. What has arrived is found by the next whole turn of
    /// a scanner; what later turns find is refused by the layers above.
    fn drain(&self);

    /// Whether the clients that are there could fetch all answers given so far, or whether some
    /// still wait for space. Asked after a scanner's last look while draining; as the rest leaves,
    /// scanners find something to do.
    fn has_delivered(&self) -> bool {
        true
    }

    /// Closes every connection and gives the name up. Idempotent.
    fn close(&self, how: Shutdown);
}

/// What a [`Scanner`] hands new requests to. The request stays where the scanner has put it, so that
/// a short one is decoded there; whoever needs it for longer takes the payload out.
pub type Serve<'a> = dyn FnMut(&Arc<dyn Peer>, &mut Request) -> ControlFlow<()> + 'a;

/// Says by its tag whether a request may be taken.
pub type Only = fn(u32) -> bool;

/// One thread's view of the places where requests appear.
pub trait Scanner {
    /// Looks once at every place that has lately been busy or has rung, and hands each new request
    /// to `serve` until that breaks. With `only`, requests whose tag that refuses stay where they are
    /// and must not come to `serve`: there is no thread for them. All else is done as ever (space,
    /// segments, closed connections). Returns whether it found anything.
    fn turn(&mut self, only: Option<Only>, serve: &mut Serve<'_>) -> bool;

    /// Asks every client to ring from now on, then looks once more. Called after the poller role
    /// has been put down. `true`: there is something to do already.
    fn arm(&mut self) -> bool;
}
