//! loom models: unfetched answers in an arena with room for one of them, and a client that moves
//! them when it is rung. A lost ring is a deadlock, which loom reports.

use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::collections::VecDeque;

use loom::sync::atomic::{AtomicU32, AtomicU64};
use loom::sync::{Arc, Mutex};
use loom::thread;

use crate::link::release::{ReleaseTable, find_or_ask, release};
use crate::memory::arena::{Arena, BlockRef, GRANULE_BYTES};
use crate::memory::words::modelled::{Doorbell, Modelled, explore};
use crate::wakeup::epoch;
use crate::wakeup::epoch::{WakeEpoch, WakeRequest};

use super::SpaceWanted;

const LANES: usize = 2;

/// The words of both sides of a connection that answers and their space are about.
struct Scene {
    /// The server's arena.
    arena: Mutex<Arena>,
    queue: Mutex<VecDeque<usize>>,
    space_wanted: SpaceWanted<Modelled>,
    wake_epoch: WakeEpoch<Modelled>,
    wants_space: AtomicU64,
    /// Stand for the response lines: the first word of the block, 0 for none.
    lines: [AtomicU64; LANES],
    server_bell: Doorbell,
    /// The client's release slot.
    slots: [AtomicU32; 1],
    wake_request: WakeRequest<Modelled>,
    client_bell: Doorbell,
}

impl Scene {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            arena: Mutex::new(Arena::new(GRANULE_BYTES)),
            queue: Mutex::new(VecDeque::new()),
            space_wanted: SpaceWanted::new(AtomicU64::new(0)),
            wake_epoch: WakeEpoch::new(AtomicU64::new(0)),
            wants_space: AtomicU64::new(0),
            lines: core::array::from_fn(|_| AtomicU64::new(0)),
            server_bell: Doorbell::new(),
            slots: [AtomicU32::new(0)],
            wake_request: WakeRequest::new(AtomicU64::new(0)),
            client_bell: Doorbell::new(),
        })
    }

    fn reserve(&self) -> Option<BlockRef> {
        let mut arena = self.arena.lock().unwrap();
        let table = ReleaseTable::<Modelled> { slots: &self.slots };
        let block = arena.find_or_reclaim(&table, |arena| arena.alloc(GRANULE_BYTES))?;
        Some(arena.lend(block))
    }

    /// Does what `respond_block` does.
    fn publish(&self, lane: usize, block: BlockRef) {
        self.lines[lane].store(block.to_words()[0], Release);
        epoch::fence::<Modelled>();
        if self.space_wanted.is_there_after_fence() {
            self.client_bell.ring();
        }
    }

    /// Does what `answer_large` does.
    fn answer(&self, lane: usize) {
        let need_not_queue = self.queue.lock().unwrap().is_empty();
        if need_not_queue && let Some(block) = self.reserve() {
            return self.publish(lane, block);
        }
        self.queue.lock().unwrap().push_back(lane);
        self.flush_queue();
    }

    fn flush_queue(&self) {
        let mut queue = self.queue.lock().unwrap();
        self.space_wanted.relieve();
        while let Some(&lane) = queue.front() {
            let found = find_or_ask(&self.wake_epoch, &self.wants_space, || self.reserve());
            let Some(block) = found else { break };
            self.publish(lane, block);
            queue.pop_front();
        }
        let is_left = !queue.is_empty();
        if is_left {
            self.space_wanted.leave();
        }
        drop(queue);
        if is_left {
            SpaceWanted::<Modelled>::announce(|| self.client_bell.ring());
        }
    }

    fn all_answered(&self) -> bool {
        self.lines.iter().all(|line| line.load(Relaxed) != 0)
    }

    /// Runs the server's poller without new requests: it goes through the queue when it is rung.
    fn serve(&self) {
        let mut heard = 0;
        while !self.all_answered() {
            heard = self.server_bell.hear(heard);
            self.flush_queue();
        }
    }

    /// Runs the client's link thread once: it moves the answers that are there, if the server is
    /// short of space.
    fn make_room(&self, moved: &mut [bool; LANES]) {
        if !self.wake_request.is_awaited(&self.wants_space) {
            return;
        }
        for (line, moved) in self.lines.iter().zip(moved) {
            let word = line.load(Acquire);
            if *moved || word == 0 {
                continue;
            }
            *moved = true;
            let block = BlockRef::check([word, 0], GRANULE_BYTES).unwrap();
            if release(&self.slots[0], &block, &self.wants_space, &self.wake_request) {
                self.server_bell.ring();
            }
        }
    }
}

#[test]
fn an_unfetched_answer_is_moved_for_one_that_finds_no_space() {
    explore(2, || {
        let scene = Scene::new();
        let beside = Arc::clone(&scene);
        let other = thread::spawn(move || beside.answer(1));
        let beside = Arc::clone(&scene);
        let serving = thread::spawn(move || {
            beside.answer(0);
            beside.serve();
        });
        // The answer that comes first has to go. The other may stay, because none waits behind it.
        let (mut moved, mut heard) = ([false; LANES], 0);
        while moved == [false; LANES] {
            heard = scene.client_bell.hear(heard);
            scene.make_room(&mut moved);
        }
        other.join().unwrap();
        serving.join().unwrap();
        assert!(scene.all_answered());
    });
}
