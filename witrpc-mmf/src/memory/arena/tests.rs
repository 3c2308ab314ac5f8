//! Tests the arena against an oracle that knows only which block has which granule.

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;

use super::runs::Runs;
use super::{Arena, BadBlock, Block, BlockRef, GRANULE_BYTES, Leases, Released, next_generation};

/// What the peer has stored, by granule.
#[derive(Debug, Default)]
struct Slots(HashMap<u32, u32>);

impl Slots {
    fn release(&mut self, block: BlockRef) {
        self.0.insert(block.slot() as u32, block.generation());
    }
}

impl Released for Slots {
    fn is_released(&self, granule: u32, generation: u32) -> bool {
        self.0.get(&granule) == Some(&generation)
    }
}

/// Which granules are taken, tracked outside of the arena.
struct Oracle {
    taken: Vec<bool>,
}

impl Oracle {
    /// # Panics
    ///
    /// Panics if a granule of the range is already in the new state.
    fn set(&mut self, offset: usize, len: usize, taken: bool) {
        let first = offset / GRANULE_BYTES;
        let granules = len.div_ceil(GRANULE_BYTES).max(1);
        for granule in &mut self.taken[first..first + granules] {
            assert_ne!(*granule, taken, "granule {first} and up are given out twice");
            *granule = taken;
        }
    }

    fn free(&self) -> usize {
        self.taken.iter().filter(|taken| !**taken).count()
    }

    fn longest_free_run(&self) -> usize {
        self.taken.split(|taken| *taken).map(<[bool]>::len).max().unwrap_or(0)
    }
}

/// One step of a writer or its peer.
#[derive(Debug, Clone)]
enum Step {
    Alloc {
        len: usize,
    },
    AllocOrReclaim {
        len: usize,
    },
    AllocLease {
        len: usize,
    },
    /// Asks for the length of a block that was released.
    Reuse {
        which: usize,
    },
    /// Lends a block and takes it back before it goes to the arena, as happens to leases.
    LendAndTakeBack {
        which: usize,
    },
    Free {
        which: usize,
    },
    Lend {
        which: usize,
    },
    Release {
        which: usize,
    },
    Reclaim,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let len = prop_oneof![0..2000_usize, 0..40_000_usize];
    let step = prop_oneof![
        3 => len.clone().prop_map(|len| Step::Alloc { len }),
        3 => len.clone().prop_map(|len| Step::AllocOrReclaim { len }),
        2 => len.prop_map(|len| Step::AllocLease { len }),
        2 => any::<usize>().prop_map(|which| Step::Reuse { which }),
        1 => any::<usize>().prop_map(|which| Step::LendAndTakeBack { which }),
        3 => any::<usize>().prop_map(|which| Step::Free { which }),
        2 => any::<usize>().prop_map(|which| Step::Lend { which }),
        2 => any::<usize>().prop_map(|which| Step::Release { which }),
        1 => Just(Step::Reclaim),
    ];
    proptest::collection::vec(step, 1..300)
}

/// A writer, its peer, and the oracle that checks them.
struct Scene {
    arena: Arena,
    oracle: Oracle,
    slots: Slots,
    held: Vec<Block>,
    lent: Vec<BlockRef>,
    released: Vec<BlockRef>,
    /// The first granules of the blocks that are leases.
    leases: HashSet<u32>,
}

