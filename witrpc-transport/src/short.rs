//! Short messages, which cross as words.

use std::fmt;

use crate::message::{Answer, Body, Outgoing, Payload, SMALL_LEN, Ticket};

/// The words of a short message.
pub const SHORT_WORDS: usize = SMALL_LEN / 8;

/// A body of at most [`SMALL_LEN`] bytes, as the words in which it crosses: the bytes in the order in
/// which they lie in memory, with zeros behind them.
#[derive(Clone, Copy, Default)]
pub struct Short {
    words: [u64; SHORT_WORDS],
    /// At most `SMALL_LEN`.
    len: u8,
}

impl Short {
    /// Makes one of words; `None` for more bytes than there can be.
    #[inline]
    #[must_use]
    pub const fn of_words(words: [u64; SHORT_WORDS], len: usize) -> Option<Self> {
        if len > SMALL_LEN {
            return None;
        }
        Some(Self { words, len: len as u8 })
    }

    /// Makes one of bytes with zeros behind the first `len`; `None` for more than there are.
    #[inline]
    #[must_use]
    pub fn of_padded(padded: &[u8; SMALL_LEN], len: usize) -> Option<Self> {
        let mut words = [0; SHORT_WORDS];
        for (word, bytes) in words.iter_mut().zip(padded.as_chunks().0) {
            *word = u64::from_ne_bytes(*bytes);
        }
        Self::of_words(words, len)
    }

    /// The words.
    #[inline]
    #[must_use]
    pub const fn words(&self) -> &[u64; SHORT_WORDS] {
        &self.words
    }

    /// How many bytes count.
    #[inline]
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether there are none.
    #[inline]
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The bytes, with zeros behind them.
    #[inline]
    #[must_use]
    pub fn padded(&self) -> &[u8; SMALL_LEN] {
        bytemuck::must_cast_ref(&self.words)
    }

    /// The bytes that count.
    #[inline]
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        // `len` is never more, so that this is all of them.
        self.padded().get(..self.len()).unwrap_or_default()
    }
}

impl fmt::Debug for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Short").field("len", &self.len).finish_non_exhaustive()
    }
}

/// A short answer.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ShortAnswer {
    /// [`TAG_BITS`](crate::TAG_BITS) bits of the layers above.
    pub tag: u32,
    /// The bytes.
    pub body: Short,
}

impl ShortAnswer {
    /// Makes one of that tag.
    #[inline]
    #[must_use]
    pub const fn new(tag: u32, body: Short) -> Self {
        Self { tag, body }
    }

    /// The same as any other answer.
    #[must_use]
    pub fn outgoing(&self) -> Outgoing<'_> {
        let body = Body::Small { padded: self.body.padded(), len: self.body.len() };
        Outgoing::new(self.tag, body)
    }

    /// The same as one that has arrived.
    #[must_use]
    pub fn arrived(&self) -> Answer {
        let payload = Payload::Small { bytes: *self.body.padded(), len: self.body.len };
        Answer::new(self.tag, payload)
    }
}

/// How far a [short exchange](crate::ClientChannel::exchange_short) has come. There is no other case: a caller
/// has to know whether the request was sent.
#[derive(Clone, Copy, Debug)]
pub enum Exchange {
    /// Nothing was sent. The request may be sent in another way, which also tells why it cannot be.
    NotSent,
    /// The request was sent, and must not be sent again. Its answer is to be
    /// [waited for](crate::ClientChannel::wait_answer), or the ticket
    /// [abandoned](crate::ClientChannel::abandon).
    Sent(Ticket),
    /// The answer is there.
    Answered(ShortAnswer),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::pad;

    #[test]
    fn words_are_the_bytes_with_zeros_behind_them() {
        for len in 0..=SMALL_LEN {
            let bytes: Vec<u8> = (1..=len as u8).collect();
            let short = Short::of_padded(&pad(&bytes), len).expect("it is short");
            assert_eq!((short.bytes(), short.len()), (&bytes[..], len));
            assert_eq!(short.padded(), &pad(&bytes));
            let same = Short::of_words(*short.words(), len).expect("it is short");
            assert_eq!(same.bytes(), short.bytes());
        }
    }

    #[test]
    fn more_bytes_than_there_can_be_are_refused() {
        assert!(Short::of_words([0; SHORT_WORDS], SMALL_LEN + 1).is_none());
    }

    #[test]
    fn an_answer_is_the_same_either_way() {
        let body = Short::of_padded(&pad(b"seven"), 5).expect("it is short");
        let answer = ShortAnswer::new(7, body);
        let (sent, arrived) = (answer.outgoing(), answer.arrived());
        assert_eq!((sent.tag, sent.body.len(), arrived.tag), (7, 5, 7));
        let mut bytes = [0; 5];
        arrived.payload.copy_to(0, &mut bytes);
        assert_eq!(&bytes, b"seven");
    }
}
