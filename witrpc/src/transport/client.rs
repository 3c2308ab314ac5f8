//! A client's side of a transport.

use std::any::Any;
use std::fmt;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use super::mmf::TrustedPeer;
use super::{Answer, Lessor, Outgoing, Ticket};
use crate::security::Credentials;
use crate::wait::WaitPolicy;

/// What a client gives its transport at the start.
pub struct ConnectConfig {
    /// Handed to the server's [`Admission::admit`](super::Admission::admit); at most
    /// [`MAX_HELLO_LEN`](super::MAX_HELLO_LEN) bytes.
    pub hello: Vec<u8>,
    /// How long to wait for a server that does not serve yet; zero fails at once.
    pub wait_for_server: Duration,
    /// How callers wait for answers.
    pub wait: WaitPolicy,
    /// What the client brings, and asks of the server.
    pub credentials: Credentials,
    /// Whether what the server sends may be read in place.
    pub trusted: Option<TrustedPeer>,
}

/// Until when to wait. A relative limit becomes an instant when somebody first reads the clock,
/// which a caller that is answered while it spins never does.
#[derive(Clone, Copy, Debug)]
pub enum Limit {
    /// As long as the peer lives.
    Never,
    /// So long from the first look at the clock.
    Within(Duration),
    /// Until this instant.
    At(Instant),
}

impl Limit {
    /// The instant, fixed at the first call; `None` for [`Limit::Never`].
    pub fn instant(&mut self) -> Option<Instant> {
        match *self {
            Limit::Never => None,
            Limit::At(at) => Some(at),
            Limit::Within(time) => match Instant::now().checked_add(time) {
                Some(at) => {
                    *self = Limit::At(at);
                    Some(at)
                }
                None => {
                    *self = Limit::Never;
                    None
                }
            },
        }
    }
}

/// A send that is under way, across the polls of a future. Starts as `Sending::default()`.
///
/// Dropping it gives up what the transport keeps in `state`.
#[derive(Debug, Default)]
pub struct Sending {
    /// The call, once it has a place.
    pub ticket: Option<Ticket>,
    /// How much of the body has gone.
    pub written: usize,
    /// Whatever else the transport has to remember between polls.
    pub state: Option<Box<dyn Any + Send + Sync>>,
}

/// A client's end of a connection.
///
/// Whoever stops waiting for a ticket before it is answered must say so with
/// [`abandon`](Self::abandon).
pub trait ClientChannel: fmt::Debug + Send + Sync {
    /// What the server's [`Admission`](super::Admission) said.
    fn welcome(&self) -> &[u8];

