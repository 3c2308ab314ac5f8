//! A server's end that lends nothing: what is shared crosses it as a copy.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::task::Waker;
use std::time::{Duration, Instant};

use witrpc::transport::{
    BindConfig, ChannelError, ClientChannel, ClientInfo, ConnectConfig, Only, Outgoing, Peer,
    Request, Scanner, Serve, ServerPort, Session, ShortAnswer, Ticket, Transport,
};
use witrpc::{
    BindError, CallContext, CallError, ConnectError, Endpoint, InProcess, Shared, Shutdown,
    WitServer, wit_service,
};

use crate::client_end::{Wrapped, address};

#[wit_service]
trait Darkroom {
    /// Returns a frame of `len` sevens.
    fn develop(&self, #[wit(ctx)] cx: &CallContext, len: u64) -> Shared<[u8]>;
    /// As `develop`, of a future; none for an odd length.
    async fn develop_later(
        &self,
        #[wit(ctx)] cx: &CallContext,
        len: u64,
    ) -> Result<Shared<[u8]>, String>;
    /// The second frame, once the first has been looked at.
    fn pass(&self, first: Shared<[u8]>, label: String, second: Shared<[u8]>) -> Shared<[u8]>;
}

/// Keeps all frames, so that no copy can come to lie where one of them lay.
#[derive(Clone, Default)]
struct Shelf(Arc<Mutex<Vec<Shared<[u8]>>>>);

impl Shelf {
    fn keep(&self, frame: Shared<[u8]>) -> Shared<[u8]> {
        self.0.lock().expect("no holder panics").push(frame.clone());
        frame
    }

    /// The frames that were kept since this was last asked.
    fn take(&self) -> Vec<Shared<[u8]>> {
        std::mem::take(&mut *self.0.lock().expect("no holder panics"))
    }
}

fn sevens(cx: &CallContext, len: u64) -> Shared<[u8]> {
    let mut frame = cx.alloc(len as usize).expect("there is memory");
    frame.fill(7);
    frame.freeze()
}

impl Darkroom for Shelf {
    fn develop(&self, cx: &CallContext, len: u64) -> Shared<[u8]> {
        self.keep(sevens(cx, len))
    }

    async fn develop_later(&self, cx: &CallContext, len: u64) -> Result<Shared<[u8]>, String> {
        if len % 2 == 1 {
            return Err(format!("{len} is odd"));
        }
        Ok(self.keep(sevens(cx, len)))
    }

    fn pass(&self, first: Shared<[u8]>, label: String, second: Shared<[u8]>) -> Shared<[u8]> {
        assert!(first.iter().all(|byte| usize::from(byte) == label.len()), "{label}: {first:?}");
        self.keep(first);
        self.keep(second)
    }
}

/// The in-process transport with peers that lend nothing.
#[derive(Debug)]
struct Copying(InProcess);

impl Transport for Copying {
    fn bind(&self, config: BindConfig) -> Result<Arc<dyn ServerPort>, BindError> {
        Ok(Arc::new(Port(self.0.bind(config)?)))
    }

    fn connect(&self, config: ConnectConfig) -> Result<Arc<dyn ClientChannel>, ConnectError> {
        self.0.connect(config)
    }
}

#[derive(Debug)]
struct Port(Arc<dyn ServerPort>);

impl ServerPort for Port {
    fn scanner(&self) -> Box<dyn Scanner + '_> {
        Box::new(View(self.0.scanner()))
    }

    fn park(&self, timeout: Option<Duration>) {
        self.0.park(timeout);
    }

    fn ring(&self) {
        self.0.ring();
    }

    fn stop_accepting(&self) {
        self.0.stop_accepting();
    }

    fn clients(&self) -> Vec<ClientInfo> {
        self.0.clients()
    }

    fn disconnect(&self, client_id: u64) -> bool {
        self.0.disconnect(client_id)
    }

    fn drain(&self) {
        self.0.drain();
    }

    fn close(&self, how: Shutdown) {
        self.0.close(how);
    }

    fn join(&self, until: Option<Instant>) -> bool {
        self.0.join(until)
    }
}

struct View<'a>(Box<dyn Scanner + 'a>);

impl Scanner for View<'_> {
    fn turn(&mut self, only: Option<Only<'_>>, serve: &mut dyn Serve) -> bool {
        self.0.turn(only, &mut WithCopiers(serve))
    }

    fn request_wakeup(&mut self, only: Option<Only<'_>>) -> bool {
        self.0.request_wakeup(only)
    }
}

/// Serves with a [`Copier`] in place of each peer.
struct WithCopiers<'a>(&'a mut dyn Serve);

