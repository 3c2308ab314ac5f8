//! Implements the traits of `witrpc-transport` for [`Client`] and [`Server`].

mod client;
mod lease;
mod server;

use std::sync::Arc;

use witrpc_transport::{Admission, ClientChannel, Initiator, Responder, ServerPort};

use crate::client::{Client, ClientOptions};
use crate::error::{BindError, ConnectError};
use crate::name::Name;
use crate::rendezvous::{ConnectLimit, Place};
use crate::server::{Server, ServerOptions};

/// Claims a name and starts to accept clients. `responder` runs the server's side of the key
/// exchange.
///
/// # Errors
///
/// See [`BindError`].
pub fn bind(
    name: Name,
    place: &Place,
    options: &ServerOptions,
    admission: Arc<dyn Admission>,
    responder: Arc<dyn Responder>,
) -> Result<Arc<dyn ServerPort>, BindError> {
    Ok(Server::bind(name, place, options, admission, responder)?)
}

/// Connects to the server that serves `name`, and gives up when `limit` says so.
///
/// # Errors
///
/// See [`ConnectError`].
pub fn connect(
    name: &Name,
    place: &Place,
    options: &ClientOptions,
    initiator: &dyn Initiator,
    limit: &ConnectLimit,
) -> Result<Arc<dyn ClientChannel>, ConnectError> {
    let client = Client::connect_within(name, place, options, initiator, limit)?;
    Ok(Arc::new(client::Channel::new(client)))
}