impl Scene {
    fn new(granules: usize) -> Self {
        Self {
            arena: Arena::new(granules * GRANULE_BYTES),
            oracle: Oracle { taken: vec![false; granules] },
            slots: Slots::default(),
            held: Vec::new(),
            lent: Vec::new(),
            released: Vec::new(),
            leases: HashSet::new(),
        }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Alloc { len } => {
                let possible = self.arena.largest_possible();
                let block = self.arena.alloc(len);
                // A block of 0 bytes takes a granule too.
                assert!(
                    block.is_some() || len.max(1) > possible,
                    "{len} of {possible} was refused"
                );
                self.take(block, len);
            }
            Step::AllocLease { len } => {
                let block = self.arena.alloc_lease(len);
                self.leases.extend(block.as_ref().map(Block::first_granule));
                self.take(block, len);
            }
            Step::Reuse { which } => {
                let Some(like) = self.released.get(which % self.released.len().max(1)) else {
                    return;
                };
                let (len, is_lease) = (like.len(), self.leases.contains(&(like.slot() as u32)));
                let block = match is_lease {
                    false => self.arena.reuse(len, &self.slots),
                    true => self.arena.reuse_lease(len, &self.slots),
                };
                self.notice_reclaimed();
                if is_lease {
                    self.leases.extend(block.as_ref().map(Block::first_granule));
                }
                self.take(block, len);
            }
            Step::LendAndTakeBack { which } => {
                if let Some(mut block) = pick(&mut self.held, which) {
                    self.slots.release(block.reference());
                    block.set_generation(next_generation(block.generation()));
                    self.held.push(block);
                }
            }
            Step::AllocOrReclaim { len } => {
                let block = self.arena.find_or_reclaim(&self.slots, |arena| arena.alloc(len));
                self.notice_reclaimed();
                if block.is_none() {
                    assert!(self.released.is_empty(), "refused with releases not looked at");
                }
                self.take(block, len);
            }
            Step::Free { which } => {
                if let Some(block) = pick(&mut self.held, which) {
                    self.oracle.set(block.offset(), block.len(), false);
                    self.leases.remove(&block.first_granule());
                    self.arena.free(block);
                }
            }
            Step::Lend { which } => {
                if let Some(block) = pick(&mut self.held, which) {
                    self.lent.push(self.arena.lend(block));
                }
            }
            Step::Release { which } => {
                if let Some(block) = pick(&mut self.lent, which) {
                    self.slots.release(block);
                    self.released.push(block);
                }
            }
            Step::Reclaim => {
                let expected = self.released.len();
                assert_eq!(self.arena.reclaim(&self.slots), expected);
                self.notice_reclaimed();
                assert_eq!(self.released.len(), 0);
            }
        }
        self.check();
    }

    fn take(&mut self, block: Option<Block>, len: usize) {
        let Some(block) = block else { return };
        assert_eq!(block.len(), len);
        assert_eq!(block.offset() % GRANULE_BYTES, 0);
        assert_ne!(block.generation(), 0);
        assert!(!self.slots.is_released(block.first_granule(), block.generation()));
        self.oracle.set(block.offset(), len, true);
        self.held.push(block);
    }

    /// Frees in the oracle what the arena no longer counts as outstanding. The generation at a block's
    /// granule shows whether it is one of these.
    fn notice_reclaimed(&mut self) {
        let (arena, oracle, leases) = (&self.arena, &mut self.oracle, &mut self.leases);
        self.released.retain(|block| {
            let reclaimed = arena.reclaimed_generations[block.slot()] == block.generation();
            if reclaimed {
                oracle.set(block.offset(), block.len(), false);
                leases.remove(&(block.slot() as u32));
            }
            !reclaimed
        });
    }

    fn check(&self) {
        let Leases { count, bytes } = self.arena.leases();
        assert_eq!(count, self.leases.len());
        assert!(
            bytes >= count * GRANULE_BYTES && bytes + self.arena.free_bytes() <= self.arena.len()
        );
        assert_eq!(self.arena.outstanding(), self.lent.len() + self.released.len());
        assert_eq!(self.arena.free_bytes(), self.oracle.free() * GRANULE_BYTES);
        let longest = self.oracle.longest_free_run();
        let possible = self.arena.largest_possible() / GRANULE_BYTES;
        assert!(possible <= longest, "{possible} granules promised, {longest} there");
        assert!(possible * 9 / 8 + 1 >= longest, "{possible} granules promised of {longest}");
    }

    /// Gives everything back.
    fn settle(&mut self) {
        for block in self.held.drain(..) {
            self.arena.free(block);
        }
        for block in self.lent.drain(..) {
            self.slots.release(block);
        }
        self.arena.reclaim(&self.slots);
    }
}

