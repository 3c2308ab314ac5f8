//! loom models: a maker and a pusher around one lock. A lost wake-up is a deadlock, which loom reports.

use std::sync::Arc as Waking;
use std::task::{Context, Poll, Wake, Waker};

use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;

use crate::codec::{Batch, Codec, Piece, WINDOW_BYTES};
use crate::rt::primitive::{Loom, Std};
use crate::stream::run::Run;

use super::{Found, UploadBufferState, UploadEnd};

/// The condition on which a thread sleeps.
struct Bell {
    rung: Mutex<bool>,
    wakes: Condvar,
}

impl Bell {
    fn new() -> Waking<Self> {
        Waking::new(Self { rung: Mutex::new(false), wakes: Condvar::new() })
    }

    /// Polls until it is ready, and sleeps in between.
    fn block_on<T>(self: &Waking<Self>, mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> T {
        let waker = Waker::from(Waking::clone(self));
        let mut cx = Context::from_waker(&waker);
        loop {
            if let Poll::Ready(value) = poll(&mut cx) {
                return value;
            }
            let mut rung = self.rung.lock().unwrap();
            while !std::mem::take(&mut *rung) {
                rung = self.wakes.wait(rung).unwrap();
            }
        }
    }
}

impl Wake for Bell {
    fn wake(self: Waking<Self>) {
        *self.rung.lock().unwrap() = true;
        self.wakes.notify_one();
    }
}

type Item = Vec<u8>;

/// The sizes of an item that leaves room for others, and of one that does not.
const SMALL: usize = 1;
const WINDOW: usize = WINDOW_BYTES;

struct World {
    state: Mutex<UploadBufferState<Item>>,
    /// Such items are never in a run: `stream::run` has models of its own.
    run: Run<Loom>,
    /// How many items the server has received, and the waker that waits for that.
    pushed: Mutex<(usize, Option<Waker>)>,
}

impl World {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(UploadBufferState::new()),
            run: Run::new(),
            pushed: Mutex::new((0, None)),
        })
    }

    fn put(&self, bell: &Waking<Bell>, len: usize) -> bool {
        bell.block_on(|cx| self.state.lock().unwrap().poll_room(&mut Some(cx.waker().clone())));
        let mut state = self.state.lock().unwrap();
        if state.is_stopped {
            return false;
        }
        let pusher = state.add(Some(Piece::new(vec![0; len], Codec::Postcard).unwrap()), &self.run);
        drop(state);
        pusher.into_iter().for_each(Waker::wake);
        true
    }

    fn end(&self, end: UploadEnd) {
        let pusher = self.state.lock().unwrap().end(end);
        pusher.into_iter().for_each(Waker::wake);
    }

    fn stop(&self) {
        let maker = self.state.lock().unwrap().stop(&self.run);
        maker.into_iter().for_each(Waker::wake);
    }

    fn take(&self, bell: &Waking<Bell>, batch: &mut Batch<Item>) -> Found {
        bell.block_on(|cx| {
            let mut state = self.state.lock().unwrap();
            let taken = state.poll_take(&mut Some(cx.waker().clone()), batch, &self.run);
            let maker = state.maker.take();
            drop(state);
            maker.into_iter().for_each(Waker::wake);
            taken
        })
    }

    /// Pushes everything that comes, each batch answered at once.
    fn push_all(&self) {
        let (bell, mut batch) = (Bell::new(), Batch::new());
        while let Found::Batch { is_last } = self.take(&bell, &mut batch) {
            let mut pushed = self.pushed.lock().unwrap();
            pushed.0 += batch.len();
            let iterator = pushed.1.take();
            drop(pushed);
            iterator.into_iter().for_each(Waker::wake);
            batch.forget(batch.len());
            if is_last {
                break;
            }
        }
        self.stop();
    }

    /// Plays a user's iterator that waits until an item has its effect.
    fn until_pushed(&self, bell: &Waking<Bell>, count: usize) {
        bell.block_on(|cx| {
            let mut pushed = self.pushed.lock().unwrap();
            if pushed.0 >= count {
                return Poll::Ready(());
            }
            pushed.1 = Some(cx.waker().clone());
            Poll::Pending
        });
    }

    fn has_pushed(&self) -> usize {
        self.pushed.lock().unwrap().0
    }
}

/// Runs the model. The maker is the first thread, as in a caller.
fn model(
    make: impl Fn(&World, &Waking<Bell>) + Send + Sync + 'static,
    push: impl Fn(&World) + Send + Sync + Copy + 'static,
) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(move || {
        let world = World::new();
        let beside = Arc::clone(&world);
        let pusher = thread::spawn(move || push(&beside));
        make(&world, &Bell::new());
        pusher.join().unwrap();
    });
}

fn each_waits_for_the_one_before(world: &World, bell: &Waking<Bell>) {
    for count in 1..=2 {
        assert!(world.put(bell, SMALL));
        world.until_pushed(bell, count);
    }
    world.end(UploadEnd::Whole);
}

#[test]
fn an_item_does_not_wait_for_the_one_after_it() {
    model(each_waits_for_the_one_before, World::push_all);
}

#[test]
fn both_wait_in_turns_and_all_is_pushed() {
    let make = |world: &World, bell: &Waking<Bell>| {
        assert!([WINDOW, WINDOW, SMALL].into_iter().all(|len| world.put(bell, len)));
        world.end(UploadEnd::Whole);
        world.until_pushed(bell, 3);
        assert_eq!(world.has_pushed(), 3);
    };
    model(make, World::push_all);
}

#[test]
fn a_maker_that_waits_for_room_learns_that_no_more_is_wanted() {
    let make = |world: &World, bell: &Waking<Bell>| {
        while world.put(bell, WINDOW) {}
        world.end(UploadEnd::Whole);
    };
    model(make, |world| {
        world.take(&Bell::new(), &mut Batch::new());
        world.stop();
    });
}

#[test]
fn a_pusher_that_waits_for_an_answer_learns_of_a_broken_end() {
    let make = |world: &World, bell: &Waking<Bell>| {
        world.put(bell, SMALL);
        world.put(bell, SMALL);
        world.end(UploadEnd::Broken);
    };
    model(make, |world| {
        let bell = Bell::new();
        if world.take(&bell, &mut Batch::new()) == Found::Broken {
            return;
        }
        // The answer never comes.
        bell.block_on(|cx| {
            match world.state.lock().unwrap().poll_broken(&mut Some(cx.waker().clone())) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        });
    });
}

#[test]
fn a_pusher_that_waits_for_an_answer_is_woken_for_no_item() {
    let waker = || Some(Waker::noop().clone());
    let mut state = UploadBufferState::<Item>::new();
    let run = Run::<Std>::new();
    let item = || Some(Piece::new(vec![0], Codec::Postcard).unwrap());
    assert!(state.poll_take(&mut waker(), &mut Batch::new(), &run).is_pending());
    assert!(state.add(item(), &run).is_some(), "it waits for the first");
    assert!(state.add(item(), &run).is_none(), "it is awake");
    assert_eq!(
        state.poll_take(&mut waker(), &mut Batch::new(), &run),
        Poll::Ready(Found::Batch { is_last: false })
    );
    assert!(!state.poll_broken(&mut waker()));
    assert!(state.add(item(), &run).is_none(), "it waits for an answer");
    assert!(state.end(UploadEnd::Whole).is_some());
}
