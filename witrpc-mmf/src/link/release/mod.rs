//! The release table: how a reader gives a block back to the side that wrote it.
//!
//! Each region has a table of one 32-bit word for each granule of the **other** region's arena.
//! When the reader of a block has finished with it, it stores the block's generation in the slot of
//! the block's first granule. From then on the writer may reuse the block. There is no other way to
//! release a block.
//!
//! A writer that is short of space requests a ring for the next release, by the protocol of
//! [`crate::wakeup::epoch`]. The request is an epoch word in the writer's own region.
//!
//! # Words and their writers
//!
//! | word          | lies in the region of | written by           | means                             |
//! | ------------- | --------------------- | -------------------- | --------------------------------- |
//! | slot          | the reader            | the reader's threads | generation released last          |
//! | `wants_space` | the writer            | the writer's threads | the epoch to ring for; 0 at first |
//!
//! # Invariants
//!
//! 0. The reader stores a slot (`Release`) after its last load of the block's bytes. The writer
//!    loads it (`Acquire`) before it reuses the block. So the reader never sees bytes that were
//!    written after the release.
//! 1. A slot holds a block's generation only after the block was released. Before that it holds the
//!    generation of an earlier block, or 0 (see the invariants of [`crate::memory::arena`]). A
//!    block is released once.
//! 2. No wake-up for space is lost, by [two fences](crate::wakeup). A waiter stores a new epoch in
//!    `wants_space`, and looks at the slots (`find_or_ask`). The releaser stores the slot, and looks
//!    at `wants_space` (`release`). Each further wait needs a new epoch, because an epoch is rung for
//!    once.
//! 3. The request is never withdrawn. An epoch whose waiter is gone costs one ring. A release
//!    without a waiter costs a store, a fence and a load.
//! 4. What the peer stores in a slot, or as its request, decides only when blocks of this
//!    connection are reused, and whether the peer is rung. None of it is used as an index or a
//!    length.

pub(crate) mod fetch;

#[cfg(test)]
mod model;

use core::fmt;
use core::sync::atomic::Ordering;

use crate::memory::arena::{BlockRef, Released};
use crate::memory::words::{Mapped, ReadWord, Word, Words};
use crate::wakeup::epoch;
use crate::wakeup::epoch::{WakeEpoch, WakeRequest};

/// Releases a block, once, after the reader's last read of it. Returns `true` if the
/// writer waits for space and must be rung.
#[must_use = "a writer that waits for space is to be rung"]
pub(crate) fn release<W: Words>(
    slot: &W::U32,
    block: &BlockRef,
    wants_space: &W::PeerU64,
    wake_request: &WakeRequest<W>,
) -> bool {
    // Release: pairs with the Acquire of `ReleaseTable::is_released`. Orders this side's loads of
    // the block before the writer's next use of it.
    slot.store(block.generation(), Ordering::Release);
    // Its fence pairs with that of `find_or_ask`: this side sees the epoch, or the waiter sees the
    // slot.
    wake_request.should_wake(wants_space)
}

/// Looks for space with `find`, on the writer's side. If there is none, requests a ring for the next
/// release and looks once more. `None` means that the doorbell will ring.
pub(crate) fn find_or_ask<W: Words, T>(
    wake_epoch: &WakeEpoch<W>,
    wants_space: &W::U64,
    mut find: impl FnMut() -> Option<T>,
) -> Option<T> {
    find().or_else(|| {
        wake_epoch.request_wakeup(wants_space);
        // Pairs with the fence in `release`.
        epoch::fence::<W>();
        find()
    })
}

/// The writer's view of what the peer has released of this side's arena.
pub struct ReleaseTable<'a, W: Words> {
    /// One slot for each granule of this side's arena, in the peer's region.
    pub slots: &'a [W::PeerU32],
}

impl<W: Words> ReleaseTable<'_, W> {
    /// Returns the generation under which a block that begins at `granule` was released last.
    pub(crate) fn last(&self, granule: u32) -> u32 {
        // Acquire: what this side did before the peer stored the value is seen.
        self.slots[granule as usize].load(Ordering::Acquire)
    }
}

impl ReleaseTable<'_, Mapped> {
    /// Prefetches the slot of a block that begins at `granule`.
    pub(crate) fn fetch(&self, granule: u32) {
        fetch::for_reading(&self.slots[granule as usize]);
    }
}

impl<W: Words> Released for ReleaseTable<'_, W> {
    #[inline]
    fn is_released(&self, granule: u32, generation: u32) -> bool {
        // Acquire: pairs with the Release of `release`.
        self.slots[granule as usize].load(Ordering::Acquire) == generation
    }
}

impl<W: Words> fmt::Debug for ReleaseTable<'_, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReleaseTable").field("slots", &self.slots.len()).finish()
    }
}
