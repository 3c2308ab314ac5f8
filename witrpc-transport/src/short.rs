//! Short messages, which cross as words.

use std::fmt;

use crate::admission::{ClientInfo, Session};
use crate::message::{Answer, Body, Outgoing, Payload, Request, SMALL_LEN, Ticket};

/// The words of a short message.
pub const SHORT_WORDS: usize = SMALL_LEN / 8;

/// A body of at most [`SMALL_LEN`] bytes, as the words in which it crosses. The bytes keep their order in
/// memory, and zeros follow.
#[derive(Clone, Copy, Default)]
pub struct Short {
    words: [u64; SHORT_WORDS],
    /// At most `SMALL_LEN`.
    len: u8,
}

impl Short {
    /// Returns the body of these words, or `None` if `len` is over [`SMALL_LEN`].
    #[inline]
    #[must_use]
    pub const fn of_words(words: [u64; SHORT_WORDS], len: usize) -> Option<Self> {
        if len > SMALL_LEN {
            return None;
        }
        Some(Self { words, len: len as u8 })
    }

    /// Returns the body of the first `len` bytes, with zeros behind them, or `None` if `len` is over
    /// [`SMALL_LEN`].
    #[inline]
    #[must_use]
    pub fn of_padded(padded: &[u8; SMALL_LEN], len: usize) -> Option<Self> {
        Self::of_words(bytemuck::must_cast(*padded), len)
    }

    /// Returns a [`Body::Small`], or `None` for a body of another kind.
    #[inline]
    #[must_use]
    pub fn of_body(body: &Body<'_>) -> Option<Self> {
        match body {
            Body::Small { padded, len } => Self::of_padded(padded, *len),
            _ => None,
        }
    }

    /// Returns the words.
    #[inline]
    #[must_use]
    pub const fn words(&self) -> &[u64; SHORT_WORDS] {
        &self.words
    }

    /// Returns how many bytes count.
    #[inline]
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len as usize
    }

    /// Returns whether there are no bytes.
    #[inline]
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns the bytes, with zeros behind them.
    #[inline]
    #[must_use]
    pub fn padded(&self) -> &[u8; SMALL_LEN] {
        bytemuck::must_cast_ref(&self.words)
    }

    /// Returns the bytes that count.
    #[inline]
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        // `len` never exceeds the array, so this is all of them.
        self.padded().get(..self.len()).unwrap_or_default()
    }
}

/// Makes a payload that has arrived.
impl From<Short> for Payload {
    #[inline]
    fn from(short: Short) -> Self {
        Payload::Small { bytes: *short.padded(), len: short.len }
    }
}

impl fmt::Debug for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Short").field("len", &self.len).finish_non_exhaustive()
    }
}

/// A short request without a deadline, with words that stay where they were copied to. It has the server's data
/// of its client, so that the server need not ask the [`Peer`](crate::Peer).
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct ShortRequest<'a> {
    /// The client's [id](crate::ClientInfo::id).
    pub client: u64,
    /// The server's [note](crate::Session::note) in its session.
    pub note: u32,
    /// The ticket by which the call is answered.
    pub ticket: Ticket,
    /// [`TAG_BITS`](crate::TAG_BITS) bits of the layers above; untrusted.
    pub tag: u32,
    words: &'a [u64; SHORT_WORDS],
    /// At most `SMALL_LEN`.
    len: u8,
}

impl<'a> ShortRequest<'a> {
    /// Returns the request of the words of a [`Short`], or `None` if `len` is over [`SMALL_LEN`].
    #[inline]
    #[must_use]
    pub fn of_words(
        (client, session): (&ClientInfo, &Session),
        ticket: Ticket,
        tag: u32,
        words: &'a [u64; SHORT_WORDS],
        len: usize,
    ) -> Option<Self> {
        if len > SMALL_LEN {
            return None;
        }
        let (client, note) = (client.id, session.note());
        Some(Self { client, note, ticket, tag, words, len: len as u8 })
    }

    /// Returns the bytes; untrusted.
    #[inline]
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        let padded: &[u8; SMALL_LEN] = bytemuck::must_cast_ref(self.words);
        // `len` never exceeds the array, so this is all of them.
        padded.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// Returns the same as a general request.
    #[must_use]
    pub fn request(&self) -> Request {
        let body = Short { words: *self.words, len: self.len };
        Request::new(self.ticket, self.tag, body.into(), None)
    }
}

impl fmt::Debug for ShortRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShortRequest")
            .field("client", &self.client)
            .field("ticket", &self.ticket)
            .field("tag", &self.tag)
            .field("len", &self.len)
            .finish_non_exhaustive()
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
    /// Returns a short answer of that tag.
    #[inline]
    #[must_use]
    pub const fn new(tag: u32, body: Short) -> Self {
        Self { tag, body }
    }

    /// Returns the same as a general answer on its way out.
    #[must_use]
    pub fn outgoing(&self) -> Outgoing<'_> {
        let body = Body::Small { padded: self.body.padded(), len: self.body.len() };
        Outgoing::new(self.tag, body)
    }

    /// Returns the same as an answer that has arrived.
    #[inline]
    #[must_use]
    pub fn arrived(&self) -> Answer {
        Answer::new(self.tag, self.body.into())
    }
}

/// The outcome of an [exchange](crate::ClientChannel::exchange_short). There is no other case: a caller
/// has to know whether the request was sent.
#[derive(Clone, Copy, Debug)]
pub enum Exchange {
    /// Nothing was sent. The request may be sent in another way, which also reports the reason.
    NotSent,
    /// The request was sent, and must not be sent again. Its answer must be [waited
    /// for](crate::ClientChannel::wait_answer), or the ticket [abandoned](crate::ClientChannel::abandon).
    Sent(Ticket),
    /// The answer is there.
    Answered(ShortAnswer),
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

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
        let words = [0; SHORT_WORDS];
        assert!(Short::of_words(words, SMALL_LEN + 1).is_none());
        let peer = (&ClientInfo::new(1, 2), &Session::new(Arc::new(())));
        let request = ShortRequest::of_words(peer, Ticket::new(0, 1), 0, &words, SMALL_LEN + 1);
        assert!(request.is_none());
    }

    #[test]
    fn a_request_is_the_same_either_way() {
        let body = Short::of_padded(&pad(b"seven"), 5).expect("it is short");
        let (client, session) = (ClientInfo::new(1, 2), Session::new(Arc::new(())).with_note(9));
        let (peer, ticket) = ((&client, &session), Ticket::new(3, 4));
        let short = ShortRequest::of_words(peer, ticket, 7, body.words(), body.len());
        let short = short.expect("it is short");
        assert_eq!((short.bytes(), short.client, short.note), (&b"seven"[..], client.id, 9));
        let request = short.request();
        assert_eq!((request.ticket, request.tag), (Ticket::new(3, 4), 7));
        assert_eq!((request.payload.len(), request.deadline), (5, None));
        let mut bytes = [0; 5];
        request.payload.copy_to(0, &mut bytes);
        assert_eq!(&bytes, b"seven");
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
