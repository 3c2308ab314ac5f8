//! A lane's two lines: how one message crosses.
//!
//! The request line is **written by the client only**, the response line **by the server only**.
//!
//! - A writer stores head and payload (relaxed), then `seq` (release).
//! - A reader that loads the `seq` it expects (acquire) copies head and payload out, once (relaxed).
//! - The client writes request `n + 1` only after it has seen response `n`; the server writes
//!   response `n` only after it has copied request `n`. So an honest writer never changes a line
//!   that is being read. A dishonest one gives its reader a garbled copy, which is checked like any
//!   other bytes.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use crate::memory::layout::{INLINE_LEN, LINE_WORDS, line};
use crate::memory::words::{ReadWord, Word, Words};

/// The words of a line behind `seq` and `head`.
pub type InlineWords = [u64; INLINE_LEN / 8];

/// A line that was copied out: the head as it stood, and the payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// See `head.rs`.
    pub head: u64,
    /// Payload, or a block's description.
    pub inline: InlineWords,
}

/// Publishes a message in a line of one's own. Of `inline`, `used` words are written: the reader
/// learns from the head how many count.
#[inline]
pub fn publish<W: Words>(
    line: &[W::U64; LINE_WORDS],
    seq: u64,
    head: u64,
    inline: &InlineWords,
    used: usize,
) {
    line[line::HEAD].store(head, Relaxed);
    for (word, value) in line[line::INLINE..].iter().zip(inline).take(used) {
        word.store(*value, Relaxed);
    }
    // Release: pairs with the Acquire in `shows`.
    line[line::SEQ].store(seq, Release);
}

/// The seq that a line of the peer's shows.
#[inline]
pub fn shows<W: Words>(line: &[W::PeerU64; LINE_WORDS]) -> u64 {
    line[line::SEQ].load(Acquire)
}

/// Copies out a line of the peer's whose seq has been seen.
#[inline]
pub fn copy_out<W: Words>(line: &[W::PeerU64; LINE_WORDS]) -> Copied {
    Copied {
        head: line[line::HEAD].load(Relaxed),
        inline: std::array::from_fn(|i| line[line::INLINE + i].load(Relaxed)),
    }
}

/// The words of one line as an array.
#[inline]
pub(crate) fn line_of<W>(words: &[W]) -> &[W; LINE_WORDS] {
    words.try_into().expect("a line has eight words")
}

#[cfg(test)]
mod model;
