//! Handlers that are dropped while their server closes its connections. Their callers are told that the
//! server has ended, and not that a handler has failed.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::thread;
use std::time::{Duration, Instant};

use futures_util::stream;
use witrpc::transport::{
    BindConfig, ClientChannel, ConnectConfig, Scanner, ServerPort, Shutdown, Transport,
};
use witrpc::{
    BindError, CallError, ClientInfo, ConnectError, DisconnectReason, Endpoint, InProcess,
    ServerHandle, Stream, WitServer, wit_service,
};
use witrpc_tests::watchdog::{PATIENCE, Watchdog};

/// A port that closes its connections only when no method runs any more.
#[derive(Debug)]
struct SlowPort {
    port: Arc<dyn ServerPort>,
    closing: Arc<Mutex<Option<Closing>>>,
}

/// What the port does before it closes its connections.
#[derive(Debug)]
struct Closing {
    server: ServerHandle,
    let_go: Sender<()>,
}

impl ServerPort for SlowPort {
    fn scanner(&self) -> Box<dyn Scanner + '_> {
        self.port.scanner()
    }

    fn park(&self, timeout: Option<Duration>) {
        self.port.park(timeout);
    }

    fn ring(&self) {
        self.port.ring();
    }

    fn stop_accepting(&self) {
        self.port.stop_accepting();
    }

    fn clients(&self) -> Vec<ClientInfo> {
        self.port.clients()
    }

    fn disconnect(&self, client_id: u64) -> bool {
        self.port.disconnect(client_id)
    }

    fn drain(&self) {
        self.port.drain();
    }

    fn has_delivered(&self) -> bool {
        self.port.has_delivered()
    }

    fn close(&self, how: Shutdown) {
        if let Some(Closing { server, let_go }) = self.closing.lock().unwrap().take() {
            let_go.send(()).expect("the handler is polled");
            while !server.running().is_empty() {
                thread::yield_now();
            }
        }
        self.port.close(how);
    }

    fn join(&self, until: Option<Instant>) -> bool {
        self.port.join(until)
    }
}

/// A transport whose port is slow to close.
#[derive(Clone, Default)]
struct SlowClose {
    works: InProcess,
    closing: Arc<Mutex<Option<Closing>>>,
}

impl fmt::Debug for SlowClose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SlowClose").field(&self.works).finish()
    }
}

impl Transport for SlowClose {
    fn bind(&self, config: BindConfig) -> Result<Arc<dyn ServerPort>, BindError> {
        let (port, closing) = (self.works.bind(config)?, Arc::clone(&self.closing));
        Ok(Arc::new(SlowPort { port, closing }))
    }

    fn connect(&self, config: ConnectConfig) -> Result<Arc<dyn ClientChannel>, ConnectError> {
        self.works.connect(config)
    }
}

/// A future that is polled until the server closes its connections, and is not ready then.
#[derive(Debug)]
struct UntilClosing {
    polled: Sender<()>,
    closing: Arc<Mutex<Receiver<()>>>,
}

impl Future for UntilClosing {
    type Output = u64;

    fn poll(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<u64> {
        self.polled.send(()).expect("the test waits for it");
        self.closing.lock().unwrap().recv().expect("the server is dropped");
        Poll::Pending
    }
}

#[wit_service]
trait Waits {
    async fn plain(&self) -> u64;
    fn down(&self) -> impl Stream<Item = u64>;
    async fn opens(&self) -> Result<impl Stream<Item = u64>, ()>;
    async fn up(&self, items: impl Stream<Item = u64>) -> u64;
}

struct Service {
    polled: Sender<()>,
    closing: Arc<Mutex<Receiver<()>>>,
}

impl Service {
    fn until_closing(&self) -> UntilClosing {
        UntilClosing { polled: self.polled.clone(), closing: Arc::clone(&self.closing) }
    }
}

impl Waits for Service {
    async fn plain(&self) -> u64 {
        self.until_closing().await
    }

    fn down(&self) -> impl Stream<Item = u64> {
        stream::once(self.until_closing())
    }

    async fn opens(&self) -> Result<impl Stream<Item = u64>, ()> {
        let first = self.until_closing().await;
        Ok(stream::iter([first]))
    }

    async fn up(&self, _items: impl Stream<Item = u64>) -> u64 {
        self.until_closing().await
    }
}

/// Returns what a call ends with whose handler is dropped while the server closes its connections.
fn outcome<T: Send>(call: impl FnOnce(WaitsClient) -> T + Send) -> T {
    let _watchdog = Watchdog::new(PATIENCE);
    let (polled, was_polled) = mpsc::channel();
    let (let_go, closing) = mpsc::channel();
    let service = Service { polled, closing: Arc::new(Mutex::new(closing)) };
    let transport = SlowClose::default();
    let endpoint = Endpoint::new(transport.clone());
    let server = WitServer::builder()
        .listen(endpoint.clone())
        .service(WaitsServer::new(service))
        .start()
        .expect("it is the test's own place");
    let closing = Closing { server: server.handle(), let_go };
    *transport.closing.lock().unwrap() = Some(closing);
    let client = WaitsClient::connect(endpoint).expect("the server runs");
    thread::scope(|scope| {
        let call = scope.spawn(|| call(client));
        was_polled.recv().expect("the handler is polled");
        drop(server);
        call.join().expect("the call returns")
    })
}

const ENDED: CallError = CallError::Disconnected(DisconnectReason::ServerShutDown);

#[test]
fn a_call_ends_with_its_server() {
    assert_eq!(outcome(|client| client.plain()), Err(ENDED));
}

#[test]
fn a_stream_ends_with_its_server() {
    let items = outcome(|client| client.down().map(|items| items.collect::<Vec<_>>()));
    assert_eq!(items, Ok(vec![Err(ENDED)]));
}

#[test]
fn a_call_that_opens_a_stream_ends_with_its_server() {
    let end = outcome(|client| client.opens().map(drop));
    assert_eq!(end, Err(CallError::Disconnected(DisconnectReason::ServerShutDown)));
}

#[test]
fn an_upload_ends_with_its_server() {
    assert_eq!(outcome(|client| client.up([1, 2].into_iter())), Err(ENDED));
}
