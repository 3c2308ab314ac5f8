//! A server's half of a transport.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use crate::admission::{ClientInfo, Session};
use crate::error::ChannelError;
use crate::lease::Lessor;
use crate::message::{Outgoing, Request, Ticket};

/// How a server ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shutdown {
    /// At once: what runs is cut off.
    Now,
    /// After all that had arrived was answered.
    Drained,
}

/// The server's end of one connection.
pub trait Peer: Send + Sync {
    /// Who is there.
    fn client(&self) -> &ClientInfo;

    /// What [`Admission::admit`](crate::Admission::admit) gave it.
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

    /// Whether the caller has [given the call up](crate::ClientChannel::abandon), or the client has
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

/// What a transport adds to the metrics of a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// Memory that is reserved for clients, shared and private; in bytes. A client that has gone
    /// counts for as long as its handlers run or leases of its connection
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

    /// Tells clients that nothing new is taken. What has arrived is found by the next turns of a
    /// scanner, up to the first that finds nothing. The layers above refuse calls that later turns find.
    fn drain(&self);

    /// Whether the clients that are there could fetch all answers given so far, or whether some
    /// still wait for space. Asked after a scanner's last look while draining; as the rest leaves,
    /// scanners find something to do.
    fn has_delivered(&self) -> bool {
        true
    }

    /// Closes every connection and gives the name up. Waits for no code of users. Idempotent. After
    /// [`Shutdown::Drained`], calls that are unanswered, and later ones, end with
    /// [`ChannelError::ShuttingDown`]: they were not taken.
    fn close(&self, how: Shutdown);

    /// After [`close`](Self::close): waits until the threads of the transport have ended, until that
    /// time at the most. Returns whether they have. One that has none need not say so.
    fn join(&self, _until: Option<Instant>) -> bool {
        true
    }
}

/// What a [`Scanner`] hands new requests to. The request stays where the scanner has put it, so that
/// a short one is decoded there; whoever needs it for longer takes the payload out.
pub type Serve<'a> = dyn FnMut(&Arc<dyn Peer>, &mut Request) -> ControlFlow<()> + 'a;

/// Says by its client's [id](ClientInfo::id) and by its tag whether a request may be taken.
pub type Only<'a> = &'a dyn Fn(u64, u32) -> bool;

/// One thread's view of the places where requests appear.
pub trait Scanner {
    /// Looks once at every place that has lately been busy or has rung, and hands each new request
    /// to `serve` until that breaks. Clients take turns, so that one with many requests does not hold
    /// up the others. With `only`, requests that it refuses stay where they are and must not come to
    /// `serve`: there is no thread for them. All else is done as ever (space, segments, closed
    /// connections). Returns whether it found anything.
    fn turn(&mut self, only: Option<Only<'_>>, serve: &mut Serve<'_>) -> bool;

    /// Something is about to run on this thread that may take long, and is no request of the present
    /// turn. What the scanner holds of connections is to be laid where it keeps none that ends. To
    /// do so while a request is served is the scanner's own affair.
    fn set_aside(&mut self) {}

    /// Asks every client to ring from now on, then looks once more. Called after the poller role
    /// has been put down. `true`: there is something to do already that `only` does not refuse.
    fn arm(&mut self, only: Option<Only<'_>>) -> bool;
}
