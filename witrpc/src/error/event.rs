//! The errors of events, for subscribers and for emitters.

use std::time::Duration;

use thiserror::Error;

use super::CallError;

/// An item that a subscriber receives in place of an event.
///
/// Only [`Ended`](Self::Ended) is the end; more events come after the others.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EventError {
    /// This many events of this kind were dropped here. This client or this subscriber did not take
    /// them in time, or they could not be sent.
    #[error(
        "{0} events were dropped here: take them more quickly, or look up what they were about"
    )]
    Lagged(u64),
    /// The client reconnected here and renewed the subscription: any number of events may have been
    /// missed. Comes once for each [reconnection](crate::Reconnect), after the events of the former
    /// server and before those of the next.
    #[error(
        "the client reconnected here, and any number of events may have been missed: look up \
         what they were about"
    )]
    MayHaveMissed,
    /// An event came, but could not be decoded.
    #[error(
        "an event cannot be decoded ({message}): build both sides from one trait, and see that what \
         its types serialize they also deserialize"
    )]
    Decode {
        /// The codec's message.
        message: String,
    },
    /// No more events come, usually because of a [`CallError::Disconnected`], which says why the
    /// connection has ended. Events that were emitted last and had not arrived are lost, and not
    /// counted.
    #[error("no more events come: {0}")]
    Ended(CallError),
}

/// The reason why an event did not reach every subscribed client. The clients that it did not reach
/// receive [`EventError::Lagged`] in its place.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EmitError {
    /// The arguments of the event cannot be encoded, in the codec of some client.
    #[error(
        "the event cannot be encoded ({message}): correct the type's Serialize, or limit the codecs"
    )]
    NotEncoded {
        /// The codec's message.
        message: String,
    },
    /// Some clients did not take the events before it in time, and this event waits for them.
    #[error(
        "{clients} clients had no room for the event, and made none within {waited:?}: they are not \
         waited for again until they take one"
    )]
    NoRoom {
        /// How many clients.
        clients: usize,
        /// How long the emitter waited for them.
        waited: Duration,
    },
}

#[cfg(test)]
mod tests {
    use crate::error::assert_is_sentence;

    use super::*;

    #[test]
    fn every_error_is_a_sentence() {
        let message = || "oh".to_owned();
        for error in [
            EventError::Lagged(3),
            EventError::MayHaveMissed,
            EventError::Decode { message: message() },
            EventError::Ended(CallError::PeerDied),
        ] {
            assert_is_sentence(&error.to_string());
        }
        let waited = Duration::from_millis(5);
        for error in
            [EmitError::NotEncoded { message: message() }, EmitError::NoRoom { clients: 2, waited }]
        {
            assert_is_sentence(&error.to_string());
        }
    }
}
