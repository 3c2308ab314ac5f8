//! The roles of programs that report the outcome of serving and connecting where they are started.

use std::cell::RefCell;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Waker};
use std::thread;

use futures_executor::block_on;
use serde::{Deserialize, Serialize};
use witrpc::{Mmf, WaitPolicy, WitServer};

use crate::PORTABLE;
use crate::basic::{BasicAsyncClient, BasicClient, BasicServer, Bench};
use crate::fixture::{Address, FixtureConfig};
use crate::process::Parent;
use crate::watchdog::PATIENCE;

/// The outcome of serving and of connecting to itself; errors as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServedItself {
    /// The outcome of starting a server.
    pub served: Result<(), String>,
    /// The outcome of connecting and of a call.
    pub called: Result<i64, String>,
    /// The outcome of asking for the metrics.
    pub asked: Result<u64, String>,
}

/// See [`Role::TryToConnect`](super::Role::TryToConnect).
pub(super) fn try_to_connect(parent: &Parent, address: &Address) {
    // As long as a slow or an emulated machine takes.
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
    // The server would go on, but the role ends here.
    drop(server);
}

/// See [`Role::ShutDown`](super::Role::ShutDown).
pub(super) fn shut_down(parent: &Parent, address: &Address) {
    let server = FixtureConfig::default().start(address, &Arc::<Bench>::default());
    let server = server.expect("the server starts");
    let client = BasicClient::connect(address.endpoint()).expect("the client connects");
    assert_eq!(client.add(40, 2), Ok(42));
    parent.report(&server.shutdown(PATIENCE));
}

thread_local!(static LOCAL: RefCell<Option<BasicClient>> = const { RefCell::new(None) });

/// See [`Role::ExitAmidCalls`](super::Role::ExitAmidCalls).
pub(super) fn exit_amid_calls(parent: &Parent, address: &Address) {
    static KEPT: OnceLock<(WitServer, BasicClient, BasicAsyncClient)> = OnceLock::new();
    const CALLS: u32 = 3;
    let server = FixtureConfig::default().start(address, &Arc::<Bench>::default());
    let server = server.expect("the server starts");
    let client = BasicClient::connect(address.endpoint()).expect("the client connects");
    let later = block_on(BasicAsyncClient::connect(address.endpoint())).expect("it does too");
    for _ in 1..CALLS {
        let client = client.clone();
        thread::spawn(move || {
            LOCAL.set(Some(client.clone()));
            client.hold(1, 1)
        });
    }
    LOCAL.set(Some(client.clone()));
    let (_, _, later) = KEPT.get_or_init(|| (server, client.clone(), later));
    let mut call = Box::pin(later.hold(1, 1));
    assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    client.arrived(1, CALLS).expect("it serves");
    parent.report(&());
    // The call is dropped, and the process ends.
}

/// See [`Role::ServeItselfPortably`](super::Role::ServeItselfPortably).
pub(super) fn serve_itself_portably(parent: &Parent, size: u64) {
    let service = BasicServer::from_arc(Arc::<Bench>::default());
    let place = Mmf::unguessable().backend(PORTABLE).size(size as usize);
    let server = WitServer::builder().listen(place.clone()).service(service).start();
    let called = server.map_err(|error| error.to_string()).and_then(|_server| {
        let client = BasicClient::connect(place).map_err(|error| error.to_string())?;
        client.add(40, 2).map_err(|error| error.to_string())
    });
    parent.report(&called);
}
