//! A transport that can let no client in any more ends its server, which says so.

use std::sync::{Arc, Mutex};

use witrpc::transport::{
    Admission, BindConfig, ClientChannel, ConnectConfig, ServerPort, Transport,
};
use witrpc::{
    BindError, CallError, ConnectError, DisconnectReason, Endpoint, InProcess, StopReason,
    WitServer, wit_service,
};
use witrpc_tests::watchdog::{PATIENCE, Watchdog};

/// Works until the test has it fail.
#[derive(Clone, Default)]
struct Fragile {
    works: InProcess,
    admission: Arc<Mutex<Option<Arc<dyn Admission>>>>,
    fails_at_once: bool,
}

impl std::fmt::Debug for Fragile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Fragile").field(&self.works).finish()
    }
}

impl Fragile {
    fn fail(&self) {
        let admission = self.admission.lock().unwrap().take();
        admission.expect("it has been bound").failed();
    }
}

impl Transport for Fragile {
    fn bind(&self, config: BindConfig) -> Result<Arc<dyn ServerPort>, BindError> {
        *self.admission.lock().unwrap() = Some(Arc::clone(&config.admission));
        let port = self.works.bind(config)?;
        if self.fails_at_once {
            self.fail();
        }
        Ok(port)
    }

    fn connect(&self, config: ConnectConfig) -> Result<Arc<dyn ClientChannel>, ConnectError> {
        self.works.connect(config)
    }
}

#[wit_service]
trait Counter {
    fn count(&self) -> u64;
}

impl Counter for () {
    fn count(&self) -> u64 {
        1
    }
}

fn serve(fragile: &Fragile) -> WitServer {
    let endpoint = Endpoint::new(fragile.clone());
    let server = WitServer::builder().listen(endpoint).service(CounterServer::new(()));
    server.start().expect("it is the test's own place")
}

#[test]
fn a_server_whose_transport_fails_ends_and_says_why() {
    let _watchdog = Watchdog::new(PATIENCE);
    let fragile = Fragile::default();
    let server = serve(&fragile);
    let client = CounterClient::connect(Endpoint::new(fragile.clone())).unwrap();
    assert_eq!(client.count(), Ok(1));
    fragile.fail();
    assert_eq!(server.wait(), StopReason::Failed);
    // What a client that reconnects follows.
    assert_eq!(client.count(), Err(CallError::Disconnected(DisconnectReason::PeerDied)));
    assert!(!server.shutdown(PATIENCE), "not all calls were answered");
    CounterClient::connect(Endpoint::new(fragile)).expect_err("no client comes in");
}

#[test]
fn a_server_whose_transport_fails_before_it_has_started_ends_too() {
    let _watchdog = Watchdog::new(PATIENCE);
    let server = serve(&Fragile { fails_at_once: true, ..Fragile::default() });
    assert_eq!(server.wait(), StopReason::Failed);
}
