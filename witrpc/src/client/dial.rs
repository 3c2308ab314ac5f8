//! Reaching a server: the handshake, seen from the client.

use std::time::Duration;

use super::connection::Inner;
use super::links::{Link, Links};
use super::reconnect::{Keeper, Reconnect};
use crate::codec::Codec;
use crate::contract::{self, Contract, ServiceDescriptor};
use crate::error::ConnectError;
use crate::handshake::{Hello, Refusal, VERSION, Welcome};
use crate::security::TokenSource;
use crate::tag::{MAX_METHODS, RequestTag};
use crate::transport::{ConnectConfig, Endpoint};
use crate::wait::WaitPolicy;

/// How long a call may take when nobody says otherwise.
const DEFAULT_CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// All that connecting needs, free of the client's type.
#[derive(Debug)]
pub(super) struct Dial {
    pub(super) endpoint: Endpoint,
    pub(super) codec: Codec,
    pub(super) call_timeout: Option<Duration>,
    pub(super) wait_for_server: Duration,
    pub(super) wait: WaitPolicy,
    pub(super) token: TokenSource,
    pub(super) encryption: bool,
    pub(super) reconnect: Option<Reconnect>,
}

impl Dial {
    /// Starts with the defaults.
    pub(super) fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            codec: Codec::default(),
            call_timeout: Some(DEFAULT_CALL_TIMEOUT),
            wait_for_server: Duration::ZERO,
            wait: WaitPolicy::default(),
            token: TokenSource::default(),
            encryption: false,
            reconnect: None,
        }
    }

    /// Connects, and blocks the thread meanwhile.
    pub(super) fn connect(
        mut self,
        descriptor: &'static ServiceDescriptor,
    ) -> Result<Inner, ConnectError> {
        let link = self.link(descriptor)?;
        let (codec, call_timeout) = (self.codec, self.call_timeout);
        let links = match self.reconnect.take() {
            None => Links::One(link),
            Some(policy) => Links::Kept(Keeper::start(self, descriptor, policy, link)?),
        };
        Ok(Inner { links, descriptor, codec, call_timeout, server: None })
    }

    /// Meets the server, and agrees with it on what is called.
    pub(super) fn link(
        &self,
        descriptor: &'static ServiceDescriptor,
    ) -> Result<Link, ConnectError> {
        let ours = contract::traced(descriptor, self.codec);
        if let Some((method, problem)) = ours.refusal() {
            let (codec, service) = (self.codec, descriptor.name);
            return Err(ConnectError::CodecRefused { codec, service, method, problem });
        }
        let hello = Hello {
            version: VERSION,
            service: descriptor.name.to_owned(),
            codec: self.codec.number(),
            contract: ours.digest,
        };
        let config = ConnectConfig {
            hello: postcard::to_allocvec(&hello).map_err(|error| ConnectError::Protocol {
                problem: format!("the hello cannot be encoded: {error}"),
            })?,
            wait_for_server: self.wait_for_server,
            wait: self.wait,
            credentials: self.token.credentials(self.encryption)?,
        };
        let channel = self.endpoint.transport().connect(config).map_err(read_refusal)?;
        let tags = match_methods(channel.welcome(), &ours.contract, descriptor.name, self.codec)?;
        Ok(Link { channel, tags })
    }
}

/// Puts a refusal of the server into the words of connecting.
fn read_refusal(error: ConnectError) -> ConnectError {
    let ConnectError::Refused(bytes) = error else { return error };
    match postcard::from_bytes(&bytes) {
        Ok(Refusal::VersionMismatch { theirs }) => {
            ConnectError::VersionMismatch { ours: VERSION, theirs }
        }
        Ok(Refusal::UnknownService { asked, serves }) => {
            ConnectError::UnknownService { asked, serves }
        }
        Ok(Refusal::CodecNotAllowed { asked, allowed }) => match Codec::from_number(asked) {
            Some(asked) => ConnectError::CodecNotAllowed {
                asked,
                allowed: allowed.into_iter().filter_map(Codec::from_number).collect(),
            },
            None => ConnectError::Refused(bytes),
        },
        Ok(Refusal::NotChecked) => ConnectError::Unsupported {
            problem: "it cannot check the access token or encrypt, which the server requires"
                .into(),
        },
        Ok(Refusal::ShuttingDown) => ConnectError::ShuttingDown,
        Ok(Refusal::BadHello(problem)) => ConnectError::Protocol { problem },
        Err(_) => ConnectError::Refused(bytes),
    }
}

