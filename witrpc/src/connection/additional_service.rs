//! Clients of further services over one connection.

use std::sync::Arc;
use std::time::Duration;

use witrpc_transport::Limit;

use crate::contract::ServiceDescriptor;
use crate::error::{CallError, ConnectError};

use super::connect::read_refusal;
use super::handle::{Client, Connection, Inner};
use super::handshake::{SPOKEN, Welcome};
use super::link::Link;
use super::link_slot::{LinkRef, LinkSlot};
use super::negotiation::Proposal;
use super::reconnect::{LinkSource, Reconnector};
use super::registry::{self, RegistryAsyncClient, RegistryClient};

impl Connection {
    /// Creates a client of another service of the same server, over this connection. It shares the
    /// connection's lanes, memory, codec and timeout, and ends with it. A connection ends when its last
    /// client is dropped, of any service. The rules of connecting hold here too: the contracts are
    /// compared, and compared again after a [reconnection](crate::Reconnect).
    ///
    /// This blocks the thread for one call. In async code, use [`client_async`](Self::client_async).
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says whether the server does not serve it, has another version of it, or could
    /// not be asked.
    ///
    /// # Examples
    ///
    /// ```
    /// use witrpc::{ConnectError, InProcess, WitServer, wit_service};
    ///
    /// #[wit_service]
    /// pub trait Clock {
    ///     fn now(&self) -> u64;
    /// }
    ///
    /// #[wit_service]
    /// pub trait Calendar {
    ///     fn today(&self) -> String;
    /// }
    ///
    /// #[wit_service]
    /// pub trait Radio {
    ///     fn play(&self);
    /// }
    ///
    /// struct Desk;
    ///
    /// impl Clock for Desk {
    ///     fn now(&self) -> u64 {
    ///         12
    ///     }
    /// }
    ///
    /// impl Calendar for Desk {
    ///     fn today(&self) -> String {
    ///         "Monday".to_owned()
    ///     }
    /// }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let place = InProcess::new(); // or a name, for other processes
    /// let server = WitServer::builder()
    ///     .listen(place.clone())
    ///     .service(ClockServer::new(Desk))
    ///     .service(CalendarServer::new(Desk))
    ///     .start()?;
    ///
    /// let clock = ClockClient::connect(place)?;
    /// let calendar: CalendarClient = clock.connection().client()?;
    /// assert_eq!((clock.now()?, calendar.today()?), (12, "Monday".to_owned()));
    /// assert_eq!(server.clients().len(), 1, "of one connection");
    ///
    /// let radio = clock.connection().client::<RadioClient>();
    /// assert!(matches!(radio, Err(ConnectError::UnknownService { serves, .. })
    ///     if serves == ["Clock", "Calendar"]));
    /// # Ok(())
    /// # }
    /// ```
    pub fn client<C: Client>(&self) -> Result<C, ConnectError> {
        let (root, link) = (self.root(), self.inner().link());
        let link = ask(root, &link, C::DESCRIPTOR)?;
        root.additional_service(C::DESCRIPTOR, link)
    }

    /// Creates a client as [`client`](Self::client) does, for any executor.
    ///
    /// # Errors
    ///
    /// As [`client`](Self::client).
    pub async fn client_async<C: Client>(&self) -> Result<C, ConnectError> {
        let (root, link) = (self.root(), self.inner().link());
        let question = Question::new(root, &link, C::DESCRIPTOR)?;
        let registry = RegistryAsyncClient::from_connection(question.registry.clone());
        let answer = registry.find(C::DESCRIPTOR.name, question.proposal.ours.digest).await;
        let details = match question.follow_up(&answer) {
            Some(FollowUp::Lenience) => registry.lenience(C::DESCRIPTOR.name).await,
            Some(FollowUp::CodecRefusal) => registry.codec_refusal(C::DESCRIPTOR.name).await,
            None => Ok(None),
        };
        let link = question.settle(answer, details.ok().flatten())?;
        root.additional_service(C::DESCRIPTOR, link)
    }

    /// Returns the first connection over this channel, which all others share.
    pub(crate) fn root(&self) -> &Connection {
        self.inner().root.as_ref().unwrap_or(self)
    }

