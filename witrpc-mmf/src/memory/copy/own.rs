//! This side's region: words that its threads share, then an arena of blocks that are written in
//! place.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::memory::arena::{Arena, ArenaId, Block, GRANULE_BYTES};
use crate::memory::layout::{HEAD_LINES, LINE, LINE_WORDS};

use super::mapping::{Lines, Mapping};
use super::{BadMapping, Pages, WORD_BYTES, lines};

/// The region that this process created, which only this process may write.
///
/// What is in front of the arena is words, accessed only as atomics. The arena is blocks, accessed
/// only by `&mut [u8]` and `&[u8]` through the [`Block`] that the arena gave out. So the two kinds
/// of reference never overlap. Dropping it unmaps the region.
#[derive(Debug)]
pub struct OwnMemory {
    mapping: Mapping,
    /// The lines at the start of the region.
    head: Lines,
    /// The lines of the lanes, in front of the arena like the head. Empty until
    /// [`with_lanes`](Self::with_lanes).
    lanes: Lines,
    /// Where the arena starts and the words end, in bytes.
    arena_start: usize,
    /// The arena whose blocks are here. Its length was checked to fit.
    arena: ArenaId,
}

impl OwnMemory {
    /// Takes over a writable mapping, of which the first `len` bytes are used. The blocks of
    /// `arena` begin at `arena_start`.
    ///
    /// # Errors
    ///
    /// [`BadMapping`] if there are no `len` bytes of whole words, they are not aligned, or the
    /// arena is not in them at a multiple of 256.
    ///
    /// # Safety
    ///
    /// As long as the mapping exists,
    ///
    /// - all of it can be read and written (the file under it is sealed against shrinking, and no
    ///   code changes the protection of the pages or unmaps them);
    /// - no other process writes to it (the file is sealed against writes through any other
    ///   descriptor or mapping);
    /// - this process accesses it only through the value returned;
    /// - each byte in front of the arena is accessed as a part of a 32-bit word only, or of a
    ///   64-bit word only.
    pub unsafe fn new(
        pages: impl Pages,
        len: usize,
        arena_start: usize,
        arena: &Arena,
    ) -> Result<Self, BadMapping> {
        // SAFETY: readable for as long as it exists, by this function's own contract.
        let mapping = unsafe { Mapping::new(Box::new(pages), len) }?;
        let arena_len = arena.len();
        let fits = arena_start.checked_add(arena_len).is_some_and(|end| end <= len);
        if !fits || !arena_start.is_multiple_of(GRANULE_BYTES) {
            return Err(BadMapping::BadArena { offset: arena_start, arena_len, len });
        }
        let head = mapping.lines(0, HEAD_LINES.min(arena_start / LINE));
        let lanes = mapping.lines(0, 0);
        Ok(Self { mapping, head, lanes, arena_start, arena: arena.id() })
    }

    /// Sets where the lines of the lanes are: `count` lines from `offset` on, in bytes.
    ///
    /// # Panics
    ///
    /// Panics if not all of them are in front of the arena, each at a multiple of its length.
    #[must_use]
    pub fn with_lanes(mut self, offset: usize, count: usize) -> Self {
        self.check_in_front_of_arena(offset, count, LINE);
        self.lanes = self.mapping.lines(offset, count);
        self
    }

    /// Returns the line of a lane.
    ///
    /// # Panics
    ///
    /// Panics if there is no such lane.
    #[inline]
    #[must_use]
    pub fn line(&self, lane: usize) -> &[AtomicU64; LINE_WORDS] {
        // SAFETY: the lines are this mapping's. Exclusive references are made to blocks only, which
        // are behind `arena_start`.
        unsafe { self.mapping.line(self.lanes, lane) }
    }

    /// Returns the 64-bit word at `offset`, in bytes, in the lines at the start of the region.
    ///
    /// # Panics
    ///
    /// Panics if `offset` is behind these lines.
    #[inline]
    #[must_use]
    pub fn head_word(&self, offset: usize) -> &AtomicU64 {
        // SAFETY: as in `line`.
        let line: &[_; LINE_WORDS] = unsafe { self.mapping.line(self.head, offset / LINE) };
        &line[offset % LINE / WORD_BYTES]
    }