impl Serve for WithCopiers<'_> {
    fn serve(
        &mut self,
        peer: &Arc<dyn Peer>,
        request: &mut Request,
        answer: &mut Option<ShortAnswer>,
    ) {
        let peer: Arc<dyn Peer> = Arc::new(Copier(Arc::clone(peer)));
        self.0.serve(&peer, request, answer);
    }

    fn settled(&mut self) -> ControlFlow<()> {
        self.0.settled()
    }
}

/// What a transport without shared memory has to say of a client: the trait's own word is that it
/// lends nothing.
struct Copier(Arc<dyn Peer>);

impl Peer for Copier {
    fn client(&self) -> &ClientInfo {
        self.0.client()
    }

    fn session(&self) -> &Session {
        self.0.session()
    }

    fn answer(&self, ticket: Ticket, answer: Outgoing<'_>) -> Result<(), ChannelError> {
        self.0.answer(ticket, answer)
    }

    fn is_connected(&self) -> bool {
        self.0.is_connected()
    }

    fn is_cancelled(&self, ticket: Ticket) -> bool {
        self.0.is_cancelled(ticket)
    }

    fn watch(&self, ticket: Ticket, waker: &Waker) -> u64 {
        self.0.watch(ticket, waker)
    }

    fn unwatch(&self, key: u64) {
        self.0.unwatch(key);
    }
}

fn connect(endpoint: impl Into<Endpoint>) -> (WitServer, Shelf, DarkroomClient) {
    let (endpoint, shelf) = (endpoint.into(), Shelf::default());
    let server = WitServer::builder().listen(endpoint.clone());
    let server = server.service(DarkroomServer::new(shelf.clone())).start().expect("a new place");
    let client = DarkroomClient::connect(endpoint).expect("it is served");
    (server, shelf, client)
}

const LENS: [u64; 5] = [0, 2, 100, 10_000, 1 << 20];

/// What a client has got and what the handler has kept are two frames, or one, of these bytes.
fn check(got: &Shared<[u8]>, kept: &Shared<[u8]>, bytes: &[u8], is_lent: bool) {
    assert_eq!(got.to_vec(), bytes);
    assert_eq!(kept.to_vec(), bytes);
    let is_one = address(got) == address(kept);
    assert!(bytes.is_empty() || is_one == is_lent, "{} bytes", bytes.len());
}

#[test]
fn results_are_copied() {
    for (endpoint, is_lent) in [
        (Endpoint::new(Copying(InProcess::new())), false),
        (Endpoint::from(InProcess::new()), true),
    ] {
        let (_server, shelf, client) = connect(endpoint);
        for len in LENS {
            let sevens = vec![7; len as usize];
            let made = client.develop(len).expect("a frame");
            let later = client.develop_later(len).expect("a frame");
            let [kept, kept_later] = shelf.take().try_into().expect("one each");
            check(&made, &kept, &sevens, is_lent);
            check(&later, &kept_later, &sevens, is_lent);
        }
        assert_eq!(client.develop_later(3).unwrap_err(), CallError::App("3 is odd".to_owned()));
    }
}

#[test]
fn arguments_are_copied_and_can_be_passed_back() {
    let plain = Wrapped { place: Copying(InProcess::new()), tamper: |answer| answer };
    for (endpoint, is_lent) in
        [(Endpoint::new(plain), false), (Endpoint::from(InProcess::new()), true)]
    {
        let (_server, shelf, client) = connect(endpoint);
        for len in LENS {
            let frames = [4, 9].map(|byte| {
                let mut frame = client.connection().alloc::<u8>(len as usize).expect("memory");
                frame.fill(byte);
                frame.freeze()
            });
            let [first, second] = frames.clone();
            let back = client.pass(first, "four".to_owned(), second).expect("the second");
            let [first, second] = shelf.take().try_into().expect("both");
            check(&frames[0], &first, &vec![4; len as usize], is_lent);
            check(&frames[1], &second, &vec![9; len as usize], is_lent);
            check(&back, &second, &vec![9; len as usize], is_lent);
        }
    }
}

/// A handler may return what a client's end has lent, which this one cannot.
#[test]
fn what_a_client_has_lent_goes_back_as_a_copy() {
    let (_server, shelf, client) = connect(Endpoint::new(Copying(InProcess::new())));
    let [first, second] = [4, 9].map(|byte| Shared::from_vec(vec![byte; 1_000]));
    let back = client.pass(first, "four".to_owned(), second.clone()).expect("the second");
    let [_, kept] = shelf.take().try_into().expect("both");
    check(&second, &kept, &[9; 1_000], true);
    check(&back, &kept, &[9; 1_000], false);
}
