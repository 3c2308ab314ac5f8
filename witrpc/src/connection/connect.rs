//! Reaches a server: the client's side of the handshake.

use std::sync::Arc;
use std::time::{Duration, Instant};

use witrpc_transport::{ClientChannel, TrustedPeer, WaitPolicy};

use crate::call::client::hook_call::Hook;
use crate::codec::Codec;
use crate::contract::{Digest, ServiceDescriptor};
use crate::error::{ConnectError, LeftBehindLimit};
use crate::event::client::subscriptions::Subscriptions;
use crate::rt::cancel_token::CancelToken;
use crate::security::TokenSource;
use crate::transport::{ConnectConfig, Endpoint};

use super::handle::{Client, Inner};
use super::handshake::{Hello, Refusal, SPOKEN, Welcome};
use super::link::Link;
use super::link_slot::LinkSlot;
use super::negotiation::{ContractRules, Proposal};
use super::reconnect::{LinkSource, Reconnect, Reconnector};
use super::registry;
use super::registry::RegistryClient;

/// The time that a call may take by default.
const DEFAULT_CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// Everything that connecting needs, without the client's type.
#[derive(Debug)]
pub struct ConnectPlan {
    pub endpoint: Endpoint,
    /// `None` for the quickest that both sides have.
    pub codec: Option<Codec>,
    pub call_timeout: Option<Duration>,
    pub wait_for_server: Duration,
    pub connect_timeout: Option<Duration>,
    /// Cancelled when the caller no longer wants the connection.
    pub cancel: Option<CancelToken>,
    pub wait: WaitPolicy,
    pub token: TokenSource,
    pub encryption: bool,
    pub reconnect: Option<Reconnect>,
    pub hook: Option<Arc<Hook>>,
    pub trusted: Option<TrustedPeer>,
    pub rules: ContractRules,
}

