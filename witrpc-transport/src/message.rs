//! What crosses a transport, on its way out and once it has arrived.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use crate::lease::{Lent, SharedBytes};

/// How many bits of a [`Request::tag`] or [`Answer::tag`] a transport must carry.
pub const TAG_BITS: u32 = 27;

/// Bodies of up to this many bytes are [`Body::Small`]: they fit beside a message's head.
pub const SMALL_LEN: usize = 48;

/// The least that a transport may set as its limit of a message, in bytes: with it, every error can
/// still be told to the caller.
pub const MIN_MESSAGE_LEN: usize = 64;

/// A message on its way out.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Outgoing<'a> {
    /// [`TAG_BITS`] bits of the layers above.
    pub tag: u32,
    /// The bytes.
    pub body: Body<'a>,
    /// When the caller of a request stops waiting, for the server to know: [`Request::deadline`]. An
    /// answer has none.
    pub deadline: Option<Instant>,
}

impl<'a> Outgoing<'a> {
    /// A message without a deadline.
    #[inline]
    #[must_use]
    pub const fn new(tag: u32, body: Body<'a>) -> Self {
        Self { tag, body, deadline: None }
    }

    /// The same message with this deadline.
    #[inline]
    #[must_use]
    pub const fn with_deadline(self, deadline: Option<Instant>) -> Self {
        Self { deadline, ..self }
    }
}

/// The bytes of a message on its way out. A transport that carries some kinds in ways of their own takes
/// all others by [`len`](Self::len) and [`write_at`](Self::write_at).
#[derive(Clone, Copy)]
#[non_exhaustive]
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
    /// A body, and bytes that it takes along without copying them. Only a transport that has given
    /// them out by [`Lessor::lend`](crate::Lessor::lend) gets it, and then only for a body of a
    /// length that the lessor allows.
    Leasing {
        /// The body itself, which is none of these.
        body: &'a Body<'a>,
        /// What it takes along, in order.
        leases: &'a [Lent],
    },
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
    /// Returns the length in bytes.
    pub fn len(&self) -> usize {
        match self {
            Body::Small { len, .. } => *len,
            Body::Large(fill) => fill.len(),
            Body::Leasing { body, .. } => body.len(),
        }
    }

    /// Returns whether there is nothing to carry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Writes the bytes from `offset` on into all of `out`.
    ///
    /// # Panics
    ///
    /// When `offset + out.len()` is beyond the end. A body that is [`Large`](Self::Large) runs code of the
    /// sender, which may panic: a transport is to survive that, and has sent nothing then.
    pub fn write_at(&self, offset: usize, out: &mut [u8]) {
        match self {
            Body::Small { padded, len } => {
                out.copy_from_slice(&padded[..*len][offset..offset + out.len()]);
            }
            Body::Large(fill) => fill.write_at(offset, out),
            Body::Leasing { body, .. } => body.write_at(offset, out),
        }
    }
}

/// A body that is written into space which the transport reserved. The layers above implement it.
#[expect(clippy::len_without_is_empty, reason = "a body that is filled is never empty")]
pub trait Fill: Sync {
    /// Returns the length of the whole body in bytes, which stays the same while the message is sent.
    fn len(&self) -> usize;

    /// Writes the bytes from `offset` on into all of `out`; `offset + out.len() <= len()`. A
    /// transport calls this once for the whole body, or once a segment, front to back, on the thread that
    /// sends. It never waits.
    fn write_at(&self, offset: usize, out: &mut [u8]);
}

/// The bytes of a message that has arrived, already beyond the reach of the peer or copied on
/// demand.
#[non_exhaustive]
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
    /// A message that takes bytes along.
    Leasing(Box<Leasing>),
}

/// A message that takes bytes along, and these.
#[non_exhaustive]
pub struct Leasing {
    /// The message itself, which is none of these.
    pub payload: Payload,
    /// What it takes along, in order.
    pub leases: Vec<Arc<dyn SharedBytes>>,
}

