//! Sending, for both sides: makes a message, or the next part of one, into a line that is ready to
//! be published.
//!
//! A short message is in the line itself, a somewhat longer one in the lane's buffer. Any other message
//! is written to a block: space is reserved, filled, and lent to the peer by the line that names it. How a side gets a lane, what
//! it does without space, and how it publishes, is in `client` and `server`.

use witrpc_transport::{Body, ChannelError, Lent, Outgoing, Short};

use crate::memory::layout::MAX_BUFFER_LEN;
use crate::memory::send_arena::{Purpose, Reserved};

use super::half::Half;
use super::head::{Head, LEASES, LineKind};
use super::lease::{Claim, trailer};
use super::ready_line::ReadyLine;
use super::sealed::KeysExhausted;

#[inline]
fn head_of(kind: LineKind, message: &Outgoing<'_>, len: usize) -> Head {
    Head::new(kind, message.tag, len as u32).with_deadline(message.deadline.is_some())
}

/// The bytes of a message that one block carries: all of them, or a segment.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    start: usize,
    len: usize,
    total: usize,
}

impl Part {
    fn kind(self) -> LineKind {
        if self.len == self.total { LineKind::Block } else { LineKind::Segment }
    }

    fn purpose(self) -> Purpose {
        if self.start == 0 { Purpose::Begin } else { Purpose::Continue }
    }

    /// Returns where the next part begins, in bytes from the start of the message.
    pub fn end(self) -> usize {
        self.start + self.len
    }

    pub fn is_last(self) -> bool {
        self.end() == self.total
    }
}

impl Half {
    /// Returns the length of a message in bytes.
    ///
    /// # Errors
    ///
    /// [`ChannelError::TooLarge`] if it is over the connection's limit.
    pub fn check_len(&self, message: &Outgoing<'_>) -> Result<usize, ChannelError> {
        at_most(self.max_message_len, &message.body)
    }

    /// Returns the line of a message that needs no block, because it fits in the line itself or in the
    /// lane's buffer. Returns `None` if it does not. The caller owns the lane, and the peer has answered
    /// what is in the buffer.
    ///
    /// # Errors
    ///
    /// The keys are exhausted on this lane, which ends the connection.
    #[inline]
    pub fn fill_without_block(
        &self,
        lane: usize,
        message: &Outgoing<'_>,
    ) -> Result<Option<ReadyLine>, KeysExhausted> {
        match Short::of_body(&message.body) {
            Some(body) => {
                let head = head_of(LineKind::Inline, message, body.len());
                self.codec.seal_short(lane, ReadyLine { head, payload: body })
            }
            None => self.fill_buffer(lane, message),
        }
    }

    /// Writes a message to the lane's buffer, and returns its line. Returns `None` if it does not fit
    /// there.
    fn fill_buffer(
        &self,
        lane: usize,
        message: &Outgoing<'_>,
    ) -> Result<Option<ReadyLine>, KeysExhausted> {
        let len = message.body.len();
        if len > self.longest_buffered() {
            return Ok(None);
        }
        // Private until it is complete: the body is written by code of the layers above.
        let mut bytes = [0; MAX_BUFFER_LEN];
        message.body.write_at(0, &mut bytes[..len]);
        let buffer = self.places.own_buffers + lane * self.layout.buffer_len();
        self.own.store_bytes(buffer, &bytes[..len]);
        let head = head_of(LineKind::Buffered, message, len);
        Ok(Some(ReadyLine { head, payload: Short::default() }))
    }

    /// Returns the part that is all of a message, for one that must not go in segments.
    ///
    /// # Errors
    ///
    /// [`ChannelError::TooLarge`] if it needs segments.
    pub fn whole(&self, message: &Outgoing<'_>) -> Result<Part, ChannelError> {
        self.check_len(message)?;
        let total = at_most(self.codec.longest_whole(&self.send_arena), &message.body)?;
        Ok(Part { start: 0, len: total, total })
    }

    /// Returns the part of a message of `total` bytes that begins at `start`, where the part before
    /// it ends.
    pub fn part(&self, start: usize, total: usize) -> Part {
        let send_arena = &self.send_arena;
        let is_whole = start == 0 && total <= self.codec.longest_whole(send_arena);
        let longest = if is_whole { total } else { self.codec.longest_segment(send_arena) };
        Part { start, len: longest.min(total - start), total }
    }

    /// Reserves space for a part, if there is any.
    pub fn reserve(&self, part: Part) -> Option<Reserved<'_>> {
        let room = self.codec.block_len(part.len);
        self.send_arena.reserve(room, part.purpose(), &self.released())
    }

    /// Writes a part of a message to the space that was reserved for it, and lends that space to
    /// the peer.
    ///
    /// # Errors
    ///
    /// The keys are exhausted on this lane, which ends the connection.
    pub fn fill(
        &self,
        lane: usize,
        message: &Outgoing<'_>,
        part: Part,
        mut block: Reserved<'_>,
    ) -> Result<ReadyLine, KeysExhausted> {
        let head = head_of(part.kind(), message, part.total);
        let write = |offset: usize, out: &mut [u8]| message.body.write_at(part.start + offset, out);
        let bytes = self.own.block_mut(block.block_mut());
        self.codec.fill(lane, head, part.len, write, bytes)?;
        let [place, len] = block.lend();
        Ok(match head.kind {
            LineKind::Segment => ReadyLine::of_block(head, [place, len, part.start as u64]),
            _ => ReadyLine::of_block(head, [place, len]),
        })
    }

    /// Reserves space for a part and fills it. Returns `None` if there is no space.
    ///
    /// # Errors
    ///
    /// As [`fill`](Self::fill).
    pub fn try_fill(
        &self,
        lane: usize,
        message: &Outgoing<'_>,
        part: Part,
    ) -> Result<Option<ReadyLine>, KeysExhausted> {
        self.reserve(part).map(|block| self.fill(lane, message, part, block)).transpose()
    }
}

/// Calls `send` with the message and the descriptions of its leases, which may have at most `max`
/// bytes together. If `send` reports that it has published all of it, the leases are lent to the
/// peer.
pub fn with_leases<T>(
    message: Outgoing<'_>,
    body: &Body<'_>,
    leases: &[Lent],
    max: usize,
    send: impl FnOnce(Outgoing<'_>) -> Result<Option<T>, ChannelError>,
) -> Result<Option<T>, ChannelError> {
    let sent = trailer::with_leases(*body, leases, |body| {
        at_most(max, &body)?;
        send(Outgoing::new(message.tag | LEASES, body).with_deadline(message.deadline))
    });
    if let Ok(Some(_)) = sent {
        leases.iter().for_each(|lent| Claim::of(lent).commit());
    }
    sent
}

fn at_most(max: usize, body: &Body<'_>) -> Result<usize, ChannelError> {
    let len = body.len();
    if len > max { Err(ChannelError::TooLarge { len, max }) } else { Ok(len) }
}
