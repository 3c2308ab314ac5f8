//! The arena of a region: blocks for what is too big to stand inline in a line.
//!
//! An arena belongs to the side that writes the region. All of its state is private memory of that
//! side: nothing that the peer can write, or even read, decides which bytes are given out, and there
//! is no `unsafe` here. Memory is counted in granules of [`GRANULE_BYTES`].
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
//! A lent block comes back only by [`Arena::reclaim`], when the peer has stored the block's
//! generation in the block's slot of the release table (see [`crate::link::release`]).
//!
//! # Invariants
//!
//! 0. Blocks that exist, those that are lent included, never overlap.
//!    [`OwnMemory::block_mut`](super::copy::OwnMemory::block_mut) relies on it for soundness.
//! 1. A [`Block`] is made by `alloc` only, is not `Clone`, and names its arena by an [`ArenaId`] that
//!    no other arena of this process has.
//! 2. The generation of a block differs from all that an honest peer can have left in its slot. A
//!    slot's generation moves on when a block that starts there has been released, and only then,
//!    so it is always one ahead of what the peer has stored: generations may wrap as often as they
//!    like. 0 is skipped, since untouched slots hold it. (A lease may be lent again before it comes
//!    back to the arena, each time under the next generation: [`crate::link::lease`].)
//! 3. A peer that stores what it should not gets blocks of its own connection reused under its
//!    hands. It harms nobody else.

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

/// Bytes of a granule, in which an arena is counted. Blocks start at a multiple of it.
pub const GRANULE_BYTES: usize = 256;

/// The longest arena in granules (2³¹ − 1 of them are 512 GiB).
pub const MAX_GRANULES: u32 = runs::MAX_GRANULES;

/// Lent blocks of up to so much space together, 16 KiB, are not looked at as long as there is other
/// space. A look takes the cache line of a slot away from the peer, which writes it at each release:
/// small blocks that come back sixteen to a line cost a sixteenth of that.
const LINGERING_GRANULES: u32 = 64;

/// After so many blocks that the peer still holds, the others are likely to be held too.
const LOOKS_IN_VAIN: usize = 4;

/// Tells whether the peer has released a block: the release table, seen from the writer's side.
pub trait Released {
    /// Whether the slot of the block that starts at `granule` carries `generation`. If so, all that
    /// the peer read from the block was read before.
    fn is_released(&self, granule: u32, generation: u32) -> bool;
}

/// Which arena of this process a block belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArenaId(u64);

/// The writer's allocator of one region: see the [module](self).
pub struct Arena {
    id: ArenaId,
    granules: u32,
    runs: Runs,
    /// For each granule the generation last reclaimed of a block that started there, 0 for none.
    reclaimed_generations: Vec<u32>,
    outstanding: Outstanding,
    leases: Leases,
}

/// The blocks of an arena that are leases, wherever they are: in their writer's hands or lent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leases {
    /// How many there are.
    pub count: usize,
    /// Bytes that they take, in whole granules.
    pub bytes: usize,
}

impl Arena {
    /// An arena of `len` bytes, all free.
    ///
    /// It keeps 16 bytes of private memory a granule, of which the kernel provides what is touched.
    ///
    /// # Panics
    ///
    /// If `len` is not a positive multiple of [`GRANULE_BYTES`], or above [`MAX_GRANULES`].
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

    /// Which arena this is.
    #[must_use]
    pub fn id(&self) -> ArenaId {
        self.id
    }

    /// Length of the arena in bytes, free or not: the longest block that there can ever be.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "an arena is never empty")]
    pub fn len(&self) -> usize {
        self.granules as usize * GRANULE_BYTES
    }

    /// Bytes that are in no block, wherever they lie.
    #[must_use]
    pub fn free_bytes(&self) -> usize {
        self.runs.free_granules() as usize * GRANULE_BYTES
    }

    /// Number of blocks that were lent and not reclaimed.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        self.outstanding.len()
    }

    /// The leases that have not come back.
    #[must_use]
    pub fn leases(&self) -> Leases {
        self.leases
    }

    /// A length in bytes that [`alloc`](Self::alloc) can provide now, without reclaiming: the
    /// longest free run, or up to an eighth less when several of about that length are free.
    #[must_use]
    pub fn largest_possible(&self) -> usize {
        self.runs.largest() as usize * GRANULE_BYTES
    }

    /// The longest length up to `len` bytes that [`alloc`](Self::alloc) provides whenever there is a
    /// free run as long: at others it may overlook one. A granule at least.
    #[must_use]
    pub fn never_overlooked(len: usize) -> usize {
        let granules = u32::try_from(len / GRANULE_BYTES).unwrap_or(u32::MAX);
        classes::shortest_of_class(granules.max(1)) as usize * GRANULE_BYTES
    }

    /// Takes a block of `len` bytes, in constant time. A block of 0 bytes takes a granule too.
    ///
    /// `None` if no free run is long enough. The block is to be given to [`free`](Self::free) or
    /// [`lend`](Self::lend); dropped otherwise, its space is lost to the arena.
    pub fn alloc(&mut self, len: usize) -> Option<Block> {
        self.alloc_as(Use::Message, len)
    }

    /// As [`alloc`](Self::alloc), for a block that counts among the [`leases`](Self::leases).
    pub fn alloc_lease(&mut self, len: usize) -> Option<Block> {
        let block = self.alloc_as(Use::Lease, len)?;
        self.leases.count += 1;
        self.leases.bytes += block.granules() as usize * GRANULE_BYTES;
        Some(block)
    }

    fn alloc_as(&mut self, purpose: Use, len: usize) -> Option<Block> {
        let granules = u32::try_from(len.div_ceil(GRANULE_BYTES).max(1)).ok()?;
        let first = self.runs.take(granules)?;
        let generation = next_generation(self.reclaimed_generations[first as usize]);
        Some(Block::new(self.id, first, granules, generation, len, purpose))
    }

    /// Does what `find` does, reclaiming what the peer has released: some of it when more is lent than
    /// may linger; all of it, and `find` once more, when it finds no space otherwise.
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

    /// Takes back a block whose generation the peer was never told of.
    ///
    /// # Panics
    ///
    /// If the block is of another arena.
    pub fn free(&mut self, block: Block) {
        assert!(block.arena() == self.id, "the block belongs to another arena");
        self.give_back(&block, previous_generation(block.generation()));
    }

    /// Frees a block of which the peer has stored `released` last.
    fn give_back(&mut self, block: &Block, released: u32) {
        self.reclaimed_generations[block.first_granule() as usize] = released;
        if block.purpose() == Use::Lease {
            self.leases.count -= 1;
            self.leases.bytes -= block.granules() as usize * GRANULE_BYTES;
        }
        self.runs.give_back(block.first_granule(), block.granules());
    }

    /// Records a block as lent to the peer, and says what to write to the line for it.
    ///
    /// To be called before the line is published: the peer may release the block at once.
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

    /// Looks at up to `looks` lent blocks, those first that have not been looked at for longest;
    /// stops when the peer is seen to hold several of them.
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

    /// Looks at one lent block; `true` if it has come back.
    fn reclaim_next(&mut self, released: &impl Released) -> bool {
        let Some(block) = self.outstanding.next_released(released) else { return false };
        self.give_back(&block, block.generation());
        true
    }
}

/// The generation after `generation`, skipping 0.
pub(crate) fn next_generation(generation: u32) -> u32 {
    generation.checked_add(1).unwrap_or(1)
}

/// A generation that [`next_generation`] follows.
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
