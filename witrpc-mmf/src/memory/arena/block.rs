//! A block of an arena: the writer's token for it, and its description on a line for the reader.

use super::{ArenaId, GRANULE_BYTES};

/// Space in an arena that only the writer holds: the exclusive token for its bytes.
///
/// It returns to its arena by [`Arena::free`](super::Arena::free), or goes to the peer by
/// [`Arena::lend`](super::Arena::lend).
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a dropped block is lost to its arena: free it or lend it"]
pub struct Block {
    arena: ArenaId,
    first_granule: u32,
    granules: u32,
    generation: u32,
    len: usize,
    purpose: Use,
}

/// The purpose of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// A message, or a part of one.
    Message,
    /// A lease, which counts against the limits of leases.
    Lease,
}

impl Block {
    /// Creates a block for a run that no other block overlaps.
    pub(crate) fn new(
        arena: ArenaId,
        first_granule: u32,
        granules: u32,
        generation: u32,
        len: usize,
        purpose: Use,
    ) -> Self {
        debug_assert!(len <= granules as usize * GRANULE_BYTES);
        Self { arena, first_granule, granules, generation, len, purpose }
    }

    /// Returns the arena that the block belongs to.
    #[must_use]
    pub fn arena(&self) -> ArenaId {
        self.arena
    }

    /// Returns where the block starts, in bytes from the start of the arena.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.first_granule as usize * GRANULE_BYTES
    }

    /// Returns the length in bytes, as it was asked for.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns whether 0 bytes were asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Shortens the block to its first `len` bytes: the bytes that were written into a block that was
    /// reserved by an upper bound. Does nothing if the block is not longer.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Returns the index of its slot in the release table.
    pub(crate) fn first_granule(&self) -> u32 {
        self.first_granule
    }

    pub(crate) fn granules(&self) -> u32 {
        self.granules
    }

    /// Returns the generation under which it is lent now, or will be lent next.
    pub(crate) fn generation(&self) -> u32 {
        self.generation
    }

    /// Sets the generation, after the block has been lent and released under those before.
    pub(crate) fn set_generation(&mut self, generation: u32) {
        self.generation = generation;
    }

    pub(crate) fn purpose(&self) -> Use {
        self.purpose
    }

    pub(crate) fn reference(&self) -> BlockRef {
        self.reference_as(self.generation)
    }

    /// Returns the description for a line when the block is lent under `generation`.
    pub(crate) fn reference_as(&self, generation: u32) -> BlockRef {
        BlockRef { granule: self.first_granule, generation, len: self.len as u64 }
    }
}

/// The description, on a line, of a block in the writer's arena.
///
/// A reader has it only after a check against the length of the peer's arena. Two words carry it: the
/// granule (low half) with the generation (high half), and the length in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockRef {
    granule: u32,
    generation: u32,
    len: u64,
}

impl BlockRef {
    /// Returns the words that carry it.
    #[must_use]
    pub fn to_words(self) -> [u64; 2] {
        [u64::from(self.granule) | u64::from(self.generation) << 32, self.len]
    }

    /// Reads it from a private copy of the line, for a block in an arena of `arena_len` bytes.
    ///
    /// # Errors
    ///
    /// [`BadBlock`] if it does not lie in the arena, or carries no generation.
    pub fn check(words: [u64; 2], arena_len: usize) -> Result<Self, BadBlock> {
        let [place, len] = words;
        let (granule, generation) = (place as u32, (place >> 32) as u32);
        let arena_len = arena_len as u64;
        let offset = u64::from(granule) * GRANULE_BYTES as u64;
        if offset >= arena_len || len > arena_len - offset {
            return Err(BadBlock::Outside { offset, len, arena_len });
        }
        if generation == 0 {
            return Err(BadBlock::NoGeneration { offset });
        }
        Ok(Self { granule, generation, len })
    }

    /// Returns where the block starts, in bytes from the start of the arena.
    #[must_use]
    pub fn offset(self) -> usize {
        self.granule as usize * GRANULE_BYTES
    }

    /// Returns the length in bytes.
    #[must_use]
    pub fn len(self) -> usize {
        self.len as usize
    }

    /// Returns whether the block has no bytes.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    /// Returns the first granule of the block, which is the index of its slot in the release table.
    #[must_use]
    pub fn slot(self) -> usize {
        self.granule as usize
    }

    /// Returns what the reader stores in the slot when it has finished.
    #[must_use]
    pub fn generation(self) -> u32 {
        self.generation
    }

    /// Returns the granules that the block takes: those that its bytes touch, and one if it has no
    /// bytes.
    #[must_use]
    pub fn granules(self) -> core::ops::Range<u32> {
        // The arena of the block has at most 2³¹ granules.
        self.granule..self.granule + self.len().div_ceil(GRANULE_BYTES).max(1) as u32
    }

    /// Shortens the block to its first `len` bytes, for its reader.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len as u64);
    }
}

/// A line names a block that cannot exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadBlock {
    /// The block does not lie in the arena.
    #[error(
        "the peer named a block of {len} bytes at {offset} in an arena of {arena_len} bytes; \
         end the connection, since the peer does not keep to the layout"
    )]
    Outside {
        /// Where the block starts, as the peer said, in bytes from the start of the arena.
        offset: u64,
        /// Its length in bytes, as the peer said.
        len: u64,
        /// Length of the arena in bytes.
        arena_len: u64,
    },
    /// The block carries generation 0, which no block has.
    #[error(
        "the peer named a block at {offset} without a generation; \
         end the connection, since the peer does not keep to the layout"
    )]
    NoGeneration {
        /// Where the block starts, as the peer said, in bytes from the start of the arena.
        offset: u64,
    },
}
