//! The answers to calls.

use witrpc_transport::{Body, ChannelError, Outgoing, Peer, SMALL_LEN, Ticket, pad};

use crate::codec::{Batch, Codec, EncodeError, Encoded, Encoder};
use crate::method;
use crate::method::{Method, Value};
use crate::observe::counters::Counter;
use crate::observe::hooks::Rejection;
use crate::stream::server::not_opened::NotOpened;
use crate::tag::{AnswerTag, Status};

use super::call_observer::CallObserver;

/// The longest text of an answer that is not a value, in bytes.
const MAX_TEXT_LEN: usize = 4096;

/// The answer to one call, sent once.
///
/// It is no error if the caller has left: the caller's own side has reported why.
#[derive(Clone, Copy)]
pub struct Reply<'a> {
    pub peer: &'a dyn Peer,
    pub ticket: Ticket,
    pub codec: Codec,
    pub observer: &'a CallObserver,
    pub counter: Counter<'a>,
}

impl Reply<'_> {
    /// Answers that the stream which the method takes is open. The call continues.
    pub fn opened(self) {
        let observer = &CallObserver::plain(false);
        Reply { observer, ..self }.done();
    }

    /// Answers that the request is done.
    pub fn done(self) {
        self.encode(Status::Ok, &method::value("result"), &());
    }

    /// Answers with the outcome of an upload, as a number of the protocol.
    pub fn number(self, number: u64) {
        self.encode(Status::Ok, &method::value("result"), &number);
    }

    /// Answers with the handler's value.
    #[inline]
    pub fn value<M: Method>(self, value: &M::Ok) {
        self.encode(Status::Ok, &M::OK, value);
    }

    /// Answers with the value or the error that the handler returned.
    #[inline]
    pub fn result<M: Method>(self, result: &Result<M::Ok, M::Err>) {
        match result {
            Ok(value) => self.value::<M>(value),
            Err(error) => self.error::<M>(error),
        }
    }

    /// Answers with the method's own error.
    #[inline]
    pub fn error<M: Method>(self, error: &M::Err) {
        self.encode(Status::App, &method::error_of::<M>(), error);
    }

    /// Answers with the first items of a batch; `over` says whether they end the stream. Reports
    /// only one error: that the items are too large.
    pub fn batch<T: 'static>(
        self,
        batch: &Batch<T>,
        items: usize,
        over: bool,
    ) -> Result<(), ChannelError> {
        let mut encoder = Encoder::new(self.codec);
        let encoded = encoder.number("over", over.into());
        if let Err(error) = encoded.and_then(|()| batch.write(items, &mut encoder)) {
            self.not_encoded(&error.to_string());
            return Ok(());
        }
        match encoder.with_body(|raw, body| self.answer(Status::Ok, raw, body)) {
            Err(ChannelError::TooLarge { len, max }) => Err(ChannelError::TooLarge { len, max }),
            // The caller has left.
            _ => Ok(()),
        }
    }

    /// Answers with events. Reports only one error: that they are too large.
    pub fn events(self, message: &[u8]) -> Result<(), ChannelError> {
        match self.send(Status::Ok, message) {
            Err(ChannelError::TooLarge { len, max }) => Err(ChannelError::TooLarge { len, max }),
            // The caller has left.
            _ => Ok(()),
        }
    }

    /// Answers with the new states of uploads.
    pub fn notices(self, message: &[u8]) {
        let _ = self.send(Status::Ok, message);
    }

    /// Answers that the stream has ended.
    pub fn end(self) {
        let _ = self.send(Status::End, &[]);
    }

    /// Answers that a stream could not be opened.
    #[cold]
    pub fn not_opened(self, why: NotOpened) {
        match why {
            NotOpened::TooMany { limit, max } => {
                let mut bytes = [limit.number(); 9];
                bytes[1..].copy_from_slice(&(max as u64).to_le_bytes());
                let _ = self.send(Status::TooManyStreams, &bytes);
            }
            NotOpened::NumberInUse => self.bad_request("the stream's number is in use"),
            NotOpened::Closed => self.end(),
        }
    }

    /// Answers that the value could not be encoded.
    #[cold]
    pub fn not_encoded(self, message: &str) {
        self.text(Status::EncodeFailed, message);
    }

    /// Answers that the arguments could not be decoded.
    #[cold]
    pub fn bad_request(self, message: &str) {
        self.text(Status::BadRequest, message);
    }

    /// Answers that the handler panicked, or ended without an answer.
    #[cold]
    pub fn panicked(self, message: &str) {
        self.text(Status::Panicked, message);
    }

    /// Records that the server ends: the end of the connection answers the call.
    #[cold]
    pub fn unheard(self) {
        self.observer.unheard(self.counter);
    }

    /// Answers that the machine has no thread for the method, which was not begun.
    #[cold]
    pub fn no_thread(self, why: &str) {
        self.text(Status::NoThread, why);
    }

    /// Answers that there is no such method.
    #[cold]
    pub fn unknown_method(self) {
        let _ = self.send(Status::UnknownMethod, &[]);
    }

    /// Answers that the caller's deadline had passed before the call was begun.
    #[cold]
    pub fn expired(self) {
        let _ = self.send(Status::Expired, &[]);
    }

    /// Answers that a hook rejected the call.
    #[cold]
    pub fn rejected(self, rejection: &Rejection) {
        let mut text = String::from(if rejection.is_retryable { "+" } else { "-" });
        text.push_str(&rejection.reason);
        self.text(Status::Rejected, &text);
    }

    /// Answers that the call was not begun and will not be.
    #[cold]
    pub fn shutting_down(self) {
        let _ = self.send(Status::ShuttingDown, &[]);
    }

    fn encode<T: 'static>(self, status: Status, how: &Value<T>, value: &T) {
        let mut encoder = Encoder::new(self.codec);
        let encoded = how.put(value, &mut encoder);
        self.encoded(status, encoder, encoded);
    }

    /// Answers with the outcome of encoding a value.
    pub fn encoded(
        self,
        status: Status,
        mut encoder: Encoder<'_>,
        encoded: Result<(), EncodeError>,
    ) {
        if let Err(error) = encoded.and_then(|()| encoder.decide_leases(|| self.peer.lessor())) {
            return self.not_encoded(&error.to_string());
        }
        let answered = encoder.with_body(|raw, body| self.answer(status, raw, body));
        if let Err(ChannelError::TooLarge { len, max }) = answered {
            self.too_large(len, max);
        }
    }

    #[cold]
    pub fn too_large(self, len: usize, max: usize) {
        let mut numbers = [0; 16];
        numbers[..8].copy_from_slice(&(len as u64).to_le_bytes());
        numbers[8..].copy_from_slice(&(max as u64).to_le_bytes());
        let _ = self.send(Status::AnswerTooLarge, &numbers);
    }

    /// Answers with a text, cut to the connection's limit.
    fn text(self, status: Status, text: &str) {
        let sent = self.send(status, cut(text, MAX_TEXT_LEN).as_bytes());
        if let Err(ChannelError::TooLarge { max, .. }) = sent {
            let _ = self.send(status, cut(text, max).as_bytes());
        }
    }

    /// Sends an answer that is no value. Except for texts, its length is at most
    /// [`MIN_MESSAGE_LEN`].
    ///
    /// [`MIN_MESSAGE_LEN`]: witrpc_transport::MIN_MESSAGE_LEN
    fn send(self, status: Status, bytes: &[u8]) -> Result<(), ChannelError> {
        if bytes.len() <= SMALL_LEN {
            self.answer(status, false, Body::Small { padded: &pad(bytes), len: bytes.len() })
        } else {
            self.answer(status, false, Body::Large(&Encoded(bytes)))
        }
    }

    /// Sends an answer: the only path for all answers that the transport does not send itself.
    fn answer(self, status: Status, raw: bool, body: Body<'_>) -> Result<(), ChannelError> {
        let tag = AnswerTag { status, raw }.bits();
        let answered = self.peer.answer(self.ticket, Outgoing::new(tag, body));
        // A too large answer is replaced by another one, so the request is still open.
        if !matches!(answered, Err(ChannelError::TooLarge { .. })) {
            self.observer.answered(self.counter, status, body.len(), answered.is_ok());
        }
        answered
    }
}

/// Returns the beginning of a text, in at most `most` bytes.
fn cut(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
