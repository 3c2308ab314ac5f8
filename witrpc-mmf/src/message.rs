//! What goes into the channel and what comes out of it.

use std::time::{Duration, Instant};

use crate::client::ReceivedBlock as AnswerBlock;
use crate::layout::INLINE_LEN;
use crate::lease::{Claim, ReceivedLease};
use crate::server::ReceivedBlock as RequestBlock;

/// Names a call in flight: which lane, and which of the calls that have lived there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket {
    /// The lane's number.
    pub lane: u32,
    /// The call's number on it, from 1.
    pub seq: u64,
}

/// A message on its way out.
#[derive(Clone, Copy)]
pub struct Outgoing<'a> {
    /// [`TAG_BITS`](crate::TAG_BITS) bits that the channel carries and never reads.
    pub tag: u32,
    /// The bytes.
    pub body: Body<'a>,
    /// When the caller of a request stops waiting, for the server to know. An answer has none.
    pub deadline: Option<Instant>,
}

/// The bytes of a message on its way out.
#[derive(Clone, Copy)]
pub enum Body<'a> {
    /// At most [`INLINE_LEN`] bytes, which travel in the line: the first `len` of `padded`, which
    /// has zeros behind them.
    Small {
        /// The bytes, in whole words.
        padded: &'a [u8; INLINE_LEN],
        /// How many count.
        len: usize,
    },
    /// Anything else.
    Large(&'a dyn Fill),
    /// A body that takes leases along: at most 16, claimed of the connection that it is sent over.
    Leasing {
        /// The body itself, which is none of these; no longer than `longest_body_with` says, of the
        /// client or of the connection.
        body: &'a Body<'a>,
        /// The leases, in order.
        leases: &'a [&'a Claim],
    },
}

impl Body<'_> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Body::Small { len, .. } => *len,
            Body::Large(fill) => fill.len(),
            Body::Leasing { body, .. } => body.len(),
        }
    }

    pub(crate) fn write_at(&self, offset: usize, out: &mut [u8]) {
        match self {
            Body::Small { padded, len } => {
                out.copy_from_slice(&padded[..*len][offset..offset + out.len()]);
            }
            Body::Large(fill) => fill.write_at(offset, out),
            Body::Leasing { body, .. } => body.write_at(offset, out),
        }
    }
}

/// A body that is written into a block of the arena.
#[expect(clippy::len_without_is_empty, reason = "a body that is filled is never empty")]
pub trait Fill {
    /// The whole length in bytes.
    fn len(&self) -> usize;

    /// Writes the bytes from `offset` on into all of `out`; `offset + out.len() <= len()`.
    fn write_at(&self, offset: usize, out: &mut [u8]);
}

/// The words of a line's payload as bytes, and back.
#[inline]
pub(crate) fn inline_bytes(words: [u64; INLINE_LEN / 8]) -> [u8; INLINE_LEN] {
    let mut bytes = [0; INLINE_LEN];
    for (chunk, word) in bytes.chunks_exact_mut(8).zip(words) {
        chunk.copy_from_slice(&word.to_ne_bytes());
    }
    bytes
}

#[inline]
pub(crate) fn inline_words(bytes: &[u8; INLINE_LEN]) -> [u64; INLINE_LEN / 8] {
    let mut words = [0; INLINE_LEN / 8];
    for (word, chunk) in words.iter_mut().zip(bytes.as_chunks::<8>().0) {
        *word = u64::from_ne_bytes(*chunk);
    }
    words
}

/// The bytes of a request that has arrived.
pub type RequestPayload = Payload<RequestBlock>;

/// The bytes of an answer that has arrived.
pub type AnswerPayload = Payload<AnswerBlock>;

/// The bytes of a message that has arrived; `B` is a block in the peer's arena.
#[derive(Debug)]
pub enum Payload<B> {
    /// At most [`INLINE_LEN`] bytes, copied.
    Small {
        /// The first `len` of these count.
        bytes: [u8; INLINE_LEN],
        /// How many.
        len: u8,
    },
    /// A message that came in segments, put together.
    Whole(Vec<u8>),
    /// A block that the peer can still write: read each byte once.
    Block(B),
    /// A message that takes leases along.
    Leasing(Box<Leasing<B>>),
}

/// A message that takes leases along, and these.
#[derive(Debug)]
pub struct Leasing<B> {
    /// The message itself, which is none of these.
    pub payload: Payload<B>,
    /// The leases, in order.
    pub leases: Vec<ReceivedLease>,
}

impl<B: ReadBlock> Payload<B> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Payload::Small { len, .. } => usize::from(*len),
            Payload::Whole(bytes) => bytes.len(),
            Payload::Block(block) => block.len(),
            Payload::Leasing(leasing) => leasing.payload.len(),
        }
    }

    pub(crate) fn copy_to(&self, offset: usize, out: &mut [u8]) {
        match self {
            Payload::Small { bytes, len } => {
                out.copy_from_slice(&bytes[..usize::from(*len)][offset..offset + out.len()]);
            }
            Payload::Whole(bytes) => out.copy_from_slice(&bytes[offset..offset + out.len()]),
            Payload::Block(block) => block.copy_to(offset, out),
            Payload::Leasing(leasing) => leasing.payload.copy_to(offset, out),
        }
    }
}

