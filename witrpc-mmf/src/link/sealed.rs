//! The cipher of a connection: seals and opens the messages of calls.
//!
//! A message, or a segment of one, is sealed in pieces of up to [`CHUNK`] bytes. Each piece begins
//! with the head of its line, which is also on the line in clear; the two are compared when the
//! piece has been opened. (The keys take no associated data, so the head cannot be bound in another
//! way.)
//!
//! The number of a piece is made of its lane and of the count of the pieces sealed on that lane in
//! that direction. Both sides count, so a piece opens only in its place, and only once.
//!
//! Sealing and opening happen in private memory. So plain text is never in a region, and the peer
//! cannot change what was opened.
//!
//! # Invariants
//!
//! 1. The counts of a lane are accessed only by the lane's present owner: the caller, or the thread
//!    that answers its call. What hands the lane on orders the accesses.
//! 2. No number is used twice. A count is [`SPENT`] while a message is sealed. It stays so if the
//!    message's body panics between two pieces: the numbers used by then must not be used again. A
//!    lane that is spent, for this reason or because its numbers are used up, ends the connection
//!    at its next use.

use std::cell::Cell;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use witrpc_transport::{COUNTER_BITS, FIRST_MESSAGE_NUMBER, Keys, MAX_PIECE_LEN, Short, TAG_LEN};

use crate::memory::layout::INLINE_LEN;

use super::head::Head;
use super::line::InlineWords;

/// The most bytes of a message in one piece: a multiple of the cache line.
const CHUNK: usize = 65_472;
const HEAD_LEN: usize = 8;

/// The bytes by which a piece is longer than what it carries.
const OVERHEAD: usize = HEAD_LEN + TAG_LEN;

const _: () = assert!(CHUNK + HEAD_LEN <= MAX_PIECE_LEN && CHUNK.is_multiple_of(64));

/// The longest message that is sealed into a line, in bytes.
pub const INLINE_SEALED: usize = INLINE_LEN - OVERHEAD;

/// The most bytes of a message that are sealed as one part. A longer message goes in segments, and
/// is refused otherwise. So one side opens a part while the other seals the next, and one part does
/// not keep the poller busy for long. It is long enough that the hand-over costs little beside it.
pub const LONGEST_PART: usize = 2 * CHUNK;

/// A value above every count of a lane in use.
const SPENT: u64 = 1 << COUNTER_BITS;

/// More pieces than the longest message has when it is sent in the shortest segments.
const LONGEST: u64 = 1 << 24;

/// The cipher of one side of a connection, for both directions.
#[derive(Debug)]
pub struct Cipher {
    keys: Box<dyn Keys>,
    lanes: Box<[Counts]>,
}

/// The number of the next piece of a lane in each direction.
#[derive(Debug)]
struct Counts {
    sealed: AtomicU64,
    opened: AtomicU64,
}

/// A message did not open: it is not what the peer has sealed as the next message on its lane.
#[derive(Debug, PartialEq, Eq)]
pub struct AuthError;

/// The rule that a peer breaks whose message does not open.
pub const FORGED: &str = "a message that does not open: it was forged, or moved";

/// No numbers are left to seal with on a lane.
#[derive(Debug, PartialEq, Eq)]
pub struct KeysExhausted;

impl Cipher {
    pub fn new(keys: Box<dyn Keys>, lanes: usize) -> Self {
        let first = || AtomicU64::new(FIRST_MESSAGE_NUMBER);
        let lanes = (0..lanes).map(|_| Counts { sealed: first(), opened: first() });
        Self { keys, lanes: lanes.collect() }
    }

    /// Sets the counts of a lane as if its numbers were used up.
    #[cfg(test)]
    pub fn spend(&self, lane: usize) {
        self.lanes[lane].sealed.store(SPENT - LONGEST + 1, Relaxed);
    }

    /// Returns whether a call on this lane might use up its numbers. A client asks before it sends.
    /// A server asks with a higher limit, so that it refuses only the calls of a client that did
    /// not ask.
    pub fn is_spent(&self, lane: usize, by_server: bool) -> bool {
        let limit = SPENT - if by_server { LONGEST } else { 2 * LONGEST };
        let Counts { sealed, opened } = &self.lanes[lane];
        sealed.load(Relaxed) > limit || opened.load(Relaxed) > limit
    }

