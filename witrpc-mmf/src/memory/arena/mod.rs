//! The arena of a region: blocks for messages that are too long for a line.
//!
//! An arena belongs to the side that writes the region. All of its state is private memory of that
//! side: nothing that the peer can write, or even read, decides which bytes are given out. There is no
//! `unsafe` here. Memory is counted in granules of [`GRANULE_BYTES`].
//!
//! # The life of a block
//!
//! ```text
//! alloc ── Block ── filled in place ── lend ── BlockRef, on the line ──▶ peer reads, releases
//!   ▲        │                          │                                        │
//!   │        └─ free (never lent)       └─ Outstanding ◀── reclaim looks ── release table
//!   └─────────────────┴─────────────────────┘
//! ```
//!
//! A lent block comes back only by [`Arena::reclaim`], after the peer has stored the block's generation
//! in the block's slot of the release table (see [`crate::link::release`]).
//!
//! # Invariants
//!
//! 0. Existing blocks, including lent ones, never overlap.
//!    [`OwnMemory::block_mut`](super::copy::OwnMemory::block_mut) relies on this for soundness.
//! 1. A [`Block`] is made only by `alloc` and `reuse`, is not `Clone`, and names its arena by an [`ArenaId`] that
//!    no other arena of this process has.
//! 2. The generation of a block differs from everything that an honest peer can have left in its slot.
//!    A slot's generation advances only when a block that starts there has been released, so it is
//!    always one ahead of what the peer has stored. So generations may wrap any number of times. 0 is
//!    skipped, because untouched slots hold it. (A lease may be lent again before it comes back to the
//!    arena, each time under the next generation: [`crate::link::lease`].)
//! 3. A peer that stores a wrong value causes blocks of its own connection to be reused while it reads
//!    them. It harms no other connection.

mod block;
mod classes;
mod outstanding;
mod runs;

#[cfg(test)]
mod tests;

use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};

use block::Use;
use outstanding::Outstanding;
use runs::Runs;

pub use block::{BadBlock, Block, BlockRef};

/// The length of a granule, the unit of an arena, in bytes. Blocks start at a multiple of it.
pub const GRANULE_BYTES: usize = 256;

/// The longest arena in granules (2³¹ − 1 granules are 512 GiB).
pub const MAX_GRANULES: u32 = runs::MAX_GRANULES;

/// How many granules of lent blocks, 16 KiB together, are not checked while there is other space. A
/// check takes the cache line of a slot away from the peer, which writes that line at each release.
/// Small blocks that come back sixteen to a line cost a sixteenth of that.
const LINGERING_GRANULES: u32 = 64;

/// After this many blocks that the peer still holds, the others are likely to be held too.
const LOOKS_IN_VAIN: usize = 4;

/// The release table, as the writer sees it: it tells whether the peer has released a block.
pub trait Released {
    /// Returns whether the slot of the block that starts at `granule` carries `generation`. If so,
    /// everything that the peer read from the block was read before.
    fn is_released(&self, granule: u32, generation: u32) -> bool;
}

/// The identity of an arena, unique within this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArenaId(u64);

/// The writer's allocator for one region: see the [module](self).
pub struct Arena {
    id: ArenaId,
    granules: u32,
    runs: Runs,
    /// For each granule, the generation last reclaimed of a block that started there; 0 for none.
    reclaimed_generations: Vec<u32>,
    outstanding: Outstanding,
    leases: Leases,
}

/// The leases of an arena: the blocks that their writer holds, and those that are lent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leases {
    /// How many there are.
    pub count: usize,
    /// How many bytes they take, in whole granules.
    pub bytes: usize,
}

