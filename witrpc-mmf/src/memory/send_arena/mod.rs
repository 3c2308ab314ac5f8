//! The blocks of this side's own arena: reserves space and lends it to the peer.
//!
//! # Invariants
//!
//! 0. **A message that was begun can always continue.** A segment's length of the arena, the *spare*,
//!    is kept for segments that continue a message. First segments and whole blocks never take it. The
//!    reader holds up new messages while too many messages are under way, with their blocks in the
//!    arena. It would do so for ever if those under way found no space for their next segments.
//! 1. **The spare comes back.** While it is lent, the first free run of its length becomes the new
//!    spare, before anything else is taken from the arena. And it is lent only for a segment that the
//!    reader has asked for and takes without waiting for anything else. A server takes segments that
//!    continue a message whatever else it holds up. A client asks for a segment from the poll of the
//!    very future that takes it. One segment may wait for more: the last of a call waits for a thread
//!    that runs the call. The calls whose segments wait for space behind it would have to wait for that
//!    thread as well.
//! 2. A thread that continues a message never waits in a queue behind one that begins a message.
//! 3. **Leases leave room for messages.** Users hold leases as long as they like. So together they take
//!    at most the arena without two segments. One is the spare, which is never leased. The other is left to
//!    messages, though perhaps not in one piece. There are at most [`MAX_LEASES`] leases.
//! 4. The spare never denies space to a block: while it is not lent, it is moved for a block that finds
//!    no space otherwise. So a lease of the greatest length fits whenever nothing else is out.
//! 5. **What a panic may have left half changed is never used again.** No code of users runs under the lock, so
//!    only a fault of this crate can panic there. Two blocks in one place would be two `&mut [u8]`. From then on
//!    nothing is taken, nothing comes back, and the side that finds no space ends the connection.

#[cfg(test)]
mod tests;

use std::sync::{Mutex, MutexGuard};

use witrpc_transport::ChannelError;

use super::arena::{Arena, Block, GRANULE_BYTES, Leases, Released};

/// The longest segment in bytes. It is long enough that a hand-over costs little beside the copy. It is
/// short enough that both copies stay in a core's cache, and that copying one does not delay others. A
/// longer segment is refused.
pub const MAX_SEGMENT: usize = 256 << 10;

/// The most leases that one side of a connection may have out at once, and that its peer holds.
pub const MAX_LEASES: usize = 1024;

/// A writer's arena, shared by its threads.
#[derive(Debug)]
pub struct SendArena {
    space: Mutex<Space>,
    largest_block: usize,
    segment_len: usize,
    largest_lease: usize,
}

/// What is missing for a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseShortage {
    /// There is no space at present.
    Space,
    /// There are [`MAX_LEASES`] already.
    Leases,
}

#[derive(Debug)]
struct Space {
    arena: Arena,
    /// Missing only while no free run of the arena is long enough.
    spare: Option<Block>,
}

/// The purpose of a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A message in one block, or the first segment of one.
    Begin,
    /// A further segment.
    Continue,
}

/// A block to be filled. Dropping it frees it, unless it is lent.
#[derive(Debug)]
#[must_use = "a dropped block is free again: lend it"]
pub struct Reserved<'a> {
    send_arena: &'a SendArena,
    /// Taken only by `lend`.
    block: Option<Block>,
}

impl SendArena {
    pub fn new(arena: Arena) -> Self {
        // At most half of the arena, so that a large message need not wait until all others are gone. A
        // quarter for a segment, so that the next segment fits beside it, and the spare beside both.
        let largest_block = arena.len() / 2;
        let segment_len = Arena::never_overlooked((arena.len() / 4).min(MAX_SEGMENT));
        let largest_lease = arena.len() - 2 * segment_len;
        // The first reservation makes the spare.
        let space = Mutex::new(Space { arena, spare: None });
        Self { space, largest_block, segment_len, largest_lease }
    }

    /// Returns the bytes that all leases together may take, which is also the longest lease there can
    /// ever be.
    pub fn largest_lease(&self) -> usize {
        self.largest_lease
    }

