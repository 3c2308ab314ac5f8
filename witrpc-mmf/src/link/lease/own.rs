//! A lease on the side that writes it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64};

use witrpc_transport::Lent;

use crate::memory::arena::{ArenaId, Block, BlockRef, Released, next_generation};

use super::lending::{Disposition, Lending};
use super::{End, lending};

/// The rule that a peer breaks by a release ahead of time.
const NOT_LENT: &str = "a release of a block that it was not lent";

/// A block of this side's arena that is being filled. Dropping it gives the block back.
pub struct LeaseWriter {
    end: Arc<dyn End>,
    /// Taken only by `freeze` and by drop.
    block: Option<Block>,
}

/// A block of this side's arena that is no longer written. When the last reference is dropped, the
/// block goes back to the arena, at once or as soon as the peer has released it.
pub struct OwnLease {
    end: Arc<dyn End>,
    /// Taken only by drop.
    block: Option<Block>,
    lending: Lending,
}

/// The right of one message to name a lease. Dropping it without [`commit`](Self::commit) returns
/// the lease: the message has not been published.
pub struct Claim {
    lease: Arc<OwnLease>,
    generation: u32,
    /// Whether the message has been published.
    is_spent: AtomicBool,
}

impl LeaseWriter {
    pub(crate) fn new(end: Arc<dyn End>, block: Block) -> Self {
        Self { end, block: Some(block) }
    }

    /// Returns the length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.block().len()
    }

    /// Returns whether the length is 0.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the bytes. They begin at a multiple of 256. Bytes that were not written yet are
    /// those of the block's last user, which the peer could read before.
    ///
    /// # Panics
    ///
    /// Panics in a fork of the process that connected.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        assert_mapped(&*self.end);
        self.end.half().own.block(self.block())
    }

    /// Returns the bytes, to be filled.
    ///
    /// # Panics
    ///
    /// Panics in a fork of the process that connected.
    #[must_use]
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        assert_mapped(&*self.end);
        let block = self.block.as_mut().expect("there until it is frozen or dropped");
        self.end.half().own.block_mut(block)
    }

    /// Ends the writing and returns the lease.
    #[must_use]
    pub fn freeze(mut self) -> OwnLease {
        let block = self.block.take().expect("there until it is frozen or dropped");
        let lending = Lending::new(AtomicU64::new(lending::home(block.generation())));
        OwnLease { end: Arc::clone(&self.end), block: Some(block), lending }
    }

    fn block(&self) -> &Block {
        self.block.as_ref().expect("there until it is frozen or dropped")
    }
}

impl Drop for LeaseWriter {
    fn drop(&mut self) {
        let Some(block) = self.block.take() else { return };
        if self.end.half().origin.is_forked() {
            return;
        }
        self.end.half().send_arena.free(block);
        self.end.space_returned();
    }
}

impl OwnLease {
    /// Returns the length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.block().len()
    }

    /// Returns whether the length is 0.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the bytes. They begin at a multiple of 256.
    ///
    /// # Panics
    ///
    /// Panics in a fork of the process that connected.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        assert_mapped(&*self.end);
        self.end.half().own.block(self.block())
    }

    /// Claims the lease for one message of the connection with this arena. Returns `None` if the
    /// lease belongs to another connection, or another message has it: claimed, or not yet released
    /// by the peer.
    pub(crate) fn claim(self: Arc<Self>, arena: ArenaId) -> Option<Claim> {
        let block = self.block();
        if block.arena() != arena || self.end.half().origin.is_forked() {
            return None;
        }
        let Some(generation) = self.lending.claim(|generation| self.is_released(generation)) else {
            self.check_release();
            return None;
        };
        let claim = Claim { lease: self, generation, is_spent: AtomicBool::new(false) };
        if claim.lease.is_released(generation) {
            claim.lease.end.accuse(NOT_LENT);
            return None;
        }
        Some(claim)
    }

    /// Returns whether the last release of the block by the peer was under this generation.
    fn is_released(&self, generation: u32) -> bool {
        self.end.half().released().is_released(self.block().first_granule(), generation)
    }

    /// Prefetches the slot in which the peer releases the block.
    fn fetch_slot(&self) {
        if !self.end.half().origin.is_forked() {
            self.end.half().released().fetch(self.block().first_granule());
        }
    }

    /// Ends the connection if the peer has released the block under a generation under which it was
    /// not lent.
    fn check_release(&self) {
        let before = self.lending.place();
        let Disposition::Lent(generation) = before else { return };
        let last = self.end.half().released().last(self.block().first_granule());
        let is_honest = last == generation || next_generation(last) == generation;
        // If it was lent again meanwhile, the peer may have released it under the next generation.
        if !is_honest && self.lending.place() == before {
            self.end.accuse(NOT_LENT);
        }
    }

    fn block(&self) -> &Block {
        self.block.as_ref().expect("there until it is dropped")
    }
}

impl Drop for OwnLease {
    fn drop(&mut self) {
        if self.end.half().origin.is_forked() {
            return;
        }
        let Some(mut block) = self.block.take() else { return };
        match self.lending.place() {
            Disposition::Home(generation) => {
                block.set_generation(generation);
                self.end.half().send_arena.free(block);
            }
            Disposition::Lent(generation) => {
                block.set_generation(generation);
                self.end.half().send_arena.await_release(block);
            }
        }
        // For a lent block too: the peer may have released it before the arena awaited that.
        self.end.space_returned();
    }
}

impl Claim {
    /// Returns the claim behind a lease that is lent with a message.
    ///
    /// # Panics
    ///
    /// Panics if another transport has lent it.
    pub(crate) fn of(lent: &Lent) -> &Self {
        lent.get().expect("a lease is sent over the transport that has lent it")
    }

    /// Returns the description of the lease for the message.
    pub(crate) fn reference(&self) -> BlockRef {
        self.lease.block().reference_as(self.generation)
    }

    /// Records that the message has been published: the peer has the lease until it releases it.
    pub(crate) fn commit(&self) {
        self.lease.lending.publish(self.generation);
        self.is_spent.store(true, Relaxed);
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if *self.is_spent.get_mut() {
            // By now the message has usually been answered and the lease released. Its slot is read
            // when it is lent again, or when its block is reclaimed.
            self.lease.fetch_slot();
        } else {
            self.lease.lending.retract(self.generation);
        }
    }
}

fn assert_mapped(end: &dyn End) {
    assert!(
        !end.half().origin.is_forked(),
        "a lease belongs to the process that connected, not to its forks"
    );
}

impl fmt::Debug for LeaseWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeaseWriter").field("block", &self.block).finish_non_exhaustive()
    }
}

impl fmt::Debug for OwnLease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnLease")
            .field("block", &self.block)
            .field("lending", &self.lending)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim")
            .field("lease", &self.lease)
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}
