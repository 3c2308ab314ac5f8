//! The events of a service.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;
use witrpc_transport::Payload;

use crate::codec::OwnedBody;
use crate::contract::Overflow;
use crate::error::{CallError, EventError};
use crate::event::client::queue::{Came, Queue};
use crate::event::client::subscribe::begin_blocking;
use crate::event::client::subscription::Subscription;
use crate::event::delivery::Emitted;

use super::error::DynamicError;
use super::message;
use super::service::DynamicService;

/// The events of a subscription: an iterator that blocks until the next one. Each is an object with the
/// event's arguments. Dropping it ends the subscription.
#[must_use = "the subscription ends when this is dropped"]
pub struct DynamicEvents {
    service: Arc<DynamicService>,
    event: u16,
    queue: Arc<Queue>,
    _subscription: Subscription,
}

impl DynamicEvents {
    /// Subscribes to an event.
    pub(super) fn begin(service: &Arc<DynamicService>, event: u16) -> Result<Self, DynamicError> {
        let queue = Queue::new(Overflow::DropOldest);
        let subscription = Subscription::new(&service.connection, event, Arc::clone(&queue) as _);
        begin_blocking(&subscription).map_err(CallError::of_app)?;
        let service = Arc::clone(service);
        Ok(Self { service, event, queue, _subscription: subscription })
    }

    fn read(&self, emitted: &Emitted) -> Result<Value, DynamicError> {
        let undecoded = |message: String| DynamicError::Event(EventError::Decode { message });
        let payload = Payload::Whole(emitted.bytes.clone());
        let body = OwnedBody::new(payload, emitted.raw, self.service.connection.codec());
        let body = body.map_err(|error| undecoded(error.to_string()))?;
        let arguments = &self.service.contract.events[usize::from(self.event)].arguments;
        let read = message::read_arguments(arguments, body.decoder());
        read.map_err(|unshown| undecoded(unshown.to_string()))
    }
}

impl Iterator for DynamicEvents {
    type Item = Result<Value, DynamicError>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(match self.queue.wait()? {
            Came::Event(emitted) => self.read(&emitted),
            Came::Gap(gap) => Err(gap.into()),
        })
    }
}

impl Drop for DynamicEvents {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl fmt::Debug for DynamicEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let event = &self.service.contract.events[usize::from(self.event)].name;
        f.debug_struct("DynamicEvents").field("event", event).finish_non_exhaustive()
    }
}