impl Arena {
    /// Creates an arena of `len` bytes, all free.
    ///
    /// It takes 16 bytes of private memory for each granule. The kernel provides only the pages that
    /// are touched.
    ///
    /// # Panics
    ///
    /// Panics if `len` is not a positive multiple of [`GRANULE_BYTES`], or above [`MAX_GRANULES`]
    /// granules.
    #[must_use]
    pub fn new(len: usize) -> Self {
        static NEXT_ID: AtomicU64 = AtomicU64::new(0);

        let granules = u32::try_from(len / GRANULE_BYTES).unwrap_or(u32::MAX);
        assert!(
            len.is_multiple_of(GRANULE_BYTES) && (1..=MAX_GRANULES).contains(&granules),
            "an arena of {len} bytes is not made of 1 to {MAX_GRANULES} granules of 256 bytes"
        );
        Self {
            id: ArenaId(NEXT_ID.fetch_add(1, Ordering::Relaxed)),
            granules,
            runs: Runs::new(granules),
            reclaimed_generations: vec![0; granules as usize],
            outstanding: Outstanding::default(),
            leases: Leases::default(),
        }
    }

    /// Returns the identity of this arena.
    #[must_use]
    pub fn id(&self) -> ArenaId {
        self.id
    }

    /// Returns the length of the arena in bytes, free or not: the longest block that there can ever be.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "an arena is never empty")]
    pub fn len(&self) -> usize {
        self.granules as usize * GRANULE_BYTES
    }

    /// Returns the bytes that are in no block, wherever they are.
    #[must_use]
    pub fn free_bytes(&self) -> usize {
        self.runs.free_granules() as usize * GRANULE_BYTES
    }