    /// Seals a message of at most [`INLINE_SEALED`] bytes. Returns the payload of its line.
    pub fn seal_inline(
        &self,
        lane: usize,
        head: Head,
        body: &Short,
    ) -> Result<Short, KeysExhausted> {
        let len = sealed_len(body.len());
        let mut sealed = [0; INLINE_LEN];
        sealed[..HEAD_LEN].copy_from_slice(&head.to_word().to_le_bytes());
        // All that may count, as copies of a fixed length take less time.
        sealed[HEAD_LEN..][..INLINE_SEALED].copy_from_slice(&body.padded()[..INLINE_SEALED]);
        let (piece, tag) = sealed[..len].split_at_mut(HEAD_LEN + body.len());
        let first = self.begin(lane, 1)?;
        tag.copy_from_slice(&self.keys.seal(number(lane, first), piece));
        self.end(lane, first + 1);
        Ok(Short::of_padded(&sealed, len).expect("it fits in a line"))
    }

    /// Seals `len` bytes of a message into all of `block`, which has [`sealed_len`] bytes. `fill`
    /// writes the bytes from an offset on, called front to back.
    pub fn seal(
        &self,
        lane: usize,
        head: Head,
        len: usize,
        mut fill: impl FnMut(usize, &mut [u8]),
        block: &mut [u8],
    ) -> Result<(), KeysExhausted> {
        debug_assert_eq!(block.len(), sealed_len(len));
        with_scratch(|private| {
            let mut next = None;
            for (index, block) in block.chunks_mut(CHUNK + OVERHEAD).enumerate() {
                let (sealed, tag) = block.split_at_mut(block.len() - TAG_LEN);
                let piece = &mut private[..sealed.len()];
                piece[..HEAD_LEN].copy_from_slice(&head.to_word().to_le_bytes());
                fill(index * CHUNK, &mut piece[HEAD_LEN..]);
                // Begun after the first piece was filled, because a panic before this leaves the
                // lane usable. Most messages have one piece.
                let count = next.map_or_else(|| self.begin(lane, pieces(len)), Ok)?;
                tag.copy_from_slice(&self.keys.seal(number(lane, count), piece));
                sealed.copy_from_slice(piece);
                next = Some(count + 1);
            }
            self.end(lane, next.expect("even an empty message has a piece"));
            Ok(())
        })
    }

    /// Returns the number of the first of `pieces` pieces. The lane counts as spent until
    /// [`end`](Self::end).
    fn begin(&self, lane: usize, pieces: u64) -> Result<u64, KeysExhausted> {
        let count = &self.lanes[lane].sealed;
        let first = count.load(Relaxed);
        if first + pieces >= SPENT {
            return Err(KeysExhausted);
        }
        count.store(SPENT, Relaxed);
        Ok(first)
    }

    fn end(&self, lane: usize, next: u64) {
        self.lanes[lane].sealed.store(next, Relaxed);
    }

    /// Opens the `head.len` bytes that a line carries itself.
    pub fn open_inline(
        &self,
        lane: usize,
        head: Head,
        inline: &InlineWords,
    ) -> Result<Short, AuthError> {
        let len = head.len as usize;
        let sealed = Short::of_words(*inline, sealed_len(len)).ok_or(AuthError)?;
        let mut private = *sealed.padded();
        let opened = self.open_piece(lane, 0, &mut private[..sealed.len()], head)?;
        self.skip(lane, 1);
        let mut bytes = [0; INLINE_LEN];
        bytes[..len].copy_from_slice(opened);
        Ok(Short::of_padded(&bytes, len).expect("it was in a line"))
    }

    /// Opens `sealed` bytes and appends what they carry to `out`, which has the capacity for it.
    /// `copy` copies them out of the peer's region from an offset on. Each byte is copied once.
    pub fn open(
        &self,
        lane: usize,
        head: Head,
        sealed: usize,
        mut copy: impl FnMut(usize, &mut [u8]),
        out: &mut Vec<u8>,
    ) -> Result<(), AuthError> {
        let len = opened_len(sealed).ok_or(AuthError)?;
        with_scratch(|private| {
            let mut done = 0;
            for index in 0..pieces(len) {
                let private = &mut private[..(sealed - done).min(CHUNK + OVERHEAD)];
                copy(done, private);
                done += private.len();
                out.extend_from_slice(self.open_piece(lane, index, private, head)?);
            }
            Ok(())
        })?;
        self.skip(lane, pieces(len));
        Ok(())
    }

