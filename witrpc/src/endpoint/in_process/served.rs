//! A client with its own server, in one process.

use crate::call::server::call::IntoService;
use crate::connection::connect::Dial;
use crate::connection::handle::{Client, Connection};
use crate::server::handle::WitServer;

use super::InProcess;

/// Implements `XClient::in_process`: starts a small server that lives as long as the client's connection. Both
/// use the quickest codec that carries all of the service's types.
///
/// # Panics
///
/// If the service cannot be served at all: no codec carries all of its types, or no thread can be started.
pub fn in_process<C: Client>(service: impl IntoService) -> C {
    let place = InProcess::new();
    let service = service.into_service();
    // Both sides of one trait have the same types, so an unverified type is safe.
    let allow_unverified = std::ptr::eq(service.descriptor(), C::DESCRIPTOR);
    let builder = WitServer::builder().listen(place.clone()).serve(service);
    let server = builder.allow_unverified_types(allow_unverified).start().unwrap_or_else(|error| {
        panic!("the service cannot be served in this process: {error}");
    });
    let mut inner = Dial { allow_unverified, ..Dial::new(place.into()) }
        .connect(C::DESCRIPTOR)
        .unwrap_or_else(|error| panic!("the service cannot be called in this process: {error}"));
    inner.server = Some(Box::new(server));
    C::from_connection(Connection::new(inner))
}
