//! Tests the arena against peers that release its blocks in any order.

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
            let longest = send_arena.reserve(send_arena.largest_block(), Purpose::Begin, &slots);
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
                    leases.extend(send_arena.reserve_leases(&[len], &slots).unwrap_or_default());
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
            let lease = send_arena.reserve_leases(&[longest], &slots).expect("nothing else is out");
            assert_eq!(send_arena.reserve_leases(&[0], &slots), Err(LeaseShortage::Space));
            let message = send_arena.reserve(send_arena.segment_len() / 2, Purpose::Begin, &slots);
            let segment = send_arena.reserve(send_arena.segment_len(), Purpose::Continue, &slots);
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
    assert_eq!(send_arena.reserve_leases(&[half, half], &slots), Err(LeaseShortage::Space));
    assert_eq!(send_arena.leases(), before, "the first of the two was given back");
    one.into_iter().for_each(|block| send_arena.free(block));
    assert_eq!(send_arena.reserve_leases(&[half, half], &slots).expect("space for two").len(), 2);
}

#[test]
fn the_number_of_leases_of_an_arena_is_limited() {
    let send_arena = SendArena::new(Arena::new(4 * MAX_LEASES * GRANULE_BYTES));
    let slots = Slots::default();
    let mut leases = send_arena.reserve_leases(&[1; MAX_LEASES], &slots).expect("space for all");
    assert_eq!(send_arena.reserve_leases(&[1], &slots), Err(LeaseShortage::Leases));
    let max = MAX_LEASES;
    assert_eq!(
        send_arena.check_leases(&[1; MAX_LEASES + 1]),
        Err(ChannelError::TooManyLeases { max })
    );
    // One that is lent counts until it is released.
    let lent = leases.pop().expect("many");
    let reference = lent.reference_as(lent.generation());
    send_arena.await_release(lent);
    assert_eq!(send_arena.reserve_leases(&[1], &slots), Err(LeaseShortage::Leases));
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
                send_arena.reserve(send_arena.segment_len(), purpose, &slots).expect("free again"),
            );
        }
    }
}

#[test]
fn after_a_panic_under_its_lock_nothing_is_taken_and_nothing_comes_back() {
    let send_arena = SendArena::new(Arena::new(100 * GRANULE_BYTES));
    let slots = Slots::default();
    let reserve = || send_arena.reserve(1, Purpose::Begin, &slots);
    let (reserved, dropped) = (reserve().expect("it is free"), reserve().expect("it is free"));
    let lease = || send_arena.reserve_lease(1, &slots);
    let (leased, lent) = (lease().expect("it is free"), lease().expect("it is free"));
    send_arena.break_for_test();
    assert!(reserve().is_none());
    assert_eq!(send_arena.reserve_lease(1, &slots).unwrap_err(), LeaseShortage::Space);
    assert_eq!(send_arena.reserve_leases(&[1], &slots).unwrap_err(), LeaseShortage::Space);
    drop(dropped);
    send_arena.free(leased);
    send_arena.await_release(lent);
    BlockRef::check(reserved.lend(), 100 * GRANULE_BYTES).expect("it is whole");
    assert!(!send_arena.has_leases_out(), "nobody waits for what never comes back");
}
