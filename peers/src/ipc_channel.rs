//! ipc-channel: a typed channel each way, a thread of the server for each client.
//!
//! Long messages go through its shared memory, as its documentation advises.

use std::hint::black_box;
use std::io::{Read, Write};
use std::thread;

use ipc_channel::TryRecvError;
use ipc_channel::ipc::{self, IpcOneShotServer, IpcReceiver, IpcSender, IpcSharedMemory};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_bytes::ByteBuf;

use crate::peer::{Connection, IN_FLIGHT, Peer, Session, Wait, bytes_of, look_until, sum_of_bytes};
use crate::socket;

pub(crate) static PEER: Peer = Peer { label: "ipc-channel", ours: false, serve, connect };

/// From here on shared memory is faster than the socket underneath.
const SHARED_FROM: usize = 32 << 10;

#[derive(Serialize, Deserialize)]
enum Request {
    Add(u64, u64),
    Sum(ByteBuf),
    SumShared(IpcSharedMemory),
}

type Ends = (IpcReceiver<Request>, IpcSender<u64>);

/// Tells each client over a socket where to send the ends of its channels.
fn serve(session: &Session, ready: &dyn Fn()) {
    let listener = socket::bind(&session.name);
    ready();
    for stream in listener.incoming() {
        let (server, name) = IpcOneShotServer::<Ends>::new().expect("a name is free");
        stream.expect("a client").write_all(name.as_bytes()).expect("the client reads");
        let wait = session.wait;
        thread::spawn(move || {
            let (_, (requests, answers)) = server.accept().expect("the client connects");
            while let Some(request) = receive(&requests, wait) {
                if answers.send(answer(request)).is_err() {
                    return;
                }
            }
        });
    }
}

fn answer(request: Request) -> u64 {
    match request {
        Request::Add(a, b) => a.wrapping_add(b),
        Request::Sum(bytes) => sum_of_bytes(&bytes),
        Request::SumShared(memory) => sum_of_bytes(&memory),
    }
}

/// Returns the next message, or nothing at the end.
fn receive<T: DeserializeOwned + Serialize>(from: &IpcReceiver<T>, wait: Wait) -> Option<T> {
    if wait != Wait::Polled {
        return from.recv().ok();
    }
    look_until(|| match from.try_recv() {
        Ok(message) => Some(Some(message)),
        Err(TryRecvError::Empty) => None,
        Err(TryRecvError::IpcError(_)) => Some(None),
    })
}

struct Client {
    requests: IpcSender<Request>,
    answers: IpcReceiver<u64>,
    wait: Wait,
}

fn connect(session: &Session) -> Box<dyn Connection> {
    let mut name = String::new();
    socket::connect_to(&session.name).read_to_string(&mut name).expect("the server tells");
    let (requests, theirs) = ipc::channel().expect("a channel");
    let (to_us, answers) = ipc::channel().expect("a channel");
    let server = IpcSender::<Ends>::connect(name).expect("the server waits");
    server.send((theirs, to_us)).expect("the server waits");
    Box::new(Client { requests, answers, wait: session.wait })
}

impl Client {
    fn send(&self, request: Request) {
        self.requests.send(request).expect("the server lives");
    }

    fn receive(&self) -> u64 {
        receive(&self.answers, self.wait).expect("the server lives")
    }
}

impl Connection for Client {
    fn add(&mut self, a: u64, b: u64) -> u64 {
        self.send(Request::Add(a, b));
        self.receive()
    }

    fn sum(&mut self, words: &[u64]) -> u64 {
        let bytes = bytes_of(words);
        self.send(if bytes.len() < SHARED_FROM {
            Request::Sum(ByteBuf::from(bytes))
        } else {
            Request::SumShared(IpcSharedMemory::from_bytes(bytes))
        });
        self.receive()
    }

    fn add_in_flight(&mut self, calls: usize) {
        for call in 0..calls {
            if call >= IN_FLIGHT {
                black_box(self.receive());
            }
            self.send(Request::Add(call as u64, 1));
        }
        for _ in 0..calls.min(IN_FLIGHT) {
            black_box(self.receive());
        }
    }
}
