//! Whether a frozen block is at home, claimed for a message, or lent to the peer. The state is
//! private to the side that writes the block.
//!
//! ```text
//!             claim                    publish
//! HOME(g) ────────────▶ CLAIMED(g) ────────────▶ LENT(g)
//!    ▲                     │   ▲                    │
//!    └───── retract ───────┘   └── claim: the slot ─┘
//!                                  holds g; g is one more
//! ```
//!
//! `g` is the generation under which the block is lent, or will be lent next. Only the thread that
//! has claimed it moves it on from CLAIMED, and to LENT only after the message has been published.
//! The peer may have released the block by then; no thread looks for that before.

use core::fmt;
use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

use crate::memory::arena::next_generation;
use crate::memory::words::{Mapped, ReadWord, Word, Words};

const HOME: u64 = 0;
const CLAIMED: u64 = 1;
const LENT: u64 = 2;

/// The bits of the state, below the generation.
const STATE_BITS: u32 = 2;

/// The state of a frozen block, in one word.
pub struct Lending<W: Words = Mapped> {
    word: W::U64,
}

/// What to do with a block that is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// The peer does not have it. This is its next generation.
    Home(u32),
    /// The peer holds it under this generation, or has released it since.
    Lent(u32),
}

impl<W: Words> Lending<W> {
    /// Creates the state of a block that is at home. `word` must be [`home`] of the block's
    /// generation.
    pub fn new(word: W::U64) -> Self {
        Self { word }
    }

    /// Claims the block for one message, unless another message has it. Returns the generation
    /// under which the message must name it.
    pub fn claim(&self, is_released: impl FnOnce(u32) -> bool) -> Option<u32> {
        // Acquire: pairs with the Release of `publish` and `retract` by the thread that claimed it
        // last.
        let now = self.word.load(Acquire);
        let generation = (now >> STATE_BITS) as u32;
        let next = match now & ((1 << STATE_BITS) - 1) {
            HOME => generation,
            LENT if is_released(generation) => next_generation(generation),
            _ => return None,
        };
        let claimed = u64::from(next) << STATE_BITS | CLAIMED;
        self.word.compare_exchange(now, claimed, AcqRel, Relaxed).ok().map(|_| next)
    }

    /// Records that the message for which it was claimed has been published.
    pub fn publish(&self, generation: u32) {
        self.word.store(u64::from(generation) << STATE_BITS | LENT, Release);
    }

    /// Records that the message for which it was claimed will never be published.
    pub fn retract(&self, generation: u32) {
        self.word.store(home(generation), Release);
    }

    /// Returns where the block is. A claimed block counts as lent.
    pub fn place(&self) -> Disposition {
        let now = self.word.load(Acquire);
        let generation = (now >> STATE_BITS) as u32;
        match now & ((1 << STATE_BITS) - 1) {
            HOME => Disposition::Home(generation),
            _ => Disposition::Lent(generation),
        }
    }
}

/// Returns the word of a block that is at home.
pub fn home(generation: u32) -> u64 {
    u64::from(generation) << STATE_BITS | HOME
}

impl<W: Words> fmt::Debug for Lending<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lending").field(&self.place()).finish()
    }
}
