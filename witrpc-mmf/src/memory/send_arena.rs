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
//!    at most the arena without two segments: one is the spare, which is never leased, and the other is
//!    left to messages, though perhaps not in one piece. There are at most [`MAX_LEASES`] leases.
//! 4. The spare never denies space to a block: while it is not lent, it is moved for a block that finds
//!    no space otherwise. So a lease of the greatest length fits whenever nothing else is out.

use std::sync::Mutex;

use witrpc_rt::lock;
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
pub enum Shortage {
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
        let mut space = lock(&self.space);
        let Space { arena, spare } = &mut *space;
        let block = arena.find_or_reclaim(released, |arena| {
            keep_spare(arena, spare, self.segment_len);
            arena.alloc(len).or_else(|| match purpose {
                Purpose::Begin => self.beside_moved_spare(arena, spare, |arena| arena.alloc(len)),
                Purpose::Continue => spare.take(),
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
    ) -> Result<Vec<Block>, Shortage> {
        self.find_leases(released, |arena, spare| {
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
        })
    }

    /// Takes space for one lease.
    pub fn reserve_lease(&self, len: usize, released: &impl Released) -> Result<Block, Shortage> {
        self.find_leases(released, |arena, spare| self.alloc_lease(arena, spare, len))
    }

    /// Runs `find`, which must leave the arena as it was if it fails. Runs it once more, if that may
    /// help, after it has reclaimed what the peer has released.
    fn find_leases<T>(
        &self,
        released: &impl Released,
        mut find: impl FnMut(&mut Arena, &mut Option<Block>) -> Result<T, Shortage>,
    ) -> Result<T, Shortage> {
        let mut shortage = Shortage::Space;
        let mut space = lock(&self.space);
        let Space { arena, spare } = &mut *space;
        let found = arena.find_or_reclaim(released, |arena| {
            keep_spare(arena, spare, self.segment_len);
            find(arena, spare).map_err(|short_of| shortage = short_of).ok()
        });
        drop(space);
        found.ok_or(shortage)
    }

    fn alloc_lease(
        &self,
        arena: &mut Arena,
        spare: &mut Option<Block>,
        len: usize,
    ) -> Result<Block, Shortage> {
        let Leases { count, bytes } = arena.leases();
        if count == MAX_LEASES {
            return Err(Shortage::Leases);
        }
        if granules_of(len) > self.largest_lease - bytes {
            return Err(Shortage::Space);
        }
        let alloc = |arena: &mut Arena| arena.alloc_lease(len);
        alloc(arena).or_else(|| self.beside_moved_spare(arena, spare, alloc)).ok_or(Shortage::Space)
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

    /// Takes back a lease that the peer does not hold.
    pub fn free(&self, block: Block) {
        lock(&self.space).arena.free(block);
    }

    /// Takes back a lease that the peer holds, or has just released.
    pub fn await_release(&self, block: Block) {
        // Its description is on a line already.
        let _ = lock(&self.space).arena.lend(block);
    }

    /// Returns whether leases have not come back.
    pub fn has_leases_out(&self) -> bool {
        lock(&self.space).arena.leases().count > 0
    }

    /// Returns the leases that have not come back.
    #[cfg(test)]
    pub fn leases(&self) -> Leases {
        lock(&self.space).arena.leases()
    }
}

/// Returns the bytes of the granules that a block of `len` bytes takes.
fn granules_of(len: usize) -> usize {
    len.max(1).checked_next_multiple_of(GRANULE_BYTES).unwrap_or(usize::MAX)
}

impl From<Shortage> for ChannelError {
    fn from(shortage: Shortage) -> Self {
        match shortage {
            Shortage::Space => ChannelError::NoSpace,
            Shortage::Leases => ChannelError::TooManyLeases { max: MAX_LEASES },
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
        lock(&self.send_arena.space).arena.lend(block).to_words()
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        if let Some(block) = self.block.take() {
            lock(&self.send_arena.space).arena.free(block);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::HashSet;

    use crate::memory::arena::BlockRef;

    use super::*;

    /// What the peer has released: granule and generation.
    #[derive(Default)]
    struct Slots(RefCell<HashSet<(u32, u32)>>);

    impl Slots {
        fn release(&self, words: [u64; 2]) {
            let block = BlockRef::check(words, usize::MAX).expect("a block that was lent");
            self.0.borrow_mut().insert((block.slot() as u32, block.generation()));
        }
    }

    impl Released for Slots {
        fn is_released(&self, granule: u32, generation: u32) -> bool {
            self.0.borrow().contains(&(granule, generation))
        }
    }

    /// Returns numbers below a bound, the same at each run (Knuth's MMIX generator, its upper bits).
    fn numbers_from(mut state: u64) -> impl FnMut(usize) -> usize {
        move |bound| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as usize % bound
        }
    }

    /// However the arena was filled by messages that begin, in whatever order it is released.
    #[test]
    fn a_message_that_was_begun_goes_on_in_a_full_arena() {
        for granules in [16, 17, 100, 1_777, 5_000] {
            let send_arena = SendArena::new(Arena::new(granules * GRANULE_BYTES));
            let slots = Slots::default();
            let mut below = numbers_from(granules as u64);
            let mut held = Vec::new();
            for _ in 0..300 {
                let segment = send_arena.segment_len();
                let reserve = |len, purpose| send_arena.reserve(len, purpose, &slots);
                let mut len = send_arena.largest_block();
                while len > 0 {
                    match reserve(len, Purpose::Begin) {
                        Some(block) => held.push(block.lend()),
                        None => len /= 2,
                    }
                }
                let on = reserve(segment, Purpose::Continue).expect("the spare").lend();
                assert!(reserve(segment, Purpose::Begin).is_none());
                for _ in 0..below(held.len() + 1) {
                    slots.release(held.swap_remove(below(held.len())));
                }
                // Messages that begin come first, and must not take what the spare leaves behind.
                slots.release(on);
                while let Some(block) = reserve(1 + below(segment), Purpose::Begin) {
                    held.push(block.lend());
                }
            }
        }
    }

    /// Wherever the spare is by then.
    #[test]
    fn the_longest_block_fits_once_all_is_released() {
        for granules in [16, 17, 100, 223, 1_777] {
            let send_arena = SendArena::new(Arena::new(granules * GRANULE_BYTES));
            let slots = Slots::default();
            let mut below = numbers_from(granules as u64);
            for _ in 0..200 {
                let mut held = Vec::new();
                for _ in 0..below(30) {
                    let (len, purpose) = match below(3) {
                        0 => (below(send_arena.segment_len()), Purpose::Continue),
                        _ => (below(send_arena.largest_block()), Purpose::Begin),
                    };
                    match send_arena.reserve(len, purpose, &slots) {
                        Some(block) => held.push(block.lend()),
                        None if held.is_empty() => {}
                        None => slots.release(held.swap_remove(below(held.len()))),
                    }
                }
                held.drain(..).for_each(|words| slots.release(words));
                let longest =
                    send_arena.reserve(send_arena.largest_block(), Purpose::Begin, &slots);
                drop(longest.expect("all of the arena is free but the spare"));
                let on = send_arena.reserve(send_arena.segment_len(), Purpose::Continue, &slots);
                drop(on.expect("the spare"));
            }
        }
    }

    /// However blocks and leases have come and gone, and wherever the spare is after that.
    #[test]
    fn the_longest_lease_fits_when_nothing_else_is_out_and_leaves_room_for_messages() {
        for granules in [16, 17, 100, 1_777, 5_000, 131_072] {
            let send_arena = SendArena::new(Arena::new(granules * GRANULE_BYTES));
            let slots = Slots::default();
            let mut below = numbers_from(granules as u64);
            for _ in 0..100 {
                let mut held = Vec::new();
                let mut leases = Vec::new();
                for _ in 0..below(40) {
                    let len = below(send_arena.largest_block() + 1);
                    if below(2) == 0 {
                        leases
                            .extend(send_arena.reserve_leases(&[len], &slots).unwrap_or_default());
                    } else if let Some(block) = send_arena.reserve(len, Purpose::Begin, &slots) {
                        held.push(block.lend());
                    }
                    if below(3) == 0 {
                        let segment =
                            send_arena.reserve(send_arena.segment_len(), Purpose::Continue, &slots);
                        held.extend(segment.map(Reserved::lend));
                    }
                    while below(3) == 0 && !held.is_empty() {
                        slots.release(held.swap_remove(below(held.len())));
                    }
                    while below(3) == 0 && !leases.is_empty() {
                        send_arena.free(leases.swap_remove(below(leases.len())));
                    }
                }
                held.into_iter().for_each(|block| slots.release(block));
                leases.into_iter().for_each(|block| send_arena.free(block));
                assert_eq!(send_arena.leases(), Leases::default());

                let longest = send_arena.largest_lease();
                assert_eq!(send_arena.check_leases(&[longest]), Ok(()));
                assert!(send_arena.check_leases(&[longest + 1]).is_err());
                let lease =
                    send_arena.reserve_leases(&[longest], &slots).expect("nothing else is out");
                assert_eq!(send_arena.reserve_leases(&[0], &slots), Err(Shortage::Space));
                let message =
                    send_arena.reserve(send_arena.segment_len() / 2, Purpose::Begin, &slots);
                let segment =
                    send_arena.reserve(send_arena.segment_len(), Purpose::Continue, &slots);
                assert!(message.is_some() && segment.is_some(), "messages go on beside leases");
                lease.into_iter().for_each(|block| send_arena.free(block));
            }
        }
    }

    #[test]
    fn leases_are_taken_together_or_not_at_all() {
        let send_arena = SendArena::new(Arena::new(1_000 * GRANULE_BYTES));
        let slots = Slots::default();
        let half = send_arena.largest_lease() / 2 / GRANULE_BYTES * GRANULE_BYTES;
        let one = send_arena.reserve_leases(&[half], &slots).expect("space");
        let before = send_arena.leases();
        assert_eq!(send_arena.reserve_leases(&[half, half], &slots), Err(Shortage::Space));
        assert_eq!(send_arena.leases(), before, "the first of the two was given back");
        one.into_iter().for_each(|block| send_arena.free(block));
        assert_eq!(
            send_arena.reserve_leases(&[half, half], &slots).expect("space for two").len(),
            2
        );
    }

    #[test]
    fn the_number_of_leases_of_an_arena_is_limited() {
        let send_arena = SendArena::new(Arena::new(4 * MAX_LEASES * GRANULE_BYTES));
        let slots = Slots::default();
        let mut leases =
            send_arena.reserve_leases(&[1; MAX_LEASES], &slots).expect("space for all");
        assert_eq!(send_arena.reserve_leases(&[1], &slots), Err(Shortage::Leases));
        let max = MAX_LEASES;
        assert_eq!(
            send_arena.check_leases(&[1; MAX_LEASES + 1]),
            Err(ChannelError::TooManyLeases { max })
        );
        // One that is lent counts until it is released.
        let lent = leases.pop().expect("many");
        let reference = lent.reference_as(lent.generation());
        send_arena.await_release(lent);
        assert_eq!(send_arena.reserve_leases(&[1], &slots), Err(Shortage::Leases));
        slots.release(reference.to_words());
        assert!(send_arena.reserve_leases(&[1], &slots).is_ok());
    }

    #[test]
    fn what_is_dropped_unfilled_is_free_again() {
        let send_arena = SendArena::new(Arena::new(16 * GRANULE_BYTES));
        let slots = Slots::default();
        for purpose in [Purpose::Begin, Purpose::Continue] {
            for _ in 0..100 {
                drop(
                    send_arena
                        .reserve(send_arena.segment_len(), purpose, &slots)
                        .expect("free again"),
                );
            }
        }
    }
}
