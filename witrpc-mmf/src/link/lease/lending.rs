//! Whether a frozen block is at home, claimed for a message, or with the peer. Private to its writer.
//!
//! ```text
//!             claim                    publish
//! HOME(g) ────────────▶ CLAIMED(g) ────────────▶ LENT(g)
//!    ▲                     │   ▲                    │
//!    └───── retract ───────┘   └── claim: the slot ─┘
//!                                  holds g; g is one more
//! ```
//!
//! `g` is the generation that the block is lent under, or will be next. Only who has claimed it goes
//! on from CLAIMED, after the message has been published: the peer may have released the block by
//! then, which nobody looks at before.

use core::fmt;
use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

use crate::memory::arena::next_generation;
use crate::memory::words::{Mapped, ReadWord, Word, Words};

const HOME: u64 = 0;
const CLAIMED: u64 = 1;
const LENT: u64 = 2;

/// The state, below the generation.
const STATE_BITS: u32 = 2;

/// Where a frozen block is.
pub struct Lending<W: Words = Mapped> {
    word: W::U64,
}

/// What is to be done with a block that is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// The peer has no claim to it; this is its next generation.
    Home(u32),
    /// The peer holds it under this generation, or has released it since.
    Lent(u32),
}

impl<W: Words> Lending<W> {
    /// At home; `word` is [`home`] of the block's generation.
    pub fn new(word: W::U64) -> Self {
        Self { word }
    }

    /// Claims the block for one message, unless another has it. Returns the generation under which it
    /// is to be named.
    pub fn claim(&self, is_released: impl FnOnce(u32) -> bool) -> Option<u32> {
        // Acquire: pairs with the Release of `publish` and `retract`, by whoever had it before.
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

    /// The message that it was claimed for has been published.
    pub fn publish(&self, generation: u32) {
        self.word.store(u64::from(generation) << STATE_BITS | LENT, Release);
    }

    /// The message that it was claimed for will never be published.
    pub fn retract(&self, generation: u32) {
        self.word.store(home(generation), Release);
    }

    /// Where it is when nobody can claim it any more.
    pub fn place(&self) -> Disposition {
        let now = self.word.load(Acquire);
        let generation = (now >> STATE_BITS) as u32;
        match now & ((1 << STATE_BITS) - 1) {
            HOME => Disposition::Home(generation),
            _ => Disposition::Lent(generation),
        }
    }
}

/// The word of a block that is at home.
pub fn home(generation: u32) -> u64 {
    u64::from(generation) << STATE_BITS | HOME
}

impl<W: Words> fmt::Debug for Lending<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lending").field(&self.place()).finish()
    }
}
