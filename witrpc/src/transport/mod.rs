//! The seam between calls and the bytes that carry them.
//!
//! A transport moves opaque messages: a *tag* of [`TAG_BITS`] bits whose meaning belongs to the
//! layers above, and a body. It knows nothing of methods, codecs or handlers, and the layers above
//! know nothing of memory, sockets or futexes. Two transports stand on this seam: [`mmf`], named
//! shared memory, and [`in_process`], which is written against the items of this module alone.
//!
//! Two rules keep the benefit of shared memory:
//!
//! - a body is written by the caller *into space that the transport reserved* ([`Fill`]);
//! - a body that arrives is copied *once*, straight to where it is wanted ([`RemoteBytes`]).

pub mod in_process;
pub mod mmf;

mod endpoint;

use std::any::Any;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

pub use endpoint::Endpoint;

use crate::error::{BindError, ConnectError};
use crate::server::Shutdown;
use crate::wait::WaitPolicy;

/// How many bits of a [`Request::tag`] or [`Answer::tag`] a transport must carry.
pub const TAG_BITS: u32 = 28;

/// Bodies of up to this many bytes are [`Body::Small`]: they fit beside a message's head.
pub const SMALL_LEN: usize = 48;

/// A way for clients to reach servers: what an [`Endpoint`] stands for.
pub trait Transport: fmt::Debug + Send + Sync {
    /// Claims the name and starts to accept clients.
    ///
    /// # Errors
    ///
    /// [`BindError`] says which rule the name, a limit or the machine broke.
    fn bind(&self, config: BindConfig) -> Result<Arc<dyn ServerPort>, BindError>;

    /// Reaches the server, and returns once it has admitted this client.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says whether nobody serves, the server refused, or the machine did.
    fn connect(&self, config: ConnectConfig) -> Result<Arc<dyn ClientChannel>, ConnectError>;
}

/// What a server gives its transport at the start.
pub struct BindConfig {
    /// Decides which clients come in.
    pub admission: Arc<dyn Admission>,
    /// How idle threads of the server wait.
    pub wait: WaitPolicy,
}

/// What a client gives its transport at the start.
pub struct ConnectConfig {
    /// Handed to the server's [`Admission::admit`]; at most [`MAX_HELLO_LEN`] bytes.
    pub hello: Vec<u8>,
    /// How long to wait for a server that does not serve yet; zero fails at once.
    pub wait_for_server: Duration,
    /// How callers wait for answers.
    pub wait: WaitPolicy,
}

/// The longest [`ConnectConfig::hello`] and the longest welcome or refusal, in bytes.
pub const MAX_HELLO_LEN: usize = 1 << 20;

/// The least that a transport may set as its limit of a message, in bytes: with it, every error can
/// still be told to the caller.
pub const MIN_MESSAGE_LEN: usize = 64;

/// Decides which clients come in; implemented by the server above the transport.
pub trait Admission: Send + Sync {
    /// Reads a client's hello. Called once a client, on a transport thread, with untrusted bytes.
    fn admit(&self, hello: &[u8], client: &ClientInfo) -> Admitted;
}

/// What [`Admission::admit`] decided.
pub enum Admitted {
    /// The client is in.
    Welcome {
        /// Sent to the client, which reads it with [`ClientChannel::welcome`].
        welcome: Vec<u8>,
        /// Kept beside the connection: [`Peer::session`].
        session: u64,
    },
    /// The client is turned away; the bytes reach it in [`ConnectError::Refused`].
    Refusal(Vec<u8>),
}

/// Who a client is, in the kernel's words.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientInfo {
    /// Counts the clients of one server from 1; never used twice.
    pub id: u64,
    /// The process that connected, as the server's pid namespace numbers it.
    pub pid: u32,
    /// The user it runs as.
    pub uid: u32,
}

impl ClientInfo {
    /// Puts the three together; for those who write a transport.
    pub fn new(id: u64, pid: u32, uid: u32) -> Self {
        Self { id, pid, uid }
    }
}

/// A message on its way out.
#[derive(Clone, Copy)]
pub struct Outgoing<'a> {
    /// [`TAG_BITS`] bits of the layers above.
    pub tag: u32,
    /// The bytes.
    pub body: Body<'a>,
}

/// The bytes of a message on its way out.
#[derive(Clone, Copy)]
pub enum Body<'a> {
    /// At most [`SMALL_LEN`] bytes: the first `len` of `padded`, which has zeros behind them, so that
    /// a transport can carry whole words.
    Small {
        /// See [`pad`].
        padded: &'a [u8; SMALL_LEN],
        /// How many count.
        len: usize,
    },
    /// More: the transport reserves space of [`Fill::len`] bytes and has it filled.
    Large(&'a dyn Fill),
}

/// A few bytes with zeros behind them: what [`Body::Small`] is made of.
///
/// # Panics
///
/// When there are more than [`SMALL_LEN`] of them.
#[must_use]
pub const fn pad(bytes: &[u8]) -> [u8; SMALL_LEN] {
    let mut padded = [0; SMALL_LEN];
    padded.split_at_mut(bytes.len()).0.copy_from_slice(bytes);
    padded
}

impl Body<'_> {
    /// The length in bytes.
    pub fn len(&self) -> usize {
        match self {
            Body::Small { len, .. } => *len,
            Body::Large(fill) => fill.len(),
        }
    }

    /// Whether there is nothing to carry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Writes the bytes from `offset` on into `out`, which ends at or before the body's end.
    pub fn write_at(&self, offset: usize, out: &mut [u8]) {
        match self {
            Body::Small { padded, len } => {
                out.copy_from_slice(&padded[..*len][offset..offset + out.len()]);
            }
            Body::Large(fill) => fill.write_at(offset, out),
        }
    }
}

