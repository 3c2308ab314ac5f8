//! Events, seen from the client: who wants which, and the thread that has them.
//!
//! [`subscriptions`] is the one place that knows what all clones of a client want; a [`subscription`] adds to
//! that, and tells the server. A [`puller`] has what comes, with one request for all over a [`lane`] of its
//! own, and deals it out: to closures, which it runs ([`guard`]), and to the [`queue`]s of [`blocking`] and
//! [`asynchronous`] subscribers, who have them from their [`inbox`].

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

/// What comes to a subscriber, one after the other: how many events were dropped, then an event.
pub trait Sink: Send + Sync {
    fn deliver(&self, lost: u64, emitted: Option<Arc<Emitted>>);

    /// Any number of events may be missing here.
    fn may_have_missed(&self);

    /// No more come.
    fn end(&self, error: CallError);
}

/// Reads an event that has come.
fn read_item<T: EventItem>(emitted: &Emitted, codec: Codec) -> Result<T, EventError> {
    let undecoded = |message: &str| EventError::Decode { message: message.to_owned() };
    let payload = Payload::Whole(emitted.bytes.clone());
    let body = OwnedBody::new(payload, emitted.raw, codec)
        .map_err(|error| undecoded(&error.to_string()))?;
    let taken = T::ARGUMENTS.take(&mut body.decoder());
    taken.map(T::of).map_err(|error| undecoded(&error.to_string()))
}
