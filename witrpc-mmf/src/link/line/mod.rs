//! The two lines of a lane, by which messages cross, and the buffer beside each.
//!
//! The request line is **written by the client only**, the response line **by the server only**. A
//! message that is somewhat longer than a line is in the buffer, which belongs to its line: what holds
//! for the words of a line holds for those of its buffer. So a buffer needs no space to be taken or given
//! back: the answer ends the use of the request's buffer, and the next request that of the answer's.
//!
//! - A writer stores buffer, head and payload (relaxed), then `seq` (release).
//! - A reader that loads the `seq` it expects (acquire) copies head and payload out, once
//!   (relaxed). If the head says so, it copies the buffer out, once, when it takes the message: before a
//!   server answers or a client sends the next request.
//! - The client writes request `n + 1` only after it has seen response `n`, and copied it. The server
//!   writes response `n` only after it has copied request `n`. So an honest writer never changes a line
//!   or a buffer while it is read. A dishonest one gives its reader a garbled copy, which is checked like
//!   any other bytes.
//! - Where a buffer is follows from the lane alone. Its message's length comes from the copy of the head,
//!   and is checked against the length of a buffer that the reader has computed itself.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use crate::memory::layout::{INLINE_LEN, LINE_WORDS, line};
use crate::memory::words::{ReadWord, Word, Words};

/// The words of a line after `seq` and `head`.
pub type InlineWords = [u64; INLINE_LEN / 8];

/// A private copy of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// The head as a word: see `head.rs`.
    pub head: u64,
    /// The payload, or the description of a block.
    pub inline: InlineWords,
}

/// Publishes a message in a line of this side. Writes only the first `used` words of `inline`; the
/// reader knows from the head how many there are.
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

/// Returns the seq that a peer's line shows. Acquire: pairs with the Release in `publish`.
#[inline]
pub fn shows<W: Words>(line: &[W::PeerU64; LINE_WORDS]) -> u64 {
    line[line::SEQ].load(Acquire)
}

/// Copies out a peer's line. The caller must have seen its seq by [`shows`].
#[inline]
pub fn copy_out<W: Words>(line: &[W::PeerU64; LINE_WORDS]) -> Copied {
    Copied {
        head: line[line::HEAD].load(Relaxed),
        inline: std::array::from_fn(|i| line[line::INLINE + i].load(Relaxed)),
    }
}

/// Returns the words of one line as an array.
#[inline]
pub(crate) fn line_of<W>(words: &[W]) -> &[W; LINE_WORDS] {
    words.try_into().expect("a line has eight words")
}

#[cfg(test)]
mod model;
