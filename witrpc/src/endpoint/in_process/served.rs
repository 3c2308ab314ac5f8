//! A client with its own server, in one process.

use crate::call::server::call::IntoService;
use crate::connection::connect::ConnectPlan;
use crate::connection::handle::{Client, Connection};
use crate::connection::negotiation::ContractRules;
use crate::server::builder::WitServerBuilder;
use crate::server::handle::WitServer;

use super::InProcess;

/// Implements `XClient::in_process`: starts a small server that lives as long as the client's connection. Both
/// use the quickest codec that carries all of the service's types.
///
/// # Panics
///
/// If the service cannot be served at all: no codec carries all of its types, or no thread can be started.
pub fn in_process<C: Client>(service: impl IntoService) -> C {
    let service = service.into_service();
    in_process_with(WitServer::builder().serve(service))
}

/// Implements `XClient::in_process_with`: a server that is made by `builder`, as long as the client's
/// connection lives. The client speaks the quickest codec that the server serves its service over.
///
/// # Panics
///
/// When the server does not start, or does not accept the client.
pub fn in_process_with<C: Client>(builder: WitServerBuilder) -> C {
    let place = InProcess::new();
    // Both sides of one trait have the same types, so an unverified type is safe.
    let allow_unverified = builder.serves(C::DESCRIPTOR);
    let builder = builder.listen(place.clone());
    let builder = if allow_unverified { builder.allow_unverified_types(true) } else { builder };
    let server = builder
        .start()
        .unwrap_or_else(|error| panic!("the service cannot be served in this process: {error}"));
    let rules = ContractRules { allow_unverified, ..ContractRules::default() };
    let mut inner = ConnectPlan { rules, ..ConnectPlan::new(place.into()) }
        .connect(C::DESCRIPTOR)
        .unwrap_or_else(|error| panic!("the service cannot be called in this process: {error}"));
    inner.server = Some(Box::new(server));
    C::from_connection(Connection::new(inner))
}
