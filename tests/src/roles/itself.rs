//! The roles of programs that report how far they get where they are started.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use witrpc::Mmf;

use crate::process::Parent;
use crate::site::{Address, Plan};
use crate::workshop::{Bench, WorkshopClient};

/// What came of serving and of being its own client: what the errors say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServedItself {
    /// Of starting a server.
    pub served: Result<(), String>,
    /// Of connecting and of a call.
    pub called: Result<i64, String>,
    /// Of asking how it is.
    pub asked: Result<u64, String>,
}

/// See [`Role::TryToConnect`](super::Role::TryToConnect).
pub(super) fn try_to_connect(parent: &Parent, address: &Address) {
    let connected = WorkshopClient::connect(address.endpoint());
    parent.report(&connected.map(drop).map_err(|error| error.to_string()));
    parent.outlive();
}

/// See [`Role::ServeItself`](super::Role::ServeItself).
pub(super) fn serve_itself(parent: &Parent, address: &Address) {
    let Address::Mmf { name, dir: None } = address else { panic!("a name of the user's own") };
    let server = Plan::default().start(address, &Arc::<Bench>::default());
    let client = WorkshopClient::connect(address.endpoint());
    let called = client.map_err(|error| error.to_string());
    let called = called.and_then(|client| client.add(40, 2).map_err(|error| error.to_string()));
    let metrics = Mmf::new(name).metrics();
    let asked = metrics.map(|metrics| metrics.calls).map_err(|error| error.to_string());
    let served = server.as_ref().map(|_| ()).map_err(ToString::to_string);
    parent.report(&ServedItself { served, called, asked });
    // The server would go on: this is the role's end.
    drop(server);
}
