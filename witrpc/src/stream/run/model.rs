//! loom models: a maker, and a thread that takes what there is or waits for it. A lost wake-up is a
//! deadlock, which loom reports.

use std::collections::VecDeque;

use loom::sync::{Arc, Condvar, Mutex, MutexGuard};
use loom::thread;

use crate::rt::primitive::{Loom, Primitives};

use super::*;

/// An owner of a run, as both sides of a stream are.
struct Owner {
    run: Run<Loom>,
    /// Whether the thread that takes looks once more before it waits.
    looks_again: bool,
    state: Mutex<OwnerState>,
    /// Signalled when an item has arrived for the thread that waits, or none will.
    arrived: Condvar,
    /// Signalled when an item has been received.
    received: Condvar,
}

#[derive(Default)]
struct OwnerState {
    run: RunState,
    /// Items that were made under the lock, or taken over.
    items: VecDeque<u64>,
    is_waited_for: bool,
    received: Vec<u64>,
    is_over: bool,
}

impl Owner {
    /// Creates an owner whose run holds two items.
    fn new(looks_again: bool) -> Arc<Self> {
        let run = Run::new();
        let words = (0..2).map(|_| <Loom as Primitives>::Word::new(0)).collect();
        assert!(run.words.set(words).is_ok());
        Arc::new(Self {
            run,
            looks_again,
            state: Mutex::default(),
            arrived: Condvar::new(),
            received: Condvar::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, OwnerState> {
        self.state.lock().unwrap()
    }

    fn take_run(&self, state: &mut OwnerState) {
        state.items.extend(self.run.take(&mut state.run));
    }

    /// Adds an item as a maker does, which opens a run whenever none is waited for.
    fn put(&self, item: u64) {
        let added = self.run.add(item);
        let mut state = self.lock();
        if added == Added::Quietly {
            let is_missed = state.is_waited_for && self.run.take(&mut state.run).len() > 0;
            assert!(!is_missed, "an item is there, and a thread waits for it");
            return;
        }
        self.take_run(&mut state);
        self.run.close(&mut state.run);
        if added == Added::Not {
            state.items.push_back(item);
        }
        if std::mem::take(&mut state.is_waited_for) {
            self.arrived.notify_one();
            return;
        }
        state.run.calm = CALM;
        self.run.open(&mut state.run, 2);
    }

    fn end(&self) {
        self.lock().is_over = true;
        self.arrived.notify_one();
    }

    /// Returns the next items, or none at the end.
    fn next(&self) -> VecDeque<u64> {
        let mut state = self.lock();
        loop {
            self.take_run(&mut state);
            let waits = state.items.is_empty() && !state.is_over;
            if waits && self.run.want(&mut state.run) && self.looks_again {
                self.take_run(&mut state);
            }
            if !state.items.is_empty() || state.is_over {
                return std::mem::take(&mut state.items);
            }
            state.is_waited_for = true;
            state = self.arrived.wait(state).unwrap();
        }
    }

    /// Takes all items up to the end.
    fn receive_all(&self) {
        loop {
            let items = self.next();
            if items.is_empty() {
                return;
            }
            self.lock().received.extend(items);
            self.received.notify_one();
        }
    }

    /// Plays the user's code between two items, which waits until `count` of them have arrived.
    fn until_received(&self, count: usize) {
        let mut state = self.lock();
        while state.received.len() < count {
            state = self.received.wait(state).unwrap();
        }
    }
}

fn model(looks_again: bool, make: impl Fn(&Owner) + Send + Sync + 'static, items: u64) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(move || {
        let owner = Owner::new(looks_again);
        let beside = Arc::clone(&owner);
        let taker = thread::spawn(move || beside.receive_all());
        make(&owner);
        owner.end();
        taker.join().unwrap();
        assert!(owner.lock().received.iter().copied().eq(0..items), "each once and in order");
    });
}

fn each_waits_for_the_one_before(owner: &Owner) {
    for item in 0..3 {
        owner.put(item);
        owner.until_received(item as usize + 1);
    }
}

#[test]
fn an_item_does_not_wait_for_the_one_after_it() {
    model(true, each_waits_for_the_one_before, 3);
}

#[test]
#[should_panic(expected = "an item is there, and a thread waits for it")]
fn a_thread_that_does_not_look_again_before_it_waits_is_caught() {
    model(false, |owner| (0..3).for_each(|item| owner.put(item)), 3);
}

#[test]
fn items_stay_in_order_from_one_run_to_the_next() {
    model(true, |owner| (0..5).for_each(|item| owner.put(item)), 5);
}

#[test]
fn a_run_is_not_opened_while_items_are_waited_for() {
    let (run, mut state) = (Run::<Std>::new(), RunState::default());
    for _ in 1..CALM {
        run.open(&mut state, 1);
        assert!(!state.is_open);
    }
    assert!(!run.want(&mut state), "there is no run");
    assert_eq!(state.calm, 0);
}
