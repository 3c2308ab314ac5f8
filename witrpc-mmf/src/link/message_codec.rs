//! How the bytes of messages are put into blocks and taken out: in clear, or sealed. Both sides do
//! the same.

use witrpc_transport::{ChannelError, Keys, Short, ShortAnswer};

use crate::memory::arena::BlockRef;
use crate::memory::copy::PeerMemory;
use crate::memory::send_arena::{MAX_SEGMENT, SendArena};
use crate::memory::try_alloc::room_for;

use super::head::{Head, LEASES, LineKind};
use super::line::{Copied, InlineWords};
use super::ready_line::ReadyLine;
use super::reassembly::{Reassembly, Refused};
use super::sealed::{
    AuthError, Cipher, FORGED, INLINE_SEALED, KeysExhausted, LONGEST_PART, longest_within,
    opened_len, sealed_len,
};

/// The codec of a connection: a cipher, or nothing for messages in clear.
#[derive(Debug)]
pub struct MessageCodec(Option<Cipher>);

/// Why a block was not opened.
pub enum Unopened {
    /// This process has no memory for the bytes.
    NoMemory,
    /// The peer has broken this rule.
    Broken(&'static str),
}

/// A segment, as its line describes it.
#[derive(Clone, Copy)]
pub struct Segment<'a> {
    pub lane: usize,
    pub head: Head,
    /// Where it begins in its message, in bytes.
    pub start: u64,
    pub block: &'a BlockRef,
}

/// Where the blocks of a peer are.
#[derive(Clone, Copy)]
pub struct BlockSource<'a> {
    pub peer: &'a PeerMemory,
    /// Where the peer's arena begins in its region, in bytes.
    pub arena: usize,
}

impl BlockSource<'_> {
    /// Copies bytes from `offset` on out of a peer's block into all of `out`. The block must have
    /// been checked.
    pub fn copy(self, block: &BlockRef, offset: usize, out: &mut [u8]) {
        let copied = self.peer.copy_out(self.arena + block.offset() + offset, out);
        copied.expect("a checked block lies in the region");
    }

    fn append(self, block: &BlockRef, out: &mut Vec<u8>) {
        let copied = self.peer.append_to(self.arena + block.offset(), block.len(), out);
        copied.expect("a checked block lies in the region");
    }
}

impl MessageCodec {
    /// Creates a codec, which seals messages if there are keys.
    pub fn new(keys: Option<Box<dyn Keys>>, lanes: usize) -> Self {
        Self(keys.map(|keys| Cipher::new(keys, lanes)))
    }

    #[inline]
    pub fn is_plain(&self) -> bool {
        self.0.is_none()
    }

    pub fn cipher(&self) -> Option<&Cipher> {
        self.0.as_ref()
    }

    /// Returns whether a call on this lane might use up its message numbers. See [`Cipher::is_spent`].
    pub fn is_spent(&self, lane: usize, by_server: bool) -> bool {
        self.0.as_ref().is_some_and(|cipher| cipher.is_spent(lane, by_server))
    }

    /// Seals the line of a short message, if messages are sealed. Returns `None` if it does not fit in a
    /// line then.
    ///
    /// # Errors
    ///
    /// [`KeysExhausted`]: no numbers are left on this lane, so the connection must end.
    #[inline]
    pub fn seal_short(
        &self,
        lane: usize,
        line: ReadyLine,
    ) -> Result<Option<ReadyLine>, KeysExhausted> {
        let ReadyLine { head, payload } = &line;
        match &self.0 {
            None => Ok(Some(line)),
            Some(_) if payload.len() > INLINE_SEALED => Ok(None),
            Some(cipher) => {
                let payload = cipher.seal_inline(lane, *head, payload)?;
                Ok(Some(ReadyLine { payload, ..line }))
            }
        }
    }

