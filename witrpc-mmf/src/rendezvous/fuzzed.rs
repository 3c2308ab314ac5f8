//! A server's side of a handshake against a peer whose actions come from the fuzzer's bytes.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use witrpc_rt::PeerCredentials;
use witrpc_transport::{Admitted, ClientInfo, Demands, Initiator, Plain, Responder, Session};

use crate::fuzzing::Script;
use crate::memory::layout::Layout;
use crate::memory::region::{Identity, Made, OwnPages};
use crate::portable::Backend;
use crate::sys::fd_closer::Socket;
use crate::sys::fdpass::send_with;
use crate::sys::fork::Descriptor;

use super::control::{HandshakeContext, Host, ServerLimits};
use super::frame::Inbox;
use super::peer::Established;
use super::pending_handshake::{PendingHandshake, Progress};
use super::record::{ClientOpening, Exchanged, Nonce, PROTOCOL_VERSION, Record, ServerOpening};
use super::records::Records;

const LANES: u32 = 4;

/// A host that counts the clients it has admitted.
#[derive(Default)]
struct CountingHost(AtomicU32);

impl Host for CountingHost {
    fn responder(&self) -> &dyn Responder {
        &const { Plain::new(false) }
    }

    fn admit(&self, _: &ClientInfo, hello: &[u8]) -> Admitted {
        match hello.first() {
            Some(0) => Admitted::Refusal(hello.into()),
            _ => Admitted::Welcome { welcome: hello.into(), session: Session::new(Arc::new(())) },
        }
    }

    fn connected(&self, _: ClientInfo, _: Session, _: Established) {
        self.0.fetch_add(1, SeqCst);
    }

    fn hung_up(&self, _: u64) {}
}

/// The peer's end of the handshake, and what it has learned.
struct Hostile {
    socket: Socket,
    inbox: Inbox,
    /// Whether it has received the server's opening.
    is_greeted: bool,
    records: Option<Records>,
    /// The nonce of the server's region record.
    nonce: Option<Nonce>,
    /// Whether it has followed the protocol so far.
    may_come_in: bool,
}

/// Runs the handshake. Whatever the peer does, the server either hangs up or admits it, and it admits
/// only a peer that has followed the whole protocol.
pub fn handshake(bytes: &[u8]) {
    let len = Layout::min_region_len(LANES);
    let counting = Arc::new(CountingHost::default());
    let who = PeerCredentials { pid: 1, uid: 1 };
    let limits = ServerLimits {
        backend: Backend::Native,
        max_clients: 1,
        lanes: LANES,
        client_region_len: len,
        server_region_len: len,
        max_message_len: 1000,
        handshake_timeout: Duration::MAX,
        grace: Duration::MAX,
    };
    let host = Arc::clone(&counting) as Arc<dyn Host>;
    let mut context =
        HandshakeContext::new(String::from("calc"), vec![who.uid], limits, host).unwrap();
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::STREAM, flags, None)
        .expect("there are descriptors");
    let mut pending = PendingHandshake::new(open(ours), who, Duration::from_secs(3600));
    let mut hostile = Hostile::new(open(theirs));
    let mut script = Script::new(bytes);
    while let Some([step]) = script.next() {
        hostile.act(step, &mut script, len);
        let progress = pending.advance(&mut context);
        let let_in = counting.0.load(SeqCst) > 0;
        assert!(!let_in || hostile.may_come_in, "a stranger was let in");
        if !matches!(progress, Progress::Pending) {
            return;
        }
        hostile.listen();
    }
}

fn open(socket: OwnedFd) -> Socket {
    Socket::new(Descriptor::open(|| Ok::<_, ()>(socket)).expect("it is open"))
}

impl Hostile {
    fn new(socket: Socket) -> Self {
        let (records, nonce) = (None, None);
        Self { socket, inbox: Inbox::new(), is_greeted: false, records, nonce, may_come_in: false }
    }

    /// Sends what the socket takes. A full or closed socket takes less.
    fn send(&self, bytes: &[u8], passed: &[OwnedFd]) {
        let passed: Vec<_> = passed.iter().map(AsFd::as_fd).collect();
        let _ = send_with(&self.socket, bytes, &passed);
    }

    fn send_framed(&self, bytes: &[u8], passed: &[OwnedFd]) {
        let len = u32::try_from(bytes.len()).expect("they come from a script");
        self.send(&[&len.to_le_bytes(), bytes].concat(), passed);
    }

    fn send_sealed(&mut self, record: &[u8], passed: &[OwnedFd]) {
        let Some(records) = &mut self.records else { return self.send_framed(record, passed) };
        let sealed = records.seal(record);
        self.send_framed(&sealed, passed);
    }

    /// Takes one step: sends bytes of the script as they are, or what a client would send now.
    fn act(&mut self, step: u8, script: &mut Script<'_>, region_len: usize) {
        match step % 8 {
            0 => {
                let bytes = script.bytes();
                self.send(bytes, &[]);
            }
            1 => {
                let bytes = script.bytes();
                self.send_sealed(bytes, &[]);
            }
            2 | 3 => {
                let demands = Demands::default();
                self.send(&ClientOpening { version: PROTOCOL_VERSION, demands }.encode(), &[]);
            }
            4 => {
                let begun = Plain::default().begin(&[]).unwrap();
                self.send_framed(&begun.message, &[]);
            }
            5 | 6 => self.send_region(script.byte(), region_len),
            _ => {
                let answers = self.nonce.unwrap_or_default();
                self.may_come_in = self.nonce.is_some();
                let blob = script.bytes();
                self.send_sealed(&Record::Hello { answers, blob }.encode(), &[]);
            }
        }
    }

    fn send_region(&mut self, how: u8, len: usize) {
        let made = OwnPages::make(Backend::Native, len).expect("there is memory");
        let Made { identity, file, .. } = made;
        let identity = match identity {
            Identity::File(file) if how & 16 != 0 => {
                Identity::File(crate::sys::memfd::FileIdentity { inode: file.inode ^ 1, ..file })
            }
            other => other,
        };
        let file = file.expect("the native backend passes it").unregister();
        let pipe = || OwnedFd::from(std::io::pipe().expect("there are descriptors").0);
        let passed = match how & 7 {
            0 => vec![],
            1 => vec![pipe()],
            2 => vec![file, pipe()],
            _ => vec![file],
        };
        let record =
            Record::Region { region: identity, doorbell: 0, nonce: [1; 16], answers: [0; 16] };
        self.send_sealed(&record.encode(), &passed);
    }

    /// Reads what the server has sent, as far as a client would.
    fn listen(&mut self) {
        if !self.is_greeted {
            let heard = self.inbox.opening(&self.socket, ServerOpening::LEN);
            self.is_greeted = matches!(heard, Ok(Some(_)));
        }
        if self.is_greeted && self.records.is_none() {
            let Ok(Some(reply)) = self.inbox.exchanged(&self.socket) else { return };
            let Some(Exchanged::Message(message)) = Exchanged::decode(reply) else { return };
            let keys = (Plain::default().begin(&[]).unwrap().finish)(message);
            self.records = Some(Records::new(keys.expect("the server replies as it must")));
        }
        let Some(records) = &mut self.records else { return };
        let Ok(Some(record)) = self.inbox.small_record(&self.socket) else { return };
        let opened = records.open(record);
        if let Some(Record::Region { nonce, .. }) = opened.as_deref().and_then(Record::decode) {
            self.nonce = Some(nonce);
        }
        drop(self.inbox.take_passed());
    }
}