/// A body that is written into space which the transport reserved.
#[expect(clippy::len_without_is_empty, reason = "a body that is filled is never empty")]
pub trait Fill: Sync {
    /// The length of the whole body in bytes.
    fn len(&self) -> usize;

    /// Writes the bytes from `offset` on into all of `out`; `offset + out.len() <= len()`. A
    /// transport calls this once for the whole body, or once a segment, front to back.
    fn write_at(&self, offset: usize, out: &mut [u8]);
}

/// The bytes of a message that has arrived, already beyond the reach of the peer or copied on
/// demand.
pub enum Payload {
    /// At most [`SMALL_LEN`] bytes, copied.
    Small {
        /// The first `len` of these count.
        bytes: [u8; SMALL_LEN],
        /// How many.
        len: u8,
    },
    /// A private copy.
    Whole(Vec<u8>),
    /// Still in memory that the peer can write: read each byte once.
    Remote(Box<dyn RemoteBytes>),
}

impl Default for Payload {
    /// No bytes.
    #[inline]
    fn default() -> Self {
        Payload::Small { bytes: [0; SMALL_LEN], len: 0 }
    }
}

impl Payload {
    /// The length in bytes.
    pub fn len(&self) -> usize {
        match self {
            Payload::Small { len, .. } => usize::from(*len),
            Payload::Whole(bytes) => bytes.len(),
            Payload::Remote(remote) => remote.len(),
        }
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Copies the bytes from `offset` on into all of `out`.
    ///
    /// # Panics
    ///
    /// When `offset + out.len()` is beyond the end.
    pub fn copy_to(&self, offset: usize, out: &mut [u8]) {
        match self {
            Payload::Small { bytes, len } => {
                out.copy_from_slice(&bytes[..usize::from(*len)][offset..offset + out.len()]);
            }
            Payload::Whole(bytes) => out.copy_from_slice(&bytes[offset..offset + out.len()]),
            Payload::Remote(remote) => remote.copy_to(offset, out),
        }
    }
}

/// A body that still lies where the peer put it. Dropping it gives the space back.
#[expect(clippy::len_without_is_empty, reason = "empty bodies are small")]
pub trait RemoteBytes: Send + Sync {
    /// The length in bytes, checked and stored on this side.
    fn len(&self) -> usize;

    /// Copies the bytes from `offset` on into all of `out`. The peer may have changed them since
    /// an earlier look: whoever validates must validate what this call copied.
    ///
    /// # Panics
    ///
    /// When `offset + out.len()` is beyond the end.
    fn copy_to(&self, offset: usize, out: &mut [u8]);
}

/// Names a call in flight; only the transport that made it knows what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket {
    /// Where the call lives.
    pub lane: u32,
    /// Which of the calls that have lived there.
    pub seq: u64,
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

/// An answer that has arrived, or the place for one: [`Answer::default`].
#[derive(Default)]
pub struct Answer {
    /// [`TAG_BITS`] bits of the layers above.
    pub tag: u32,
    /// The bytes.
    pub payload: Payload,
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
    /// What the server's [`Admission`] said.
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

    /// Nobody waits for this call any more. Its place comes back when the server has answered.
    fn abandon(&self, ticket: Ticket);

    /// Why no call can succeed any more, or `None` while the connection stands.
    fn lost(&self) -> Option<ChannelError>;

    /// Leaves on purpose: pending calls end with [`ChannelError::Disconnected`].
    fn disconnect(&self);
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
    /// The server is draining; the request was not sent, or not to its end.
    ShuttingDown,
    /// The answer did not come in time; the handler may still run.
    TimedOut,
    /// The other process died with the call pending.
    PeerDied,
    /// The connection was closed on purpose, here or there, or had been lost before.
    Disconnected(DisconnectReason),
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
    /// This process is a fork of the one that connected.
    Forked,
}

/// A request that has arrived.
pub struct Request {
    /// Names the call when it is answered.
    pub ticket: Ticket,
    /// [`TAG_BITS`] bits of the layers above; untrusted.
    pub tag: u32,
    /// The bytes; untrusted.
    pub payload: Payload,
    /// When the caller stops waiting, if it said so.
    pub deadline: Option<Instant>,
}

/// The server's end of one connection.
pub trait Peer: Send + Sync {
    /// Who is there.
    fn client(&self) -> &ClientInfo;

    /// What [`Admission::admit`] gave it.
    fn session(&self) -> u64;

    /// Answers a call, once, from any thread, without ever waiting for the client.
    ///
    /// # Errors
    ///
    /// [`ChannelError::TooLarge`]: the call is still unanswered. Anything else: nobody is there to
    /// hear it.
    fn answer(&self, ticket: Ticket, answer: Outgoing<'_>) -> Result<(), ChannelError>;

    /// Whether the client is still there.
    fn is_connected(&self) -> bool;
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

/// One thread's view of the places where requests appear.
pub trait Scanner {
    /// Looks once at every place that has lately been busy or has rung, and hands each new request
    /// to `serve` until that breaks. With `calls` false, requests stay where they are and only the
    /// upkeep (space, segments, closed connections) is done. Returns whether it found anything.
    fn turn(&mut self, calls: bool, serve: &mut Serve<'_>) -> bool;

    /// Asks every client to ring from now on, then looks once more. Called after the poller role
    /// has been put down. `true`: there is something to do already.
    fn arm(&mut self) -> bool;
}
