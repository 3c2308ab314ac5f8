//! The messages that cross a transport, on their way out and after their arrival.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use crate::lease::{Lent, SharedBytes};

/// How many bits of a [`Request::tag`] or [`Answer::tag`] a transport must carry.
pub const TAG_BITS: u32 = 27;

/// Bodies of up to this many bytes are [`Body::Small`]: they fit beside a message's head.
pub const SMALL_LEN: usize = 48;

/// The lower bound of a transport's limit of a message, in bytes. With it, every error can still reach the
/// caller.
pub const MIN_MESSAGE_LEN: usize = 64;

/// A message on its way out.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Outgoing<'a> {
    /// [`TAG_BITS`] bits of the layers above.
    pub tag: u32,
    /// The bytes.
    pub body: Body<'a>,
    /// The time at which the caller of a request stops waiting, for the server: [`Request::deadline`]. An
    /// answer has none.
    pub deadline: Option<Instant>,
}

impl<'a> Outgoing<'a> {
    /// Returns a message without a deadline.
    #[inline]
    #[must_use]
    pub const fn new(tag: u32, body: Body<'a>) -> Self {
        Self { tag, body, deadline: None }
    }

    /// Returns the same message with this deadline.
    #[inline]
    #[must_use]
    pub const fn with_deadline(self, deadline: Option<Instant>) -> Self {
        Self { deadline, ..self }
    }
}

/// The bytes of a message on its way out. A transport may treat some kinds specially. It reads all others by
/// [`len`](Self::len) and [`write_at`](Self::write_at).
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Body<'a> {
    /// At most [`SMALL_LEN`] bytes: the first `len` of `padded`. Zeros follow, so that a transport can carry
    /// whole words.
    Small {
        /// See [`pad`].
        padded: &'a [u8; SMALL_LEN],
        /// The number of bytes that count.
        len: usize,
    },
    /// A longer body: the transport reserves space of [`Fill::len`] bytes and has it filled.
    Large(&'a dyn Fill),
    /// A body, and bytes that it takes along without a copy. Only a transport that has given them out by
    /// [`Lessor::lend`](crate::Lessor::lend) gets it, and only for a body of a length that the lessor allows.
    Leasing {
        /// The body itself, which is of another kind.
        body: &'a Body<'a>,
        /// The bytes that it takes along, in order.
        leases: &'a [Lent],
    },
}

/// Returns these bytes with zeros behind them, as [`Body::Small`] needs them.
///
/// # Panics
///
/// If there are more than [`SMALL_LEN`] of them.
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

    /// Returns whether the body is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Writes the bytes from `offset` on into all of `out`.
    ///
    /// # Panics
    ///
    /// If `offset + out.len()` is beyond the end. A [`Large`](Self::Large) body runs code of the sender, which
    /// may panic: a transport must survive that, and has sent nothing then.
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

    /// Writes the bytes from `offset` on into all of `out`; `offset + out.len() <= len()`. A transport calls
    /// this once for the whole body, or once a segment, from front to back, on the thread that sends. It never
    /// waits.
    fn write_at(&self, offset: usize, out: &mut [u8]);
}

/// The bytes of a message that has arrived. The peer cannot change them, or they are copied on demand.
#[non_exhaustive]
pub enum Payload {
    /// At most [`SMALL_LEN`] bytes, copied.
    Small {
        /// The bytes, of which the first `len` count.
        bytes: [u8; SMALL_LEN],
        /// The number of bytes.
        len: u8,
    },
    /// A private copy.
    Whole(Vec<u8>),
    /// Still in memory that the peer can write: read each byte once.
    Remote(Box<dyn RemoteBytes>),
    /// A message that takes bytes along.
    Leasing(Box<Leasing>),
}

/// A message together with the bytes that it takes along.
#[non_exhaustive]
pub struct Leasing {
    /// The message itself, which is of another kind.
    pub payload: Payload,
    /// The bytes that it takes along, in order.
    pub leases: Vec<Arc<dyn SharedBytes>>,
}

impl Leasing {
    /// Returns a message that takes these along.
    #[must_use]
    pub fn new(payload: Payload, leases: Vec<Arc<dyn SharedBytes>>) -> Self {
        Self { payload, leases }
    }
}

impl Default for Payload {
    /// Returns an empty payload.
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

    /// Returns whether the payload is empty.
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
    /// If `offset + out.len()` is beyond the end.
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

/// A body that is still where the peer put it. Dropping it gives the space back, from any thread and without
/// waiting. It may outlive its connection.
#[expect(clippy::len_without_is_empty, reason = "empty bodies are small")]
pub trait RemoteBytes: Send + Sync {
    /// Returns the length in bytes, checked and stored on this side.
    fn len(&self) -> usize;

    /// Copies the bytes from `offset` on into all of `out`. The peer may have changed them since an earlier
    /// copy, so validate the bytes that this call copied.
    ///
    /// # Panics
    ///
    /// If `offset + out.len()` is beyond the end.
    fn copy_to(&self, offset: usize, out: &mut [u8]);

    /// Returns the bytes in place, each raw section aligned as it is in the body, if the peer is trusted
    /// not to write to them.
    fn as_slice(&self) -> Option<&[u8]> {
        None
    }
}

/// The name of a call in flight, whose meaning is private to the transport that made it. Both ends of a
/// connection know a call by the same ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Ticket {
    /// The place of the call.
    pub lane: u32,
    /// The number of the call among those that have used the place.
    pub seq: u64,
}

impl Ticket {
    /// Returns the ticket of this call. No two calls of a connection have the same ticket.
    #[inline]
    #[must_use]
    pub const fn new(lane: u32, seq: u64) -> Self {
        Self { lane, seq }
    }

    /// Returns a number that is unique among the calls of one client, and that both ends know.
    #[must_use]
    pub fn call_id(self) -> u64 {
        // A connection has fewer than 2^16 lanes, and a lane is used fewer than 2^48 times.
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
    /// Returns an answer that has arrived.
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
    /// The ticket by which the call is answered.
    pub ticket: Ticket,
    /// [`TAG_BITS`] bits of the layers above; untrusted.
    pub tag: u32,
    /// The bytes; untrusted.
    pub payload: Payload,
    /// The time at which the caller stops waiting, if it has set a deadline.
    pub deadline: Option<Instant>,
}

impl Request {
    /// Returns a request that has arrived, whose deadline is a time of this process's clock.
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
