//! One end of a connection: its own region, which it writes, and its view of the peer's region.
//!
//! The client and the server differ in which parts of the regions are theirs, in what they wait for
//! and in what they publish. What both do with blocks is here, in [`sender`](super::sender), in
//! [`receiver`](super::receiver) and in [`lease`](super::lease).

use core::fmt;
use core::sync::atomic::AtomicU32;
use std::sync::Arc;

use witrpc_transport::{ChannelError, RemoteBytes, TrustedPeer};

use crate::memory::arena::BlockRef;
use crate::memory::copy::{OwnMemory, PeerMemory};
use crate::memory::layout::{Layout, WANTS_SPACE};
use crate::memory::send_arena::SendArena;
use crate::memory::words::Mapped;
use crate::sys::doorbell::Doorbell;
use crate::sys::fork::Origin;
use crate::wakeup::epoch::WakeRequest;

use super::lease::{End, HeldLeases};
use super::message_codec::{BlockSource, MessageCodec};
use super::release;
use super::release::ReleaseTable;

/// The state that both ends of a connection have.
pub struct Half {
    pub own: OwnMemory,
    pub peer: PeerMemory,
    pub layout: Layout,
    pub places: Places,
    /// The blocks of this side's arena: free ones, and those that the peer has not released yet.
    pub send_arena: SendArena,
    pub codec: MessageCodec,
    pub max_message_len: usize,
    /// The peer's leases that this process holds.
    pub leases_held: HeldLeases,
    /// Set if a user promised that the peer does not change what it has sent, so that it may be
    /// read in place.
    pub trusted: Option<TrustedPeer>,
    /// This side's end of the doorbell, to ring the peer.
    pub doorbell: Doorbell,
    /// Whether the peer has been rung for its latest request for space.
    pub space_wake_request: WakeRequest<Mapped>,
    pub origin: Origin,
}

/// Where in the two regions the lines and the buffers of the lanes, the arena of the peer and the
/// release tables start, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Places {
    /// Where the lines begin that this side writes, in its own region.
    pub own_lanes: usize,
    /// Where the lines begin that the peer writes, in its region.
    pub peer_lanes: usize,
    /// Where the lanes' buffers begin that this side writes, in its own region.
    pub own_buffers: usize,
    /// Where the lanes' buffers begin that the peer writes, in its region.
    pub peer_buffers: usize,
    /// Where the peer's arena begins, in its region.
    pub peer_arena: usize,
    /// The table in which this side releases the peer's blocks, in this side's region.
    pub own_release: usize,
    /// The table in which the peer releases this side's blocks, in the peer's region.
    pub peer_release: usize,
}

impl Half {
    /// Returns the table of the blocks of this side's arena that the peer has released.
    pub fn released(&self) -> ReleaseTable<'_, Mapped> {
        let slots = self.peer.words32(self.places.peer_release, self.layout.granules());
        ReleaseTable { slots }
    }

    /// Refuses leases that there can never be, however much space is released.
    pub fn check_leases(&self, lens: &[usize]) -> Result<(), ChannelError> {
        self.codec.check_leasable()?;
        self.send_arena.check_leases(lens)
    }

    /// Returns how many bytes of a message fit in a lane's buffer; 0 if there are no buffers, or messages
    /// are sealed.
    #[inline]
    pub fn longest_buffered(&self) -> usize {
        let longest = self.layout.buffer_len().min(self.max_message_len);
        if self.codec.is_plain() { longest } else { 0 }
    }

    /// Returns where the peer's blocks are.
    pub fn source(&self) -> BlockSource<'_> {
        BlockSource { peer: &self.peer, arena: self.places.peer_arena }
    }

    pub fn copy_block(&self, block: &BlockRef, offset: usize, out: &mut [u8]) {
        assert!(offset <= block.len() && out.len() <= block.len() - offset, "beyond the block");
        self.source().copy(self.received(block), offset, out);
    }

    /// Returns the bytes of a peer's block in place, if the peer is trusted.
    ///
    /// # Safety
    ///
    /// The peer has lent the block, and the block is not released while the result exists.
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

    /// Returns the slot in which this side releases a peer's block that begins at `granule`.
    pub fn slot(&self, granule: usize) -> &AtomicU32 {
        self.own.word32(self.places.own_release + granule * 4)
    }

    /// Releases a peer's block, and rings if the peer waits for space. Does nothing in a forked
    /// child.
    pub fn release(&self, block: &BlockRef) {
        if self.origin.is_forked() {
            return;
        }
        let wants_space = self.peer.head_word(WANTS_SPACE);
        if release::release(self.slot(block.slot()), block, wants_space, &self.space_wake_request) {
            self.doorbell.ring();
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
