//! A client with a server of its own, in one process.

use super::connection::{Client, Connection};
use super::dial::Dial;
use crate::server::{Service, WitServer};
use crate::transport::in_process::InProcess;

/// `XClient::in_process`: a small server of its own, as long as the client's connection lives.
///
/// # Panics
///
/// When the service cannot be served at all: one of its types cannot be carried by a codec, or no
/// thread can be started.
pub fn in_process<C: Client>(service: impl Service) -> C {
    let place = InProcess::new();
    let server =
        WitServer::builder().listen(place.clone()).service(service).start().unwrap_or_else(
            |error| panic!("the service cannot be served in this process: {error}"),
        );
    let mut inner = Dial::new(place.into())
        .connect(C::DESCRIPTOR)
        .unwrap_or_else(|error| panic!("the service cannot be called in this process: {error}"));
    inner.server = Some(server);
    C::from_connection(Connection::new(inner))
}
