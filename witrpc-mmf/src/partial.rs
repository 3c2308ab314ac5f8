//! A message that comes in segments, as far as it has come: the same on both sides.

use std::collections::TryReserveError;

use crate::arena::BlockRef;
use crate::copy::PeerMemory;
use crate::head::Head;

/// What every segment must say again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Said {
    tag: u32,
    total: usize,
}

impl From<Head> for Said {
    fn from(head: Head) -> Self {
        Self { tag: head.tag, total: head.len as usize }
    }
}

/// A message of which not all segments have come.
#[derive(Debug)]
pub(crate) struct Partial {
    said: Said,
    bytes: Vec<u8>,
}

/// The peer sent a segment that does not follow the one before.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct OutOfOrder;

impl Partial {
    /// Room for all of the message whose first segment has this head: two messages never wait for
    /// each other half done. The caller has checked the length.
    ///
    /// # Errors
    ///
    /// This process has no memory for it.
    pub(crate) fn begin(head: Head) -> Result<Self, TryReserveError> {
        let said = Said::from(head);
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(said.total)?;
        Ok(Self { said, bytes })
    }

    /// Copies the segment that begins at `start` in its message, from `block` of the arena that
    /// begins at `arena` in the peer's memory. What it says is checked against the first.
    ///
    /// # Errors
    ///
    /// [`OutOfOrder`]: nothing was copied.
    pub(crate) fn append(
        &mut self,
        head: Head,
        start: u64,
        block: &BlockRef,
        peer: &PeerMemory,
        arena: usize,
    ) -> Result<(), OutOfOrder> {
        let follows = Said::from(head) == self.said
            && start == self.bytes.len() as u64
            && !block.is_empty()
            && block.len() <= self.said.total - self.bytes.len();
        if !follows {
            return Err(OutOfOrder);
        }
        let copied = peer.append_to(arena + block.offset(), block.len(), &mut self.bytes);
        copied.expect("a checked block lies in the region");
        Ok(())
    }

    /// The length of the whole message in bytes.
    pub(crate) fn total(&self) -> usize {
        self.said.total
    }

    /// The message, once all of it has come.
    pub(crate) fn whole(self) -> Result<Vec<u8>, Self> {
        if self.bytes.len() == self.said.total { Ok(self.bytes) } else { Err(self) }
    }
}
