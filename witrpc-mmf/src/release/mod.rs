//! The release table: how a reader gives a block back to the side that wrote it.
//!
//! Each region has a table of one 32-bit word per granule of the **other** region's arena. When the
//! reader of a block has finished with it, it stores the block's generation in the slot of the
//! block's first granule; from then on the writer may reuse the block. Blocks are released there and
//! only there.
//!
//! # Words and who writes them
//!
//! | word          | lies in the region of | written by                    | means                      |
//! | ------------- | --------------------- | ----------------------------- | -------------------------- |
//! | slot          | the reader            | the reader's threads          | generation released last   |
//! | `space_epoch` | the reader            | the reader's threads, adding 1 | changed for those who wait |
//! | `wants_space` | the writer            | the writer's threads, ±1      | how many of them wait      |
//!
//! # Invariants
//!
//! 0. A slot is stored (`Release`) after the last load of the block's bytes; the writer loads it
//!    (`Acquire`) before it reuses the block. So nothing that is written to the block afterwards can
//!    be read as its old content.
//! 1. A slot holds a block's generation only after the block was released: before, it holds that of
//!    an earlier block or 0 (see the invariants of [`crate::arena`]). One block is released once.
//! 2. No wake-up for space is lost. The waiter raises `wants_space`, fences, then looks at the slots;
//!    the releaser stores the slot, fences, then looks at `wants_space`. At least one of the two sees
//!    what the other did. If it is the releaser, it changes `space_epoch`, which the waiter loaded
//!    **before** it looked at the slots, and wakes: a wait on the value loaded ends, whether it began
//!    before the change or begins after it.
//! 3. `space_epoch` is the word to wait on, since the waker changes it. As long as nobody waits, it
//!    is not touched, and a release is a store, a fence and a load.
//! 4. Whatever the peer stores in a slot or an epoch only decides when blocks of this connection are
//!    reused, and when its waiters look again. None of it is an index or a length.

#[cfg(test)]
mod model;

use core::{fmt, sync::atomic::Ordering};

use crate::{
    arena::{BlockRef, Released},
    words::{ReadWord, Word, Words},
};

/// The reader's side: it releases blocks of the peer's arena.
pub struct Releaser<'a, W: Words> {
    /// One slot per granule of the peer's arena, in our region.
    pub slots: &'a [W::U32],
    /// Changed for the peer's waiters, in our region.
    pub space_epoch: &'a W::U32,
    /// How many of the peer's threads wait for space, in the peer's region.
    pub wants_space: &'a W::PeerU32,
}

/// Whether anybody has to be told of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a peer that waits for space is to be woken"]
pub enum SpaceWanted {
    /// Nobody waits.
    No,
    /// The peer waits: `space_epoch` was changed, and those who wait on it are to be woken (by futex
    /// on `space_epoch`, or by the doorbell).
    Yes,
}

impl<W: Words> Releaser<'_, W> {
    /// Releases a block, of which nothing is read any more. To be done once for each block.
    ///
    /// # Panics
    ///
    /// If the block was not checked against the length of the arena that the slots are for.
    pub fn release(&self, block: BlockRef) -> SpaceWanted {
        // Release: pairs with the Acquire of `ReleaseTable::is_released`; orders our loads of the
        // block before the writer's next use of it.
        self.slots[block.slot()].store(block.generation(), Ordering::Release);
        // Pairs with the fence of `SpaceWait::begin`: either we see the waiter or it sees the slot.
        W::fence(Ordering::SeqCst);
        if self.wants_space.load(Ordering::Relaxed) == 0 {
            return SpaceWanted::No;
        }
        // Relaxed: the fence above already orders the slot before the new epoch, so that whoever
        // sees this by the Acquire of `SpaceWait::observe` sees the slot.
        self.space_epoch.fetch_add(1, Ordering::Relaxed);
        SpaceWanted::Yes
    }
}

/// Releases a block, of which nothing is read any more: stores its generation in its slot. To be
/// done once for each block.
pub(crate) fn release<W: Words>(slot: &W::U32, block: &BlockRef) {
    // Release: pairs with the Acquire of `ReleaseTable::is_released`; orders our loads of the
    // block before the writer's next use of it.
    slot.store(block.generation(), Ordering::Release);
}

/// The writer's side: what the peer has released of our arena.
pub struct ReleaseTable<'a, W: Words> {
    /// One slot per granule of our arena, in the peer's region.
    pub slots: &'a [W::PeerU32],
}

impl<W: Words> Released for ReleaseTable<'_, W> {
    #[inline]
    fn is_released(&self, granule: u32, generation: u32) -> bool {
        // Acquire: pairs with the Release of `Releaser::release`.
        self.slots[granule as usize].load(Ordering::Acquire) == generation
    }
}

/// The writer's side: a thread that waits for space, from [`begin`](Self::begin) to its drop.
///
/// ```text
/// let wait = SpaceWait::begin(wants_space, space_epoch);
/// loop {
///     let epoch = wait.observe();
///     if let Some(block) = arena.alloc_or_reclaim(len, &table) { break block }
///     // wait while space_epoch == epoch, to the deadline
/// }
/// ```
pub struct SpaceWait<'a, W: Words> {
    wants_space: &'a W::U32,
    space_epoch: &'a W::PeerU32,
}

impl<'a, W: Words> SpaceWait<'a, W> {
    /// Says that one more thread waits: `wants_space` in our region, `space_epoch` in the peer's.
    pub fn begin(wants_space: &'a W::U32, space_epoch: &'a W::PeerU32) -> Self {
        wants_space.fetch_add(1, Ordering::Relaxed);
        // Pairs with the fence of `Releaser::release`: a releaser that does not see us has stored its
        // slot where the look that follows will see it.
        W::fence(Ordering::SeqCst);
        Self { wants_space, space_epoch }
    }

    /// The epoch to wait on. To be taken before each look at the arena, not after it: a release in
    /// between would change the epoch unnoticed.
    #[must_use]
    pub fn observe(&self) -> u32 {
        // Acquire: pairs with the fence of `Releaser::release`. Who observed an epoch that is already
        // changed must see the slot, since no further change would end the wait.
        self.space_epoch.load(Ordering::Acquire)
    }
}

impl<W: Words> Drop for SpaceWait<'_, W> {
    fn drop(&mut self) {
        // Relaxed: at worst a releaser wakes nobody.
        self.wants_space.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<W: Words> fmt::Debug for Releaser<'_, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Releaser").field("slots", &self.slots.len()).finish_non_exhaustive()
    }
}

impl<W: Words> fmt::Debug for ReleaseTable<'_, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReleaseTable").field("slots", &self.slots.len()).finish()
    }
}

impl<W: Words> fmt::Debug for SpaceWait<'_, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpaceWait").finish_non_exhaustive()
    }
}
