//! The functions of the fuzz targets, one for each. For any bytes, a function returns, and its
//! invariants hold. The seeds of the targets run as ordinary tests too.

mod hostile;
mod lines;
mod script;
#[cfg(test)]
mod seeds;

use std::collections::HashMap;

use crate::memory::arena::{Arena, Block, BlockRef, GRANULE_BYTES, Released};
use crate::rendezvous::{fuzzed_handshake, fuzzed_records};

pub use lines::{answer_lines, request_lines, sealed_answer_lines, sealed_request_lines};
pub(crate) use script::Script;

/// Reads the bytes as messages of a handshake, on either side.
pub fn records(bytes: &[u8]) {
    fuzzed_records(bytes);
}

/// Connects an unknown client to a server.
pub fn handshake(bytes: &[u8]) {
    fuzzed_handshake(bytes);
}

/// Checks the descriptions of blocks, as their reader does.
pub fn block_descriptor(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    while let Some(granules) = script.next::<2>() {
        let arena_len = usize::from(u16::from_le_bytes(granules)) * GRANULE_BYTES;
        let words = [script.word(), script.word()];
        if let Ok(block) = BlockRef::check(words, arena_len) {
            let end = block.offset().checked_add(block.len()).expect("no overflow");
            assert!(end <= arena_len && block.slot() < arena_len / GRANULE_BYTES);
            assert_ne!(block.generation(), 0);
            assert_eq!(block.to_words(), words);
        }
    }
}

/// Fills a release table with arbitrary values: no two blocks of its writer ever overlap.
pub fn release_table(bytes: &[u8]) {
    const GRANULES: usize = 32;
    let mut script = Script::new(bytes);
    let mut arena = Arena::new(GRANULES * GRANULE_BYTES);
    let mut slots = Slots::default();
    let mut blocks: Vec<Block> = Vec::new();
    while let Some([step, argument]) = script.next() {
        let which = usize::from(argument);
        match step % 5 {
            0 | 1 => {
                let found = arena.find_or_reclaim(&slots, |arena| arena.alloc(which * 37));
                blocks.extend(found);
            }
            2 if !blocks.is_empty() => {
                let lent = arena.lend(blocks.swap_remove(which % blocks.len()));
                // Most peers release what they are lent.
                if step < 128 {
                    slots.0.insert(lent.slot() as u32, lent.generation());
                }
            }
            3 if !blocks.is_empty() => arena.free(blocks.swap_remove(which % blocks.len())),
            _ => {
                slots.0.insert(u32::from(argument) % GRANULES as u32, u32::from(step / 5));
                arena.reclaim(&slots);
            }
        }
        assert_disjoint(&blocks, arena.len());
    }
}

/// Checks that the blocks that the writer holds do not overlap.
fn assert_disjoint(blocks: &[Block], arena_len: usize) {
    let mut ranges: Vec<_> =
        blocks.iter().map(|block| (block.offset(), block.offset() + block.len().max(1))).collect();
    ranges.sort_unstable();
    assert!(ranges.iter().all(|(_, end)| *end <= arena_len), "{ranges:?}");
    assert!(ranges.windows(2).all(|pair| pair[0].1 <= pair[1].0), "{ranges:?}");
}

/// What the peer has stored, by granule.
#[derive(Default)]
struct Slots(HashMap<u32, u32>);

impl Released for Slots {
    fn is_released(&self, granule: u32, generation: u32) -> bool {
        self.0.get(&granule) == Some(&generation)
    }
}