    /// Returns the longest message that travels in one block, in bytes. Longer ones go in segments.
    pub fn largest_block(&self) -> usize {
        self.largest_block
    }

    /// Returns the length of a segment in bytes; the last may be shorter.
    pub fn segment_len(&self) -> usize {
        self.segment_len
    }

    /// Reserves space, at most a segment's length to continue. Reclaims the blocks that the peer has
    /// finished with, as `released` says.
    pub fn reserve(
        &self,
        len: usize,
        purpose: Purpose,
        released: &impl Released,
    ) -> Option<Reserved<'_>> {
        debug_assert!(purpose == Purpose::Begin || len <= self.segment_len);
        let mut space = self.space()?;
        let Space { arena, spare } = &mut *space;
        // Not while the spare is lent, which comes first.
        let reused = if spare.is_some() { arena.reuse(len, released) } else { None };
        let block = reused.or_else(|| {
            arena.find_or_reclaim(released, |arena| {
                keep_spare(arena, spare, self.segment_len);
                arena.alloc(len).or_else(|| match purpose {
                    Purpose::Begin => {
                        self.beside_moved_spare(arena, spare, |arena| arena.alloc(len))
                    }
                    Purpose::Continue => spare.take(),
                })
            })
        });
        drop(space);
        let mut block = block?;
        block.truncate(len);
        Some(Reserved { send_arena: self, block: Some(block) })
    }

    /// Refuses leases that never fit together.
    pub fn check_leases(&self, lens: &[usize]) -> Result<(), ChannelError> {
        if lens.len() > MAX_LEASES {
            return Err(ChannelError::TooManyLeases { max: MAX_LEASES });
        }
        let taken = lens.iter().fold(0_usize, |sum, len| sum.saturating_add(granules_of(*len)));
        if taken > self.largest_lease {
            return Err(ChannelError::TooLarge {
                len: lens.iter().fold(0, |sum, len| sum.saturating_add(*len)),
                max: self.largest_lease,
            });
        }
        Ok(())
    }

    /// Takes space for leases of these lengths: for all of them or for none, so that no caller waits
    /// for the second while it holds the first.
    pub fn reserve_leases(
        &self,
        lens: &[usize],
        released: &impl Released,
    ) -> Result<Vec<Block>, LeaseShortage> {
        self.find_leases(
            released,
            |_| None,
            |arena, spare| {
                let mut blocks = Vec::with_capacity(lens.len());
                for len in lens {
                    match self.alloc_lease(arena, spare, *len) {
                        Ok(block) => blocks.push(block),
                        Err(short_of) => {
                            blocks.into_iter().for_each(|block| arena.free(block));
                            return Err(short_of);
                        }
                    }
                }
                Ok(blocks)
            },
        )
    }

    /// Takes space for one lease.
    pub fn reserve_lease(
        &self,
        len: usize,
        released: &impl Released,
    ) -> Result<Block, LeaseShortage> {
        // In place of one that has come back, so there are not more of them.
        let reuse = |arena: &mut Arena| arena.reuse_lease(len, released);
        self.find_leases(released, reuse, |arena, spare| self.alloc_lease(arena, spare, len))
    }

    /// Runs `reuse`, unless the spare is lent, which comes first. If that finds nothing, runs `find`, which
    /// must leave the arena as it was if it fails. Runs it once more, if that may help, after it has
    /// reclaimed what the peer has released.
    fn find_leases<T>(
        &self,
        released: &impl Released,
        reuse: impl FnOnce(&mut Arena) -> Option<T>,
        mut find: impl FnMut(&mut Arena, &mut Option<Block>) -> Result<T, LeaseShortage>,
    ) -> Result<T, LeaseShortage> {
        let mut shortage = LeaseShortage::Space;
        let mut space = self.space().ok_or(shortage)?;
        let Space { arena, spare } = &mut *space;
        let reused = if spare.is_some() { reuse(arena) } else { None };
        let found = reused.or_else(|| {
            arena.find_or_reclaim(released, |arena| {
                keep_spare(arena, spare, self.segment_len);
                find(arena, spare).map_err(|short_of| shortage = short_of).ok()
            })
        });
        drop(space);
        found.ok_or(shortage)
    }

    fn alloc_lease(
        &self,
        arena: &mut Arena,
        spare: &mut Option<Block>,
        len: usize,
    ) -> Result<Block, LeaseShortage> {
        let Leases { count, bytes } = arena.leases();
        if count == MAX_LEASES {
            return Err(LeaseShortage::Leases);
        }
        if granules_of(len) > self.largest_lease - bytes {
            return Err(LeaseShortage::Space);
        }
        let alloc = |arena: &mut Arena| arena.alloc_lease(len);
        alloc(arena)
            .or_else(|| self.beside_moved_spare(arena, spare, alloc))
            .ok_or(LeaseShortage::Space)
    }

    /// Finds a block beside a spare that has been moved. Where the spare is now, in the middle of the
    /// free space, the longest blocks may not fit beside it, however much the peer releases.
    fn beside_moved_spare(
        &self,
        arena: &mut Arena,
        spare: &mut Option<Block>,
        alloc: impl FnOnce(&mut Arena) -> Option<Block>,
    ) -> Option<Block> {
        arena.free(spare.take()?);
        let block = alloc(arena);
        keep_spare(arena, spare, self.segment_len);
        if spare.is_none() {
            // Both do not fit: the spare comes first.
            arena.free(block?);
            keep_spare(arena, spare, self.segment_len);
            return None;
        }
        block
    }

    /// Takes back a block that the peer does not hold.
    pub fn free(&self, block: Block) {
        if let Some(mut space) = self.space() {
            space.arena.free(block);
        }
    }

    /// Takes back a lease that the peer holds, or has just released.
    pub fn await_release(&self, block: Block) {
        if let Some(mut space) = self.space() {
            // Its description is on a line already.
            let _ = space.arena.lend(block);
        }
    }

    /// Returns whether leases have not come back.
    pub fn has_leases_out(&self) -> bool {
        self.space().is_some_and(|space| space.arena.leases().count > 0)
    }

    /// Returns whether a thread has panicked under the lock: see the invariants.
    pub fn is_broken(&self) -> bool {
        self.space.is_poisoned()
    }

    /// Returns the arena, unless it [is broken](Self::is_broken).
    fn space(&self) -> Option<MutexGuard<'_, Space>> {
        self.space.lock().ok()
    }

    /// Panics under the lock.
    #[cfg(test)]
    pub fn break_for_test(&self) {
        let broken = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _space = self.space.lock();
            panic!("for a test");
        }));
        assert!(broken.is_err() && self.is_broken());
    }

    /// Returns the leases that have not come back.
    #[cfg(test)]
    pub fn leases(&self) -> Leases {
        self.space().expect("no thread has panicked").arena.leases()
    }
}

