//! loom models: the releases of one side against the looks, the reuse and the waits of the other.

use core::sync::atomic::Ordering::{Acquire, Release};

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicU32, AtomicU64};
use loom::thread;

use crate::memory::arena::{Arena, BlockRef, GRANULE_BYTES, Released};
use crate::memory::words::modelled::{Doorbell, Modelled, explore};
use crate::wakeup::epoch::{WakeEpoch, WakeRequest};

use super::{ReleaseTable, find_or_ask, release};

/// The words and blocks of a connection that the blocks of one side's arena are about.
struct Shared<const SLOTS: usize> {
    slots: [AtomicU32; SLOTS],
    wants_space: AtomicU64,
    /// Stands for the line: the first word of a `BlockRef`, 0 for none.
    published: AtomicU64,
    /// Stands for the bytes of each granule. loom fails a model that reads and writes them
    /// unordered.
    bytes: [UnsafeCell<()>; SLOTS],
    /// The writer's private half of `wants_space`.
    wake_epoch: WakeEpoch<Modelled>,
    /// The reader's private half of `wants_space`.
    wake_request: WakeRequest<Modelled>,
    doorbell: Doorbell,
}

impl<const SLOTS: usize> Shared<SLOTS> {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            slots: core::array::from_fn(|_| AtomicU32::new(0)),
            wants_space: AtomicU64::new(0),
            published: AtomicU64::new(0),
            bytes: core::array::from_fn(|_| UnsafeCell::new(())),
            wake_epoch: WakeEpoch::new(AtomicU64::new(0)),
            wake_request: WakeRequest::new(AtomicU64::new(0)),
            doorbell: Doorbell::new(),
        })
    }

    fn table(&self) -> ReleaseTable<'_, Modelled> {
        ReleaseTable { slots: &self.slots }
    }

    /// Takes a block of one granule, writes it and publishes it, if there is space.
    fn send(&self, arena: &mut Arena) -> Option<BlockRef> {
        let block = arena.find_or_reclaim(&self.table(), |arena| arena.alloc(GRANULE_BYTES))?;
        let reference = arena.lend(block);
        self.bytes[reference.slot()].with_mut(|_| ());
        self.published.store(reference.to_words()[0], Release);
        Some(reference)
    }

    /// Reads the published block and releases it, if it is another one than `last`.
    fn receive(&self, last: u64) -> Option<u64> {
        let place = self.published.load(Acquire);
        if place == last {
            return None;
        }
        let block = BlockRef::check([place, 0], SLOTS * GRANULE_BYTES).expect("an honest peer");
        self.bytes[block.slot()].with(|_| ());
        self.release(&block);
        Some(place)
    }

    fn release(&self, block: &BlockRef) {
        if release(&self.slots[block.slot()], block, &self.wants_space, &self.wake_request) {
            self.doorbell.ring();
        }
    }

    fn is_free(&self, block: &BlockRef) -> bool {
        self.table().is_released(block.slot() as u32, block.generation())
    }

    /// Waits until the peer has released all of `blocks`. loom reports a deadlock if the waiter is
    /// not rung.
    fn wait_for(&self, blocks: &[BlockRef]) {
        // A ring from now on wakes this waiter, which has entered the queue.
        let mut heard = self.doorbell.rings();
        let all_free = || blocks.iter().all(|block| self.is_free(block)).then_some(());
        while find_or_ask(&self.wake_epoch, &self.wants_space, all_free).is_none() {
            heard = self.doorbell.hear(heard);
        }
    }
}

#[test]
fn a_block_is_reused_only_after_it_was_read_and_released() {
    explore(3, || {
        let shared = Shared::<1>::new();
        let mut arena = Arena::new(GRANULE_BYTES);
        let first = shared.send(&mut arena).expect("an empty arena");

        let reader = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                let first = shared.receive(0).unwrap_or(0);
                shared.receive(first).is_some()
            }
        });
        // Reuses the only granule, up to twice, whenever the table allows it.
        let second = shared.send(&mut arena);
        let third = shared.send(&mut arena);

        let read_twice = reader.join().expect("the reader");
        let reused: Vec<_> = [second, third].into_iter().flatten().collect();
        assert!(reused.iter().all(|block| block.generation() != first.generation()));
        assert!(reused.len() < 2 || read_twice, "a block was reused that was not released");
    });
}

#[test]
fn blocks_released_by_two_threads_come_back_once_each() {
    explore(2, || {
        let shared = Shared::<2>::new();
        let mut arena = Arena::new(2 * GRANULE_BYTES);
        let blocks = [(); 2].map(|()| shared.send(&mut arena).expect("space for two"));
        assert!(shared.send(&mut arena).is_none());

        let readers = blocks.map(|block| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                shared.bytes[block.slot()].with(|_| ());
                shared.release(&block);
            })
        });
        let reused: Vec<_> = (0..2).filter_map(|_| shared.send(&mut arena)).collect();
        for block in &reused {
            let before = blocks.iter().find(|before| before.slot() == block.slot());
            assert_ne!(before.map(|before| before.generation()), Some(block.generation()));
        }
        for reader in readers {
            reader.join().expect("a reader");
        }
        let again = (0..3).filter_map(|_| shared.send(&mut arena)).count();
        assert_eq!(reused.len() + again, 2, "a release gives a block back exactly once");
    });
}

#[test]
fn a_waiter_finds_the_release_or_is_rung_for_it() {
    explore(3, || {
        let shared = Shared::<1>::new();
        let mut arena = Arena::new(GRANULE_BYTES);
        let lent = shared.send(&mut arena).expect("an empty arena");
        let releaser = thread::spawn({
            let shared = Arc::clone(&shared);
            move || shared.release(&lent)
        });
        shared.wait_for(&[lent]);
        releaser.join().expect("the releaser");
    });
}

#[test]
fn a_release_without_a_waiter_does_not_ring() {
    explore(3, || {
        let shared = Shared::<2>::new();
        let mut arena = Arena::new(2 * GRANULE_BYTES);
        let lent = [(); 2].map(|()| shared.send(&mut arena).expect("space for two"));
        shared.release(&lent[0]);
        shared.wait_for(&[lent[0]]);
        shared.release(&lent[1]);
        assert_eq!(shared.doorbell.rings(), 0, "space was found without asking");
    });
}

#[test]
fn two_waiters_are_each_rung_for_the_release_they_missed() {
    explore(2, || {
        let shared = Shared::<2>::new();
        let mut arena = Arena::new(2 * GRANULE_BYTES);
        let blocks = [(); 2].map(|()| shared.send(&mut arena).expect("space for two"));
        let waiter = thread::spawn({
            let shared = Arc::clone(&shared);
            move || shared.wait_for(&blocks[..1])
        });
        let releaser = thread::spawn({
            let shared = Arc::clone(&shared);
            move || blocks.map(|block| shared.release(&block))
        });
        shared.wait_for(&blocks[1..]);
        waiter.join().expect("the other waiter");
        releaser.join().expect("the releaser");
    });
}

#[test]
fn a_waiter_that_was_rung_for_too_little_is_rung_again() {
    explore(3, || {
        let shared = Shared::<2>::new();
        let mut arena = Arena::new(2 * GRANULE_BYTES);
        let blocks = [(); 2].map(|()| shared.send(&mut arena).expect("space for two"));
        let releasers = blocks.map(|block| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.release(&block))
        });
        shared.wait_for(&blocks);
        for releaser in releasers {
            releaser.join().expect("a releaser");
        }
    });
}
