//! What can happen to events instead of their arrival.

use std::time::Duration;

use thiserror::Error;

use super::CallError;

/// What a subscriber gets in the place of an event.
///
/// Only [`Ended`](Self::Ended) is the end; after the others more events come.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EventError {
    /// So many events of this kind were dropped here, since this client or this subscriber did not
    /// take them in time, or since they could not be sent.
    #[error(
        "{0} events were dropped here: take them more quickly, or look up what they were about"
    )]
    Lagged(u64),
    /// The connection was made anew here, and the subscription renewed: any number of events may have
    /// been missed. Comes once for each [reconnection](crate::Reconnect), behind what had come before
    /// it and before all that the next server has emitted.
    #[error(
        "the connection was made anew here, and any number of events may have been missed: look up \
         what they were about"
    )]
    MayHaveMissed,
    /// An event came, but could not be decoded.
    #[error(
        "an event cannot be decoded ({message}): build both sides from one trait, and see that what \
         its types serialize they also deserialize"
    )]
    Decode {
        /// What the codec said.
        message: String,
    },
    /// No more events come: mostly for a [`CallError::Disconnected`], which says why the connection has
    /// ended. What was emitted last and had not come by then is lost, and not counted.
    #[error("no more events come: {0}")]
    Ended(CallError),
}

/// Why an event did not reach every client that has subscribed to it. Those that it did not reach
/// get [`EventError::Lagged`] in its place.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EmitError {
    /// What it is emitted with cannot be encoded, in the codec of some client.
    #[error(
        "the event cannot be encoded ({message}): correct the type's Serialize, or limit the codecs"
    )]
    NotEncoded {
        /// What the codec said.
        message: String,
    },
    /// Some clients did not take the events before it in time, and this event waits for them.
    #[error(
        "{clients} clients had no room for the event, and made none within {waited:?}: they are not \
         waited for again until they take one"
    )]
    NoRoom {
        /// How many.
        clients: usize,
        /// How long they were waited for.
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
