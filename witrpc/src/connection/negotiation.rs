//! The agreement of client and server on a service, before its first call.

use std::sync::Arc;

use crate::codec::Codec;
use crate::contract;
use crate::contract::{
    Contract, Differences, Readers, ServiceDescriptor, ServiceLenience, Traced, UnverifiedPart,
};
use crate::error::ConnectError;
use crate::tag::{MAX_METHODS, RequestTag};

use super::handshake::Welcome;

/// The server's numbers for the parts of a service, by the client's numbers.
#[derive(Debug)]
pub struct Agreed {
    /// The service's number.
    pub service: u8,
    /// The tag of each method; `None` if the server lacks the method, or has another version of it.
    pub tags: Box<[Option<u32>]>,
    /// The number of each event; `None` if the server lacks the event, or has another version of it.
    pub events: Box<[Option<u16>]>,
    /// What differs in the methods and events of which the server has another version.
    pub differences: Differences,
}

/// How much two versions of a service may differ.
#[derive(Clone, Copy, Debug, Default)]
pub struct ContractRules {
    /// Whether types are allowed of which either side does not know a part.
    pub allow_unverified: bool,
    /// Whether one method or event that differs refuses the whole service.
    pub strict: bool,
}

/// How many differences the error of a whole service lists at most.
const MOST_DIFFERENCES: usize = 20;

/// A service as this client has it, in the client's codec.
pub struct Proposal {
    descriptor: &'static ServiceDescriptor,
    codec: Codec,
    rules: ContractRules,
    pub ours: Arc<Traced>,
}

impl Proposal {
    /// # Errors
    ///
    /// The codec cannot carry a type of the service, or does not know a part of one.
    pub fn new(
        descriptor: &'static ServiceDescriptor,
        codec: Codec,
        rules: ContractRules,
    ) -> Result<Self, ConnectError> {
        let ours = contract::traced(descriptor, codec);
        if let Some((method, problem)) = ours.refusal() {
            let service = descriptor.name;
            return Err(ConnectError::CodecRefused { codec, service, method, problem });
        }
        let proposal = Self { descriptor, codec, rules, ours };
        proposal.check_verified(proposal.ours.unverified())?;
        Ok(proposal)
    }

    fn check_verified(&self, unverified: Option<UnverifiedPart>) -> Result<(), ConnectError> {
        let (codec, service) = (self.codec, self.descriptor.name);
        match unverified {
            Some(UnverifiedPart { method, part, reason }) if !self.rules.allow_unverified => {
                Err(ConnectError::UnverifiedType { codec, service, method, part, reason })
            }
            _ => Ok(()),
        }
    }

    fn check_differences(&self, differences: &Differences) -> Result<(), ConnectError> {
        let differences: Vec<_> = differences.all().take(MOST_DIFFERENCES).cloned().collect();
        if !self.rules.strict || differences.is_empty() {
            return Ok(());
        }
        Err(ConnectError::ContractMismatch { service: self.descriptor.name, differences })
    }

    /// Returns whether the comparison with this server needs its [`ServiceLenience`].
    pub fn needs_lenience(&self, welcome: &Welcome) -> bool {
        welcome.contract.is_some() && self.codec.describes_itself()
    }

    /// Compares the contracts, and finds the server's numbers for the client's methods and events.
    /// `lenience` is the server's [`ServiceLenience`], if the client asked for it and received it.
    /// Everything that the server says is untrusted.
    ///
    /// # Errors
    ///
    /// The differences of the two if the rules are strict, or the rule that the server's answer breaks.
    pub fn settle(
        &self,
        welcome: &Welcome,
        lenience: Option<Vec<u8>>,
    ) -> Result<Agreed, ConnectError> {
        let (ours, codec) = (&self.ours.contract, self.codec);
        let theirs = read_contract(welcome)?;
        let known = self.needs_lenience(welcome);
        let our_lenience = known.then(|| contract::lenience(self.descriptor, codec));
        let their_lenience = lenience.as_deref().map(read_lenience).transpose()?;
        let readers = Readers { ours: our_lenience.as_deref(), theirs: their_lenience.as_ref() };
        let agreed = match_up(welcome, ours, theirs.as_ref(), readers, codec)?;
        self.check_differences(&agreed.differences)?;
        // If the contracts are equal, the unknown parts have been checked before.
        self.check_verified(theirs.and_then(|theirs| theirs.unverified(ours, codec)))?;
        Ok(agreed)
    }
}

/// Reads the server's contract; returns `None` if it equals the client's.
fn read_contract(welcome: &Welcome) -> Result<Option<Contract>, ConnectError> {
    let broken = |problem| ConnectError::Protocol { problem };
    welcome.contract.as_deref().map(Contract::read).transpose().map_err(broken)
}

