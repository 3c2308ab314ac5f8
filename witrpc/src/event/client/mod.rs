//! The client's side of events: the subscriptions, and the thread that pulls events.
//!
//! [`subscriptions`] holds what all clones of a client want. A [`subscription`] adds to it, and tells
//! the server. A [`puller`] pulls all events with one request over its own [`lane`]. It runs closures
//! ([`guard`]), and fills the [`queue`]s of [`blocking`] and [`asynchronous`] subscribers. These read
//! events from their [`inbox`].

pub mod asynchronous;
pub mod blocking;
pub mod guard;
pub mod inbox;
pub mod lane;
pub mod puller;
pub mod pulling;
pub mod queue;
pub mod subscribe;
pub mod subscription;
pub mod subscriptions;

use std::sync::Arc;

use witrpc_transport::Payload;

use crate::codec::{Codec, OwnedBody};
use crate::error::{CallError, EventError};
use crate::method::{ArgumentList, EventItem};

use super::delivery::Emitted;

/// The receiver of one subscriber's events: first how many events were dropped, then an event.
pub trait Sink: Send + Sync {
    fn deliver(&self, lost: u64, emitted: Option<Arc<Emitted>>);

    /// Notes that any number of events may be missing here.
    fn may_have_missed(&self);

    /// Ends the events.
    fn end(&self, error: CallError);
}

/// Decodes an event.
fn read_item<T: EventItem>(emitted: &Emitted, codec: Codec) -> Result<T, EventError> {
    let undecoded = |message: &str| EventError::Decode { message: message.to_owned() };
    let payload = Payload::Whole(emitted.bytes.clone());
    let body = OwnedBody::new(payload, emitted.raw, codec)
        .map_err(|error| undecoded(&error.to_string()))?;
    let taken = T::ARGS.take(&mut body.decoder());
    taken.map(T::of).map_err(|error| undecoded(&error.to_string()))
}