impl Leasing {
    /// A message that takes these along.
    #[must_use]
    pub fn new(payload: Payload, leases: Vec<Arc<dyn SharedBytes>>) -> Self {
        Self { payload, leases }
    }
}

impl Default for Payload {
    /// No bytes.
    #[inline]
    fn default() -> Self {
        Payload::Small { bytes: [0; SMALL_LEN], len: 0 }
    }
}

impl Payload {
    /// Returns the length in bytes.
    pub fn len(&self) -> usize {
        match self {
            Payload::Small { len, .. } => usize::from(*len),
            Payload::Whole(bytes) => bytes.len(),
            Payload::Remote(remote) => remote.len(),
            Payload::Leasing(leasing) => leasing.payload.len(),
        }
    }

    /// Returns whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns private bytes as a payload, in its shortest form.
    #[must_use]
    pub fn from_private(bytes: Vec<u8>) -> Self {
        let mut small = [0; SMALL_LEN];
        match small.get_mut(..bytes.len()) {
            Some(start) => {
                start.copy_from_slice(&bytes);
                Payload::Small { bytes: small, len: bytes.len() as u8 }
            }
            None => Payload::Whole(bytes),
        }
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
            Payload::Leasing(leasing) => leasing.payload.copy_to(offset, out),
        }
    }
}

/// A body that still lies where the peer put it. Dropping it gives the space back, from any thread and
/// without waiting; it may outlive its connection.
#[expect(clippy::len_without_is_empty, reason = "empty bodies are small")]
pub trait RemoteBytes: Send + Sync {
    /// Returns the length in bytes, checked and stored on this side.
    fn len(&self) -> usize;

    /// Copies the bytes from `offset` on into all of `out`. The peer may have changed them since
    /// an earlier look: whoever validates must validate what this call copied.
    ///
    /// # Panics
    ///
    /// When `offset + out.len()` is beyond the end.
    fn copy_to(&self, offset: usize, out: &mut [u8]);

    /// Returns the bytes in place, each raw section aligned as it is in the body, if the peer is trusted
    /// not to write to them.
    fn as_slice(&self) -> Option<&[u8]> {
        None
    }
}

/// Names a call in flight; only the transport that made it knows what it means. The server's end of a
/// connection knows a call by the same ticket as the client's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Ticket {
    /// Where the call lives.
    pub lane: u32,
    /// Which of the calls that have lived there.
    pub seq: u64,
}

impl Ticket {
    /// The call that lives there. No two calls of a connection have the same ticket.
    #[inline]
    #[must_use]
    pub const fn new(lane: u32, seq: u64) -> Self {
        Self { lane, seq }
    }

    /// Returns a number that no other call of the same client has, and that both ends know.
    #[must_use]
    pub fn call_id(self) -> u64 {
        // A lane has less than 2^16 neighbours and is used less than 2^48 times.
        self.seq << 16 | u64::from(self.lane) & 0xffff
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payload").field("len", &self.len()).finish_non_exhaustive()
    }
}

/// An answer that has arrived, or the place for one: [`Answer::default`].
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Answer {
    /// [`TAG_BITS`] bits of the layers above.
    pub tag: u32,
    /// The bytes.
    pub payload: Payload,
}

impl Answer {
    /// An answer that has arrived.
    #[inline]
    #[must_use]
    pub const fn new(tag: u32, payload: Payload) -> Self {
        Self { tag, payload }
    }
}

/// A request that has arrived.
#[derive(Debug)]
#[non_exhaustive]
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

impl Request {
    /// A request that has arrived, whose deadline is a time of this process's clock.
    #[inline]
    #[must_use]
    pub const fn new(
        ticket: Ticket,
        tag: u32,
        payload: Payload,
        deadline: Option<Instant>,
    ) -> Self {
        Self { ticket, tag, payload, deadline }
    }
}
