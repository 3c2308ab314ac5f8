//! loom models: the answer of a call is moved away and its lane freed, while the next call takes
//! the lane and sleeps on it.

use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicU64};
use loom::thread;

use crate::client::lane_ownership::{LaneOwnership, LanePhase};
use crate::memory::words::modelled::{Modelled, explore};

use super::*;

/// A task that records that it was woken.
struct Task(Arc<AtomicBool>);

impl Wakeup for Task {
    fn wake_up(self) {
        self.0.store(true, Release);
    }
}

/// A lane with a call that sleeps and has been answered. Its seq is 1, and that of the next call is
/// 2.
struct World {
    ownership: LaneOwnership<Modelled>,
    slot: SleeperSlot<Modelled, Task, ()>,
    is_free: AtomicU64,
    woken: [Arc<AtomicBool>; 2],
}

impl World {
    fn new() -> Arc<Self> {
        let world = Self {
            ownership: LaneOwnership::new(AtomicU64::new(0)),
            slot: SleeperSlot::default(),
            is_free: AtomicU64::new(0),
            woken: [1, 2].map(|_| Arc::new(AtomicBool::new(false))),
        };
        world.slot.put(world.sleeper(1));
        world.ownership.lend(1, LanePhase::Collectable);
        Arc::new(world)
    }

    fn sleeper(&self, seq: u64) -> Sleeper<Task, ()> {
        Sleeper { seq, task: Task(Arc::clone(&self.woken[seq as usize - 1])), stall_timer: () }
    }

    fn is_woken(&self, seq: u64) -> bool {
        self.woken[seq as usize - 1].load(Acquire)
    }

    fn free(&self) {
        self.is_free.fetch_or(1, Release);
    }

    /// Moves the answer away, as a thread does that is short of a lane.
    fn complete(&self, hand_on: impl Fn(&Self)) -> bool {
        let won = self.ownership.complete(1);
        if won {
            hand_on(self);
        }
        won
    }

    /// Runs the next call: it takes the lane, if that is free, and sleeps on it.
    fn next_call(&self, put: impl Fn(&Self)) -> bool {
        let has_lane = self.is_free.compare_exchange(1, 0, AcqRel, Relaxed).is_ok();
        if has_lane {
            put(self);
            self.ownership.lend(2, LanePhase::Collectable);
        }
        has_lane
    }
}

/// Runs the model with these ways to hand the lane on and to put a sleeper there.
fn model(
    hand_on: impl Fn(&World) + Copy + Send + Sync + 'static,
    put: impl Fn(&World) + Copy + Send + Sync + 'static,
) {
    explore(3, move || {
        let world = World::new();
        let completer = thread::spawn({
            let world = Arc::clone(&world);
            move || world.complete(hand_on)
        });
        let next = thread::spawn({
            let world = Arc::clone(&world);
            move || world.next_call(put)
        });
        // The first call is polled for another reason.
        let is_mine = world.ownership.reclaim(1, LanePhase::Collectable);
        if is_mine {
            world.slot.forget(1);
            world.free();
        }
        let is_completed = completer.join().unwrap();
        let sleeps = next.join().unwrap();
        assert_ne!(is_mine, is_completed);
        assert!(is_mine || world.is_woken(1), "a completed call sleeps on");
        assert!(!sleeps || world.slot.is_taken() || world.is_woken(2), "the next call sleeps on");
    });
}

fn hand_on(world: &World) {
    world.slot.hand_on(1, || world.free());
}

fn put(world: &World) {
    world.slot.put(world.sleeper(2));
}

/// Frees the lane first, and looks for its sleeper afterwards.
fn hand_on_too_early(world: &World) {
    world.free();
    world.slot.hand_on(1, || {});
}

/// Drops the earlier sleeper without waking it.
fn put_without_waking(world: &World) {
    let earlier = world.slot.0.locked(|slot| slot.replace(world.sleeper(2)));
    drop(earlier);
}

#[test]
fn a_completed_call_is_woken_and_so_is_the_next() {
    model(hand_on, put);
}

/// Each of the two rules is enough by itself.
#[test]
fn breaking_one_rule_loses_no_sleeper() {
    model(hand_on_too_early, put);
    model(hand_on, put_without_waking);
}

#[test]
#[should_panic(expected = "a completed call sleeps on")]
fn a_lane_that_is_free_before_its_sleeper_is_out_is_caught() {
    model(hand_on_too_early, put_without_waking);
}
