//! One service of a server: a connection, and the contract that the server sent.

use std::sync::OnceLock;
use std::time::Instant;

use serde_json::Value;

use crate::codec::Codec;
use crate::connection::connect::{ConnectPlan, first_that_fits};
use crate::connection::handle::{Client, Connection, Inner};
use crate::connection::link::Link;
use crate::connection::link_slot::LinkSlot;
use crate::connection::negotiation::Agreed;
use crate::connection::registry;
use crate::connection::registry::RegistryClient;
use crate::contract::shape::TypeIndex;
use crate::contract::{Contract, Differences, Digest, EventSignature};
use crate::contract::{ServiceLenience, ServiceNotes, Signature};
use crate::error::ConnectError;
use crate::event::client::subscriptions::Subscriptions;
use crate::tag::{MAX_METHODS, RequestTag};

use super::error::DynamicError;
use super::fit::Fitter;
use super::message;
use super::message::Fitted;
use super::names;
use super::path::Misfit;

/// The digest of no contract: the server then sends its own.
const NO_CONTRACT: Digest = [0; 16];

/// One service that a client without its trait calls.
pub struct DynamicService {
    pub name: &'static str,
    pub connection: Connection,
    pub contract: Contract,
    /// How the types of the service read structs with other fields, once the server has told.
    lenience: OnceLock<ServiceLenience>,
}

/// Returns the services of a server, which it tells without becoming connected.
pub fn services(plan: &ConnectPlan) -> Result<Vec<String>, ConnectError> {
    match plan.shake_hands(Codec::Postcard, "", NO_CONTRACT, plan.until()) {
        Err(ConnectError::UnknownService { serves, .. }) => Ok(serves),
        Err(error) => Err(error),
        Ok(_) => Err(ConnectError::Protocol {
            problem: "it let a client in that named no service".to_owned(),
        }),
    }
}

/// Returns the codecs, those first whose form of a value is nearest to JSON.
fn codecs() -> impl Iterator<Item = Codec> {
    let mut codecs: Vec<_> = Codec::all().collect();
    codecs.reverse();
    codecs.into_iter()
}

impl DynamicService {
    /// Connects to a service, over the plan's codec or the first that the server allows.
    pub fn connect(plan: &ConnectPlan, name: &str) -> Result<Self, ConnectError> {
        let (name, until) = (names::keep(name)?, plan.until());
        let over = |codec| Self::over(plan, codec, name, until);
        match plan.codec {
            Some(codec) => over(codec),
            None => first_that_fits(name, codecs(), over),
        }
    }

    fn over(
        plan: &ConnectPlan,
        codec: Codec,
        name: &'static str,
        until: Option<Instant>,
    ) -> Result<Self, ConnectError> {
        let (channel, welcome) = plan.shake_hands(codec, name, NO_CONTRACT, until)?;
        let broken = |problem| ConnectError::Protocol { problem };
        let bytes = welcome.contract.as_deref();
        let bytes = bytes.ok_or_else(|| broken("it sent no contract".to_owned()))?;
        let contract = Contract::read(bytes).map_err(broken)?;
        if contract.methods.len() > MAX_METHODS || contract.events.len() > usize::from(u16::MAX) {
            return Err(broken("its contract has too many methods or events".to_owned()));
        }
        let descriptor = names::descriptor(name, &contract)?;
        let link = Link::new(channel, codec, welcome.client_id, registry::agreed());
        let link = link.beside(agreed(welcome.service, &contract));
        let connection = Connection::new(Inner {
            links: LinkSlot::One(link),
            descriptor,
            codec,
            rules: plan.rules,
            call_timeout: plan.call_timeout,
            subscriptions: Subscriptions::new(),
            hook: plan.hook.clone(),
            server: None,
            root: None,
        });
        Ok(Self { name, connection, contract, lenience: OnceLock::new() })
    }

