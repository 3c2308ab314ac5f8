//! Errors of calls.

use std::time::Duration;

use serde::Serialize;
use thiserror::Error;
use witrpc_transport::DisconnectReason;

use super::wording::{NoLane, Time, reason};
use super::{Direction, Rejection, StreamLimit, UploadStage};

/// The reason why a call returned no value.
///
/// `E` is the error type of a method that returns a `Result`; for all other methods it is
/// [`NoAppError`], which has no values. `?` turns a `CallError` into a `CallError<E>`.
///
/// Three questions decide what to do: did the service itself refuse ([`App`](Self::App)), may the call
/// be made again ([`is_retryable`](Self::is_retryable)), and may the handler have run
/// ([`maybe_executed`](Self::maybe_executed))?
///
/// # Examples
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use witrpc::CallError;
///
/// #[derive(Debug, Serialize, Deserialize)]
/// enum Refused {
///     TooExpensive,
/// }
///
/// /// What to do about the error of a call that must not run twice.
/// fn advice(error: &CallError<Refused>) -> &'static str {
///     match error {
///         CallError::App(Refused::TooExpensive) => "offer less",
///         error if !error.is_retryable() => "report it",
///         error if error.maybe_executed() => "find out whether it ran",
///         _ => "call again",
///     }
/// }
///
/// assert_eq!(advice(&CallError::App(Refused::TooExpensive)), "offer less");
/// assert_eq!(advice(&CallError::NoFreeLane { lanes: 64, abandoned: 0 }), "call again");
/// assert_eq!(advice(&CallError::PeerDied), "find out whether it ran");
/// assert_eq!(advice(&CallError::Unauthorized), "report it");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CallError<E = NoAppError> {
    /// The service's own error, as the handler returned it.
    #[error("{0}")]
    App(E),
    /// No answer came in time. The handler may still be running.
    #[error(
        "no answer within {}; the handler may still be running: allow more time with call_timeout, \
         or find out what the server is busy with", Time(*.after)
    )]
    TimedOut {
        /// The time allowed, if it was counted from the call.
        after: Option<Duration>,
    },
    /// The call was cancelled on this side. The handler may have run, and may still run.
    #[error("the call was cancelled by its caller; the handler may have run in part")]
    Cancelled,
    /// A hook, of the server or of this client, rejected the call.
    #[error("a hook rejected the call, whose handler did not run: {reason}")]
    Rejected {
        /// The hook's reason.
        reason: String,
        /// Whether it may be let through later.
        is_retryable: bool,
    },
    /// The call's deadline had passed before its handler began.
    #[error(
        "the deadline of the call had passed before it was begun, and its handler did not run: \
         allow more time with CallOptions"
    )]
    Expired,
    /// The server process died while the call was pending.
    #[error(
        "the server process died while the call was pending, which may have run in part: connect \
         anew once it serves again"
    )]
    PeerDied,
    /// The handler panicked. The server goes on.
    #[error("the handler panicked: {message:?}; the server lives on, its log has the backtrace")]
    Panicked {
        /// The message of the panic.
        message: String,
    },
    /// A message exceeds the connection's limit. A request was not sent; an answer was computed and
    /// dropped.
    #[error(
        "the {direction} has {len} bytes and at most {max} may be sent: send it in parts, or raise \
         max_message_size on the server's endpoint"
    )]
    TooLarge {
        /// Which of the two messages.
        direction: Direction,
        /// Its length in bytes.
        len: usize,
        /// The limit in bytes.
        max: usize,
    },
    /// The answer is longer than this client accepts, and was dropped. The connection goes on.
    #[error(
        "the answer has {len} bytes and this client accepts at most {max}: ask for it in parts, or raise \
         max_answer_size on the client's endpoint"
    )]
    AnswerTooLarge {
        /// Its length in bytes.
        len: usize,
        /// The limit in bytes.
        max: usize,
    },
    /// The server does not accept this client's credentials.
    #[error("the server does not accept this client's calls: check the access token")]
    Unauthorized,
    /// The server has another version of the method or event. Or the client is
    /// [strict](crate::ClientBuilder::strict), and the server that it [reconnected](crate::Reconnect)
    /// to has another version of the service. Nothing was sent.
    #[error(
        "the server has another version of the service ({difference}): build both from one trait"
    )]
    ContractMismatch {
        /// The difference, in words.
        difference: String,
    },
    /// The connection was closed before the call was answered. This error does not tell whether the
    /// call was sent, so the call counts as one that may have run.
    #[error("the connection is closed: {}: connect again", reason(*.0))]
    Disconnected(DisconnectReason),
    /// The server was lost. No other server had come when the call's time was over, for a client that
    /// [reconnects](crate::Reconnect). Nothing was sent.
    #[error(
        "the server is gone, and none had come back when this call's time was over: see why it \
         does not serve, or allow more time"
    )]
    NotConnected,
    /// All lanes of the connection stayed taken by calls in flight until the call's time was over.
    /// Nothing was sent.
    ///
    /// An abandoned call (it timed out, was cancelled, or its future was dropped) holds its lane until
    /// the server has answered it. If `abandoned` is more than 0, look for handlers that go on although
    /// [their caller has gone](crate::CallContext::cancelled).
    #[error("{}", NoLane { lanes: *.lanes, abandoned: *.abandoned })]
    NoFreeLane {
        /// The number of lanes of the connection, which is the number of calls that can be in flight.
        lanes: u32,
        /// How many of them were held by abandoned calls when this error was made.
        abandoned: u32,
    },
    /// The open streams, uploads and events need more lanes than the connection can spare. Each of
    /// these kinds keeps one lane for long, and one lane is reserved for calls. A connection needs 2
    /// lanes for streams or uploads, 3 for events beside either, and 4 for all of them at once. Nothing
    /// was sent.
    #[error(
        "the connection has {lanes} lanes and needs {needed} for the streams, uploads and events that are \
         open over it: raise lanes to that on the server's endpoint, or open a connection for each kind"
    )]
    TooFewLanes {
        /// The number of lanes of the connection.
        lanes: u32,
        /// The least number that it needs.
        needed: u32,
    },
    /// The connection's memory stayed full until the call's time was over.
    #[error(
        "the connection's memory stayed taken by other messages until this call's time was over: \
         raise size on the server's endpoint, or send less at once"
    )]
    NoSpace,
    /// The server could not allocate the memory for the request, and dropped it. The connection goes
    /// on.
    #[error(
        "the server has no memory for so long a request, and dropped it: send it in parts, or call \
         again when the server has less to do"
    )]
    ServerNoMemory,
    /// The request did not reach the server, as the transport knows for certain. The handler did not run.
    #[error("the request did not reach the server, and its handler did not run: call again")]
    NotDelivered,
    /// The system has no thread left for the call, which needs one on this side. Nothing was sent.
    #[error("no thread can be started here ({message}): end some, or raise the limit of threads")]
    NoThread {
        /// The error of the operating system.
        message: String,
    },
    /// The server's system has no thread left for a method that takes an iterator, which needs one. The
    /// method did not run, and the server goes on.
    #[error(
        "the server can start no thread for the method ({message}), which did not run: call again \
         later, or raise the limit of threads of the server's process"
    )]
    ServerNoThread {
        /// The error of the server's operating system.
        message: String,
    },
    /// The method took no item of an upload within the client's
    /// [`call_timeout`](crate::ClientBuilder::call_timeout), counted from the first item on.
    #[error("no item of the upload was taken within {after:?}: {stage}")]
    UploadStalled {
        /// The time allowed.
        after: Duration,
        /// What the upload waited for. This decides whether the method may have run.
        stage: UploadStage,
    },
    /// The streams of this client have reached a limit of the server. The method did not run; or, if
    /// too many are [open](StreamLimit::Open), its result was dropped.
    #[error(
        "the streams of this client have come to the server's limit of {max} {limit}: drop some of \
         them first, and let their methods end"
    )]
    TooManyStreams {
        /// The limit that was reached.
        limit: StreamLimit,
        /// Its value.
        max: usize,
    },
    /// A stream failed for a reason on this side, after the method had begun: an item could not be
    /// sent, or could not be requested in time. The handler may have run in part.
    #[error("the stream was broken off after its method had begun: {cause}")]
    StreamBroken {
        /// The reason, as the error of a call that was not begun.
        cause: Box<CallError>,
    },
    /// The server's version of the service has no such method. Nothing was sent.
    #[error("the server has no method {method:?}: it was built from another version of the trait")]
    UnknownMethod {
        /// The method's name on the wire.
        method: &'static str,
    },
    /// The server could not decode this client's arguments. The handler did not run.
    #[error(
        "the server could not decode the arguments ({message}): see that what the argument types \
         serialize they also deserialize, and that both sides agree on what `contract` shows as `?`"
    )]
    BadRequest {
        /// The server's message.
        message: String,
    },
    /// The arguments could not be encoded. Nothing was sent.
    #[error(
        "the arguments cannot be encoded ({message}): change the value or its Serialize as that says"
    )]
    Encode {
        /// The codec's message.
        message: String,
    },
    /// The handler ran, but the server could not encode its result.
    #[error(
        "the handler ran, but the server could not encode its answer ({message}): change the value \
             or its Serialize as that says"
    )]
    EncodeAnswer {
        /// The server's message.
        message: String,
    },
    /// The handler ran, but this client could not decode its answer.
    #[error(
        "the handler ran, but its answer cannot be decoded ({message}): see that what the result \
         type serializes it also deserializes, and that both sides agree on what `contract` shows \
         as `?`"
    )]
    Decode {
        /// The codec's message.
        message: String,
    },
    /// The server is shutting down, or has shut down gracefully, and did not take the call. The handler
    /// has not run.
    #[error("the server shut down and did not take the call: connect again once it serves")]
    ShuttingDown,
    /// The server broke the protocol.
    #[error(
        "the server broke the protocol ({message}): check that both sides use compatible \
             versions of witrpc"
    )]
    Protocol {
        /// The rule that it broke.
        message: String,
    },
}

