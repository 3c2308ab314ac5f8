//! The roles of programs that report how far they get where they are started.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use witrpc::{Backend, Mmf, WaitPolicy, WitServer};

use crate::basic::{BasicClient, BasicServer, Bench};
use crate::fixture::{Address, FixtureConfig};
use crate::process::Parent;
use crate::watchdog::PATIENCE;

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
    // As long as a slow machine takes, or one that is emulated.
    let Address::Mmf { name, dir } = address else { panic!("a name in shared memory") };
    let place = Mmf::new(name).handshake_timeout(PATIENCE);
    let place = dir.iter().fold(place, |place, dir| place.in_dir(dir));
    let client = BasicClient::builder(place).call_timeout(PATIENCE).wait(WaitPolicy::Park);
    let answered = client.connect().map_err(|error| error.to_string());
    let answered = answered.and_then(|client| client.add(40, 2).map_err(|error| error.to_string()));
    parent.report(&answered);
    parent.outlive();
}

/// See [`Role::ServeItself`](super::Role::ServeItself).
pub(super) fn serve_itself(parent: &Parent, address: &Address) {
    let Address::Mmf { name, dir: None } = address else { panic!("a name of the user's own") };
    let server = FixtureConfig::default().start(address, &Arc::<Bench>::default());
    let client = BasicClient::connect(address.endpoint());
    let called = client.map_err(|error| error.to_string());
    let called = called.and_then(|client| client.add(40, 2).map_err(|error| error.to_string()));
    let metrics = Mmf::new(name).metrics();
    let asked = metrics.map(|metrics| metrics.calls).map_err(|error| error.to_string());
    let served = server.as_ref().map(|_| ()).map_err(ToString::to_string);
    parent.report(&ServedItself { served, called, asked });
    // The server would go on: this is the role's end.
    drop(server);
}

/// See [`Role::ServeItselfPortably`](super::Role::ServeItselfPortably).
pub(super) fn serve_itself_portably(parent: &Parent, size: u64) {
    let service = BasicServer::from_arc(Arc::<Bench>::default());
    let place = Mmf::unguessable().backend(Backend::Portable).size(size as usize);
    let server = WitServer::builder().listen(place.clone()).service(service).start();
    let called = server.map_err(|error| error.to_string()).and_then(|_server| {
        let client = BasicClient::connect(place).map_err(|error| error.to_string())?;
        client.add(40, 2).map_err(|error| error.to_string())
    });
    parent.report(&called);
}