impl<B> Payload<B> {
    /// Bytes that nobody else can reach, in the shortest form.
    pub(crate) fn from_private(bytes: Vec<u8>) -> Self {
        let mut small = [0; INLINE_LEN];
        match small.get_mut(..bytes.len()) {
            Some(start) => {
                start.copy_from_slice(&bytes);
                Payload::Small { bytes: small, len: bytes.len() as u8 }
            }
            None => Payload::Whole(bytes),
        }
    }
}

/// A block in the peer's arena. Dropping it gives the block back.
#[expect(clippy::len_without_is_empty, reason = "empty messages travel in the line")]
pub trait ReadBlock: Send + Sync {
    /// The length of the message in bytes, checked and stored on this side.
    fn len(&self) -> usize;

    /// Copies the bytes from `offset` on into all of `out`. The peer may have changed them since an
    /// earlier look.
    ///
    /// # Panics
    ///
    /// When `offset + out.len()` is beyond the end.
    fn copy_to(&self, offset: usize, out: &mut [u8]);

    /// The bytes in place, if the peer is trusted.
    fn as_slice(&self) -> Option<&[u8]>;

    /// Shortens it to its first `len` bytes.
    fn truncate(&mut self, len: usize);
}

/// An answer that has arrived.
#[derive(Debug)]
pub struct Answer {
    /// The sender's tag.
    pub tag: u32,
    /// The bytes.
    pub payload: AnswerPayload,
}

/// A request that has arrived.
#[derive(Debug)]
pub struct Request {
    /// Names the call when it is answered.
    pub ticket: Ticket,
    /// The sender's tag.
    pub tag: u32,
    /// The bytes.
    pub payload: RequestPayload,
    /// When the caller stops waiting, if it said so.
    pub deadline: Option<Instant>,
}

/// Until when to wait. A relative limit becomes an instant at the first look at the clock, which
/// a caller that is answered while it spins never takes.
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
    /// The instant, fixed at the first call; `None` for no limit.
    pub(crate) fn instant(&mut self) -> Option<Instant> {
        if let Limit::Within(time) = *self {
            *self = Instant::now().checked_add(time).map_or(Limit::Never, Limit::At);
        }
        match *self {
            Limit::At(at) => Some(at),
            _ => None,
        }
    }

    /// Whether it is over.
    pub(crate) fn passed(&mut self) -> bool {
        self.instant().is_some_and(|at| Instant::now() >= at)
    }
}

/// Why the channel could not carry a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChannelError {
    /// Over the connection's limit; nothing was sent.
    #[error("the message has {len} bytes, and this connection carries at most {max}")]
    TooLarge {
        /// The message's length in bytes.
        len: usize,
        /// The limit in bytes.
        max: usize,
    },
    /// Every lane stayed taken until the limit; nothing was sent.
    #[error("every lane of the connection stayed taken until the deadline")]
    NoFreeLane,
    /// The arena stayed full until the limit.
    #[error("the arena of the connection stayed full until the deadline")]
    NoSpace,
    /// So many leases stayed out until the limit.
    #[error("{max} leases of the connection, the most there may be, stayed out until the deadline")]
    TooManyLeases {
        /// The limit.
        max: usize,
    },
    /// What crosses is sealed, which nothing can be that is read where it was written.
    #[error("the connection is encrypted, so nothing can be leased over it")]
    Encrypted,
    /// The server shuts down and takes nothing new; the request was not sent, or not to its end.
    #[error("the server is shutting down and takes no new calls")]
    Draining,
    /// The answer did not come in time.
    #[error("the answer did not come before the deadline")]
    TimedOut,
    /// This process could not allocate the memory for an answer.
    #[error("there is no memory for an answer of {len} bytes")]
    NoMemory {
        /// The answer's length in bytes.
        len: usize,
    },
    /// The server could not allocate the memory for a request, which it has dropped; the connection
    /// goes on.
    #[error("the server has no memory for the request")]
    PeerNoMemory,
    /// The other process died with the call pending.
    #[error("the other process died before it answered")]
    PeerDied,
    /// The connection had ended.
    #[error("the connection has ended: {0}")]
    Closed(Closed),
    /// The peer broke the protocol.
    #[error("the other process broke the protocol: {0}")]
    Misbehaved(&'static str),
}

/// Why a connection has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Closed {
    /// This side closed it.
    #[error("it was closed here")]
    Here,
    /// The server shut down.
    #[error("the server shut down")]
    ServerShutDown,
    /// The server dismissed this client.
    #[error("the server dismissed this client")]
    Dismissed,
    /// The peer died earlier.
    #[error("the other process had died")]
    PeerDied,
    /// The peer had broken the protocol.
    #[error("the other process had broken the protocol")]
    Misbehaved,
    /// So much has been sealed that the numbers of a lane would come to their end.
    #[error("the keys of the connection have been used for as much as they may")]
    KeysSpent,
    /// This process is a fork of the one that connected.
    #[error("this process is a fork of the one that connected")]
    Forked,
}