/// Compares the contracts, and finds the tag of each of the client's methods.
fn match_methods(
    welcome: &[u8],
    ours: &Contract,
    service: &'static str,
    codec: Codec,
) -> Result<Box<[Option<u32>]>, ConnectError> {
    let broken = |problem| ConnectError::Protocol { problem };
    let welcome: Welcome = postcard::from_bytes(welcome)
        .map_err(|error| broken(format!("its welcome cannot be decoded: {error}")))?;
    if usize::from(welcome.service) >= welcome.services.len() {
        return Err(broken("its welcome names a service that is not in its list".to_owned()));
    }
    let theirs = welcome.contract.as_deref().map(Contract::read).transpose().map_err(broken)?;
    if let Some(theirs) = &theirs {
        let differences = contract::compare(ours, theirs, codec);
        if !differences.is_empty() {
            return Err(ConnectError::ContractMismatch { service, differences });
        }
    }
    let theirs = theirs.as_ref().unwrap_or(ours);
    let tag_of = |name: &str| {
        let method = theirs.methods.iter().position(|method| method.name == name)?;
        // A server that lists more than there can be has no number for the rest.
        let method = u16::try_from(method).ok().filter(|_| method < MAX_METHODS)?;
        let tag = RequestTag { method, service: welcome.service, raw: false };
        Some(tag.bits())
    };
    Ok(ours.methods.iter().map(|method| tag_of(&method.name)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{MethodDescriptor, Traced};

    const fn method(name: &'static str) -> MethodDescriptor {
        MethodDescriptor {
            name,
            docs: "",
            is_async: false,
            idempotent: false,
            arguments: &[],
            result: crate::contract::trace_str,
            error: None,
        }
    }

    /// The contract of methods of these names, with results that are text.
    fn contract(names: &[&'static str]) -> Contract {
        let methods = names.iter().map(|name| method(name)).collect::<Vec<_>>().leak();
        let descriptor = ServiceDescriptor { name: "Clock", docs: "", methods };
        Traced::of(&descriptor, Codec::Postcard).contract
    }

    fn matched(welcome: &Welcome) -> Result<Box<[Option<u32>]>, ConnectError> {
        let ours = contract(&["now", "set", "stop"]);
        let welcome = postcard::to_allocvec(welcome).unwrap();
        match_methods(&welcome, &ours, "Clock", Codec::Postcard)
    }

    fn welcome(service: u8, contract: Option<&Contract>) -> Welcome {
        Welcome {
            services: ["Shop", "Clock"].map(str::to_owned).to_vec(),
            service,
            contract: contract.map(|contract| postcard::to_allocvec(contract).unwrap()),
        }
    }

    fn tag(method: u16) -> Option<u32> {
        Some(RequestTag { method, service: 1, raw: false }.bits())
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
        let encoded = postcard::to_allocvec(&welcome(2, None)).unwrap();
        let ours = contract(&["now"]);
        for welcome in [encoded, Vec::new(), vec![255; 99]] {
            let refused = match_methods(&welcome, &ours, "Clock", Codec::Postcard);
            assert!(matches!(refused, Err(ConnectError::Protocol { .. })), "{refused:?}");
        }
    }

    #[test]
    fn refusals_become_errors_of_their_own() {
        let read = |refusal: &Refusal| {
            let bytes = postcard::to_allocvec(refusal).unwrap();
            read_refusal(ConnectError::Refused(bytes))
        };
        assert!(matches!(
            read(&Refusal::VersionMismatch { theirs: 7 }),
            ConnectError::VersionMismatch { ours: VERSION, theirs: 7 }
        ));
        assert!(matches!(read(&Refusal::ShuttingDown), ConnectError::ShuttingDown));
        // A codec that this build has no name for.
        let unknown = Refusal::CodecNotAllowed { asked: 0, allowed: vec![99, 0] };
        assert!(matches!(
            read(&unknown),
            ConnectError::CodecNotAllowed { asked: Codec::Postcard, allowed } if allowed == [Codec::Postcard]
        ));
        let garbage = read_refusal(ConnectError::Refused(vec![255; 9]));
        assert!(matches!(garbage, ConnectError::Refused(words) if words == [255; 9]));
    }
}
