//! Decodes the server's answers, which are untrusted.

use witrpc_transport::{Answer, Payload};

#[cfg(feature = "dynamic")]
use crate::codec::Decoder;
use crate::codec::{Codec, DecodeError, OpenBody};
use crate::error::{CallError, Direction, StreamLimit};
use crate::method;
use crate::method::{Method, Value};
use crate::tag::{AnswerTag, Status};

/// The outcome of a call, with its answer not yet decoded.
pub struct Answered<'a>(pub(crate) Result<AnswerValue<'a>, CallError>);

impl Answered<'_> {
    /// Decodes what the method answered.
    #[inline]
    pub fn outcome<M: Method>(self) -> Result<M::Ok, CallError<M::Err>> {
        self.read(&M::OK, M::ERR.as_ref())
    }

    /// Checks that a stream is open.
    pub(crate) fn opened(self) -> Result<(), CallError> {
        self.read(&method::value("result"), None)
    }

    /// Decodes the value, or the method's own error if it has one.
    #[inline]
    pub(crate) fn read<T, E>(self, ok: &Value<T>, err: Option<&Value<E>>) -> Result<T, CallError<E>>
    where
        T: 'static,
        E: 'static,
    {
        match self.0 {
            Ok(ref reply) => reply.read(ok, err),
            Err(error) => Err(error.of_app()),
        }
    }
}

/// An answer with a value: the handler's value or the service's own error.
pub struct AnswerValue<'a> {
    body: OpenBody<'a>,
    /// Whether the value is the service's own error.
    is_error: bool,
}

impl<'a> AnswerValue<'a> {
    /// Returns the value of an answer to a call of `method`, or the error that it reports.
    #[inline]
    pub fn open(
        answer: &'a mut Answer,
        codec: Codec,
        method: &'static str,
    ) -> Result<Self, CallError> {
        let tag = match AnswerTag::from_bits(answer.tag) {
            Some(tag @ AnswerTag { status: Status::Ok | Status::App, .. }) => tag,
            other => return Err(failure(other, &answer.payload, method)),
        };
        match OpenBody::new(&mut answer.payload, tag.raw, codec) {
            Ok(body) => Ok(Self { body, is_error: tag.status == Status::App }),
            Err(error) => Err(CallError::Decode { message: error.to_string() }),
        }
    }

    /// Returns whether the value is the service's own error.
    pub fn is_error(&self) -> bool {
        self.is_error
    }

    /// Returns a decoder at the value.
    #[cfg(feature = "dynamic")]
    pub fn decoder(&self) -> Decoder<'_> {
        self.body.decoder()
    }

    /// Decodes the value, or the method's own error if it has one.
    #[inline]
    fn read<T, E>(&self, ok: &Value<T>, err: Option<&Value<E>>) -> Result<T, CallError<E>>
    where
        T: 'static,
        E: 'static,
    {
        if !self.is_error {
            return self.decode(ok);
        }
        let Some(err) = err else {
            let message = "it answered with an error where the method has none".to_owned();
            return Err(CallError::Protocol { message });
        };
        Err(CallError::App(self.decode(err)?))
    }

    #[inline]
    fn decode<T: 'static, E>(&self, value: &Value<T>) -> Result<T, CallError<E>> {
        let mut decoder = self.body.decoder();
        value
            .take(&mut decoder)
            .and_then(|value| decoder.finish().map(|()| value))
            .map_err(|error| CallError::Decode { message: error.to_string() })
    }
}

/// Decodes the answer to a request for more of a stream. Returns `None` at the stream's end.
///
/// # Errors
///
/// The error that the server reported.
pub fn read_pulled<'a>(
    answer: &'a mut Answer,
    codec: Codec,
    method: &'static str,
) -> Result<Option<OpenBody<'a>>, CallError> {
    match AnswerTag::from_bits(answer.tag) {
        Some(AnswerTag { status: Status::End, .. }) => Ok(None),
        Some(AnswerTag { status: Status::Ok, raw }) => {
            let body = OpenBody::new(&mut answer.payload, raw, codec);
            body.map(Some).map_err(undecoded)
        }
        // A request for more of a stream has no error of the service's own.
        Some(AnswerTag { status: Status::App, .. }) => Err(failure(None, &answer.payload, method)),
        other => Err(failure(other, &answer.payload, method)),
    }
}

