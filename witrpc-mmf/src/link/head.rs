//! The head of a line: the word that describes its payload.
//!
//! ```text
//!  63        62..60  59      58..32  31..0
//!  deadline  kind    leases  tag     length of the whole message in bytes
//! ```
//!
//! A message in the lane's buffer has no payload in its line. The lines of blocks and segments describe the block in their inline words: its granule in the
//! writer's arena, its generation and its length. A segment also has its offset in the message.

use witrpc_transport::{MIN_MESSAGE_LEN, TAG_BITS};

/// A flag beside the tag: the message ends with the descriptions of leases.
pub const LEASES: u32 = 1 << TAG_BITS;

const TAG_SHIFT: u32 = 32;
/// The bits of the tag and of [`LEASES`].
const TAG_MASK: u64 = (1 << (TAG_BITS + 1)) - 1;
const KIND_SHIFT: u32 = TAG_SHIFT + TAG_BITS + 1;
const KIND_MASK: u64 = 0b111;
const DEADLINE: u64 = 1 << 63;

/// The bounds of the longest message of a connection, in bytes.
pub const MESSAGE_LEN_BOUNDS: (usize, usize) = (MIN_MESSAGE_LEN, u32::MAX as usize);

/// The bits above the tag of a short message: its kind, and nothing else.
const SHORT: u64 = (LineKind::Inline as u64) << (KIND_SHIFT - TAG_SHIFT - TAG_BITS);

const _: () = assert!(KIND_SHIFT + 3 == 63);

/// What a line carries. These numbers are the protocol's. 0 is the kind of a line that was never
/// written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum LineKind {
    /// The message itself, at most `INLINE_LEN` bytes.
    Inline = 1,
    /// A block that holds the message.
    Block = 2,
    /// A block that holds a part of the message.
    Segment = 3,
    /// In a request: asks for the next segment of the answer. In a response: the segment of the
    /// request has been taken.
    Next = 4,
    /// In a request: asks the server to drop the rest of the answer, or of the request. In a
    /// response: the message was dropped.
    Discard = 5,
    /// The message is in the lane's buffer.
    Buffered = 6,
}

impl LineKind {
    #[inline]
    fn from_bits(bits: u64) -> Option<Self> {
        Some(match bits {
            1 => LineKind::Inline,
            2 => LineKind::Block,
            3 => LineKind::Segment,
            4 => LineKind::Next,
            5 => LineKind::Discard,
            6 => LineKind::Buffered,
            _ => return None,
        })
    }
}

/// The fields of a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub kind: LineKind,
    /// The sender's tag, and the flag [`LEASES`].
    pub tag: u32,
    pub len: u32,
    pub deadline: bool,
}

impl Head {
    #[inline]
    pub fn new(kind: LineKind, tag: u32, len: u32) -> Self {
        Self { kind, tag, len, deadline: false }
    }

    /// Sets whether the request has a deadline, which is in the lane's control line.
    #[inline]
    pub fn with_deadline(self, deadline: bool) -> Self {
        Self { deadline, ..self }
    }

    #[inline]
    pub fn to_word(self) -> u64 {
        debug_assert!(u64::from(self.tag) <= TAG_MASK);
        let deadline = if self.deadline { DEADLINE } else { 0 };
        deadline
            | (self.kind as u64) << KIND_SHIFT
            | (u64::from(self.tag) & TAG_MASK) << TAG_SHIFT
            | u64::from(self.len)
    }

    /// Returns tag and length of a message that is in the line itself, without leases and without a
    /// deadline; `None` for any other head.
    #[inline]
    pub fn short_of_word(word: u64) -> Option<(u32, u32)> {
        let above = word >> (TAG_SHIFT + TAG_BITS);
        let tag = (word >> TAG_SHIFT) as u32 & (LEASES - 1);
        (above == SHORT).then_some((tag, word as u32))
    }

    /// Returns the fields of a head; `None` if the kind does not exist.
    #[inline]
    pub fn from_word(word: u64) -> Option<Self> {
        Some(Self {
            kind: LineKind::from_bits(word >> KIND_SHIFT & KIND_MASK)?,
            tag: (word >> TAG_SHIFT & TAG_MASK) as u32,
            len: word as u32,
            deadline: word & DEADLINE != 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_survives_its_word() {
        for kind in (1..=6).map(|bits| LineKind::from_bits(bits).expect("it exists")) {
            for tag in [0, 1, (1 << TAG_BITS) - 1, LEASES, LEASES | 1] {
                for len in [0, 48, u32::MAX] {
                    for deadline in [false, true] {
                        let head = Head { kind, tag, len, deadline };
                        assert_eq!(Head::from_word(head.to_word()), Some(head));
                        let is_short = kind == LineKind::Inline && tag & LEASES == 0 && !deadline;
                        let short = is_short.then_some((tag, len));
                        assert_eq!(Head::short_of_word(head.to_word()), short);
                    }
                }
            }
        }
    }

    #[test]
    fn an_unwritten_or_unknown_kind_is_refused() {
        for bits in [0_u64, 7] {
            assert_eq!(Head::from_word(bits << KIND_SHIFT), None);
            assert_eq!(Head::short_of_word(bits << KIND_SHIFT), None);
        }
    }
}
