//! A run of plain items: one thread makes them, and others take them, without a lock for each item.
//!
//! The thread that makes items runs code of the user's between any two of them, for any time. So each item
//! must be there to take before the next is made. Under a lock, that costs two locked instructions an
//! item. In a run, the *maker* stores the item and a count, and looks whether it is waited for. All else
//! is done under the lock of the owner's state, and seldom.
//!
//! # Invariants
//!
//! 1. Only the maker stores `words`, `made` and `end`, and only while it is between two items. It stores
//!    a word before the count that includes it (release), and no word below the count again before the
//!    next [`open`](Run::open).
//! 2. `taken` is under the owner's lock, and so is each change of `end`. The maker opens a run only once
//!    all of the last one is taken. So `taken` ≤ `made` ≤ `end` ≤ [`CAPACITY`].
//! 3. A thread that finds nothing sets `wanted` before it looks a last time. The maker looks at `wanted`
//!    after it has stored the count. Barriers stand in between: a light one in the maker, which is free, a
//!    heavy one in the other thread. So the thread finds the item, or the maker finds that it is waited
//!    for, takes the lock and tells.
//! 4. A heavy barrier costs as much as hundreds of items. So a run is opened only after
//!    [`CALM`] items that no thread waited for, and is over as soon as a thread waits.

#[cfg(test)]
mod model;

use std::sync::OnceLock;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use crate::codec::WINDOW_BYTES;
use crate::rt::primitive::{Primitives, Std, Word};

/// The most items of a run: as many words as a window has.
const CAPACITY: usize = WINDOW_BYTES / size_of::<u64>();

/// How many items no thread must have waited for before a run is opened.
const CALM: usize = 256;

/// The part of a run that is outside of the lock.
pub struct Run<P: Primitives = Std> {
    words: OnceLock<Box<[P::Word]>>,
    /// How many words are there.
    made: P::Word,
    /// How many words may be there; 0 without a run.
    end: P::Word,
    /// Whether the maker must look at the state: a thread waits for an item, or wants none.
    wanted: P::Word,
}

/// The part of a run that is in the state of its owner, under the lock.
#[derive(Debug, Default)]
pub struct RunState {
    /// How many words have been taken.
    taken: usize,
    is_open: bool,
    /// How many items no thread has waited for.
    calm: usize,
}

/// What became of an item that the maker has.
#[derive(Debug, PartialEq, Eq)]
pub enum Added {
    /// It is in the run.
    Quietly,
    /// It is in the run, and the maker must look at the state.
    Wanted,
    /// There is no run, or no room in it.
    Not,
}

impl<P: Primitives> Run<P> {
    pub fn new() -> Self {
        let [made, end, wanted] = [(); 3].map(|()| P::Word::new(0));
        Self { words: OnceLock::new(), made, end, wanted }
    }

    /// Adds an item, if a run is open and has room. Only the maker may call this.
    #[inline(always)]
    pub fn add(&self, word: u64) -> Added {
        let made = self.made.load(Relaxed);
        if made == self.end.load(Relaxed) {
            return Added::Not;
        }
        let Some(place) = self.words.get().and_then(|words| words.get(made as usize)) else {
            return Added::Not;
        };
        place.store(word, Relaxed);
        self.made.store(made + 1, Release);
        P::light_barrier();
        if self.wanted.load(Relaxed) == 0 { Added::Quietly } else { Added::Wanted }
    }

    /// Returns the words that have been made and not taken, and takes them. Under the lock.
    pub fn take(&self, state: &mut RunState) -> impl ExactSizeIterator<Item = u64> {
        let made = if state.is_open { self.made.load(Acquire) as usize } else { state.taken };
        let words = self.words.get().map_or(&[][..], |words| &words[state.taken..made]);
        state.taken = made;
        words.iter().map(|word| word.load(Relaxed))
    }

    /// Has the maker look at the state after its next item, because a thread is about to wait for it. Under
    /// the lock. Returns whether the item may be there already: then the caller must [take](Self::take)
    /// once more before it waits.
    pub fn want(&self, state: &mut RunState) -> bool {
        state.calm = 0;
        if state.is_open {
            self.wanted.store(1, Relaxed);
            P::heavy_barrier();
        }
        state.is_open
    }

    /// Has the maker look at the state after one of its next items. Under the lock.
    pub fn interrupt(&self, state: &RunState) {
        if state.is_open {
            self.wanted.store(1, Relaxed);
        }
    }

    /// Ends the run, which must be taken. Only the maker may call this, under the lock.
    pub fn close(&self, state: &mut RunState) {
        if !state.is_open {
            return;
        }
        debug_assert_eq!(state.taken, self.made.load(Relaxed) as usize, "all is taken");
        (state.is_open, state.taken) = (false, 0);
        self.end.store(0, Relaxed);
        self.made.store(0, Relaxed);
        self.wanted.store(0, Relaxed);
    }

    /// Begins a run of at most `room` items, after [`CALM`] items that no thread waited for. Only the
    /// maker may call this, under the lock, with no run open, for each item that it adds without one.
    pub fn open(&self, state: &mut RunState, room: usize) {
        state.calm += 1;
        if state.calm < CALM || room == 0 || !P::has_heavy_barrier() {
            return;
        }
        self.words.get_or_init(|| (0..CAPACITY).map(|_| P::Word::new(0)).collect());
        state.is_open = true;
        self.end.store(room.min(CAPACITY) as u64, Relaxed);
    }
}
