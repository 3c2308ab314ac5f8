//! A server that returns what it gets, without the layers above the transport, and its honest clients.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use witrpc::transport::ChannelError;
use witrpc::transport::{
    Admission, Admitted, Answer, BindConfig, Body, ClientChannel, ClientInfo, ConnectConfig, Fill,
    Limit, Outgoing, Payload, Peer, Request, SMALL_LEN, ServerPort, Session, Shutdown, Transport,
    pad, serve_by,
};
use witrpc::{ConnectError, Socket};

use crate::watchdog::PATIENCE;

use super::{LANES, MAX_MESSAGE, scratch};

/// The tag of a request that is answered by [`LONG_LEN`] bytes.
pub const LONG: u32 = 1;

/// The length of a long answer.
pub const LONG_LEN: usize = 512 << 10;

/// How long a client may take to be let in.
const HANDSHAKE: Duration = Duration::from_millis(200);

/// A server over a socket that returns what it gets. Dropping it checks that all of its threads end.
#[derive(Debug)]
pub struct EchoServer {
    port: Arc<dyn ServerPort>,
    path: PathBuf,
    /// How many long answers it has given.
    long_answers: Arc<AtomicU32>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct LetAllIn;

impl Admission for LetAllIn {
    fn admit(&self, _: &[u8], _: &ClientInfo) -> Admitted {
        Admitted::Welcome { welcome: Vec::new(), session: Session::new(Arc::new(())) }
    }
}

struct Bytes(Vec<u8>);

impl Fill for Bytes {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn write_at(&self, offset: usize, out: &mut [u8]) {
        out.copy_from_slice(&self.0[offset..offset + out.len()]);
    }
}

/// Calls `then` with a message of these bytes.
fn with_message<T>(tag: u32, bytes: &[u8], then: impl FnOnce(Outgoing<'_>) -> T) -> T {
    if bytes.len() <= SMALL_LEN {
        let padded = pad(bytes);
        return then(Outgoing::new(tag, Body::Small { padded: &padded, len: bytes.len() }));
    }
    then(Outgoing::new(tag, Body::Large(&Bytes(bytes.to_vec()))))
}

fn bytes_of(payload: &Payload) -> Vec<u8> {
    let mut bytes = vec![0; payload.len()];
    payload.copy_to(0, &mut bytes);
    bytes
}

fn serve(peer: &Arc<dyn Peer>, request: &mut Request, long_answers: &AtomicU32) -> ControlFlow<()> {
    let bytes = match request.tag {
        LONG => {
            long_answers.fetch_add(1, SeqCst);
            vec![7; LONG_LEN]
        }
        _ => bytes_of(&request.payload),
    };
    // A client that has gone gets no answer.
    let _ = with_message(request.tag, &bytes, |answer| peer.answer(request.ticket, answer));
    ControlFlow::Continue(())
}

impl EchoServer {
    /// Starts a server.
    ///
    /// # Panics
    ///
    /// When it cannot be bound.
    pub fn new() -> Self {
        let path = scratch();
        let socket = Socket::at(&path).lanes(LANES).max_message_size(MAX_MESSAGE);
        let socket = socket.handshake_timeout(HANDSHAKE);
        let port = socket.bind(BindConfig::new(Arc::new(LetAllIn))).expect("it can be bound");
        let over = Arc::<AtomicBool>::default();
        let (looks, ends) = (Arc::clone(&port), Arc::clone(&over));
        let long_answers = Arc::<AtomicU32>::default();
        let counts = Arc::clone(&long_answers);
        let thread = std::thread::spawn(move || {
            let mut scanner = looks.scanner();
            let mut serve = serve_by(|peer, request| serve(peer, request, &counts));
            while !ends.load(SeqCst) {
                while scanner.turn(None, &mut serve) {}
                if !scanner.request_wakeup(None) {
                    looks.park(None);
                }
            }
        });
        Self { port, path, long_answers, over, thread: Some(thread) }
    }

    /// Returns its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns how many clients it has.
    pub fn clients(&self) -> usize {
        self.port.clients().len()
    }

    /// Returns how many long answers it has given.
    pub fn long_answers(&self) -> u32 {
        self.long_answers.load(SeqCst)
    }

    /// Checks that an honest client is served.
    ///
    /// # Panics
    ///
    /// When it is not.
    pub fn serves_the_honest(&self) {
        let client = connect(&self.path).expect("it lets clients in");
        for len in [0, 48, 100_000] {
            let bytes = vec![3; len];
            assert!(echo(&*client, &bytes).as_ref() == Ok(&bytes), "{len} bytes");
        }
    }
}

impl Default for EchoServer {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for EchoServer {
    fn drop(&mut self) {
        self.over.store(true, SeqCst);
        self.port.close(Shutdown::Now);
        self.port.ring();
        let ended = self.thread.take().expect("it is dropped once").join();
        let joined = self.port.join(Some(Instant::now() + PATIENCE));
        if !std::thread::panicking() {
            assert!(ended.is_ok() && joined, "all threads end");
            assert!(!self.path.exists(), "the socket is removed");
        }
    }
}

/// Connects an honest client.
///
/// # Errors
///
/// Those of the connect.
pub fn connect(path: &Path) -> Result<Arc<dyn ClientChannel>, ConnectError> {
    let mut config = ConnectConfig::new(b"hello".to_vec());
    config.wait_for_server = Duration::ZERO;
    config.until = Some(Instant::now() + PATIENCE);
    Socket::at(path).connect(config)
}

/// Makes a call that returns these bytes.
///
/// # Errors
///
/// Those of the channel.
pub fn echo(client: &dyn ClientChannel, bytes: &[u8]) -> Result<Vec<u8>, ChannelError> {
    let sent = with_message(0, bytes, |message| client.try_send(message))?;
    let ticket = sent.expect("a lane is free");
    let mut answer = Answer::default();
    client.wait_answer(ticket, &mut Limit::Never, &mut answer)?;
    Ok(bytes_of(&answer.payload))
}
