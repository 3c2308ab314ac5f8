//! A line that is ready to be published, on either side.

use std::borrow::Borrow;
use std::sync::atomic::AtomicU64;

use witrpc_transport::Short;

use crate::memory::layout::{INLINE_LEN, LINE_WORDS};
use crate::memory::words::Mapped;

use super::head::{Head, LineKind};
use super::line;
use super::line::InlineWords;

/// A line to be published. The block that it names is lent already.
#[must_use = "the peer waits for it"]
pub struct ReadyLine<P = Short> {
    pub head: Head,
    /// The message itself, or the description of a block. It is owned or borrowed, so that a short
    /// message goes from where the caller has it directly to the line.
    pub payload: P,
}

impl<P: Borrow<Short>> ReadyLine<P> {
    /// Returns the line of a message that it carries itself, in clear.
    #[inline]
    pub fn short(tag: u32, body: P) -> Self {
        let head = Head::new(LineKind::Inline, tag, body.borrow().len() as u32);
        Self { head, payload: body }
    }

    /// Publishes it in a line of this side.
    #[inline]
    pub fn publish(&self, line: &[AtomicU64; LINE_WORDS], seq: u64) {
        let payload = self.payload.borrow();
        let used = payload.len().div_ceil(8);
        line::publish::<Mapped>(line, seq, self.head.to_word(), payload.words(), used);
    }
}

impl ReadyLine {
    /// Returns a line without a payload, about a message of the peer: [`LineKind::Next`] or
    /// [`LineKind::Discard`].
    pub fn bare(kind: LineKind) -> Self {
        Self { head: Head::new(kind, 0, 0), payload: Short::default() }
    }

    /// Returns a line that describes a block by these words.
    pub fn of_block<const N: usize>(head: Head, description: [u64; N]) -> Self {
        let mut words: InlineWords = [0; INLINE_LEN / 8];
        words[..N].copy_from_slice(&description);
        let payload = Short::of_words(words, N * 8).expect("a description fits in a line");
        Self { head, payload }
    }
}