/// Returns the bytes of such an answer that no codec has encoded, or `None` at the end.
///
/// # Errors
///
/// The error that the server reported.
pub fn pulled_bytes(
    answer: &mut Answer,
    method: &'static str,
) -> Result<Option<Vec<u8>>, CallError> {
    let body = read_pulled(answer, Codec::default(), method)?;
    Ok(body.is_some().then(|| bytes_of(&answer.payload)))
}

/// Returns the error for an answer that does not decode.
#[cold]
pub fn undecoded(error: DecodeError) -> CallError {
    CallError::Decode { message: error.to_string() }
}

/// Returns whether the server accepts no further calls.
#[inline]
pub fn turns_away(answer: &Answer) -> bool {
    answer.tag == AnswerTag { status: Status::ShuttingDown, raw: false }.bits()
}

/// Returns why an answer has neither value nor error.
#[cold]
fn failure(tag: Option<AnswerTag>, payload: &Payload, method: &'static str) -> CallError {
    let status = match tag {
        Some(AnswerTag { status, raw: false }) => status,
        _ => {
            let message = "the tag of its answer has no meaning".to_owned();
            return CallError::Protocol { message };
        }
    };
    match status {
        Status::Panicked => CallError::Panicked { message: text(payload) },
        Status::BadRequest => CallError::BadRequest { message: text(payload) },
        Status::NoThread => CallError::ServerNoThread { message: text(payload) },
        Status::EncodeFailed => CallError::EncodeAnswer { message: text(payload) },
        Status::UnknownMethod => CallError::UnknownMethod { method },
        Status::ShuttingDown => CallError::ShuttingDown,
        Status::Expired => CallError::Expired,
        Status::Rejected => rejected(&text(payload)),
        Status::AnswerTooLarge => too_large(payload),
        Status::TooManyStreams => too_many_streams(payload),
        Status::End => {
            let message = "it does not know the stream any more".to_owned();
            CallError::Protocol { message }
        }
        Status::Ok | Status::App => unreachable!("these have a value"),
    }
}

fn bytes_of(payload: &Payload) -> Vec<u8> {
    let mut bytes = vec![0; payload.len()];
    payload.copy_to(0, &mut bytes);
    bytes
}

fn text(payload: &Payload) -> String {
    String::from_utf8(bytes_of(payload))
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn rejected(text: &str) -> CallError {
    match (text.strip_prefix('+'), text.strip_prefix('-')) {
        (Some(reason), _) => CallError::Rejected { reason: reason.to_owned(), is_retryable: true },
        (_, Some(reason)) => CallError::Rejected { reason: reason.to_owned(), is_retryable: false },
        _ => {
            let message = "it rejected a call without saying whether it may be made again".into();
            CallError::Protocol { message }
        }
    }
}

fn too_large(payload: &Payload) -> CallError {
    let Some(bytes) = bytes::<16>(payload) else {
        let message = "it refused an answer without saying how large it is".to_owned();
        return CallError::Protocol { message };
    };
    let (len, max) = (number(&bytes[..8]), number(&bytes[8..]));
    CallError::TooLarge { direction: Direction::Answer, len, max }
}

fn too_many_streams(payload: &Payload) -> CallError {
    let said = bytes::<9>(payload)
        .and_then(|bytes| Some((StreamLimit::from_number(bytes[0])?, number(&bytes[1..]))));
    match said {
        Some((limit, max)) => CallError::TooManyStreams { limit, max },
        None => {
            let message = "it refused a stream without saying what there is too much of".to_owned();
            CallError::Protocol { message }
        }
    }
}

/// Returns the payload, if it has this length.
fn bytes<const LEN: usize>(payload: &Payload) -> Option<[u8; LEN]> {
    let mut bytes = [0; LEN];
    (payload.len() == LEN).then(|| payload.copy_to(0, &mut bytes))?;
    Some(bytes)
}

fn number(bytes: &[u8]) -> usize {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte))
}