impl ConnectPlan {
    /// Starts with the defaults.
    pub fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            codec: None,
            call_timeout: Some(DEFAULT_CALL_TIMEOUT),
            wait_for_server: Duration::ZERO,
            connect_timeout: None,
            cancel: None,
            wait: WaitPolicy::default(),
            token: TokenSource::default(),
            encryption: false,
            reconnect: None,
            hook: None,
            trusted: None,
            rules: ContractRules::default(),
        }
    }

    /// Connects, and blocks the thread meanwhile.
    pub fn connect(
        mut self,
        descriptor: &'static ServiceDescriptor,
    ) -> Result<Inner, ConnectError> {
        let (link, codec) = self.link(descriptor)?;
        // What later links must use too.
        self.codec = Some(codec);
        let (call_timeout, hook) = (self.call_timeout, self.hook.take());
        let rules = self.rules;
        let links = match self.reconnect.take() {
            None => LinkSlot::One(link),
            Some(policy) => LinkSlot::Kept(Reconnector::start(
                Box::new(Reconnection::new(self)),
                descriptor,
                policy,
                link,
            )?),
        };
        Ok(Inner {
            links,
            descriptor,
            codec,
            rules,
            call_timeout,
            subscriptions: Subscriptions::new(),
            hook,
            server: None,
            root: None,
        })
    }

    /// Connects to the server, and agrees with it on the contract. Returns the codec too.
    fn link(&self, descriptor: &'static ServiceDescriptor) -> Result<(Link, Codec), ConnectError> {
        let until = self.until();
        let connect = |codec| Ok((self.link_over(codec, descriptor, until)?, codec));
        match self.codec {
            Some(codec) => connect(codec),
            None => first_that_fits(descriptor.name, Codec::all(), connect),
        }
    }

    /// Returns when connecting that begins now must be done. A time too long for the clock counts as no limit.
    pub fn until(&self) -> Option<Instant> {
        self.connect_timeout.and_then(|time| Instant::now().checked_add(time))
    }

    fn link_over(
        &self,
        codec: Codec,
        descriptor: &'static ServiceDescriptor,
        until: Option<Instant>,
    ) -> Result<Link, ConnectError> {
        let proposal = Proposal::new(descriptor, codec, self.rules)?;
        let (channel, welcome) =
            self.shake_hands(codec, descriptor.name, proposal.ours.digest, until)?;
        let link = Link::new(channel, codec, welcome.client_id, registry::agreed());
        let lenience = proposal.needs_lenience(&welcome);
        let lenience = lenience.then(|| self.lenience(&link, codec, descriptor, until)).flatten();
        Ok(link.beside(proposal.settle(&welcome, lenience)?))
    }

    /// Reaches the server, which says what it serves, and the contract of a service unless the client's has
    /// that digest.
    pub fn shake_hands(
        &self,
        codec: Codec,
        service: &str,
        contract: Digest,
        until: Option<Instant>,
    ) -> Result<(Arc<dyn ClientChannel>, Welcome), ConnectError> {
        SPOKEN.agree(|version| {
            let service = service.to_owned();
            self.greet(&Hello { version, service, codec: codec.number(), contract }, until)
        })
    }

    /// Says hello in one version.
    fn greet(
        &self,
        hello: &Hello,
        until: Option<Instant>,
    ) -> Result<(Arc<dyn ClientChannel>, Welcome), ConnectError> {
        let config = ConnectConfig {
            hello: postcard::to_allocvec(hello).map_err(|error| ConnectError::Protocol {
                problem: format!("the hello cannot be encoded: {error}"),
            })?,
            wait_for_server: self.wait_for_server,
            until,
            cancel: self.cancel.clone(),
            wait: self.wait,
            credentials: self.token.credentials(self.encryption)?,
            trusted: self.trusted,
        };
        let channel = self.endpoint.transport().connect(config);
        let channel =
            channel.map_err(|error| self.time_over(read_refusal(error, hello.version), until))?;
        let welcome = postcard::from_bytes(channel.welcome()).map_err(|error| {
            ConnectError::Protocol { problem: format!("its welcome cannot be decoded: {error}") }
        })?;
        Ok((channel, welcome))
    }

    /// Asks a server of another version how it reads. `None` if it does not tell.
    fn lenience(
        &self,
        link: &Link,
        codec: Codec,
        descriptor: &ServiceDescriptor,
        until: Option<Instant>,
    ) -> Option<Vec<u8>> {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        let registry = registry::over(link, codec, left.or(self.call_timeout));
        RegistryClient::from_connection(registry).lenience(descriptor.name).ok()?
    }

    /// Returns the error that names the limit: the limit of connecting as a whole, if that was the
    /// one given to the transport.
    fn time_over(&self, error: ConnectError, until: Option<Instant>) -> ConnectError {
        match (&error, self.connect_timeout) {
            (ConnectError::HandshakeTimedOut { .. }, Some(after)) if until.is_some() => {
                ConnectError::TimedOut { after }
            }
            _ => error,
        }
    }
}

/// Connects over these codecs, one after the other, until one carries the types of the service on both
/// sides.
pub fn first_that_fits<T>(
    service: &'static str,
    codecs: impl Iterator<Item = Codec>,
    mut connect: impl FnMut(Codec) -> Result<T, ConnectError>,
) -> Result<T, ConnectError> {
    let mut served: Vec<_> = Codec::all().collect();
    let mut errors = Vec::new();
    for codec in codecs {
        if !served.contains(&codec) {
            continue;
        }
        let error = match connect(codec) {
            Err(error) => error,
            connected => return connected,
        };
        match &error {
            ConnectError::CodecNotAllowed { allowed, .. }
            | ConnectError::CodecLeftOut { allowed, .. } => served.clone_from(allowed),
            ConnectError::CodecRefused { .. } | ConnectError::UnverifiedType { .. } => {}
            _ => return Err(error),
        }
        errors.push(error);
    }
    if let [_] = &errors[..] {
        return Err(errors.remove(0));
    }
    let problems = errors.iter().map(ToString::to_string).collect();
    Err(ConnectError::NoCodecFits { service, problems })
}

