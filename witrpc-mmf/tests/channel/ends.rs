//! A server that echoes, a client of it, and their messages.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use witrpc_mmf::{Client, ClientOptions, Name, Place, SendState, Server, ServerOptions};
use witrpc_transport::{
    Admission, Admitted, Answer, Body, ChannelError, ClientInfo, Fill, Limit, Outgoing, Payload,
    Session, Ticket, WaitPolicy,
};

use super::ways::Way;

pub struct AdmitAll;

impl Admission for AdmitAll {
    fn admit(&self, hello: &[u8], _: &ClientInfo) -> Admitted {
        Admitted::Welcome { welcome: hello.to_vec(), session: Session::new(Arc::new(())) }
    }
}

/// An admission that keeps the hello of each client, and reports it when the client has left.
pub struct Register(pub mpsc::Sender<(u64, String)>);

impl Admission for Register {
    fn admit(&self, hello: &[u8], _: &ClientInfo) -> Admitted {
        let session = Session::new(Arc::new(String::from_utf8_lossy(hello).into_owned()));
        Admitted::Welcome { welcome: Vec::new(), session }
    }

    fn left(&self, client: &ClientInfo, session: &Session) {
        assert_eq!(client.pid, std::process::id());
        let hello = session.get::<String>().expect("what admit gave");
        let _ = self.0.send((client.id, hello.clone()));
    }
}

pub struct Bytes<'a>(pub &'a [u8]);

impl Fill for Bytes<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn write_at(&self, offset: usize, out: &mut [u8]) {
        out.copy_from_slice(&self.0[offset..offset + out.len()]);
    }
}

pub fn with_message<R>(tag: u32, bytes: &[u8], send: impl FnOnce(Outgoing<'_>) -> R) -> R {
    let fill = Bytes(bytes);
    let mut padded = [0; witrpc_mmf::INLINE_LEN];
    let body = match padded.get_mut(..bytes.len()) {
        Some(start) => {
            start.copy_from_slice(bytes);
            Body::Small { padded: &padded, len: bytes.len() }
        }
        None => Body::Large(&fill),
    };
    send(Outgoing::new(tag, body))
}

pub fn bytes_of(payload: Payload) -> Vec<u8> {
    match payload {
        Payload::Small { bytes, len } => bytes[..usize::from(len)].to_vec(),
        Payload::Whole(bytes) => bytes,
        Payload::Remote(block) => {
            let mut bytes = vec![0; block.len()];
            block.copy_to(0, &mut bytes);
            bytes
        }
        _ => panic!("no lease was sent"),
    }
}

/// A server that echoes, and the thread that polls for it.
pub struct Echo {
    pub server: Arc<Server>,
    pub stop: Arc<AtomicBool>,
    pub thread: Option<JoinHandle<()>>,
}

pub fn bind(way: Way, name: &Name, size: usize) -> Arc<Server> {
    bind_with(way, name, size, Arc::new(AdmitAll))
}

pub fn bind_with(way: Way, name: &Name, size: usize, admission: Arc<dyn Admission>) -> Arc<Server> {
    let options = ServerOptions {
        backend: way.backend,
        size,
        lanes: 64,
        max_clients: 4,
        max_message_len: MAX_MESSAGE_LEN,
        handshake_timeout: PATIENCE,
        trusted: None,
    };
    Server::bind(name.clone(), &Place::default(), &options, admission, Arc::new(way.keys))
        .expect("the name is free")
}

pub const MAX_MESSAGE_LEN: usize = 8 << 20;

/// Only a failing test waits this long. Some tests are much work for a machine under load.
pub const PATIENCE: Duration = Duration::from_secs(300);

impl Echo {
    pub fn start(way: Way, name: &Name, size: usize) -> Self {
        let server = bind(way, name, size);
        let stop = Arc::new(AtomicBool::new(false));
        let thread = thread::spawn({
            let (server, stop) = (Arc::clone(&server), Arc::clone(&stop));
            move || poll(&server, &stop)
        });
        Self { server, stop, thread: Some(thread) }
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.stop.store(true, SeqCst);
        self.server.ring();
        self.thread.take().map(JoinHandle::join);
        self.server.close();
    }
}

/// Runs the poller: it looks for a while, then parks.
pub fn poll(server: &Arc<Server>, stop: &AtomicBool) {
    while !stop.load(SeqCst) {
        let mut scanner = server.scanner();
        for _ in 0..200 {
            scanner.turn(None, |connection, request| {
                let bytes = bytes_of(request.payload);
                let answered = with_message(request.tag + 1, &bytes, |answer| {
                    connection.answer(request.ticket, answer)
                });
                answered.expect("an echo is no longer than its request");
                ControlFlow::Continue(())
            });
        }
        if !scanner.request_wakeup(None) {
            drop(scanner);
            server.park(None);
        }
    }
}

pub fn connect(way: Way, name: &Name, wait: WaitPolicy) -> Arc<Client> {
    let options = ClientOptions {
        backend: way.backend,
        wait_for_server: Duration::ZERO,
        hello: b"hello".to_vec(),
        wait,
        max_region_len: 1 << 30,
        max_answer_len: usize::MAX,
        handshake_timeout: PATIENCE,
        trusted: None,
    };
    Client::connect(name, &Place::default(), &options, &way.keys).expect("the server serves")
}

/// Polls to the end on this thread.
pub fn drive<T>(mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> T {
    struct Unpark(thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        match poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

pub fn send(client: &Arc<Client>, tag: u32, bytes: &[u8]) -> Ticket {
    with_message(tag, bytes, |message| match client.try_send(message) {
        Ok(Some(ticket)) => ticket,
        Ok(None) => {
            let mut sending = SendState::default();
            let mut limit = Limit::Within(PATIENCE);
            drive(|cx| client.poll_send(cx, &mut sending, message, &mut limit)).expect("sent")
        }
        Err(error) => panic!("{error}"),
    })
}

pub fn call(client: &Arc<Client>, bytes: &[u8]) -> Result<Answer, ChannelError> {
    let ticket = send(client, 5, bytes);
    client.wait_answer(ticket, &mut Limit::Within(PATIENCE), |answer| answer)
}

pub fn pattern(len: usize, seed: usize) -> Vec<u8> {
    (0..len).map(|index| ((index + seed) * 31 % 251) as u8).collect()
}