    /// Opens the piece `index` of a message in place and compares the head in it. Returns the bytes
    /// that it carries.
    fn open_piece<'a>(
        &self,
        lane: usize,
        index: u64,
        sealed: &'a mut [u8],
        head: Head,
    ) -> Result<&'a [u8], AuthError> {
        let number = number(lane, self.lanes[lane].opened.load(Relaxed) + index);
        let (piece, tag) = sealed.split_last_chunk_mut().ok_or(AuthError)?;
        if !self.keys.open(number, piece, *tag) {
            return Err(AuthError);
        }
        piece.strip_prefix(&head.to_word().to_le_bytes()).ok_or(AuthError)
    }

    /// Skips a message of `sealed` bytes that is not opened.
    pub fn pass_over(&self, lane: usize, sealed: usize) -> Result<(), AuthError> {
        self.skip(lane, pieces(opened_len(sealed).ok_or(AuthError)?));
        Ok(())
    }

    fn skip(&self, lane: usize, pieces: u64) {
        let count = &self.lanes[lane].opened;
        count.store(count.load(Relaxed) + pieces, Relaxed);
    }
}

/// Returns how many pieces a message of `len` bytes has.
fn pieces(len: usize) -> u64 {
    len.div_ceil(CHUNK).max(1) as u64
}

/// Returns the sealed length of `len` bytes.
pub fn sealed_len(len: usize) -> usize {
    len + pieces(len) as usize * OVERHEAD
}

/// Returns how many bytes a sealed length carries, or `None` if no message has that sealed length.
pub fn opened_len(sealed: usize) -> Option<usize> {
    let len = sealed.checked_sub(sealed.div_ceil(CHUNK + OVERHEAD) * OVERHEAD)?;
    (sealed_len(len) == sealed).then_some(len)
}

/// Returns the most bytes whose sealed length is at most `room`, in which at least one piece must
/// fit.
pub fn longest_within(room: usize) -> usize {
    let rest = room % (CHUNK + OVERHEAD);
    room / (CHUNK + OVERHEAD) * CHUNK + rest.saturating_sub(OVERHEAD)
}

fn number(lane: usize, count: u64) -> u64 {
    (lane as u64) << COUNTER_BITS | count
}

const SCRATCH_LEN: usize = CHUNK + OVERHEAD;

thread_local! {
    /// Kept for the next message of a thread. Absent while it is in use.
    static SCRATCH: Cell<Option<Box<[u8; SCRATCH_LEN]>>> = const { Cell::new(None) };
}

/// Calls `work` with scratch memory for one sealed piece.
fn with_scratch<R>(work: impl FnOnce(&mut [u8]) -> R) -> R {
    let mut scratch = SCRATCH.take().unwrap_or_else(|| Box::new([0; SCRATCH_LEN]));
    let result = work(&mut *scratch);
    SCRATCH.set(Some(scratch));
    result
}

#[cfg(test)]
mod tests {
    use witrpc_transport::Plain;

    use crate::link::head::LineKind;

    use super::*;

    const LANES: usize = 3;

    fn cipher() -> Cipher {
        Cipher::new(Box::new(Plain::default()), LANES)
    }

    fn head(kind: LineKind, len: usize) -> Head {
        Head::new(kind, 5, len as u32)
    }

    fn bytes(len: usize) -> Vec<u8> {
        (0..len).map(|i| (i % 251) as u8).collect()
    }

    fn seal(cipher: &Cipher, lane: usize, message: &[u8]) -> Vec<u8> {
        let mut block = vec![0; sealed_len(message.len())];
        let fill = |offset: usize, out: &mut [u8]| {
            out.copy_from_slice(&message[offset..offset + out.len()]);
        };
        let head = head(LineKind::Block, message.len());
        cipher.seal(lane, head, message.len(), fill, &mut block).unwrap();
        block
    }

    fn open(cipher: &Cipher, lane: usize, head: Head, block: &[u8]) -> Result<Vec<u8>, AuthError> {
        let mut out = Vec::new();
        let copy = |offset: usize, out: &mut [u8]| {
            out.copy_from_slice(&block[offset..offset + out.len()]);
        };
        cipher.open(lane, head, block.len(), copy, &mut out).map(|()| out)
    }

    #[test]
    fn messages_of_any_length_come_through() {
        let (sender, receiver) = (cipher(), cipher());
        for len in [0, 1, 48, 49, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 1_000_000] {
            let message = bytes(len);
            let block = seal(&sender, 1, &message);
            assert_eq!(opened_len(block.len()), Some(len));
            assert!(open(&receiver, 1, head(LineKind::Block, len), &block) == Ok(message), "{len}");
        }
    }

