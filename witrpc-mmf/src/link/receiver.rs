//! Receiving, for both sides: takes messages out of lines, buffers and blocks, or skips them.
//!
//! Each error is the rule that the peer has broken.

use std::sync::Arc;

use witrpc_transport::Payload;

use crate::memory::arena::BlockRef;
use crate::memory::try_alloc::room_for;

use super::half::{Half, ReceivedBlock};
use super::head::Head;
use super::lease::End;
use super::line::InlineWords;
use super::message_codec::Unopened;
use super::sealed::{AuthError, FORGED};

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

    /// Returns the block that a line names, if it lies in the peer's arena and is not longer than a
    /// message can be.
    pub fn checked_block(&self, inline: &InlineWords) -> Result<BlockRef, &'static str> {
        let block = BlockRef::check([inline[0], inline[1]], self.layout.arena_len());
        let longest = self.codec.block_len(self.max_message_len);
        block
            .ok()
            .filter(|block| block.len() <= longest)
            .ok_or("a block outside its arena or over the connection's limit")
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

/// Returns the message that came in the one block that its line names. A sealed message is opened, and
/// its block released. Returns `None` if this process has no memory for that.
pub fn open_block<E: End>(
    end: &Arc<E>,
    lane: usize,
    head: Head,
    inline: &InlineWords,
) -> Result<Option<Payload>, &'static str> {
    let half = end.half();
    let block = half.checked_block(inline)?;
    let Some(cipher) = half.codec.cipher() else {
        if block.len() != head.len as usize {
            return Err("a block of another length than its message");
        }
        return Ok(Some(Payload::Remote(Box::new(ReceivedBlock::new(Arc::clone(end), block)))));
    };
    match cipher.open_whole(lane, head, &block, half.source()) {
        Ok(bytes) => {
            half.release(&block);
            Ok(Some(Payload::from_private(bytes)))
        }
        Err(Unopened::NoMemory) => half.drop_block(lane, &block).map(|()| None),
        Err(Unopened::Broken(rule)) => Err(rule),
    }
}