    /// Returns the message that came in a line of the peer.
    ///
    /// # Errors
    ///
    /// The rule that the peer has broken.
    pub fn open_short(
        &self,
        lane: usize,
        head: Head,
        inline: &InlineWords,
    ) -> Result<Short, &'static str> {
        match &self.0 {
            None => Short::of_words(*inline, head.len as usize)
                .ok_or("an inline message longer than a line"),
            Some(cipher) => cipher.open_inline(lane, head, inline).map_err(|AuthError| FORGED),
        }
    }

    /// Returns whether a message of `len` bytes, at most `INLINE_LEN`, fits in a line.
    #[inline]
    pub fn fits_line(&self, len: usize) -> bool {
        self.is_plain() || len <= INLINE_SEALED
    }

    /// Returns the answer that a line of the peer carries itself, unless it has leases. What does not
    /// open counts as not received: the general path opens it again, and reports it.
    #[inline]
    pub fn short_answer(&self, lane: usize, line: &Copied) -> Option<ShortAnswer> {
        let (tag, len) = Head::short_of_word(line.head)?;
        let body = match &self.0 {
            None => Short::of_words(line.inline, len as usize)?,
            Some(cipher) => cipher.open_short(lane, line)?,
        };
        Some(ShortAnswer::new(tag, body))
    }

    /// Returns the longest message that is sent in one block, in bytes.
    pub fn longest_whole(&self, send_arena: &SendArena) -> usize {
        match self.0 {
            None => send_arena.largest_block(),
            Some(_) => longest_within(send_arena.largest_block()).min(LONGEST_PART),
        }
    }

    /// Returns the longest part of a message that is sent as a segment, in bytes.
    pub fn longest_segment(&self, send_arena: &SendArena) -> usize {
        match self.0 {
            None => send_arena.segment_len(),
            Some(_) => longest_within(send_arena.segment_len()).min(LONGEST_PART),
        }
    }

    /// Refuses leases on an encrypted connection.
    ///
    /// # Errors
    ///
    /// [`ChannelError::Encrypted`].
    pub fn check_leasable(&self) -> Result<(), ChannelError> {
        if self.is_plain() { Ok(()) } else { Err(ChannelError::Encrypted) }
    }

    /// Refuses a head with the flag for leases where there can be none.
    ///
    /// # Errors
    ///
    /// The rule that the peer has broken.
    pub fn check_leases(&self, head: Head) -> Result<(), &'static str> {
        if head.tag & LEASES == 0 {
            return Ok(());
        }
        match head.kind {
            _ if !self.is_plain() => Err("leases on an encrypted connection"),
            LineKind::Segment => Err("a message with leases in segments"),
            _ => Ok(()),
        }
    }

    /// Returns the length of a block that carries `len` bytes of a message.
    pub fn block_len(&self, len: usize) -> usize {
        if self.is_plain() { len } else { sealed_len(len) }
    }

    /// Returns how many bytes of a message a segment carries in a block of this length. Returns 0,
    /// which is never valid, for a length that no sealed block has.
    pub fn carried(&self, block_len: usize) -> usize {
        if self.is_plain() { block_len } else { opened_len(block_len).unwrap_or(0) }
    }

    /// Writes `len` bytes of a message into the whole of `block`. `write` writes the bytes from an
    /// offset on, called front to back.
    ///
    /// # Errors
    ///
    /// [`KeysExhausted`]: no numbers are left on this lane, so the connection must end.
    pub fn fill(
        &self,
        lane: usize,
        head: Head,
        len: usize,
        mut write: impl FnMut(usize, &mut [u8]),
        block: &mut [u8],
    ) -> Result<(), KeysExhausted> {
        match &self.0 {
            None => {
                write(0, block);
                Ok(())
            }
            Some(cipher) => cipher.seal(lane, head, len, write, block),
        }
    }

    /// Adds a segment to its message. Calls `ask`, which requests the next segment if there is one,
    /// before it copies and opens the bytes: the peer fills and seals the next segment meanwhile.
    pub fn append(
        &self,
        reassembly: &mut Reassembly,
        segment: Segment<'_>,
        source: BlockSource<'_>,
        ask: impl FnOnce(),
    ) -> Result<(), Refused> {
        let Segment { lane, head, start, block } = segment;
        if block.len() > MAX_SEGMENT {
            return Err(Refused::TooLong);
        }
        let Some(cipher) = &self.0 else {
            return reassembly.append(head, start, block.len(), ask, |out| {
                source.append(block, out);
                Ok(())
            });
        };
        let len = self.carried(block.len());
        reassembly.append(head, start, len, ask, |out| {
            let copy = |offset: usize, out: &mut [u8]| source.copy(block, offset, out);
            cipher.open(lane, head, block.len(), copy, out)
        })
    }
}