/// Returns the bytes of the granules that a block of `len` bytes takes.
fn granules_of(len: usize) -> usize {
    len.max(1).checked_next_multiple_of(GRANULE_BYTES).unwrap_or(usize::MAX)
}

impl From<LeaseShortage> for ChannelError {
    fn from(shortage: LeaseShortage) -> Self {
        match shortage {
            LeaseShortage::Space => ChannelError::NoSpace,
            LeaseShortage::Leases => ChannelError::TooManyLeases { max: MAX_LEASES },
        }
    }
}

/// Makes the spare, if it is missing and there is a free run for it.
fn keep_spare(arena: &mut Arena, spare: &mut Option<Block>, len: usize) {
    if spare.is_none() {
        *spare = arena.alloc(len);
    }
}

impl Reserved<'_> {
    /// Returns the block to be filled.
    pub fn block_mut(&mut self) -> &mut Block {
        self.block.as_mut().expect("there until it is lent")
    }

    /// Lends the block to the peer, and returns the words that describe it. Must be called before these
    /// are published.
    pub fn lend(mut self) -> [u64; 2] {
        let block = self.block.take().expect("lent once");
        match self.send_arena.space() {
            Some(mut space) => space.arena.lend(block),
            // Whole, and never used again.
            None => block.reference(),
        }
        .to_words()
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        if let Some(block) = self.block.take() {
            self.send_arena.free(block);
        }
    }
}