    /// Returns the number of blocks that were lent and not reclaimed.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        self.outstanding.len()
    }

    /// Returns the leases that have not come back.
    #[must_use]
    pub fn leases(&self) -> Leases {
        self.leases
    }

    /// Returns a length in bytes that [`alloc`](Self::alloc) can provide now, without reclaiming: the
    /// longest free run, or up to an eighth less if several of about that length are free.
    #[must_use]
    pub fn largest_possible(&self) -> usize {
        self.runs.largest() as usize * GRANULE_BYTES
    }

    /// Returns the longest length, up to `len` bytes and at least a granule, that
    /// [`alloc`](Self::alloc) provides whenever a free run has that length. At other lengths, it may
    /// overlook a run.
    #[must_use]
    pub fn never_overlooked(len: usize) -> usize {
        let granules = u32::try_from(len / GRANULE_BYTES).unwrap_or(u32::MAX);
        classes::shortest_of_class(granules.max(1)) as usize * GRANULE_BYTES
    }

    /// Takes a block of `len` bytes, in constant time. A block of 0 bytes takes a granule too.
    ///
    /// Returns `None` if no free run is long enough. The caller must pass the block to
    /// [`free`](Self::free) or [`lend`](Self::lend). If it drops the block, the space is lost to the
    /// arena.
    pub fn alloc(&mut self, len: usize) -> Option<Block> {
        self.alloc_as(Use::Message, len)
    }

    /// Takes a block as [`alloc`](Self::alloc) does, which counts among the [`leases`](Self::leases).
    pub fn alloc_lease(&mut self, len: usize) -> Option<Block> {
        let block = self.alloc_as(Use::Lease, len)?;
        self.leases.count += 1;
        self.leases.bytes += block.granules() as usize * GRANULE_BYTES;
        Some(block)
    }

    /// Takes the lent block that was not checked for longest, if the peer has released it. The block must
    /// have as many granules as one of `len` bytes, and more must be lent than may linger. This is what
    /// most messages of one length after the other get. It saves joining the block to its neighbours, and
    /// parting it from them again.
    pub fn reuse(&mut self, len: usize, released: &impl Released) -> Option<Block> {
        self.reuse_as(Use::Message, len, released)
    }

    /// Takes a lease as [`reuse`](Self::reuse) does, in place of one that has come back.
    pub fn reuse_lease(&mut self, len: usize, released: &impl Released) -> Option<Block> {
        self.reuse_as(Use::Lease, len, released)
    }

    fn reuse_as(&mut self, purpose: Use, len: usize, released: &impl Released) -> Option<Block> {
        if self.outstanding.granules() <= LINGERING_GRANULES {
            return None;
        }
        let granules = granules_of(len)?;
        let fits = |block: &Block| block.granules() == granules && block.purpose() == purpose;
        let block = self.outstanding.next_released_if(fits, released)?;
        let (first, last) = (block.first_granule(), block.generation());
        // As if it had been given back and taken again.
        self.reclaimed_generations[first as usize] = last;
        Some(Block::new(self.id, first, granules, next_generation(last), len, purpose))
    }

    fn alloc_as(&mut self, purpose: Use, len: usize) -> Option<Block> {
        let granules = granules_of(len)?;
        let first = self.runs.take(granules)?;
        let generation = next_generation(self.reclaimed_generations[first as usize]);
        Some(Block::new(self.id, first, granules, generation, len, purpose))
    }

    /// Runs `find`, and reclaims what the peer has released. It reclaims some blocks first if more is
    /// lent than may linger. If `find` finds no space, it reclaims everything and runs `find` once
    /// more.
    pub fn find_or_reclaim<T>(
        &mut self,
        released: &impl Released,
        mut find: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<T> {
        if self.outstanding.granules() > LINGERING_GRANULES {
            self.reclaim_some(LINGERING_GRANULES as usize, released);
        }
        if let Some(found) = find(self) {
            return Some(found);
        }
        if self.reclaim(released) == 0 {
            return None;
        }
        find(self)
    }

    /// Takes back a block whose generation the peer never learned.
    ///
    /// # Panics
    ///
    /// If the block is of another arena.
    pub fn free(&mut self, block: Block) {
        assert!(block.arena() == self.id, "the block belongs to another arena");
        self.give_back(&block, previous_generation(block.generation()));
    }

    /// Frees a block for which the peer has last stored `released`.
    fn give_back(&mut self, block: &Block, released: u32) {
        self.reclaimed_generations[block.first_granule() as usize] = released;
        if block.purpose() == Use::Lease {
            self.leases.count -= 1;
            self.leases.bytes -= block.granules() as usize * GRANULE_BYTES;
        }
        self.runs.give_back(block.first_granule(), block.granules());
    }

    /// Records a block as lent to the peer, and returns its description for the line.
    ///
    /// Must be called before the line is published: the peer may release the block at once.
    ///
    /// # Panics
    ///
    /// If the block is of another arena.
    pub fn lend(&mut self, block: Block) -> BlockRef {
        assert!(block.arena() == self.id, "the block belongs to another arena");
        let reference = block.reference();
        self.outstanding.push(block);
        reference
    }

    /// Takes back every lent block that the peer has released, and returns how many there were.
    pub fn reclaim(&mut self, released: &impl Released) -> usize {
        (0..self.outstanding.len()).filter(|_| self.reclaim_next(released)).count()
    }

    /// Checks up to `looks` lent blocks, those that have not been checked for longest first. Stops when
    /// it has seen that the peer holds several of them.
    fn reclaim_some(&mut self, looks: usize, released: &impl Released) {
        let mut held = 0;
        for _ in 0..looks.min(self.outstanding.len()) {
            if !self.reclaim_next(released) {
                held += 1;
                if held == LOOKS_IN_VAIN {
                    return;
                }
            }
        }
    }

    /// Checks one lent block. Returns whether it has come back.
    fn reclaim_next(&mut self, released: &impl Released) -> bool {
        let Some(block) = self.outstanding.next_released(released) else { return false };
        self.give_back(&block, block.generation());
        true
    }
}

/// Returns how many granules a block of `len` bytes takes; `None` for more than there can be.
fn granules_of(len: usize) -> Option<u32> {
    u32::try_from(len.div_ceil(GRANULE_BYTES).max(1)).ok()
}

/// Returns the generation after `generation`, skipping 0.
pub(crate) fn next_generation(generation: u32) -> u32 {
    generation.checked_add(1).unwrap_or(1)
}

/// Returns a generation whose [`next_generation`] is `generation`.
fn previous_generation(generation: u32) -> u32 {
    generation - 1
}

impl fmt::Debug for Arena {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arena")
            .field("id", &self.id)
            .field("len", &self.len())
            .field("free_bytes", &self.free_bytes())
            .field("outstanding", &self.outstanding())
            .finish_non_exhaustive()
    }
}