    #[test]
    fn short_messages_come_through_in_their_line() {
        let (sender, receiver) = (cipher(), cipher());
        for len in 0..=INLINE_SEALED {
            let mut padded = [0; INLINE_LEN];
            padded[..len].copy_from_slice(&bytes(len));
            let head = head(LineKind::Inline, len);
            let body = Short::of_padded(&padded, len).unwrap();
            let sealed = sender.seal_inline(2, head, &body).unwrap();
            assert!(sealed.padded()[sealed.len()..].iter().all(|byte| *byte == 0));
            let opened = receiver.open_inline(2, head, sealed.words()).unwrap();
            assert_eq!((opened.padded(), opened.len()), (&padded, len));
        }
        let too_long = head(LineKind::Inline, INLINE_SEALED + 1);
        assert_eq!(receiver.open_inline(2, too_long, &[0; 6]).unwrap_err(), AuthError);
    }

    #[test]
    fn no_message_opens_on_another_lane_in_another_place_or_under_another_head() {
        let sender = cipher();
        let (first, second) = (seal(&sender, 1, &bytes(100)), seal(&sender, 1, &bytes(100)));
        let honest = head(LineKind::Block, 100);
        assert_eq!(open(&cipher(), 0, honest, &first), Err(AuthError), "another lane");
        assert_eq!(open(&cipher(), 1, honest, &second), Err(AuthError), "too early");
        let receiver = cipher();
        open(&receiver, 1, honest, &first).unwrap();
        assert_eq!(open(&receiver, 1, honest, &first), Err(AuthError), "twice");
        let lied = Head::new(LineKind::Block, 6, 100);
        assert_eq!(open(&cipher(), 1, lied, &first), Err(AuthError), "another tag");
        for cut in [0, 23, 123] {
            assert_eq!(open(&cipher(), 1, honest, &first[..cut]), Err(AuthError), "cut to {cut}");
        }
    }

    #[test]
    fn pieces_of_a_message_cannot_change_places() {
        let sender = cipher();
        let mut block = seal(&sender, 0, &bytes(2 * CHUNK));
        let (one, other) = block.split_at_mut(CHUNK + OVERHEAD);
        one.swap_with_slice(other);
        assert_eq!(open(&cipher(), 0, head(LineKind::Block, 2 * CHUNK), &block), Err(AuthError));
    }

    #[test]
    fn a_skipped_message_is_counted() {
        let (sender, receiver) = (cipher(), cipher());
        for len in [10, 2 * CHUNK + 1] {
            receiver.pass_over(1, seal(&sender, 1, &bytes(len)).len()).unwrap();
        }
        let block = seal(&sender, 1, b"and now");
        assert_eq!(open(&receiver, 1, head(LineKind::Block, 7), &block).unwrap(), b"and now");
        assert_eq!(receiver.pass_over(1, OVERHEAD - 1), Err(AuthError));
    }

    #[test]
    fn a_body_that_panics_spends_its_lane_only() {
        let cipher = cipher();
        let panics = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let fill = |offset: usize, _: &mut [u8]| assert_eq!(offset, 0, "no more");
            let mut block = vec![0; sealed_len(2 * CHUNK)];
            cipher.seal(1, head(LineKind::Block, 2 * CHUNK), 2 * CHUNK, fill, &mut block)
        }));
        assert!(panics.is_err());
        assert!(cipher.is_spent(1, true) && !cipher.is_spent(0, false));
        let again = cipher.seal_inline(1, head(LineKind::Inline, 0), &Short::default());
        assert_eq!(again.unwrap_err(), KeysExhausted);
    }

    #[test]
    fn a_lane_is_spent_before_its_numbers_end_and_a_client_sees_it_first() {
        let cipher = cipher();
        let set = |count| cipher.lanes[2].opened.store(count, Relaxed);
        for (count, by_client, by_server) in [
            (SPENT - 2 * LONGEST, false, false),
            (SPENT - 2 * LONGEST + 1, true, false),
            (SPENT - LONGEST + 1, true, true),
        ] {
            set(count);
            assert_eq!(cipher.is_spent(2, false), by_client);
            assert_eq!(cipher.is_spent(2, true), by_server);
        }
    }

    #[test]
    fn sealed_and_opened_lengths_are_inverse() {
        for len in (0..4 * CHUNK).step_by(997).chain([CHUNK - 1, CHUNK, CHUNK + 1]) {
            let sealed = sealed_len(len);
            assert_eq!(opened_len(sealed), Some(len));
            assert_eq!(longest_within(sealed), len);
            assert!(sealed_len(longest_within(sealed + 1)) <= sealed + 1);
        }
    }
}
