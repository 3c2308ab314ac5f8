//! The service that every server adds to the user's. It finds the other services, for clients that are
//! already connected.

use std::time::Duration;

use witrpc_macros::wit_service;

use crate::call::server::context::CallContext;
use crate::codec::Codec;
use crate::connection::handshake::Welcome;
use crate::contract::{Differences, Digest};
use crate::event::client::subscriptions::Subscriptions;
use crate::tag::{REGISTRY, RequestTag};

use super::handle::{Client, Connection, Inner};
use super::link::Link;
use super::link_slot::LinkSlot;
use super::negotiation::{Agreed, ContractRules};

/// The service that finds services. Its number is [`REGISTRY`], and its version that of the handshake.
#[wit_service(crate = crate)]
pub(crate) trait Registry {
    /// Answers as the handshake answers a client that asks for this service and has this contract. If
    /// the service is not served, returns the names of those that are.
    fn find(
        &self,
        service: &str,
        contract: Digest,
        #[wit(ctx)] cx: &CallContext,
    ) -> Result<Welcome, Vec<String>>;

    /// Returns the [`ServiceLenience`](crate::contract::ServiceLenience) of a service, for a client that
    /// has another version of it. `None` if the service is not served.
    fn lenience(&self, service: &str, #[wit(ctx)] cx: &CallContext) -> Option<Vec<u8>>;

    /// Returns the [`Refusal`](super::handshake::Refusal) by which the handshake would refuse the
    /// connection's codec to a client of this service. `None` if the service is not served, or served over
    /// that codec.
    fn codec_refusal(&self, service: &str, #[wit(ctx)] cx: &CallContext) -> Option<Vec<u8>>;

    /// Returns the [`ServiceNotes`](crate::contract::ServiceNotes) of a service, for a client without its
    /// trait. `None` if the service is not served.
    fn notes(&self, service: &str) -> Option<Vec<u8>>;

    /// Returns the [`MethodMetrics`](crate::MethodMetrics) of all methods, if the server keeps them.
    fn method_metrics(&self) -> Option<Vec<u8>>;
}

/// Returns the server's numbers, which are the same for all servers. One that was built before a method
/// was added answers that it does not know it.
pub fn agreed() -> Agreed {
    let tags = (0..5).map(|method| Some(RequestTag::call(REGISTRY, method).bits())).collect();
    let (events, differences) = (Box::default(), Differences::default());
    Agreed { service: REGISTRY, tags, events, differences }
}

/// Returns a connection to the registry over a link.
pub fn over(link: &Link, codec: Codec, call_timeout: Option<Duration>) -> Connection {
    Connection::new(Inner {
        links: LinkSlot::One(link.beside(agreed())),
        descriptor: RegistryClient::DESCRIPTOR,
        codec,
        rules: ContractRules::default(),
        call_timeout,
        subscriptions: Subscriptions::new(),
        hook: None,
        server: None,
        root: None,
    })
}
