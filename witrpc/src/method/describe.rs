//! The description of methods and events for the contract.

use crate::contract::{EventDescriptor, MethodDescriptor, Overflow};

use super::list::DescribedBy;
use super::{Message, Method, StreamMethod};

impl MethodDescriptor {
    /// Describes a method, of this name on the wire.
    #[must_use]
    pub const fn of<M>(name: &'static str, docs: &'static str) -> Self
    where
        M: Method<Args: DescribedBy<M>>,
    {
        Self {
            name,
            docs,
            is_async: false,
            idempotent: false,
            arguments: M::Args::DESCRIPTORS,
            streams: false,
            result: M::OK.trace(),
            error: match &M::ERR {
                Some(error) => Some(error.trace()),
                None => None,
            },
        }
    }

    /// Describes a method that returns a stream.
    #[must_use]
    pub const fn of_stream<M>(name: &'static str, docs: &'static str) -> Self
    where
        M: StreamMethod<Args: DescribedBy<M>>,
    {
        Self { streams: true, result: M::ITEMS.trace, ..Self::of::<M>(name, docs) }
    }

    /// Marks it as an `async fn`.
    #[must_use]
    pub const fn asynchronous(self) -> Self {
        Self { is_async: true, ..self }
    }

    /// Marks it as one that may be run twice for one call.
    #[must_use]
    pub const fn idempotent(self) -> Self {
        Self { idempotent: true, ..self }
    }
}

impl EventDescriptor {
    /// Describes an event, of this name on the wire.
    #[must_use]
    pub const fn of<M>(name: &'static str, docs: &'static str, overflow: Overflow) -> Self
    where
        M: Message<Args: DescribedBy<M>>,
    {
        Self { name, docs, arguments: M::Args::DESCRIPTORS, overflow }
    }
}
