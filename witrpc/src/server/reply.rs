//! Answers.

use crate::__private::v1::Wire;
use crate::codec::{Codec, Encoded, Encoder};
use crate::tag::{AnswerTag, Status};
use crate::transport::{Body, ChannelError, Outgoing, Peer, SMALL_LEN, Ticket, pad};

/// The longest text of an answer that is not a value, in bytes.
const MAX_TEXT_LEN: usize = 4096;

/// Answers one call, once.
///
/// That nobody is there to hear the answer is no error: who left has learned why on its own side.
#[derive(Clone, Copy)]
pub(super) struct Reply<'a> {
    pub(super) peer: &'a dyn Peer,
    pub(super) ticket: Ticket,
    pub(super) codec: Codec,
}

impl Reply<'_> {
    /// The handler's value.
    #[inline]
    pub(super) fn value<T: Wire>(self, value: &T) {
        self.encode("result", Status::Ok, value);
    }

    /// What the handler returned.
    #[inline]
    pub(super) fn result<T: Wire, E: Wire>(self, result: &Result<T, E>) {
        match result {
            Ok(value) => self.value(value),
            Err(error) => self.encode("error", Status::App, error),
        }
    }

    /// The arguments could not be decoded.
    #[cold]
    pub(super) fn bad_request(self, message: &str) {
        self.text(Status::BadRequest, message);
    }

    /// The handler panicked, or ended without an answer.
    #[cold]
    pub(super) fn panicked(self, message: &str) {
        self.text(Status::Panicked, message);
    }

    /// There is no such method.
    #[cold]
    pub(super) fn unknown_method(self) {
        self.send(Status::UnknownMethod, &[]);
    }

    /// The call was not begun, and will not be.
    #[cold]
    pub(super) fn shutting_down(self) {
        self.send(Status::ShuttingDown, &[]);
    }

    #[inline]
    fn encode<T: Wire>(self, name: &'static str, status: Status, value: &T) {
        let mut encoder = Encoder::new(self.codec);
        if let Err(error) = encoder.value(name, value) {
            return self.text(Status::EncodeFailed, &error.to_string());
        }
        let answered = encoder.with_body(|raw, body| {
            let tag = AnswerTag { status, raw }.bits();
            self.peer.answer(self.ticket, Outgoing { tag, body })
        });
        if let Err(ChannelError::TooLarge { len, max }) = answered {
            self.too_large(len, max);
        }
    }

    #[cold]
    fn too_large(self, len: usize, max: usize) {
        let mut numbers = [0; 16];
        numbers[..8].copy_from_slice(&(len as u64).to_le_bytes());
        numbers[8..].copy_from_slice(&(max as u64).to_le_bytes());
        self.send(Status::AnswerTooLarge, &numbers);
    }

    fn text(self, status: Status, text: &str) {
        let mut end = text.len().min(MAX_TEXT_LEN);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        self.send(status, &text.as_bytes()[..end]);
    }

    fn send(self, status: Status, bytes: &[u8]) {
        let tag = AnswerTag { status, raw: false }.bits();
        let answer = |body| self.peer.answer(self.ticket, Outgoing { tag, body });
        // Nothing that is sent here is over a limit that a transport may set.
        let _ = if bytes.len() <= SMALL_LEN {
            answer(Body::Small { padded: &pad(bytes), len: bytes.len() })
        } else {
            answer(Body::Large(&Encoded(bytes)))
        };
    }
}
