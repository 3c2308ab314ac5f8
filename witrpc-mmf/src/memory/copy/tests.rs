//! Tests copying against plain slices, and both memories over one file, as two processes have them.

use std::fs::File;
use std::sync::atomic::Ordering;

use memmap2::{MmapOptions, MmapRaw};
use proptest::prelude::*;
use rustix::fs::{MemfdFlags, memfd_create};

use crate::memory::arena::{Arena, GRANULE_BYTES};
use crate::memory::words::ReadWord;

use super::{BadMapping, OutOfBounds, OwnMemory, PeerMemory};

/// Creates read-only memory that holds `content`.
pub fn peer_memory(content: &[u8]) -> PeerMemory {
    let mut map = MmapOptions::new().len(content.len()).map_anon().expect("anonymous memory");
    map.copy_from_slice(content);
    let map = MmapRaw::from(map.make_read_only().expect("read-only pages"));
    // SAFETY: anonymous private memory, which nothing else refers to any more.
    unsafe { PeerMemory::new(map, content.len()) }.expect("whole words")
}

/// Returns bytes of which no two within 251 are equal, so that a shifted copy differs.
fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|index| (index % 251) as u8).collect()
}

#[test]
fn every_alignment_and_short_length_copies_exactly_its_bytes() {
    let content = pattern(128);
    let memory = peer_memory(&content);
    for offset in 0..=40 {
        for len in 0..=80 {
            let mut out = vec![0xEE; len];
            memory.copy_out(offset, &mut out).expect("in bounds");
            assert_eq!(out, content[offset..offset + len], "{len} bytes at {offset}");

            let mut appended = vec![1, 2, 3];
            memory.append_to(offset, len, &mut appended).expect("in bounds");
            assert_eq!(appended[..3], [1, 2, 3]);
            assert_eq!(appended[3..], content[offset..offset + len]);
        }
    }
}

#[test]
fn the_very_last_bytes_can_be_copied_and_not_one_more() {
    let content = pattern(4096);
    let memory = peer_memory(&content);
    for len in 0..=17 {
        let mut out = vec![0; len];
        memory.copy_out(4096 - len, &mut out).expect("in bounds");
        assert_eq!(out, content[4096 - len..]);

        let error = memory.copy_out(4097 - len, &mut out);
        assert_eq!(error, Err(OutOfBounds { offset: 4097 - len, len, limit: 4096 }));
    }
}

#[test]
fn a_range_that_overflows_is_out_of_bounds_and_reserves_nothing() {
    let memory = peer_memory(&pattern(64));
    let mut out = Vec::new();
    for (offset, len) in
        [(usize::MAX, 1), (1, usize::MAX), (65, 0), (0, 65), (usize::MAX, usize::MAX)]
    {
        let error = memory.append_to(offset, len, &mut out).expect_err("out of bounds");
        assert_eq!(error, OutOfBounds { offset, len, limit: 64 });
        assert_eq!(out.capacity(), 0);
    }
}

proptest! {
    #[test]
    fn any_range_copies_what_lies_there_or_is_refused(
        offset in 0..10_000_usize,
        len in 0..10_000_usize,
        seed: u64,
    ) {
        let content: Vec<u8> = (0..8192_u64)
            .map(|index| (index.wrapping_mul(seed | 1) >> 7) as u8)
            .collect();
        let memory = peer_memory(&content);
        let mut out = vec![0; len];
        let copied = memory.copy_out(offset, &mut out);
        match content.get(offset..offset + len) {
            Some(expected) => {
                prop_assert_eq!(copied, Ok(()));
                prop_assert!(out == expected);
            }
            None => {
                prop_assert_eq!(copied, Err(OutOfBounds { offset, len, limit: 8192 }));
                prop_assert!(out.iter().all(|byte| *byte == 0));
            }
        }
    }
}

const LEN: usize = 8192;
const ARENA_START: usize = 4096;

/// Creates a region as its owner maps it and as its peer does.
fn both_sides(arena: &Arena) -> (OwnMemory, PeerMemory) {
    let file = File::from(memfd_create("region", MemfdFlags::CLOEXEC).expect("a memfd"));
    file.set_len(LEN as u64).expect("space");
    let writable = MmapOptions::new().map_raw(&file).expect("a mapping");
    let read_only = MmapOptions::new().map_raw_read_only(&file).expect("a mapping");
    // SAFETY: the file keeps its length and no other code has it; the tests below access each word in
    // one size.
    let own = unsafe { OwnMemory::new(writable, LEN, ARENA_START, arena) };
    // SAFETY: the file keeps its length; this mapping is given away here.
    let peer = unsafe { PeerMemory::new(read_only, LEN) };
    (own.expect("a fitting arena"), peer.expect("whole words"))
}