    /// Returns a client of the server's registry over this connection.
    pub fn registry(&self) -> RegistryClient {
        let inner = self.connection.inner();
        let registry = registry::over(&inner.link(), inner.codec, inner.call_timeout);
        RegistryClient::from_connection(registry)
    }

    /// Asks for what the service says of itself. A server of another version does not tell.
    pub fn notes(&self) -> ServiceNotes {
        let told = self.registry().notes(self.name).ok().flatten();
        told.as_deref().and_then(ServiceNotes::read).unwrap_or_default()
    }

    /// Asks how the types of the service read structs with other fields, which decides whether two versions
    /// differ. Postcard's bytes leave no choice.
    pub fn lenience(&self) -> Option<&ServiceLenience> {
        if !self.connection.codec().describes_itself() {
            return None;
        }
        if let Some(told) = self.lenience.get() {
            return Some(told);
        }
        let told = self.registry().lenience(self.name).ok().flatten()?;
        let told = postcard::from_bytes(&told).ok()?;
        Some(self.lenience.get_or_init(|| told))
    }

    /// Returns what says whether the server reads an argument without a field. A server of another version does
    /// not tell, and then no field may be missing.
    pub fn may_lack(
        &self,
        method: u16,
        argument: usize,
    ) -> impl Fn(TypeIndex, &str, &str) -> bool + '_ {
        move |of, variant, field| {
            let methods = self.lenience().map(|lenience| &lenience.methods);
            let told = methods.and_then(|all| all.get(usize::from(method))?.get(argument));
            told.is_some_and(|told| {
                told.optional.contains(&(of, variant.to_owned().into(), field.to_owned().into()))
            })
        }
    }

    /// Makes the arguments of a method ready: an object with a name for each, or an array in order.
    ///
    /// # Errors
    ///
    /// [`Misfit`] names the part of an argument that is missing, unknown or of another shape.
    pub fn fit_arguments(&self, method: u16, given: &Value) -> Result<Vec<Fitted>, Misfit> {
        let arguments = &self.contract.methods[usize::from(method)].arguments;
        let may_lack: Vec<_> = (0..arguments.len()).map(|n| self.may_lack(method, n)).collect();
        let codec = self.connection.codec();
        let wants = arguments.iter().zip(&may_lack).map(|(argument, may_lack)| {
            (argument, Fitter { shape: &argument.shape, codec, may_lack })
        });
        message::fit_arguments(&wants.collect::<Vec<_>>(), given)
    }

    /// Returns a method and its number.
    pub fn method(&self, asked: &str) -> Result<(u16, &Signature), DynamicError> {
        let found = (0..).zip(&self.contract.methods).find(|(_, method)| method.name == asked);
        found.ok_or_else(|| {
            let has = self.contract.methods.iter().map(|method| method.name.to_string());
            self.unknown("method", asked, has.collect())
        })
    }

    /// Returns an event and its number.
    pub fn event(&self, asked: &str) -> Result<(u16, &EventSignature), DynamicError> {
        let found = (0..).zip(&self.contract.events).find(|(_, event)| event.name == asked);
        found.ok_or_else(|| {
            let has = self.contract.events.iter().map(|event| event.name.to_string());
            self.unknown("event", asked, has.collect())
        })
    }

    fn unknown(&self, kind: &'static str, asked: &str, has: Vec<String>) -> DynamicError {
        let (service, asked) = (self.name.to_owned(), asked.to_owned());
        DynamicError::Unknown { service, kind, asked, has }
    }
}

/// Returns the server's own numbers: a client without a trait has no others.
fn agreed(service: u8, contract: &Contract) -> Agreed {
    let methods = 0..contract.methods.len() as u16;
    let tags = methods.map(|method| Some(RequestTag::call(service, method).bits())).collect();
    let events = (0..contract.events.len() as u16).map(Some).collect();
    Agreed { service, tags, events, differences: Differences::default() }
}