    /// Creates a client over this connection, for a link that is already negotiated.
    fn additional_service<C: Client>(
        &self,
        descriptor: &'static ServiceDescriptor,
        link: Link,
    ) -> Result<C, ConnectError> {
        let inner = self.inner();
        let links = match &inner.links {
            LinkSlot::One(_) => LinkSlot::One(link),
            LinkSlot::Kept(reconnector) => {
                let source = Box::new(OverRoot(self.clone()));
                LinkSlot::Kept(Reconnector::start(
                    source,
                    descriptor,
                    reconnector.quiet_policy(),
                    link,
                )?)
            }
        };
        Ok(C::from_connection(Connection::new(Inner {
            links,
            descriptor,
            codec: inner.codec,
            rules: inner.rules,
            call_timeout: inner.call_timeout,
            hook: inner.hook.clone(),
            subscriptions: Arc::clone(&inner.subscriptions),
            server: None,
            root: Some(self.clone()),
        })))
    }
}

/// How long to wait for the next channel of another connection before checking whether the link is
/// still wanted.
const LOOK_UP: Duration = Duration::from_secs(1);

/// The source of links for a service over the channel of another connection, which reconnects by itself.
struct OverRoot(Connection);

impl LinkSource for OverRoot {
    /// Returns a link over the next channel, if that comes in time.
    ///
    /// # Errors
    ///
    /// As [`Connection::client`].
    fn next_link(&self, descriptor: &'static ServiceDescriptor) -> Result<Link, ConnectError> {
        let links = &self.0.inner().links;
        let mut link = links.current();
        if let (LinkSlot::Kept(reconnector), true) = (links, link.lost().is_some()) {
            let next = reconnector.wait_next(&link, &mut Limit::Within(LOOK_UP));
            link = LinkRef::Kept(next.map_err(|source| unanswered(descriptor, source))?);
        }
        ask(&self.0, &link, descriptor)
    }

    /// Does nothing: the other connection ends its own attempts.
    fn give_up(&self) {}

    fn has_channel(&self) -> bool {
        false
    }
}

/// Asks for a service over this link.
fn ask(
    root: &Connection,
    link: &Link,
    descriptor: &'static ServiceDescriptor,
) -> Result<Link, ConnectError> {
    let question = Question::new(root, link, descriptor)?;
    let registry = RegistryClient::from_connection(question.registry.clone());
    let answer = registry.find(descriptor.name, question.proposal.ours.digest);
    let details = match question.follow_up(&answer) {
        Some(FollowUp::Lenience) => registry.lenience(descriptor.name),
        Some(FollowUp::CodecRefusal) => registry.codec_refusal(descriptor.name),
        None => Ok(None),
    };
    question.settle(answer, details.ok().flatten())
}

/// A second request to the registry, for the details of its first answer.
enum FollowUp {
    /// How the service reads other versions.
    Lenience,
    /// Why the service is not served over the connection's codec.
    CodecRefusal,
}

/// A request for a service of a server that is already connected.
struct Question {
    descriptor: &'static ServiceDescriptor,
    proposal: Proposal,
    /// The connection to the server's registry.
    registry: Connection,
}

impl Question {
    fn new(
        root: &Connection,
        link: &Link,
        descriptor: &'static ServiceDescriptor,
    ) -> Result<Self, ConnectError> {
        let inner = root.inner();
        let proposal = Proposal::new(descriptor, inner.codec, inner.rules)?;
        let registry = registry::over(link, inner.codec, inner.call_timeout);
        Ok(Self { descriptor, proposal, registry })
    }

    /// Returns what the registry is also to be asked. A server that was built before it could be asked
    /// does not know it.
    fn follow_up(&self, answer: &Result<Welcome, CallError<Vec<String>>>) -> Option<FollowUp> {
        match answer {
            Ok(welcome) => self.proposal.needs_lenience(welcome).then_some(FollowUp::Lenience),
            Err(CallError::App(serves)) => {
                let is_served = serves.iter().any(|name| name == self.descriptor.name);
                is_served.then_some(FollowUp::CodecRefusal)
            }
            Err(_) => None,
        }
    }

    /// Makes a link from the answer of the registry, and the answer to the [`FollowUp`].
    fn settle(
        self,
        answer: Result<Welcome, CallError<Vec<String>>>,
        details: Option<Vec<u8>>,
    ) -> Result<Link, ConnectError> {
        let asked = || self.descriptor.name.to_owned();
        match answer {
            Ok(welcome) => {
                let agreed = self.proposal.settle(&welcome, details)?;
                Ok(self.registry.inner().link().beside(agreed))
            }
            Err(CallError::App(serves)) => Err(match details {
                Some(refusal) => read_refusal(ConnectError::Refused(refusal), SPOKEN.newest),
                None => ConnectError::UnknownService { asked: asked(), serves },
            }),
            Err(other) => Err(unanswered(self.descriptor, other.without_app())),
        }
    }
}

fn unanswered(descriptor: &'static ServiceDescriptor, source: CallError) -> ConnectError {
    ConnectError::Unanswered { service: descriptor.name, source }
}