fn pick<T>(items: &mut Vec<T>, which: usize) -> Option<T> {
    (!items.is_empty()).then(|| items.swap_remove(which % items.len()))
}

proptest! {
    #[test]
    fn blocks_never_overlap_and_coalesce_into_one_run(
        granules in 1..400_usize,
        steps in steps(),
    ) {
        let mut scene = Scene::new(granules);
        for step in &steps {
            scene.step(step);
        }
        scene.settle();
        prop_assert_eq!(scene.arena.outstanding(), 0);
        prop_assert_eq!(scene.arena.leases(), Leases::default());
        prop_assert_eq!(scene.arena.largest_possible(), granules * GRANULE_BYTES);
        prop_assert!(scene.arena.alloc(granules * GRANULE_BYTES).is_some());
    }

    #[test]
    fn a_reference_survives_its_words_exactly_if_it_lies_in_the_arena(
        granule in prop_oneof![0..20_u32, any::<u32>()],
        generation in prop_oneof![0..3_u32, any::<u32>()],
        len in prop_oneof![0..6000_u64, any::<u64>()],
        arena_granules in 1..20_usize,
    ) {
        let words = [u64::from(granule) | u64::from(generation) << 32, len];
        let arena_len = arena_granules * GRANULE_BYTES;
        let offset = u128::from(granule) * GRANULE_BYTES as u128;
        let inside = offset < arena_len as u128 && offset + u128::from(len) <= arena_len as u128;
        match BlockRef::check(words, arena_len) {
            Ok(block) => {
                prop_assert!(inside && generation != 0);
                prop_assert_eq!(block.to_words(), words);
                prop_assert!(block.slot() < arena_granules);
                prop_assert!(block.offset() + block.len() <= arena_len);
            }
            Err(BadBlock::NoGeneration { .. }) => prop_assert!(inside && generation == 0),
            Err(BadBlock::Outside { .. }) => prop_assert!(!inside),
        }
    }
}

#[test]
fn a_value_other_than_the_generation_releases_nothing() {
    let mut arena = Arena::new(GRANULE_BYTES);
    let block = arena.alloc(1).expect("space");
    let lent = arena.lend(block);
    let mut slots = Slots::default();
    for stored in [0, lent.generation() + 1, lent.generation() - 1, u32::MAX] {
        slots.0.insert(0, stored);
        assert_eq!(arena.reclaim(&slots), 0);
        assert!(arena.find_or_reclaim(&slots, |arena| arena.alloc(1)).is_none());
    }
    slots.release(lent);
    assert!(arena.find_or_reclaim(&slots, |arena| arena.alloc(1)).is_some());
}

#[test]
fn generations_wrap_past_zero_and_are_never_taken_for_the_one_before() {
    assert_eq!(next_generation(u32::MAX), 1);

    let mut arena = Arena::new(GRANULE_BYTES);
    let mut slots = Slots::default();
    arena.reclaimed_generations[0] = u32::MAX - 2;
    let mut seen = Vec::new();
    for _ in 0..4 {
        let block = arena.alloc(1).expect("space");
        let lent = arena.lend(block);
        assert_eq!(arena.reclaim(&slots), 0, "what the block before left is no release");
        slots.release(lent);
        assert_eq!(arena.reclaim(&slots), 1);
        seen.push(lent.generation());
    }
    assert_eq!(seen, [u32::MAX - 1, u32::MAX, 1, 2]);
}

#[test]
fn a_block_freed_without_being_lent_uses_up_no_generation() {
    let mut arena = Arena::new(GRANULE_BYTES);
    let block = arena.alloc(1).expect("space");
    let generation = block.generation();
    arena.free(block);
    assert_eq!(arena.alloc(1).expect("space").generation(), generation);
}

