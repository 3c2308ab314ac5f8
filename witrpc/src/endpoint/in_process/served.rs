//! A client with its own server, in one process.

use crate::call::server::call::IntoService;
use crate::codec::Codec;
use crate::connection::connect::Dial;
use crate::connection::handle::{Client, Connection};
use crate::connection::negotiation::ContractRules;
use crate::contract;
use crate::server::handle::WitServer;

use super::InProcess;

/// Implements `XClient::in_process`: starts a small server that lives as long as the client's connection. It
/// uses the first codec that carries all of the service's types.
///
/// # Panics
///
/// If the service cannot be served at all: no codec carries all of its types, or no thread can be started.
pub fn in_process<C: Client>(service: impl IntoService) -> C {
    let place = InProcess::new();
    let service = service.into_service();
    let codec = Codec::all()
        .find(|codec| contract::traced(C::DESCRIPTOR, *codec).refusal().is_none())
        .unwrap_or_default();
    // Both sides of one trait have the same types, so an unverified type is safe.
    let allow_unverified = std::ptr::eq(service.descriptor(), C::DESCRIPTOR);
    let builder = WitServer::builder().listen(place.clone()).codecs([codec]);
    let server =
        builder.allow_unverified_types(allow_unverified).serve(service).start().unwrap_or_else(
            |error| panic!("the service cannot be served in this process: {error}"),
        );
    let rules = ContractRules { allow_unverified, ..ContractRules::default() };
    let mut inner = Dial { codec, rules, ..Dial::new(place.into()) }
        .connect(C::DESCRIPTOR)
        .unwrap_or_else(|error| panic!("the service cannot be called in this process: {error}"));
    inner.server = Some(Box::new(server));
    C::from_connection(Connection::new(inner))
}