/// The error type of methods that do not return a `Result`. It has no values, so [`CallError::App`]
/// needs no handling.
///
/// It is deliberately not `Serialize`. This keeps the conversion from `CallError` to `CallError<E>`,
/// which `?` uses, apart from the conversion of a type to itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NoAppError {}

impl<E> CallError<E> {
    /// Returns whether the same call, made again on this connection or a new one, may succeed.
    ///
    /// Whether a second execution is *safe* is another question: check
    /// [`maybe_executed`](Self::maybe_executed), or know that the method is idempotent.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        if let Self::StreamBroken { cause } = self {
            return cause.is_retryable();
        }
        matches!(
            self,
            Self::TimedOut { .. }
                | Self::PeerDied
                | Self::Disconnected(_)
                | Self::NotConnected
                | Self::NoFreeLane { .. }
                | Self::NoSpace
                | Self::ServerNoMemory
                | Self::NotDelivered
                | Self::NoThread { .. }
                | Self::ServerNoThread { .. }
                | Self::UploadStalled { .. }
                | Self::Expired
                | Self::Rejected { is_retryable: true, .. }
                | Self::TooManyStreams { .. }
                | Self::ShuttingDown
        )
    }

    /// Returns whether the handler may have run, wholly or in part. `false` is certain: it has not.
    #[must_use]
    pub fn maybe_executed(&self) -> bool {
        match self {
            Self::App(_)
            | Self::TimedOut { .. }
            | Self::Cancelled
            | Self::PeerDied
            | Self::Panicked { .. }
            | Self::AnswerTooLarge { .. }
            | Self::EncodeAnswer { .. }
            | Self::Decode { .. }
            | Self::Protocol { .. }
            | Self::StreamBroken { .. }
            | Self::Disconnected(_) => true,
            Self::TooManyStreams { limit, .. } => *limit == StreamLimit::Open,
            Self::UploadStalled { stage, .. } => *stage != UploadStage::Queued,
            Self::TooLarge { direction, .. } => *direction == Direction::Answer,
            Self::Expired
            | Self::Rejected { .. }
            | Self::Unauthorized
            | Self::ContractMismatch { .. }
            | Self::NotConnected
            | Self::NoFreeLane { .. }
            | Self::TooFewLanes { .. }
            | Self::NoSpace
            | Self::ServerNoMemory
            | Self::NotDelivered
            | Self::NoThread { .. }
            | Self::ServerNoThread { .. }
            | Self::UnknownMethod { .. }
            | Self::BadRequest { .. }
            | Self::Encode { .. }
            | Self::ShuttingDown => false,
        }
    }

    /// Returns the error without the service's own error, which must have been handled.
    pub(crate) fn without_app(self) -> CallError {
        self.map_app(|_| unreachable!("it has been dealt with"))
    }

    /// Replaces the error type of the service by another.
    pub fn map_app<F>(self, map: impl FnOnce(E) -> F) -> CallError<F> {
        match self {
            Self::App(error) => CallError::App(map(error)),
            Self::TimedOut { after } => CallError::TimedOut { after },
            Self::Cancelled => CallError::Cancelled,
            Self::Expired => CallError::Expired,
            Self::Rejected { reason, is_retryable } => CallError::Rejected { reason, is_retryable },
            Self::PeerDied => CallError::PeerDied,
            Self::Panicked { message } => CallError::Panicked { message },
            Self::TooLarge { direction, len, max } => CallError::TooLarge { direction, len, max },
            Self::AnswerTooLarge { len, max } => CallError::AnswerTooLarge { len, max },
            Self::Unauthorized => CallError::Unauthorized,
            Self::ContractMismatch { difference } => CallError::ContractMismatch { difference },
            Self::Disconnected(reason) => CallError::Disconnected(reason),
            Self::NotConnected => CallError::NotConnected,
            Self::NoFreeLane { lanes, abandoned } => CallError::NoFreeLane { lanes, abandoned },
            Self::TooFewLanes { lanes, needed } => CallError::TooFewLanes { lanes, needed },
            Self::NoSpace => CallError::NoSpace,
            Self::ServerNoMemory => CallError::ServerNoMemory,
            Self::NotDelivered => CallError::NotDelivered,
            Self::NoThread { message } => CallError::NoThread { message },
            Self::ServerNoThread { message } => CallError::ServerNoThread { message },
            Self::UploadStalled { after, stage } => CallError::UploadStalled { after, stage },
            Self::TooManyStreams { limit, max } => CallError::TooManyStreams { limit, max },
            Self::StreamBroken { cause } => CallError::StreamBroken { cause },
            Self::UnknownMethod { method } => CallError::UnknownMethod { method },
            Self::BadRequest { message } => CallError::BadRequest { message },
            Self::Encode { message } => CallError::Encode { message },
            Self::EncodeAnswer { message } => CallError::EncodeAnswer { message },
            Self::Decode { message } => CallError::Decode { message },
            Self::ShuttingDown => CallError::ShuttingDown,
            Self::Protocol { message } => CallError::Protocol { message },
        }
    }
}

/// The conversion that `?` uses: an error that is not the service's own fits every method.
impl<E: Serialize> From<CallError> for CallError<E> {
    fn from(error: CallError) -> Self {
        error.of_app()
    }
}

impl CallError {
    /// Converts the error to that of a method with its own error type.
    pub(crate) fn of_app<E>(self) -> CallError<E> {
        self.map_app(|none| match none {})
    }

    /// Returns the error for a hook's rejection.
    pub(crate) fn rejected(rejection: Rejection) -> Self {
        let Rejection { reason, is_retryable } = rejection;
        Self::Rejected { reason: reason.into_owned(), is_retryable }
    }

    /// Converts the error to that of a call whose stream has begun: it may have run.
    #[cold]
    pub(crate) fn once_begun(self) -> Self {
        if self.maybe_executed() { self } else { Self::StreamBroken { cause: Box::new(self) } }
    }
}

#[cfg(test)]
mod tests;