    /// Sends without ever waiting: the path of nearly every call. `None` when there is no free
    /// place or space, or the body needs segments: then [`poll_send`](Self::poll_send).
    ///
    /// # Errors
    ///
    /// [`ChannelError::TooLarge`], or that the connection is gone.
    fn try_send(&self, message: Outgoing<'_>) -> Result<Option<Ticket>, ChannelError>;

    /// Sends, waiting for a place, for space and for segments to be taken. To be polled with the
    /// same `sending` and an equal message until it is ready; wakes at `limit` at the latest.
    /// When it is given up, `sending.ticket` is to be abandoned.
    ///
    /// # Errors
    ///
    /// Why the request was not sent to its end; so the server has not taken it for a call. The same
    /// holds for [`try_send`](Self::try_send).
    fn poll_send(
        &self,
        cx: &mut Context<'_>,
        sending: &mut Sending,
        message: Outgoing<'_>,
        limit: &mut Limit,
    ) -> Poll<Result<Ticket, ChannelError>>;

    /// Blocks the thread until the answer is there: spins, then parks. Writes it to `answer`,
    /// which the caller keeps where the answer is decoded: a short answer is moved only once.
    ///
    /// # Errors
    ///
    /// Why there is none. The ticket is spent then: abandoned or lost with the connection.
    fn wait_answer(
        &self,
        ticket: Ticket,
        limit: &mut Limit,
        answer: &mut Answer,
    ) -> Result<(), ChannelError>;

    /// Looks whether the answer is there. Re-wakes itself while spinning is worth while, then
    /// wakes `cx` when the answer comes, the peer dies, or `limit` passes. `ticket` may change.
    /// After `Ready` the ticket is spent, and the answer, if there is one, stands in `answer`.
    fn poll_answer(
        &self,
        cx: &mut Context<'_>,
        ticket: &mut Ticket,
        limit: &mut Limit,
        answer: &mut Answer,
    ) -> Poll<Result<(), ChannelError>>;

    /// Nobody looks for this call's answer for now. A transport whose space is short may put the
    /// answer elsewhere. From here on the ticket goes to [`poll_answer`](Self::poll_answer) or
    /// [`abandon`](Self::abandon) only.
    fn set_aside(&self, ticket: Ticket) {
        let _ = ticket;
    }

    /// Nobody waits for this call any more: it is cancelled, as far as the server looks
    /// ([`Peer::is_cancelled`](super::Peer::is_cancelled)). Its place comes back when the server has
    /// answered.
    fn abandon(&self, ticket: Ticket);

    /// A place for calls that its holder keeps from one to the next. `None` where there is no such
    /// thing, and each call waits for a place of its own.
    fn lane_to_keep(&self) -> Option<Box<dyn KeptLane>> {
        None
    }

    /// How many calls can be in flight at once.
    fn lanes(&self) -> u32;

    /// Why no call can succeed any more, or `None` while the connection stands.
    fn lost(&self) -> Option<ChannelError>;

    /// Wakes `waker` once when the connection is lost, or at once if it is. A transport that does
    /// not say so lets clients find out by their next call.
    fn when_lost(&self, waker: Waker) {
        drop(waker);
    }

    /// What gives out space that requests can hand over, if the transport has such.
    fn lessor(&self) -> Option<&dyn Lessor> {
        None
    }

    /// Leaves on purpose: pending calls end with [`ChannelError::Disconnected`].
    fn disconnect(&self);
}

/// A place for the calls of one caller, one at a time, which it keeps from one to the next: only the
/// first waits for one, as others do. Dropping it gives the place back, and gives up a call that is
/// unanswered.
pub trait KeptLane: Send {
    /// Sends a message that takes nothing along, once the answer to the one before has been taken. To
    /// be polled with an equal message until it is ready.
    ///
    /// # Errors
    ///
    /// As [`ClientChannel::poll_send`]; and [`ChannelError::TooLarge`] for a message that needs
    /// segments, which may be sent in another way.
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        message: Outgoing<'_>,
    ) -> Poll<Result<(), ChannelError>>;

    /// Blocks the thread until the answer to what was sent is there.
    ///
    /// # Errors
    ///
    /// Why there is none. The next call may have to wait for another place then.
    fn wait_answer(&mut self, answer: &mut Answer) -> Result<(), ChannelError>;
}

/// Why a transport could not carry a message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChannelError {
    /// Over the connection's limit; nothing was sent.
    TooLarge {
        /// The message's length in bytes.
        len: usize,
        /// The limit in bytes.
        max: usize,
    },
    /// Every place for a call stayed taken until the limit; nothing was sent.
    NoFreeLane,
    /// The space for messages stayed taken until the limit.
    NoSpace,
    /// As many leases as there may be stayed out until the limit.
    TooManyLeases {
        /// How many there may be.
        max: usize,
    },
    /// What crosses is encrypted, so that nothing can be shared where it lies.
    Encrypted,
    /// The server is draining; the request was not sent, or not to its end.
    ShuttingDown,
    /// The answer did not come in time; the handler may still run.
    TimedOut,
    /// The other process died with the call pending.
    PeerDied,
    /// The connection was closed on purpose, here or there, or had been lost before.
    Disconnected(DisconnectReason),
    /// There is no memory here, for an answer that has come or for what is to be shared; the
    /// connection goes on.
    NoMemory {
        /// The length in bytes.
        len: usize,
    },
    /// The server has no memory for the request, which did not run; the connection goes on.
    PeerNoMemory,
    /// The peer broke the protocol; the connection is closed.
    Misbehaved(&'static str),
}

/// Why a connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DisconnectReason {
    /// This side closed it.
    ClosedHere,
    /// The server shut down.
    ServerShutDown,
    /// The server disconnected this client.
    Dismissed,
    /// The peer died earlier.
    PeerDied,
    /// The peer had broken the protocol.
    Misbehaved,
    /// An encrypted connection has carried as much as its keys may: some 10¹⁶ messages.
    KeysSpent,
    /// This process is a fork of the one that connected.
    Forked,
    /// The server was lost, and a client that [reconnects](crate::Reconnect) could not: a server that
    /// came back did not let it in, or its time was over.
    /// [`Connection::reconnect_error`](crate::Connection::reconnect_error) says why.
    ReconnectFailed,
}
