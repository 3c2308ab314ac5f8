//! The blocks of our own arena: reserving space and lending it to the peer.
//!
//! # Invariants
//!
//! 0. **A message that was begun can always go on.** A segment's length of the arena, the *spare*, is
//!    kept for segments that continue a message; first segments and whole blocks never take it. The
//!    reader holds up new messages while too many of them are under way, with their blocks in the
//!    arena, and would do so for ever if those under way found no space behind them.
//! 1. **The spare comes back.** Whatever run of its length becomes free while it is lent is kept as
//!    the spare, before anything else is taken from the arena. And it is lent for a segment that the
//!    reader has asked for and takes without waiting for anything else: a server takes segments that
//!    continue a message whatever else it holds up, a client asks for a segment from the poll of the
//!    very future that takes it.
//! 2. Nobody who continues a message waits in a queue behind somebody who begins one.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::arena::{Arena, Block, Released};

/// The longest segment in bytes: long enough that a hand-over does not show beside the copy, short
/// enough that both copies of it stay in a core's cache.
const MAX_SEGMENT: usize = 256 << 10;

/// A writer's arena, shared by its threads.
#[derive(Debug)]
pub(crate) struct Outbox {
    space: Mutex<Space>,
    largest_block: usize,
    segment_len: usize,
}

#[derive(Debug)]
struct Space {
    arena: Arena,
    /// Missing only while no free run of the arena is long enough.
    spare: Option<Block>,
}

/// What space is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A message in one block, or the first segment of one.
    Begin,
    /// A further segment.
    Continue,
}

/// A block to be filled: lent, or else free again.
#[derive(Debug)]
#[must_use = "a dropped block is free again: lend it"]
pub(crate) struct Reserved<'a> {
    outbox: &'a Outbox,
    /// Taken by `lend` only.
    block: Option<Block>,
}

impl Outbox {
    pub(crate) fn new(arena: Arena) -> Self {
        // Half of the arena at the most, so that a large message does not have to wait until all
        // the others are gone; a quarter for a segment, so that the next fits beside it, and the
        // spare beside both.
        let largest_block = arena.len() / 2;
        let segment_len = Arena::never_overlooked((arena.len() / 4).min(MAX_SEGMENT));
        // The first to reserve anything makes the spare.
        let space = Mutex::new(Space { arena, spare: None });
        Self { space, largest_block, segment_len }
    }

    /// The longest message that travels in one block, in bytes; longer ones go in segments.
    pub(crate) fn largest_block(&self) -> usize {
        self.largest_block
    }

    /// The length of a segment in bytes, but for the last.
    pub(crate) fn segment_len(&self) -> usize {
        self.segment_len
    }

    /// Reserves space, at most a segment's length to continue, taking back what `released` says the peer has finished with.
    pub(crate) fn reserve(
        &self,
        len: usize,
        purpose: Purpose,
        released: &impl Released,
    ) -> Option<Reserved<'_>> {
        debug_assert!(purpose == Purpose::Begin || len <= self.segment_len);
        let mut space = self.lock();
        let Space { arena, spare } = &mut *space;
        let block = arena.find_or_reclaim(released, |arena| {
            keep_spare(arena, spare, self.segment_len);
            arena.alloc(len).or_else(|| match purpose {
                Purpose::Begin => beside_moved_spare(arena, spare, len, self.segment_len),
                Purpose::Continue => spare.take(),
            })
        });
        drop(space);
        let mut block = block?;
        block.truncate(len);
        Some(Reserved { outbox: self, block: Some(block) })
    }

    fn lock(&self) -> MutexGuard<'_, Space> {
        self.space.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes the spare, if it is missing and there is a free run for it.
fn keep_spare(arena: &mut Arena, spare: &mut Option<Block>, len: usize) {
    if spare.is_none() {
        *spare = arena.alloc(len);
    }
}