/// The source of new links for a connection that has lost its server.
struct Reconnection {
    plan: ConnectPlan,
    given_up: CancelToken,
}

impl Reconnection {
    fn new(plan: ConnectPlan) -> Self {
        let given_up = CancelToken::new();
        // The reconnector makes the pauses between attempts, and ends them.
        let (wait_for_server, cancel) = (Duration::ZERO, Some(given_up.clone()));
        Self { plan: ConnectPlan { wait_for_server, cancel, ..plan }, given_up }
    }
}

impl LinkSource for Reconnection {
    fn next_link(&self, descriptor: &'static ServiceDescriptor) -> Result<Link, ConnectError> {
        self.plan.link(descriptor).map(|(link, _codec)| link)
    }

    fn give_up(&self) {
        self.given_up.cancel();
    }

    fn has_channel(&self) -> bool {
        true
    }
}

/// Turns a refusal of the server into an error of connecting. `ours` is the version of the hello.
pub fn read_refusal(error: ConnectError, ours: u32) -> ConnectError {
    let ConnectError::Refused(bytes) = error else { return error };
    match postcard::from_bytes(&bytes) {
        Ok(Refusal::VersionMismatch { theirs }) => ConnectError::VersionMismatch { ours, theirs },
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
        Ok(Refusal::CodecLeftOut { asked, allowed, reason }) => match Codec::from_number(asked) {
            Some(asked) => ConnectError::CodecLeftOut {
                asked,
                allowed: allowed.into_iter().filter_map(Codec::from_number).collect(),
                reason,
            },
            None => ConnectError::Refused(bytes),
        },
        Ok(Refusal::NotChecked) => ConnectError::Unsupported {
            problem: "it cannot check the access token or encrypt, which the server requires"
                .into(),
        },
        Ok(Refusal::ShuttingDown) => ConnectError::ShuttingDown,
        Ok(Refusal::TooManyLeftBehind { max }) => {
            ConnectError::TooManyLeftBehind { limit: LeftBehindLimit::AsyncHandlers, max }
        }
        Ok(Refusal::TooManyThreadsLeftBehind { max }) => {
            ConnectError::TooManyLeftBehind { limit: LeftBehindLimit::Threads, max }
        }
        Ok(Refusal::TooManyBytesLeftBehind { max }) => {
            ConnectError::TooManyLeftBehind { limit: LeftBehindLimit::RequestBytes, max }
        }
        Ok(Refusal::TooManyCleanups { max }) => {
            ConnectError::TooManyLeftBehind { limit: LeftBehindLimit::Cleanups, max }
        }
        Ok(Refusal::BadHello(problem)) => ConnectError::Protocol { problem },
        Err(_) => ConnectError::Refused(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_become_errors_of_their_own() {
        let read = |refusal: &Refusal| {
            let bytes = postcard::to_allocvec(refusal).unwrap();
            read_refusal(ConnectError::Refused(bytes), 6)
        };
        assert!(matches!(
            read(&Refusal::VersionMismatch { theirs: 7 }),
            ConnectError::VersionMismatch { ours: 6, theirs: 7 }
        ));
        assert!(matches!(read(&Refusal::ShuttingDown), ConnectError::ShuttingDown));
        // A codec that this build does not know.
        let unknown = Refusal::CodecNotAllowed { asked: 0, allowed: vec![99, 0] };
        assert!(matches!(
            read(&unknown),
            ConnectError::CodecNotAllowed { asked: Codec::Postcard, allowed } if allowed == [Codec::Postcard]
        ));
        let garbage = read_refusal(ConnectError::Refused(vec![255; 9]), 6);
        assert!(matches!(garbage, ConnectError::Refused(words) if words == [255; 9]));
    }
}
