//! A bare Unix stream socket: what two programs have without a library.
//!
//! A request is two words, and the words to be summed if there are any. An answer is one word.
//! Requests in flight are written together and read together.

use std::io::{self, ErrorKind, Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::thread;

use crate::peer::{Connection, IN_FLIGHT, MAX_WORDS, Peer, Session, Wait, bytes_of, look_until};
use crate::support::studio;

pub(crate) static PEER: Peer = Peer { label: "Unix socket", ours: false, serve, connect };

const REQUEST_LEN: usize = 24;
/// In a request's first word: two words to be added, or words that follow to be summed.
const ADD: u64 = 0;
const SUM: u64 = 1;

fn address(name: &str) -> SocketAddr {
    SocketAddr::from_abstract_name(name).expect("a short name")
}

/// Listens under a name that no file has.
pub(crate) fn bind(name: &str) -> UnixListener {
    UnixListener::bind_addr(&address(name)).expect("the name is free")
}

/// Connects to what [`bind`] listens on.
pub(crate) fn connect_to(name: &str) -> UnixStream {
    UnixStream::connect_addr(&address(name)).expect("the server listens")
}

fn serve(session: &Session, ready: &dyn Fn()) {
    let listener = bind(&session.name);
    ready();
    for stream in listener.incoming() {
        let stream = Patient::new(stream.expect("a client"), session.wait);
        thread::spawn(move || answer(stream));
    }
}

/// A stream that looks again where a polled one has nothing.
struct Patient(UnixStream);

impl Patient {
    fn new(stream: UnixStream, wait: Wait) -> Self {
        stream.set_nonblocking(wait == Wait::Polled).expect("a socket");
        Self(stream)
    }

    fn patiently<T>(&mut self, mut act: impl FnMut(&mut UnixStream) -> io::Result<T>) -> T {
        let done = look_until(|| match act(&mut self.0) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => None,
            done => Some(done),
        });
        done.expect("the other side lives")
    }

    /// Reads what there is, at least a byte; nothing at the end.
    fn read(&mut self, buffer: &mut [u8]) -> usize {
        self.patiently(|stream| stream.read(buffer))
    }

    fn read_all(&mut self, mut buffer: &mut [u8]) {
        while !buffer.is_empty() {
            let len = self.read(buffer);
            assert_ne!(len, 0, "the other side lives");
            buffer = &mut buffer[len..];
        }
    }

    fn write_all(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let len = self.patiently(|stream| stream.write(bytes));
            bytes = &bytes[len..];
        }
    }
}

/// Answers all requests of a read by one write.
fn answer(mut stream: Patient) {
    let mut requests = vec![0; IN_FLIGHT * REQUEST_LEN];
    let mut answers = Vec::with_capacity(IN_FLIGHT * size_of::<u64>());
    let mut words = Vec::new();
    let mut filled = 0;
    loop {
        let len = stream.read(&mut requests[filled..]);
        if len == 0 {
            return;
        }
        filled += len;
        let mut taken = 0;
        while filled - taken >= REQUEST_LEN {
            let [kind, a, b] = words_of(&requests[taken..]);
            taken += REQUEST_LEN;
            let sum = if kind == ADD {
                a.wrapping_add(b)
            } else {
                words.resize(a as usize, 0);
                let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut words);
                let here = bytes.len().min(filled - taken);
                bytes[..here].copy_from_slice(&requests[taken..taken + here]);
                taken += here;
                stream.read_all(&mut bytes[here..]);
                studio::sum(&words)
            };
            answers.extend_from_slice(&sum.to_le_bytes());
        }
        requests.copy_within(taken..filled, 0);
        filled -= taken;
        stream.write_all(&answers);
        answers.clear();
    }
}

fn words_of(request: &[u8]) -> [u64; 3] {
    let (words, _) = request.as_chunks();
    [0, 1, 2].map(|index| u64::from_le_bytes(words[index]))
}

fn request(kind: u64, a: u64, b: u64) -> [u8; REQUEST_LEN] {
    bytemuck::cast([kind, a, b].map(u64::to_le))
}

struct Client(Patient);

fn connect(session: &Session) -> Box<dyn Connection> {
    Box::new(Client(Patient::new(connect_to(&session.name), session.wait)))
}

impl Client {
    fn answer(&mut self) -> u64 {
        let mut answer = [0; size_of::<u64>()];
        self.0.read_all(&mut answer);
        u64::from_le_bytes(answer)
    }
}

impl Connection for Client {
    fn add(&mut self, a: u64, b: u64) -> u64 {
        self.0.write_all(&request(ADD, a, b));
        self.answer()
    }

    fn sum(&mut self, words: &[u64]) -> u64 {
        assert!(words.len() <= MAX_WORDS);
        self.0.write_all(&request(SUM, words.len() as u64, 0));
        self.0.write_all(bytes_of(words));
        self.answer()
    }

    fn add_in_flight(&mut self, calls: usize) {
        let mut answers = [0; IN_FLIGHT * size_of::<u64>()];
        for first in (0..calls).step_by(IN_FLIGHT) {
            let count = IN_FLIGHT.min(calls - first);
            let requests = (0..count).map(|call| request(ADD, (first + call) as u64, 1));
            let requests: Vec<_> = requests.collect();
            self.0.write_all(requests.as_flattened());
            self.0.read_all(&mut answers[..count * size_of::<u64>()]);
        }
    }
}
