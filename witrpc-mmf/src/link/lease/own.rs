//! A lease on the side that writes it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64};

use witrpc_transport::Lent;

use crate::memory::arena::{ArenaId, Block, BlockRef, Released, next_generation};

use super::lending::{Disposition, Lending};
use super::{End, lending};

/// The rule that is broken by a release ahead of time.
const NOT_LENT: &str = "a release of a block that it was not lent";

/// A block of our arena that is being filled. Dropping it gives the block back.
pub struct LeaseWriter {
    end: Arc<dyn End>,
    /// Taken by `freeze` and drop only.
    block: Option<Block>,
}

/// A block of our arena that nobody writes to any more. When the last reference goes, the block goes
/// back to the arena, now or as soon as the peer has released it.
pub struct OwnLease {
    end: Arc<dyn End>,
    /// Taken by drop only.
    block: Option<Block>,
    lending: Lending,
}

/// A message's right to name a lease. Dropped without [`commit`](Self::commit), the lease is at
/// home again: the message has not been published.
pub struct Claim {
    lease: Arc<OwnLease>,
    generation: u32,
    /// The lease has been published.
    is_spent: AtomicBool,
}

impl LeaseWriter {
    pub(crate) fn new(end: Arc<dyn End>, block: Block) -> Self {
        Self { end, block: Some(block) }
    }

    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.block().len()
    }

    /// Whether it has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes, as they are so far. They begin at a multiple of 256. What has not been written
    /// holds what was in the block before, which the peer could always read.
    ///
    /// # Panics
    ///
    /// In a fork of the process that connected.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        assert_mapped(&*self.end);
        self.end.half().own.block(self.block())
    }

    /// The bytes, to be filled.
    ///
    /// # Panics
    ///
    /// In a fork of the process that connected.
    #[must_use]
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        assert_mapped(&*self.end);
        let block = self.block.as_mut().expect("there until it is frozen or dropped");
        self.end.half().own.block_mut(block)
    }

    /// Nobody writes to it any more.
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
    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.block().len()
    }

    /// Whether it has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes. They begin at a multiple of 256.
    ///
    /// # Panics
    ///
    /// In a fork of the process that connected.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        assert_mapped(&*self.end);
        self.end.half().own.block(self.block())
    }

    /// Claims the lease for one message of the connection that has this arena. `None` if it belongs
    /// to another, or another message has it: claimed, or not yet released by the peer.
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

    /// Whether the peer has released the block under this generation, and no later one.
    fn is_released(&self, generation: u32) -> bool {
        self.end.half().released().is_released(self.block().first_granule(), generation)
    }

    /// Has the slot fetched in which the peer releases the block.
    fn fetch_slot(&self) {
        if !self.end.half().origin.is_forked() {
            self.end.half().released().fetch(self.block().first_granule());
        }
    }

    /// Accuses a peer that has released the block under a generation that it was not lent under.
    fn check_release(&self) {
        let before = self.lending.place();
        let Disposition::Lent(generation) = before else { return };
        let last = self.end.half().released().last(self.block().first_granule());
        let is_honest = last == generation || next_generation(last) == generation;
        // Lent again meanwhile, it may have been released under the next generation.
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
        // Of a lent block too: the peer may have released it before it was waited for.
        self.end.space_returned();
    }
}

impl Claim {
    /// Returns what a message of this transport was lent.
    ///
    /// # Panics
    ///
    /// When another transport has lent it.
    pub(crate) fn of(lent: &Lent) -> &Self {
        lent.get().expect("a lease is sent over the transport that has lent it")
    }

    /// What the message says of the lease.
    pub(crate) fn reference(&self) -> BlockRef {
        self.lease.block().reference_as(self.generation)
    }

    /// The message has been published: the lease is the peer's until it is released.
    pub(crate) fn commit(&self) {
        self.lease.lending.publish(self.generation);
        self.is_spent.store(true, Relaxed);
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if *self.is_spent.get_mut() {
            // By now the message has been answered, mostly, and the lease released: its slot is looked
            // at when it is lent again, or its block is used for another.
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
