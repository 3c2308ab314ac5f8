//! loom models: the releases of one side against the looks, reuse and waits of the other.

use core::sync::atomic::Ordering;

use loom::{
    cell::UnsafeCell,
    model,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64},
    },
    thread,
};

use super::{ReleaseTable, Releaser, SpaceWait, SpaceWanted};
use crate::{
    arena::{Arena, BlockRef, GRANULE_BYTES, Released},
    words::modelled::Modelled,
};

/// Both regions of a connection, as far as blocks of one side's arena are concerned.
struct Shared<const SLOTS: usize> {
    slots: [AtomicU32; SLOTS],
    space_epoch: AtomicU32,
    wants_space: AtomicU32,
    /// Stands for the line: `BlockRef` words with a length of 0, 0 for none.
    published: AtomicU64,
    /// Stands for the bytes of each granule. loom fails a model that reads and writes it unordered.
    bytes: [UnsafeCell<()>; SLOTS],
}

impl<const SLOTS: usize> Shared<SLOTS> {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            slots: core::array::from_fn(|_| AtomicU32::new(0)),
            space_epoch: AtomicU32::new(0),
            wants_space: AtomicU32::new(0),
            published: AtomicU64::new(0),
            bytes: core::array::from_fn(|_| UnsafeCell::new(())),
        })
    }

    fn releaser(&self) -> Releaser<'_, Modelled> {
        Releaser {
            slots: &self.slots,
            space_epoch: &self.space_epoch,
            wants_space: &self.wants_space,
        }
    }

    fn table(&self) -> ReleaseTable<'_, Modelled> {
        ReleaseTable { slots: &self.slots }
    }

    /// Takes a block of a granule, writes it and publishes it, if there is space.
    fn send(&self, arena: &mut Arena) -> Option<BlockRef> {
        let block = arena.alloc_or_reclaim(GRANULE_BYTES, &self.table())?;
        let reference = arena.lend(block);
        self.bytes[reference.slot()].with_mut(|_| ());
        self.published.store(reference.to_words()[0], Ordering::Release);
        Some(reference)
    }

    /// Reads the published block and releases it, if it is another than `last`.
    fn receive(&self, last: u64) -> Option<(u64, SpaceWanted)> {
        let place = self.published.load(Ordering::Acquire);
        if place == last {
            return None;
        }
        let block = BlockRef::check([place, 0], SLOTS * GRANULE_BYTES).expect("an honest peer");
        self.bytes[block.slot()].with(|_| ());
        Some((place, self.releaser().release(block)))
    }
}

#[test]
fn a_block_is_reused_only_after_it_was_read_and_released() {
    model(|| {
        let shared = Shared::<1>::new();
        let mut arena = Arena::new(GRANULE_BYTES);
        let first = shared.send(&mut arena).expect("an empty arena");

        let reader = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                let first = shared.receive(0).map_or(0, |(place, _)| place);
                shared.receive(first).is_some()
            }
        });
        // Reuses the only granule, up to twice, at whatever moment the table allows it.
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
    model(|| {
        let shared = Shared::<2>::new();
        let mut arena = Arena::new(2 * GRANULE_BYTES);
        let blocks = [(); 2].map(|()| shared.send(&mut arena).expect("space for two"));
        assert!(shared.send(&mut arena).is_none());

        let readers = blocks.map(|block| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                shared.bytes[block.slot()].with(|_| ());
                shared.releaser().release(block)
            })
        });
        let reused: Vec<_> = (0..2).filter_map(|_| shared.send(&mut arena)).collect();
        for block in &reused {
            let before = blocks.iter().find(|before| before.slot() == block.slot());
            assert_ne!(before.map(|before| before.generation()), Some(block.generation()));
        }
        for reader in readers {
            let _ = reader.join().expect("a reader");
        }
        let again = (0..3).filter_map(|_| shared.send(&mut arena)).count();
        assert_eq!(reused.len() + again, 2, "a release gives a block back exactly once");
    });
}

/// Waits once as a caller short of space does. Returns the epoch that it would sleep on, if it found
/// no space.
fn look_for_space<const SLOTS: usize>(
    shared: &Shared<SLOTS>,
    is_free: impl Fn() -> bool,
) -> Option<u32> {
    let wait = SpaceWait::<Modelled>::begin(&shared.wants_space, &shared.space_epoch);
    let epoch = wait.observe();
    let found = is_free();
    // It goes on waiting, so that `wants_space` stays raised: a sleeper does not drop it.
    core::mem::forget(wait);
    (!found).then_some(epoch)
}

