//! loom models: calls that wait for a lane, enter again, leave, or are never polled again.

use loom::sync::atomic::AtomicU64;
use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;

use crate::memory::words::modelled::{Modelled, explore};

use super::*;

/// A task of a model. A task that is never woken is a deadlock, which loom reports.
#[derive(Default)]
struct Task {
    is_woken: Mutex<bool>,
    woken: Condvar,
}

impl Task {
    fn sleep(&self) {
        let mut is_woken = self.is_woken.lock().unwrap();
        while !std::mem::take(&mut *is_woken) {
            is_woken = self.woken.wait(is_woken).unwrap();
        }
    }
}

impl Wakeup for Arc<Task> {
    fn wake_up(self) {
        *self.is_woken.lock().unwrap() = true;
        self.woken.notify_one();
    }
}

/// One lane and the calls that wait for it.
struct World {
    free: AtomicU64,
    queue: LaneQueue<Modelled, Arc<Task>>,
    order: Mutex<Vec<char>>,
}

/// The fences stand for the `SeqCst` accesses in [`Lanes`](crate::client::lanes::Lanes): loom
/// models `SeqCst` only as fences.
impl FreeLanes for World {
    fn free(&self) -> usize {
        Modelled::fence(SeqCst);
        self.free.load(SeqCst).count_ones() as usize
    }

    fn take(&self) -> Option<usize> {
        self.free.compare_exchange(1, 0, SeqCst, SeqCst).ok().map(|_| 0)
    }
}

impl World {
    /// Creates a world whose lane is taken.
    fn new() -> Arc<Self> {
        let queue = LaneQueue::new(AtomicU64::new(0));
        Arc::new(Self { free: AtomicU64::new(0), queue, order: Mutex::default() })
    }

    /// Does what `free_lane` of a client does.
    fn free_lane(&self) {
        self.free.fetch_or(1, SeqCst);
        Modelled::fence(SeqCst);
        if !self.queue.is_empty() {
            self.queue.call_next(self);
        }
    }

    /// Does what `poll_free_lane` of a client does.
    fn poll(&self, place: &mut LanePlace, task: &Arc<Task>) -> bool {
        if place.is_new() && self.queue.is_empty() && self.take().is_some() {
            return true;
        }
        self.queue.enter(place, Arc::clone(task));
        self.queue.try_take(place, self).is_some()
    }

    /// Runs a call from its first poll to its end.
    fn call(&self, name: char, mut place: LanePlace) {
        let task = Arc::new(Task::default());
        while !self.poll(&mut place, &task) {
            task.sleep();
        }
        self.order.lock().unwrap().push(name);
        self.free_lane();
    }

    /// Returns the place of a call that has been polled once, and waits.
    fn waiting(&self) -> LanePlace {
        let mut place = LanePlace::default();
        assert!(!self.poll(&mut place, &Arc::new(Task::default())));
        place
    }

    fn order(&self) -> String {
        self.order.lock().unwrap().iter().collect()
    }
}

fn spawn(world: &Arc<World>, run: impl FnOnce(&World) + 'static) -> thread::JoinHandle<()> {
    let world = Arc::clone(world);
    thread::spawn(move || run(&world))
}

#[test]
fn no_call_sleeps_beside_a_free_lane() {
    explore(3, || {
        let world = World::new();
        let one = spawn(&world, |world| world.call('a', LanePlace::default()));
        let other = spawn(&world, |world| world.call('b', LanePlace::default()));
        world.free_lane();
        one.join().unwrap();
        other.join().unwrap();
        assert_eq!(world.free(), 1);
        assert!(world.queue.is_empty());
    });
}

/// Does what [`World::free_lane`] does, in the wrong order.
#[test]
#[should_panic(expected = "it sleeps beside a free lane")]
fn a_look_at_the_queue_before_the_lane_is_free_is_caught() {
    explore(3, || {
        let world = World::new();
        let task = Arc::new(Task::default());
        let call = thread::spawn({
            let (world, task) = (Arc::clone(&world), Arc::clone(&task));
            move || world.poll(&mut LanePlace::default(), &task)
        });
        let is_empty = world.queue.is_empty();
        world.free.fetch_or(1, SeqCst);
        if !is_empty {
            world.queue.call_next(&*world);
        }
        let has_lane = call.join().unwrap();
        assert!(has_lane || *task.is_woken.lock().unwrap(), "it sleeps beside a free lane");
    });
}

#[test]
fn a_new_call_is_served_after_the_waiting_ones() {
    explore(3, || {
        let world = World::new();
        let place = world.waiting();
        let newcomer = spawn(&world, |world| world.call('b', LanePlace::default()));
        let waiting = spawn(&world, |world| world.call('a', place));
        world.free_lane();
        newcomer.join().unwrap();
        waiting.join().unwrap();
        assert_eq!(world.order(), "ab");
    });
}

#[test]
fn a_call_that_is_dropped_leaves_its_turn_to_the_next() {
    explore(3, || {
        let world = World::new();
        let mut dropped = world.waiting();
        let call = spawn(&world, |world| world.call('b', LanePlace::default()));
        let gone = spawn(&world, move |world| world.queue.leave(&mut dropped, world));
        world.free_lane();
        gone.join().unwrap();
        call.join().unwrap();
        assert!(world.queue.is_empty());
    });
}

/// The main thread counts turns, as the link thread does.
#[test]
fn a_call_that_is_never_polled_again_is_passed_over() {
    explore(3, || {
        let world = World::new();
        let _leaked = world.waiting();
        let call = spawn(&world, |world| world.call('b', LanePlace::default()));
        world.free_lane();
        // The first two passes may come too early to count.
        for _ in 0..4 {
            world.queue.pass_over_late(&*world);
        }
        call.join().unwrap();
        assert!(world.queue.is_empty());
    });
}

/// It was passed over, and comes while the lane is free, or after another call has taken it.
#[test]
fn a_call_that_comes_late_is_served_nevertheless() {
    explore(3, || {
        let world = World::new();
        let late = world.waiting();
        let other = spawn(&world, |world| world.call('b', LanePlace::default()));
        let late = spawn(&world, move |world| world.call('a', late));
        world.free_lane();
        for _ in 0..2 {
            world.queue.pass_over_late(&*world);
        }
        other.join().unwrap();
        late.join().unwrap();
        assert!(world.queue.is_empty());
    });
}