impl Cipher {
    /// Opens the message that a line carries itself. Returns `None`, and has counted nothing, if it does
    /// not open.
    #[inline(never)]
    pub fn open_short(&self, lane: usize, line: &Copied) -> Option<Short> {
        self.open_inline(lane, Head::from_word(line.head)?, &line.inline).ok()
    }

    /// Opens a sealed message that came in one block.
    pub fn open_whole(
        &self,
        lane: usize,
        head: Head,
        block: &BlockRef,
        source: BlockSource<'_>,
    ) -> Result<Vec<u8>, Unopened> {
        let len = head.len as usize;
        if len > LONGEST_PART {
            return Err(Unopened::Broken(
                "a sealed message in one block that is to go in segments",
            ));
        }
        if opened_len(block.len()) != Some(len) {
            return Err(Unopened::Broken("a sealed block of another length than its message"));
        }
        let mut bytes = room_for(len).map_err(|_| Unopened::NoMemory)?;
        let copy = |offset: usize, out: &mut [u8]| source.copy(block, offset, out);
        let opened = self.open(lane, head, block.len(), copy, &mut bytes);
        opened.map_err(|AuthError| Unopened::Broken(FORGED))?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use witrpc_transport::Plain;

    use crate::memory::copy::tests::peer_memory;

    use super::*;

    /// Returns the block at the start of an arena that is large enough for it.
    fn block(len: usize) -> BlockRef {
        BlockRef::check([1 << 32, len as u64], 1 << 30).expect("it lies in the arena")
    }

    fn sealed() -> MessageCodec {
        MessageCodec::new(Some(Box::new(Plain::new(true))), 1)
    }

    #[test]
    fn a_sealed_block_longer_than_any_is_refused_before_it_is_opened() {
        let (message_codec, peer) = (sealed(), peer_memory(&[0; 4096]));
        let source = BlockSource { peer: &peer, arena: 0 };
        for len in [LONGEST_PART + 1, 64 << 20] {
            let head = Head::new(LineKind::Block, 0, len as u32);
            let cipher = message_codec.cipher().expect("there are keys");
            // Only a page of it is mapped, so reading it would panic.
            let refused = cipher.open_whole(0, head, &block(sealed_len(len)), source);
            assert!(matches!(refused, Err(Unopened::Broken(rule)) if rule.contains("in segments")));
        }
    }

    #[test]
    fn a_segment_longer_than_any_is_refused_before_it_is_copied() {
        const TOTAL: usize = 64 << 20;
        let peer = peer_memory(&vec![0; MAX_SEGMENT]);
        let source = BlockSource { peer: &peer, arena: 0 };
        let head = Head::new(LineKind::Segment, 0, TOTAL as u32);
        for message_codec in [MessageCodec::new(None, 1), sealed()] {
            let mut reassembly = Reassembly::begin(head).expect("there is memory for it");
            for len in [MAX_SEGMENT + 1, TOTAL] {
                let segment = Segment { lane: 0, head, start: 0, block: &block(len) };
                let asked = || panic!("for another");
                let refused = message_codec.append(&mut reassembly, segment, source, asked);
                assert_eq!(refused, Err(Refused::TooLong));
            }
            assert_eq!(reassembly.missing(), TOTAL);
        }
        let mut reassembly = Reassembly::begin(head).expect("there is memory for it");
        let clear = MessageCodec::new(None, 1);
        let segment = Segment { lane: 0, head, start: 0, block: &block(MAX_SEGMENT) };
        assert_eq!(clear.append(&mut reassembly, segment, source, || ()), Ok(()));
        assert_eq!(reassembly.missing(), TOTAL - MAX_SEGMENT);
    }
}