#[test]
fn a_waiter_finds_the_release_or_is_woken_by_it() {
    model(|| {
        let shared = Shared::<1>::new();
        let mut arena = Arena::new(GRANULE_BYTES);
        let lent = shared.send(&mut arena).expect("an empty arena");

        let releaser = thread::spawn({
            let shared = Arc::clone(&shared);
            move || shared.releaser().release(lent)
        });
        let slept_on = look_for_space(&shared, || shared.table().is_released(0, lent.generation()));

        let wanted = releaser.join().expect("the releaser");
        if let Some(epoch) = slept_on {
            assert_eq!(wanted, SpaceWanted::Yes, "nobody would wake the sleeper");
            assert_ne!(shared.space_epoch.load(Ordering::Relaxed), epoch, "the futex would sleep");
        }
    });
}

#[test]
fn a_release_that_nobody_waits_for_wakes_nobody_and_leaves_the_epoch() {
    model(|| {
        let shared = Shared::<1>::new();
        let mut arena = Arena::new(GRANULE_BYTES);
        drop(SpaceWait::<Modelled>::begin(&shared.wants_space, &shared.space_epoch));
        let lent = shared.send(&mut arena).expect("an empty arena");
        assert_eq!(shared.releaser().release(lent), SpaceWanted::No);
        assert_eq!(shared.space_epoch.load(Ordering::Relaxed), 0);
    });
}

#[test]
fn two_waiters_are_woken_by_whichever_release_they_missed() {
    model(|| {
        let shared = Shared::<1>::new();
        let mut arena = Arena::new(GRANULE_BYTES);
        let lent = shared.send(&mut arena).expect("an empty arena");

        let waiters = [(); 2].map(|()| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                look_for_space(&shared, || shared.table().is_released(0, lent.generation()))
            })
        });
        let wanted = shared.releaser().release(lent);
        for waiter in waiters {
            if let Some(epoch) = waiter.join().expect("a waiter") {
                assert_eq!(wanted, SpaceWanted::Yes);
                assert_ne!(shared.space_epoch.load(Ordering::Relaxed), epoch);
            }
        }
    });
}

#[test]
fn a_waiter_that_leaves_does_not_silence_the_release_for_one_that_stays() {
    model(|| {
        let shared = Shared::<1>::new();
        let mut arena = Arena::new(GRANULE_BYTES);
        let lent = shared.send(&mut arena).expect("an empty arena");

        let leaver = thread::spawn({
            let shared = Arc::clone(&shared);
            move || drop(SpaceWait::<Modelled>::begin(&shared.wants_space, &shared.space_epoch))
        });
        let releaser = thread::spawn({
            let shared = Arc::clone(&shared);
            move || shared.releaser().release(lent)
        });
        let slept_on = look_for_space(&shared, || shared.table().is_released(0, lent.generation()));

        leaver.join().expect("the leaver");
        let wanted = releaser.join().expect("the releaser");
        if let Some(epoch) = slept_on {
            assert_eq!(wanted, SpaceWanted::Yes);
            assert_ne!(shared.space_epoch.load(Ordering::Relaxed), epoch);
        }
    });
}

#[test]
fn a_second_look_misses_nothing_that_the_first_one_slept_through() {
    // A waiter that was woken and found too little sleeps again, without raising or fencing anew.
    model(|| {
        let shared = Shared::<2>::new();
        let mut arena = Arena::new(2 * GRANULE_BYTES);
        let blocks = [(); 2].map(|()| shared.send(&mut arena).expect("space for two"));
        let releaser = thread::spawn({
            let shared = Arc::clone(&shared);
            move || blocks.map(|block| shared.releaser().release(block))
        });

        let wait = SpaceWait::<Modelled>::begin(&shared.wants_space, &shared.space_epoch);
        let both_free = || {
            blocks
                .iter()
                .all(|block| shared.table().is_released(block.slot() as u32, block.generation()))
        };
        let first = wait.observe();
        let mut slept_on = (!both_free()).then_some(first);
        if slept_on.is_some() && wait.observe() != first {
            let second = wait.observe();
            slept_on = (!both_free()).then_some(second);
        }
        let [_, last] = releaser.join().expect("the releaser");
        if let Some(epoch) = slept_on {
            assert_eq!(last, SpaceWanted::Yes);
            assert_ne!(shared.space_epoch.load(Ordering::Relaxed), epoch);
        }
        drop(wait);
        assert_eq!(shared.wants_space.load(Ordering::Relaxed), 0);
    });
}
