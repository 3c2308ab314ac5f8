//! What a service is: its contract, and what it says of itself.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::codec::Codec;
use crate::contract;
use crate::contract::{Contract, Readers, ServiceLenience, ServiceNotes};
use crate::error::ContractDifference;

use super::service::DynamicService;
use super::signature::Signatures;

/// The methods and events of a service, by their shapes over one codec, and their docs.
///
/// `Display` writes them as a Rust trait with the types that it names. [`to_json`](Self::to_json) keeps them,
/// so that a later version can be [compared](Self::differences).
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceDescription {
    pub(super) service: String,
    codec: u8,
    pub(super) contract: Contract,
    pub(super) notes: ServiceNotes,
    /// How the types read structs with other fields, if the server has told.
    lenience: Option<ServiceLenience>,
}

/// A text that is no description, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no description of a service: {problem}")]
pub struct NoDescription {
    problem: String,
}

/// The kind of a method or event of a [`ServiceDescription`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MemberKind {
    /// A method that takes and returns values.
    Call,
    /// A method that returns a stream.
    Returns,
    /// A method that takes a stream.
    Takes,
    /// An event.
    Event,
}

impl ServiceDescription {
    pub(super) fn of(service: &DynamicService) -> Self {
        let codec = service.connection.codec().number();
        // A copy by the way that it came.
        let bytes = postcard::to_allocvec(&service.contract).expect("it came as such bytes");
        let contract = Contract::read(&bytes).expect("it was read before");
        let (notes, lenience) = (service.notes(), service.lenience().cloned());
        Self { service: service.name.to_owned(), codec, contract, notes, lenience }
    }

    /// Returns the name of the service.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }

    /// Returns the codec that the shapes are of.
    #[must_use]
    pub fn codec(&self) -> Codec {
        Codec::from_number(self.codec).unwrap_or_default()
    }

    /// Returns the names of methods and events, and what they are, in the server's order.
    pub fn members(&self) -> impl Iterator<Item = (&str, MemberKind)> {
        let methods = self.contract.methods.iter().map(|method| {
            let takes = method.arguments.iter().any(|argument| argument.streams);
            let kind = match (method.streams, takes) {
                (true, _) => MemberKind::Returns,
                (false, true) => MemberKind::Takes,
                (false, false) => MemberKind::Call,
            };
            (&*method.name, kind)
        });
        let events = self.contract.events.iter();
        methods.chain(events.map(|event| (&*event.name, MemberKind::Event)))
    }

    /// Returns a method or an event as a Rust signature, with the types that it names; `None` if there is no
    /// such member.
    #[must_use]
    pub fn signature(&self, member: &str) -> Option<String> {
        Signatures::new(self).of_member(member)
    }

    /// Returns what differs between this version and another, as the handshake compares them: this as the
    /// client's, the other as the server's. Members that only one of them has are not listed.
    #[must_use]
    pub fn differences(&self, server: &Self) -> Vec<ContractDifference> {
        let readers = Readers { ours: self.lenience.as_ref(), theirs: server.lenience.as_ref() };
        let found = contract::compare(&self.contract, &server.contract, readers, self.codec());
        found.all().cloned().collect()
    }

    /// Returns the description as JSON, to be kept.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("names and numbers always encode")
    }

    /// Reads what [`to_json`](Self::to_json) wrote.
    ///
    /// # Errors
    ///
    /// [`NoDescription`] says why the text is none.
    pub fn from_json(text: &str) -> Result<Self, NoDescription> {
        let read: Self = serde_json::from_str(text)
            .map_err(|error| NoDescription { problem: error.to_string() })?;
        let contract = read.contract.whole().map_err(|problem| NoDescription { problem })?;
        if Codec::from_number(read.codec).is_none() {
            let problem = format!("this program has no codec of number {}", read.codec);
            return Err(NoDescription { problem });
        }
        Ok(Self { contract, ..read })
    }
}

impl fmt::Display for ServiceDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Signatures::new(self).whole())
    }
}
