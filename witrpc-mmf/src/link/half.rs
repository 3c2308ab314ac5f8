//! One end of a connection: its own region, which it writes, and its view of the peer's.
//!
//! The ends differ in which parts of the regions are whose, in what they wait for and in what they
//! publish. What both do with blocks is here, in [`sender`](super::sender) and in
//! [`lease`](super::lease).

use core::fmt;
use core::sync::atomic::AtomicU32;
use std::sync::Arc;

use witrpc_transport::TrustedPeer;

use crate::memory::arena::BlockRef;
use crate::memory::copy::{OwnMemory, PeerMemory};
use crate::memory::layout::{Layout, WANTS_SPACE};
use crate::memory::send_arena::SendArena;
use crate::memory::words::Mapped;
use crate::sys::event_fd::Bell;
use crate::sys::fork::Origin;
use crate::wakeup::epoch::WakeRequest;

use super::lease::{End, Held};
use super::message::{ChannelError, RemoteBytes};
use super::message_codec::{BlockSource, MessageCodec};
use super::release;
use super::release::ReleaseTable;

/// One end of a connection, as far as both are alike.
pub struct Half {
    pub own: OwnMemory,
    pub peer: PeerMemory,
    pub layout: Layout,
    pub places: Places,
    /// Blocks of our arena: free ones, and those that the peer has not released yet.
    pub send_arena: SendArena,
    pub codec: MessageCodec,
    pub max_message_len: usize,
    /// Leases of the peer's that this process holds.
    pub leases_held: Held,
    /// Whether what the peer sends may be read in place.
    pub trusted: Option<TrustedPeer>,
    /// Ringing the peer.
    pub bell: Bell,
    pub space_rung: WakeRequest<Mapped>,
    pub origin: Origin,
}

/// Where the lines of the lanes and the blocks lie, and where the release of blocks is said.
#[derive(Clone, Copy, Debug)]
pub struct Places {
    /// Where the lines begin that we write.
    pub own_lanes: usize,
    /// Where the lines begin that the peer writes.
    pub peer_lanes: usize,
    /// Where the peer's arena begins in its region.
    pub peer_arena: usize,
    /// The table in our region in which we release the peer's blocks.
    pub own_release: usize,
    /// The table in the peer's region in which it releases ours.
    pub peer_release: usize,
}

impl Half {
    /// Which blocks of our arena the peer has released.
    pub fn released(&self) -> ReleaseTable<'_, Mapped> {
        let slots = self.peer.words32(self.places.peer_release, self.layout.granules());
        ReleaseTable { slots }
    }

    /// Refuses leases that cannot be had, whatever comes back.
    pub fn check_leases(&self, lens: &[usize]) -> Result<(), ChannelError> {
        self.codec.check_leasable()?;
        self.send_arena.check_leases(lens)
    }

    /// Where the peer's blocks lie.
    pub fn source(&self) -> BlockSource<'_> {
        BlockSource { peer: &self.peer, arena: self.places.peer_arena }
    }

    pub fn copy_block(&self, block: &BlockRef, offset: usize, out: &mut [u8]) {
        assert!(offset <= block.len() && out.len() <= block.len() - offset, "beyond the block");
        self.source().copy(self.received(block), offset, out);
    }

    /// The bytes of a block of the peer's in place, if the peer is trusted.
    ///
    /// # Safety
    ///
    /// The peer has lent the block, and it is not released while the result exists.
    pub unsafe fn view_block(&self, block: &BlockRef) -> Option<&[u8]> {
        let trusted = self.trusted?;
        let start = self.places.peer_arena + self.received(block).offset();
        // SAFETY: it is lent, and not released meanwhile, by this function's own contract.
        Some(unsafe { self.peer.trusted(start, block.len(), trusted) })
    }

    fn received<'a>(&self, block: &'a BlockRef) -> &'a BlockRef {
        assert!(!self.origin.is_forked(), "a block is read in the process that received it");
        block
    }

    /// Where we say that a block of the peer's that begins at `granule` is released.
    pub fn slot(&self, granule: usize) -> &AtomicU32 {
        self.own.word32(self.places.own_release + granule * 4)
    }

    /// Gives a block of the peer's back.
    pub fn release(&self, block: &BlockRef) {
        if self.origin.is_forked() {
            return;
        }
        let wants_space = self.peer.head_word(WANTS_SPACE);
        if release::release(self.slot(block.slot()), block, wants_space, &self.space_rung) {
            self.bell.ring();
        }
    }
}

/// A block of the peer's arena that holds a message. Dropping it releases the block.
pub struct ReceivedBlock<E: End> {
    end: Arc<E>,
    block: BlockRef,
}

impl<E: End> ReceivedBlock<E> {
    /// Takes over a block that the peer has lent with a message.
    pub fn new(end: Arc<E>, block: BlockRef) -> Self {
        end.block_received();
        Self { end, block }
    }
}

impl<E: End> RemoteBytes for ReceivedBlock<E> {
    fn len(&self) -> usize {
        self.block.len()
    }

    fn copy_to(&self, offset: usize, out: &mut [u8]) {
        self.end.half().copy_block(&self.block, offset, out);
    }

    fn as_slice(&self) -> Option<&[u8]> {
        // SAFETY: the peer has lent the block with a message, and it is released when this value is
        // dropped, which the result borrows.
        unsafe { self.end.half().view_block(&self.block) }
    }
}

impl<E: End> Drop for ReceivedBlock<E> {
    fn drop(&mut self) {
        self.end.half().release(&self.block);
        self.end.block_released();
    }
}

impl<E: End> fmt::Debug for ReceivedBlock<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceivedBlock").field("block", &self.block).finish_non_exhaustive()
    }
}
