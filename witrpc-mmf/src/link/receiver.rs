//! Receiving, for both sides: copies messages out of buffers, and opens sealed messages, or skips them.
//!
//! Each error is the rule that the peer has broken.

use crate::memory::arena::BlockRef;
use crate::memory::try_alloc::room_for;

use super::half::Half;
use super::head::Head;
use super::line::InlineWords;
use super::message::Payload;
use super::message_codec::Unopened;
use super::sealed::{AuthError, Cipher, FORGED};

impl Half {
    /// Copies a message out of the lane's buffer. Returns `None` if this process has no memory for it.
    pub fn read_buffer(&self, lane: usize, head: Head) -> Result<Option<Payload>, &'static str> {
        let len = self.check_buffered(head)?;
        let Ok(mut bytes) = room_for(len) else { return Ok(None) };
        let buffer = self.places.peer_buffers + lane * self.layout.buffer_len();
        self.peer.append_to(buffer, len, &mut bytes).expect("the buffer lies in the region");
        Ok(Some(Payload::Whole(bytes)))
    }

    /// Returns the length of a message that is in a buffer, which is within the buffer, and not 0: where
    /// messages are sealed, there is none in clear.
    pub fn check_buffered(&self, head: Head) -> Result<usize, &'static str> {
        let len = head.len as usize;
        if !(1..=self.longest_buffered()).contains(&len) {
            return Err("a message in a buffer that does not hold it");
        }
        Ok(len)
    }

    /// Opens a sealed message that came in its line.
    pub fn open_short(
        &self,
        cipher: &Cipher,
        lane: usize,
        head: Head,
        inline: &InlineWords,
    ) -> Result<Payload, &'static str> {
        let bytes = cipher.open_inline(lane, head, inline).map_err(|AuthError| FORGED)?;
        // It opened, so it is at most `INLINE_SEALED` bytes long.
        Ok(Payload::Small { bytes, len: head.len as u8 })
    }

    /// Opens a sealed message that came in one block, and releases the block. Returns `None` if
    /// this process has no memory for the message.
    pub fn open_block(
        &self,
        cipher: &Cipher,
        lane: usize,
        head: Head,
        block: &BlockRef,
    ) -> Result<Option<Payload>, &'static str> {
        match cipher.open_whole(lane, head, block, self.source()) {
            Ok(bytes) => {
                self.release(block);
                Ok(Some(Payload::from_private(bytes)))
            }
            Err(Unopened::NoMemory) => self.drop_block(lane, block).map(|()| None),
            Err(Unopened::Broken(rule)) => Err(rule),
        }
    }

    /// Releases a block whose bytes are not read.
    pub fn drop_block(&self, lane: usize, block: &BlockRef) -> Result<(), &'static str> {
        self.pass_over(lane, block.len())?;
        self.release(block);
        Ok(())
    }

    /// Counts a message that is not opened. `sealed` is its length in bytes, if it is sealed.
    pub fn pass_over(&self, lane: usize, sealed: usize) -> Result<(), &'static str> {
        match self.codec.cipher() {
            Some(cipher) => cipher.pass_over(lane, sealed).map_err(|AuthError| FORGED),
            None => Ok(()),
        }
    }
}