#[cfg(test)]
mod tests {
    use crate::codec::Wire;

    use super::*;

    fn answer(tag: u32, bytes: &[u8]) -> Answer {
        Answer::new(tag, Payload::Whole(bytes.to_vec()))
    }

    fn open(answer: &mut Answer) -> Result<AnswerValue<'_>, CallError> {
        AnswerValue::open(answer, Codec::Postcard, "divide")
    }

    fn value<T: Wire>(reply: &AnswerValue<'_>) -> Result<T, CallError> {
        reply.read(&method::value("result"), None)
    }

    fn refused(tag: u32, bytes: &[u8]) -> CallError {
        open(&mut answer(tag, bytes)).err().expect("this answer has no value")
    }

    #[test]
    fn each_status_is_an_error_of_its_own() {
        let message = "boom".to_owned();
        assert_eq!(refused(2, b"boom"), CallError::Panicked { message: message.clone() });
        assert_eq!(refused(3, b"boom"), CallError::BadRequest { message: message.clone() });
        assert_eq!(refused(4, b""), CallError::UnknownMethod { method: "divide" });
        let sizes = [200_u64.to_le_bytes(), 100_u64.to_le_bytes()].concat();
        let expected = CallError::TooLarge { direction: Direction::Answer, len: 200, max: 100 };
        assert_eq!(refused(5, &sizes), expected);
        assert_eq!(refused(6, b"boom"), CallError::EncodeAnswer { message: message.clone() });
        assert_eq!(refused(12, b"boom"), CallError::ServerNoThread { message });
        let streams = [&[1], &2048_u64.to_le_bytes()[..]].concat();
        let expected = CallError::TooManyStreams { limit: StreamLimit::Methods, max: 2048 };
        assert_eq!(refused(11, &streams), expected);
        assert_eq!(refused(7, b""), CallError::ShuttingDown);
        assert_eq!(refused(8, b""), CallError::Expired);
        for (text, is_retryable) in [(b"+boom", true), (b"-boom", false)] {
            let reason = "boom".to_owned();
            assert_eq!(refused(9, text), CallError::Rejected { reason, is_retryable });
        }
    }

    #[test]
    fn an_answer_without_meaning_breaks_the_protocol() {
        for (tag, bytes) in [
            (200, &b""[..]),
            (1 << 27, b""),
            (2 | crate::tag::RAW, b""),
            (5, b"x"),
            (9, b""),
            (11, b""),
            (11, &[3; 9]),
        ] {
            assert!(matches!(refused(tag, bytes), CallError::Protocol { .. }), "{tag:#x}");
        }
        let mut surprise = answer(1, &[0]);
        let surprise = open(&mut surprise).expect("an error of the service");
        let surprise = value::<u8>(&surprise);
        assert!(matches!(surprise, Err(CallError::Protocol { .. })));
    }

    #[test]
    fn an_answer_that_does_not_decode_is_told_apart() {
        for bytes in [&b""[..], &[1, 2]] {
            let decoded = value::<u8>(&open(&mut answer(0, bytes)).expect("a value"));
            assert!(matches!(decoded, Err(CallError::Decode { .. })), "{bytes:?}");
        }
        assert_eq!(value::<u8>(&open(&mut answer(0, &[7])).unwrap()), Ok(7));
        assert_eq!(
            open(&mut answer(1, &[7]))
                .unwrap()
                .read(&method::value::<String>("result"), Some(&method::value::<u8>("error"))),
            Err(CallError::App(7))
        );
    }

    #[test]
    fn text_that_is_not_utf8_is_shown_as_well_as_can_be() {
        let expected = CallError::Panicked { message: "bo\u{FFFD}m".to_owned() };
        assert_eq!(refused(2, b"bo\xFFm"), expected);
    }
}