#[test]
fn the_peer_reads_what_the_owner_wrote_to_a_block_and_to_words() {
    let mut arena = Arena::new(LEN - ARENA_START);
    let (own, peer) = both_sides(&arena);
    let mut first = arena.alloc(300).expect("space");
    let mut second = arena.alloc(1000).expect("space");
    own.block_mut(&mut first).fill(1);
    own.block_mut(&mut second).copy_from_slice(&pattern(1000));
    own.word64(64).store(7, Ordering::Release);
    own.word32(132).store(9, Ordering::Release);
    own.store_bytes(192, b"eleven byte");

    assert_eq!(peer.word64(64).load(Ordering::Acquire), 7);
    assert_eq!(peer.word32(132).load(Ordering::Acquire), 9);
    assert_eq!(peer.words32(128, 2).iter().map(|w| w.load(Ordering::Relaxed)).sum::<u32>(), 9);
    let inline: [u64; 2] = peer.read_words(192);
    assert_eq!(inline.map(u64::to_ne_bytes).concat(), b"eleven byte\0\0\0\0\0");

    let mut out = vec![0; 1000];
    peer.copy_out(ARENA_START + second.offset(), &mut out).expect("in bounds");
    assert_eq!(out, pattern(1000));
    peer.copy_out(ARENA_START + first.offset(), &mut out[..300]).expect("in bounds");
    assert_eq!(out[..300], [1; 300]);
}

#[test]
fn a_truncated_block_is_only_as_long_as_what_was_written() {
    let mut arena = Arena::new(LEN - ARENA_START);
    let (own, _peer) = both_sides(&arena);
    let mut block = arena.alloc(1000).expect("space");
    block.truncate(10);
    assert_eq!(own.block_mut(&mut block).len(), 10);
    block.truncate(100);
    assert_eq!(arena.lend(block).len(), 10);
}

#[test]
#[should_panic(expected = "the arena of another region")]
fn a_block_of_another_arena_is_refused() {
    let arena = Arena::new(LEN - ARENA_START);
    let (own, _peer) = both_sides(&arena);
    let mut foreign = Arena::new(LEN).alloc(1).expect("space");
    let _ = own.block_mut(&mut foreign);
}

#[test]
#[should_panic(expected = "do not lie in front of the arena")]
fn a_word_of_the_arena_is_refused() {
    let (own, _peer) = both_sides(&Arena::new(LEN - ARENA_START));
    let _ = own.words64(ARENA_START - 8, 2);
}

#[test]
#[should_panic(expected = "not a part of the region")]
fn a_word_that_is_not_aligned_is_refused() {
    let _ = peer_memory(&pattern(64)).word64(4);
}

#[test]
#[should_panic(expected = "not a part of the region")]
fn words_behind_the_end_are_refused() {
    let _ = peer_memory(&pattern(64)).read_words::<2>(56);
}

#[test]
#[should_panic(expected = "loaded Relaxed or Acquire")]
fn a_peers_word_is_not_loaded_seq_cst() {
    peer_memory(&pattern(64)).word64(0).load(Ordering::SeqCst);
}

fn anonymous(len: usize) -> MmapRaw {
    MmapRaw::from(MmapOptions::new().len(len).map_anon().expect("anonymous memory"))
}

#[test]
fn a_mapping_that_cannot_hold_the_region_is_refused() {
    for len in [0, 7, 63] {
        // SAFETY: anonymous private memory.
        let refused = unsafe { PeerMemory::new(anonymous(64), len) }.expect_err("not whole words");
        assert_eq!(refused, BadMapping::NotWholeWords { len });
    }
    // SAFETY: anonymous private memory.
    let refused = unsafe { PeerMemory::new(anonymous(4096), 4104) }.expect_err("too short");
    assert_eq!(refused, BadMapping::TooShort { mapped: 4096, len: 4104 });
}

#[test]
fn an_arena_that_does_not_fit_the_region_is_refused() {
    let arena = Arena::new(4 * GRANULE_BYTES);
    for offset in [LEN - 3 * GRANULE_BYTES, 100, usize::MAX - 255] {
        // SAFETY: anonymous private memory.
        let refused = unsafe { OwnMemory::new(anonymous(LEN), LEN, offset, &arena) };
        let arena_len = arena.len();
        assert_eq!(
            refused.expect_err("does not fit"),
            BadMapping::BadArena { offset, arena_len, len: LEN }
        );
    }
}
