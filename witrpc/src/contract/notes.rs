//! What a service says of itself beside its contract, for a client that asks.

use serde::{Deserialize, Serialize};

use super::descriptor::{EventDescriptor, MethodDescriptor, Overflow, ServiceDescriptor};

/// The docs of a service, and what is declared of its methods and events. No call depends on it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceNotes {
    pub docs: String,
    /// By the server's number of the method.
    pub methods: Vec<MethodNotes>,
    /// By the server's number of the event.
    pub events: Vec<EventNotes>,
}

/// What is declared of a method.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MethodNotes {
    pub docs: String,
    pub is_async: bool,
    pub idempotent: bool,
}

/// What is declared of an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventNotes {
    pub docs: String,
    /// The value of the option `overflow`.
    pub overflow: String,
}

impl ServiceNotes {
    pub fn of(service: &ServiceDescriptor) -> Self {
        Self {
            docs: service.docs.to_owned(),
            methods: service.methods.iter().map(MethodNotes::of).collect(),
            events: service.events.iter().map(EventNotes::of).collect(),
        }
    }

    /// Returns the bytes that a server sends.
    pub fn to_bytes(&self) -> Vec<u8> {
        postcard::to_allocvec(self).expect("text always encodes")
    }

    /// Reads what a server has sent. Returns `None` if it is malformed.
    #[cfg(feature = "dynamic")]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (notes, rest) = postcard::take_from_bytes(bytes).ok()?;
        rest.is_empty().then_some(notes)
    }
}

impl MethodNotes {
    fn of(method: &MethodDescriptor) -> Self {
        let MethodDescriptor { docs, is_async, idempotent, .. } = *method;
        Self { docs: docs.to_owned(), is_async, idempotent }
    }
}

impl EventNotes {
    fn of(event: &EventDescriptor) -> Self {
        let overflow = match event.overflow {
            Overflow::DropOldest => "oldest".to_owned(),
            Overflow::DropNewest => "newest".to_owned(),
            Overflow::Wait(time) => format!("wait {time:?}"),
        };
        Self { docs: event.docs.to_owned(), overflow }
    }
}