    /// Returns the bytes of a block, to be filled in place. They are what the block's last user
    /// left.
    ///
    /// The reference is exclusive because `block` is: an [`Arena`] never gives out overlapping
    /// blocks, a block cannot be copied, and no two arenas have the same [`ArenaId`].
    ///
    /// # Panics
    ///
    /// Panics if the block is of another arena than the one this memory was created with.
    #[inline]
    #[must_use]
    pub fn block_mut<'a>(&'a self, block: &'a mut Block) -> &'a mut [u8] {
        assert!(block.arena() == self.arena, "the block belongs to the arena of another region");
        // SAFETY: the mapping can be written, and by no other process, by `new`'s contract. Nothing
        // else in this process refers to the range: words end at `arena_start`, and live blocks of
        // one arena do not overlap. This block is borrowed exclusively.
        unsafe { self.mapping.bytes_mut(self.arena_start + block.offset(), block.len()) }
    }

    /// Returns the bytes of a block, to be read in place.
    ///
    /// They do not change meanwhile, because writing takes the block exclusively.
    ///
    /// # Panics
    ///
    /// Panics if the block is of another arena than the one this memory was created with.
    #[inline]
    #[must_use]
    pub fn block<'a>(&'a self, block: &'a Block) -> &'a [u8] {
        assert!(block.arena() == self.arena, "the block belongs to the arena of another region");
        // SAFETY: no other process writes, by `new`'s contract. In this process only `block_mut`
        // does, to a block that is borrowed exclusively, and no such block overlaps this one.
        unsafe { self.mapping.bytes(self.arena_start + block.offset(), block.len()) }
    }

    /// Returns the identity of the arena whose blocks are here.
    #[must_use]
    pub fn arena(&self) -> ArenaId {
        self.arena
    }

    /// Returns the 64-bit word at `offset`.
    ///
    /// # Panics
    ///
    /// Panics if `offset` is not a multiple of 8 or the word is not in front of the arena.
    #[inline]
    #[must_use]
    pub fn word64(&self, offset: usize) -> &AtomicU64 {
        &self.words64(offset, 1)[0]
    }

    /// Returns the 32-bit word at `offset`.
    ///
    /// # Panics
    ///
    /// Panics if `offset` is not a multiple of 4 or the word is not in front of the arena.
    #[inline]
    #[must_use]
    pub fn word32(&self, offset: usize) -> &AtomicU32 {
        &self.words32(offset, 1)[0]
    }

    /// Returns the `count` 64-bit words at `offset`.
    ///
    /// # Panics
    ///
    /// Panics if `offset` is not a multiple of 8 or the words are not in front of the arena.
    #[inline]
    #[must_use]
    pub fn words64(&self, offset: usize, count: usize) -> &[AtomicU64] {
        self.check_in_front_of_arena(offset, count, size_of::<u64>());
        // SAFETY: exclusive references are made to blocks only, which are behind `arena_start`.
        unsafe { self.mapping.words(offset, count) }
    }

    /// Returns the `count` 32-bit words at `offset`.
    ///
    /// # Panics
    ///
    /// Panics if `offset` is not a multiple of 4 or the words are not in front of the arena.
    #[inline]
    #[must_use]
    pub fn words32(&self, offset: usize, count: usize) -> &[AtomicU32] {
        self.check_in_front_of_arena(offset, count, size_of::<u32>());
        // SAFETY: exclusive references are made to blocks only, which are behind `arena_start`.
        unsafe { self.mapping.words(offset, count) }
    }

    /// Writes `bytes` to the words at `offset` by relaxed stores, and fills the last word up with
    /// zeros. A later store with `Release` publishes them.
    ///
    /// # Panics
    ///
    /// Panics if `offset` is not a multiple of 8 or the words are not in front of the arena.
    #[inline]
    pub fn store_bytes(&self, offset: usize, bytes: &[u8]) {
        let words = self.words64(offset, bytes.len().div_ceil(WORD_BYTES));
        let (whole, tail) = bytes.as_chunks();
        let done = lines::store(&words[..whole.len()], whole);
        for (word, bytes) in words.iter().zip(whole).skip(done) {
            word.store(u64::from_ne_bytes(*bytes), Ordering::Relaxed);
        }
        if let Some(last) = words.get(whole.len()) {
            let mut padded = [0; WORD_BYTES];
            padded[..tail.len()].copy_from_slice(tail);
            last.store(u64::from_ne_bytes(padded), Ordering::Relaxed);
        }
    }

    #[inline]
    fn check_in_front_of_arena(&self, offset: usize, count: usize, size: usize) {
        let limit = self.arena_start;
        assert!(
            offset <= limit && count <= (limit - offset) / size,
            "{count} words of {size} bytes at {offset} do not lie in front of the arena at {limit}"
        );
    }
}
