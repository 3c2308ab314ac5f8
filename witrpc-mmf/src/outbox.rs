//! The blocks of our own arena: reserving space and lending it to the peer.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::arena::{Arena, Block, Released};

/// The longest segment in bytes: long enough that a hand-over does not show beside the copy, short
/// enough that both copies of it stay in a core's cache.
const MAX_SEGMENT: usize = 256 << 10;

/// A writer's arena, shared by its threads.
#[derive(Debug)]
pub(crate) struct Outbox {
    arena: Mutex<Arena>,
    largest_block: usize,
    segment_len: usize,
}

impl Outbox {
    pub(crate) fn new(arena: Arena) -> Self {
        // Half of the arena at the most, so that a large message does not have to wait until all
        // the others are gone; a quarter for a segment, so that the next fits beside it.
        let largest_block = arena.len() / 2;
        let segment_len = (arena.len() / 4).min(MAX_SEGMENT);
        Self { arena: Mutex::new(arena), largest_block, segment_len }
    }

    /// The longest message that travels in one block, in bytes; longer ones go in segments.
    pub(crate) fn largest_block(&self) -> usize {
        self.largest_block
    }

    /// The length of a segment in bytes, but for the last.
    pub(crate) fn segment_len(&self) -> usize {
        self.segment_len
    }

    /// Reserves space, taking back what `released` says the peer has finished with.
    pub(crate) fn reserve(&self, len: usize, released: &impl Released) -> Option<Block> {
        self.lock().alloc_or_reclaim(len, released)
    }

    /// Lends a block to the peer; returns the words that describe it. To be called before they are
    /// published.
    pub(crate) fn lend(&self, block: Block) -> [u64; 2] {
        self.lock().lend(block).to_words()
    }

    fn lock(&self) -> MutexGuard<'_, Arena> {
        self.arena.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