fn read_lenience(bytes: &[u8]) -> Result<ServiceLenience, ConnectError> {
    postcard::from_bytes(bytes).map_err(|error| ConnectError::Protocol {
        problem: format!("how it reads other versions cannot be decoded: {error}"),
    })
}

/// Finds the server's numbers for the client's methods and events. `theirs` is the server's contract,
/// unless it equals the client's.
fn match_up(
    welcome: &Welcome,
    ours: &Contract,
    theirs: Option<&Contract>,
    readers: Readers<'_>,
    codec: Codec,
) -> Result<Agreed, ConnectError> {
    let broken = |problem| ConnectError::Protocol { problem };
    if usize::from(welcome.service) >= welcome.services.len() {
        return Err(broken("its welcome names a service that is not in its list".to_owned()));
    }
    let differences = theirs.map(|theirs| contract::compare(ours, theirs, readers, codec));
    let differences = differences.unwrap_or_default();
    let theirs = theirs.unwrap_or(ours);
    let tag_of = |name: &str| {
        let method = theirs.methods.iter().position(|method| method.name == name)?;
        // A server that lists more methods than allowed has no number for the rest.
        let method = u16::try_from(method).ok().filter(|_| method < MAX_METHODS)?;
        Some(RequestTag::call(welcome.service, method).bits())
    };
    let event_of = |name: &str| {
        let event = theirs.events.iter().position(|event| event.name == name)?;
        u16::try_from(event).ok()
    };
    let tags = (0..).zip(&ours.methods).map(|(number, method)| {
        let is_same = differences.of_method(number).is_empty();
        tag_of(&method.name).filter(|_| is_same)
    });
    let events = (0..).zip(&ours.events).map(|(number, event)| {
        let is_same = differences.of_event(number).is_empty();
        event_of(&event.name).filter(|_| is_same)
    });
    let (tags, events) = (tags.collect(), events.collect());
    Ok(Agreed { service: welcome.service, tags, events, differences })
}

#[cfg(test)]
mod tests {
    use crate::contract::MethodDescriptor;

    use super::*;

    const fn method(name: &'static str) -> MethodDescriptor {
        MethodDescriptor {
            name,
            docs: "",
            is_async: false,
            idempotent: false,
            arguments: &[],
            streams: false,
            result: crate::contract::trace_str,
            error: None,
        }
    }

    /// Returns the contract of methods of these names, with results that are text.
    fn contract(names: &[&'static str]) -> Contract {
        let methods = names.iter().map(|name| method(name)).collect::<Vec<_>>().leak();
        let descriptor = ServiceDescriptor { name: "Clock", docs: "", methods, events: &[] };
        Traced::of(&descriptor, Codec::Postcard).contract
    }

    fn matched(welcome: &Welcome) -> Result<Box<[Option<u32>]>, ConnectError> {
        let ours = contract(&["now", "set", "stop"]);
        let theirs = read_contract(welcome)?;
        match_up(welcome, &ours, theirs.as_ref(), Readers::default(), Codec::Postcard)
            .map(|agreed| agreed.tags)
    }

    fn welcome(service: u8, contract: Option<&Contract>) -> Welcome {
        Welcome {
            services: ["Shop", "Clock"].map(str::to_owned).to_vec(),
            service,
            contract: contract.map(|contract| postcard::to_allocvec(contract).unwrap()),
            client_id: 1,
        }
    }

    fn tag(method: u16) -> Option<u32> {
        Some(RequestTag::call(1, method).bits())
    }

    #[test]
    fn methods_get_the_server_s_numbers() {
        let theirs = contract(&["stop", "other", "now"]);
        let tags = matched(&welcome(1, Some(&theirs))).unwrap();
        assert_eq!(*tags, [tag(2), None, tag(0)]);
        let tags = matched(&welcome(1, None)).unwrap();
        assert_eq!(*tags, [tag(0), tag(1), tag(2)]);
    }

    #[test]
    fn a_method_beyond_the_numbers_is_none() {
        let mut names = vec![""; MAX_METHODS];
        names.push("now");
        assert_eq!(*matched(&welcome(1, Some(&contract(&names)))).unwrap(), [None; 3]);
    }

    #[test]
    fn a_welcome_that_makes_no_sense_is_refused() {
        let garbage = Welcome { contract: Some(vec![255; 99]), ..welcome(1, None) };
        for welcome in [welcome(2, None), garbage] {
            let refused = matched(&welcome);
            assert!(matches!(refused, Err(ConnectError::Protocol { .. })), "{refused:?}");
        }
    }
}
