//! The requests that concern a stream or all events: their messages, and the meaning of their errors.

use witrpc_transport::{ChannelError, DisconnectReason, Outgoing};

use crate::codec::{Codec, EncodeError, Encoder};
use crate::tag::{Operation, RAW, RequestTag};

/// The message of such a request.
pub struct Control<'a> {
    tag: u32,
    body: Encoder<'a>,
}

impl<'a> Control<'a> {
    /// Creates a message with an empty body.
    pub fn new(tag: RequestTag, codec: Codec) -> Self {
        Self { tag: tag.bits(), body: Encoder::new(codec) }
    }

    /// Creates a message about the stream of that number.
    pub fn of_stream(operation: Operation, number: u64, codec: Codec) -> Self {
        let mut control = Self::new(RequestTag::of(operation), codec);
        control.add(|body| body.number("stream", number)).expect("numbers always encode");
        control
    }

    /// Adds to the body.
    pub fn add(
        &mut self,
        add: impl FnOnce(&mut Encoder<'a>) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        add(&mut self.body)
    }

    /// Passes the message to `send`. Each call passes an equal message.
    pub fn with_message<R>(&self, send: impl FnOnce(Outgoing<'_>) -> R) -> R {
        self.body.with_body(|raw, body| {
            let tag = if raw { self.tag | RAW } else { self.tag };
            send(Outgoing::new(tag, body))
        })
    }
}

/// Maps the error of a request that belongs to a call in progress. That the server did not take
/// this request does not mean that it did not take the call.
pub fn of_what_goes_on(error: ChannelError) -> ChannelError {
    match error {
        ChannelError::ShuttingDown => ChannelError::Disconnected(DisconnectReason::ServerShutDown),
        other => other,
    }
}