/// A block of `len` bytes beside a spare that lies elsewhere. Where it lies now, in the middle of
/// what is free, the longest blocks may not fit beside it, however much the peer releases.
fn beside_moved_spare(
    arena: &mut Arena,
    spare: &mut Option<Block>,
    len: usize,
    spare_len: usize,
) -> Option<Block> {
    arena.free(spare.take()?);
    let block = arena.alloc(len);
    keep_spare(arena, spare, spare_len);
    if spare.is_none() {
        // Not both: the spare comes first.
        arena.free(block?);
        keep_spare(arena, spare, spare_len);
        return None;
    }
    block
}

impl Reserved<'_> {
    /// The bytes to be filled.
    pub(crate) fn block_mut(&mut self) -> &mut Block {
        self.block.as_mut().expect("there until it is lent")
    }

    /// Lends the block to the peer; returns the words that describe it. To be called before they are
    /// published.
    pub(crate) fn lend(mut self) -> [u64; 2] {
        let block = self.block.take().expect("lent once");
        self.outbox.lock().arena.lend(block).to_words()
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        if let Some(block) = self.block.take() {
            self.outbox.lock().arena.free(block);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::HashSet;

    use super::*;
    use crate::arena::{BlockRef, GRANULE_BYTES};

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

    /// Numbers below a bound, the same at each run (Knuth's MMIX generator, its upper bits).
    fn numbers_from(mut state: u64) -> impl FnMut(usize) -> usize {
        move |bound| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as usize % bound
        }
    }

    /// However the arena was filled by those who begin, in whatever order it is released.
    #[test]
    fn a_message_that_was_begun_goes_on_in_a_full_arena() {
        for granules in [16, 17, 100, 1_777, 5_000] {
            let outbox = Outbox::new(Arena::new(granules * GRANULE_BYTES));
            let slots = Slots::default();
            let mut below = numbers_from(granules as u64);
            let mut held = Vec::new();
            for _ in 0..300 {
                let segment = outbox.segment_len();
                let reserve = |len, purpose| outbox.reserve(len, purpose, &slots);
                let mut len = outbox.largest_block();
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
                // Those who begin come first, and must not take what the spare leaves behind.
                slots.release(on);
                while let Some(block) = reserve(1 + below(segment), Purpose::Begin) {
                    held.push(block.lend());
                }
            }
        }
    }

    /// Wherever the spare has come to lie by then.
    #[test]
    fn the_longest_block_fits_once_all_is_released() {
        for granules in [16, 17, 100, 223, 1_777] {
            let outbox = Outbox::new(Arena::new(granules * GRANULE_BYTES));
            let slots = Slots::default();
            let mut below = numbers_from(granules as u64);
            for _ in 0..200 {
                let mut held = Vec::new();
                for _ in 0..below(30) {
                    let (len, purpose) = match below(3) {
                        0 => (below(outbox.segment_len()), Purpose::Continue),
                        _ => (below(outbox.largest_block()), Purpose::Begin),
                    };
                    match outbox.reserve(len, purpose, &slots) {
                        Some(block) => held.push(block.lend()),
                        None if held.is_empty() => {}
                        None => slots.release(held.swap_remove(below(held.len()))),
                    }
                }
                held.drain(..).for_each(|words| slots.release(words));
                let longest = outbox.reserve(outbox.largest_block(), Purpose::Begin, &slots);
                drop(longest.expect("all of the arena is free but the spare"));
                let on = outbox.reserve(outbox.segment_len(), Purpose::Continue, &slots);
                drop(on.expect("the spare"));
            }
        }
    }

    #[test]
    fn what_is_dropped_unfilled_is_free_again() {
        let outbox = Outbox::new(Arena::new(16 * GRANULE_BYTES));
        let slots = Slots::default();
        for purpose in [Purpose::Begin, Purpose::Continue] {
            for _ in 0..100 {
                drop(outbox.reserve(outbox.segment_len(), purpose, &slots).expect("free again"));
            }
        }
    }
}
