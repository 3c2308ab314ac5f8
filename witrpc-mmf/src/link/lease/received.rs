//! A lease on the side that reads it, and how it is taken off a message.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use witrpc_transport::{Leasing, Payload, RemoteBytes, SharedBytes};

use crate::link::release::fetch;
use crate::memory::arena::{BlockRef, next_generation};

use super::{End, trailer};

/// A block of the peer's arena that is leased to this process. Dropping it releases the block.
///
/// It keeps the memory mapped, even after the connection has ended. After the peer's death, the
/// bytes are as the peer left them: complete, unless the peer was still writing to the block
/// against the rules.
pub struct ReceivedLease {
    end: Arc<dyn End>,
    block: BlockRef,
}

impl ReceivedLease {
    /// Returns the length in bytes, which was checked and is stored on this side.
    #[must_use]
    pub fn len(&self) -> usize {
        self.block.len()
    }

    /// Returns whether the length is 0.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.block.is_empty()
    }

    /// Copies the bytes from `offset` on into all of `out`. A peer that breaks the rules may have
    /// changed them since an earlier copy.
    ///
    /// # Panics
    ///
    /// Panics if `offset + out.len()` is beyond the end, and in a fork of the process that
    /// connected.
    pub fn copy_to(&self, offset: usize, out: &mut [u8]) {
        self.end.half().copy_block(&self.block, offset, out);
    }

    /// Returns the bytes in place, if the peer is trusted. They begin at a multiple of 256.
    ///
    /// # Panics
    ///
    /// Panics in a fork of the process that connected.
    #[must_use]
    pub fn as_slice(&self) -> Option<&[u8]> {
        // SAFETY: `take_leases` has made this of a block that the peer has lent, and it is released
        // when this value is dropped, which the result borrows.
        unsafe { self.end.half().view_block(&self.block) }
    }
}

impl Drop for ReceivedLease {
    fn drop(&mut self) {
        if self.end.half().origin.is_forked() {
            return;
        }
        // Before the release: the peer may lease the block to this side again at once.
        self.end.half().leases_held.leave(self.block.granules().start);
        self.end.half().release(&self.block);
    }
}

impl fmt::Debug for ReceivedLease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceivedLease").field("block", &self.block).finish_non_exhaustive()
    }
}

/// Takes the leases off the end of a message whose head says that there are some.
///
/// # Errors
///
/// The rule that the peer has broken.
#[inline(never)]
pub fn take_leases<E: End>(end: &Arc<E>, payload: Payload) -> Result<Payload, &'static str> {
    let (descriptions, rest) = trailer::read(&payload)?;
    let mut leases = Vec::with_capacity(descriptions.len());
    for words in descriptions {
        let block = BlockRef::check(words, end.half().layout.arena_len())
            .map_err(|_| "a lease of a block outside the arena")?;
        let slot = end.half().slot(block.slot());
        if block.generation() != next_generation(slot.load(Relaxed)) {
            return Err("a lease of a generation that is not the block's next");
        }
        // The peer has read the slot's cache line. Prefetched here, it comes back while the message
        // is decoded, and not when the lease is released.
        fetch::for_writing(slot);
        end.half().leases_held.enter(block.granules())?;
        let end = Arc::clone(end) as Arc<dyn End>;
        leases.push(Arc::new(ReceivedLease { end, block }) as Arc<dyn SharedBytes>);
    }
    let payload = match payload {
        // At most `INLINE_LEN`.
        Payload::Small { bytes, .. } => Payload::Small { bytes, len: rest as u8 },
        Payload::Whole(mut bytes) => {
            bytes.truncate(rest);
            Payload::Whole(bytes)
        }
        Payload::Remote(whole) => Payload::Remote(Box::new(Prefix { whole, len: rest })),
        _ => unreachable!("leases are taken off once"),
    };
    Ok(Payload::Leasing(Box::new(Leasing::new(payload, leases))))
}

/// The bytes of a message without the descriptions of its leases.
struct Prefix {
    whole: Box<dyn RemoteBytes>,
    len: usize,
}

impl RemoteBytes for Prefix {
    fn len(&self) -> usize {
        self.len
    }

    fn copy_to(&self, offset: usize, out: &mut [u8]) {
        assert!(offset <= self.len && out.len() <= self.len - offset, "beyond the message");
        self.whole.copy_to(offset, out);
    }

    fn as_slice(&self) -> Option<&[u8]> {
        self.whole.as_slice().map(|whole| &whole[..self.len])
    }
}