#[test]
fn every_lent_block_is_looked_at_in_turn() {
    // Most are never released: a check that always began at the same ones would not find the last.
    let mut arena = Arena::new(128 * GRANULE_BYTES);
    let mut slots = Slots::default();
    let lent: Vec<_> = (0..100)
        .map(|_| {
            let block = arena.alloc(1).expect("space");
            arena.lend(block)
        })
        .collect();
    slots.release(lent[99]);
    for _ in 0..25 {
        let block = arena.find_or_reclaim(&slots, |arena| arena.alloc(1)).expect("space");
        arena.free(block);
    }
    assert_eq!(arena.outstanding(), 99);
}

#[test]
fn a_released_block_is_reused_for_its_own_length_and_purpose_once_enough_is_lent() {
    let mut arena = Arena::new(512 * GRANULE_BYTES);
    let mut slots = Slots::default();
    let len = 40 * GRANULE_BYTES;
    let mut lend = || {
        let block = arena.alloc(len).expect("space");
        arena.lend(block)
    };
    let [first, second] = [lend(), lend()];
    assert!(arena.reuse(len, &slots).is_none(), "the peer holds it");
    // The first was moved to the end.
    slots.release(second);
    assert!(arena.reuse(len + 1, &slots).is_none());
    assert!(arena.reuse_lease(len, &slots).is_none());
    let reused = arena.reuse(len - 1, &slots).expect("it was released");
    assert_eq!((reused.first_granule() as usize, reused.len()), (second.slot(), len - 1));
    assert_eq!(reused.generation(), next_generation(second.generation()));
    slots.release(first);
    assert!(arena.reuse(len, &slots).is_none(), "little is lent");
    arena.free(reused);
    assert_eq!(arena.reclaim(&slots), 1);
    assert_eq!(arena.largest_possible(), arena.len());
}

#[test]
fn small_blocks_that_came_back_are_taken_together() {
    let mut arena = Arena::new(128 * GRANULE_BYTES);
    let mut slots = Slots::default();
    for lent_before in 0..=64 {
        let block = arena.find_or_reclaim(&slots, |arena| arena.alloc(1)).expect("space");
        assert_eq!(arena.outstanding(), lent_before);
        slots.release(arena.lend(block));
    }
    let block = arena.find_or_reclaim(&slots, |arena| arena.alloc(1)).expect("space");
    assert_eq!(arena.outstanding(), 1);
    arena.free(block);
}

#[test]
fn a_whole_arena_is_one_block() {
    // Not at the boundary of a size class, where rounding up would miss the only run.
    let granules = 1001;
    let mut arena = Arena::new(granules * GRANULE_BYTES);
    assert!(arena.alloc(granules * GRANULE_BYTES + 1).is_none());
    let block = arena.alloc(granules * GRANULE_BYTES).expect("all of it");
    assert_eq!((arena.free_bytes(), arena.largest_possible()), (0, 0));
    assert!(arena.alloc(0).is_none());
    arena.free(block);
    assert_eq!(arena.largest_possible(), arena.len());
}

#[test]
fn a_length_beyond_any_arena_is_refused() {
    let mut arena = Arena::new(GRANULE_BYTES);
    assert!(arena.alloc(usize::MAX).is_none());
    assert_eq!(Runs::new(1).take(u32::MAX), None);
}

#[test]
#[should_panic(expected = "belongs to another arena")]
fn a_block_is_not_freed_into_another_arena() {
    let block = Arena::new(GRANULE_BYTES).alloc(1).expect("space");
    Arena::new(GRANULE_BYTES).free(block);
}

#[test]
#[should_panic(expected = "is not made of 1 to")]
fn an_arena_of_broken_granules_is_refused() {
    let _ = Arena::new(GRANULE_BYTES + 1);
}
