//! Long regions, which are made in steps so that other clients need not wait for them.

use std::os::fd::{AsFd, OwnedFd};
use std::task::Wake;

use witrpc_rt::PeerCredentials;
use witrpc_transport::{Begun, Initiator, NoRandomBytes};

use crate::memory::region::Identity;
use crate::rendezvous::control::HandshakeContext;
use crate::rendezvous::pending_handshake::{PendingHandshake, Progress};
use crate::rendezvous::record::Record;
use crate::sys::fd_closer::Socket;
use crate::sys::fork::Descriptor;
use crate::sys::memfd::OwnMemory;

use super::raw::Raw;
use super::*;

/// The length of a region that takes three steps.
const LONG: usize = 12 << 20;

fn long_limits() -> ServerLimits {
    ServerLimits { server_region_len: LONG, ..limits() }
}

/// Returns a handshake whose server has just received the client's region record.
fn before_the_region() -> (PendingHandshake, HandshakeContext, Raw) {
    let (ours, theirs) = UnixStream::pair().expect("there are descriptors");
    ours.set_nonblocking(true).expect("it is open");
    let socket = Descriptor::open(|| Ok::<_, ()>(OwnedFd::from(ours))).expect("it is open");
    let who = PeerCredentials { pid: 1, uid: 1 };
    let host = Arc::new(Recorder(channel().0));
    let mut context =
        HandshakeContext::new("calc".to_owned(), vec![who.uid], long_limits(), host).unwrap();
    let mut pending = PendingHandshake::new(Socket::new(socket), who, PATIENCE);
    let mut raw = Raw::meet(theirs, || {
        assert!(matches!(pending.advance(&mut context), Progress::Pending));
    });
    let (_memory, sealed) = OwnMemory::create(REGION_LEN).expect("there is memory");
    raw.say_file(sealed.identity, &[sealed.file.as_fd()]);
    (pending, context, raw)
}

#[test]
fn others_have_their_turn_between_the_steps() {
    let (mut pending, mut context, mut raw) = before_the_region();
    for _ in 0..2 {
        assert!(matches!(pending.advance(&mut context), Progress::Busy));
        assert!(pending.is_busy());
    }
    assert!(matches!(pending.advance(&mut context), Progress::Pending));
    match Record::decode(&raw.hear()) {
        Some(Record::Region { region: Identity::File(file), .. }) => {
            assert_eq!(file.size, LONG as u64);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn nothing_more_is_made_for_a_client_that_has_left() {
    let (mut pending, mut context, raw) = before_the_region();
    assert!(matches!(pending.advance(&mut context), Progress::Busy));
    drop(raw);
    assert!(matches!(pending.advance(&mut context), Progress::Over));
}

#[test]
fn clients_whose_regions_are_made_at_the_same_time_all_come_in() {
    let scratch = Scratch::new();
    let limits = ServerLimits { client_region_len: LONG, ..long_limits() };
    let server = Server::start(&scratch.place(), limits);
    let clients: Vec<_> = std::thread::scope(|scope| {
        let connecting: Vec<_> =
            (0..4).map(|_| scope.spawn(|| try_connect(&scratch.place()))).collect();
        connecting.into_iter().map(|client| client.join().unwrap().expect("let in")).collect()
    });
    let ids: Vec<_> = clients.iter().map(|_| server.next_connected().0).collect();
    drop(clients);
    for _ in ids {
        assert!(matches!(server.next(), Event::HungUp(_)));
    }
    server.end();
}

/// An initiator that interrupts as soon as the keys exist, which is right before the client makes its
/// region.
struct GivesUp(Arc<Interrupt>);

impl Initiator for GivesUp {
    fn demands(&self) -> Demands {
        PLAIN.demands()
    }

    fn begin(&self, prologue: &[u8]) -> Result<Begun, NoRandomBytes> {
        let Begun { message, finish, .. } = PLAIN.begin(prologue)?;
        let interrupt = Arc::clone(&self.0);
        Ok(Begun::new(message, move |reply| {
            interrupt.wake();
            finish(reply)
        }))
    }
}

static PLAIN: Plain = Plain::new(false);

#[test]
fn a_client_that_gives_up_makes_no_region() {
    for backend in [Backend::Native, PORTABLE] {
        let scratch = Scratch::new();
        // More than any machine has, which a client that began with it would report.
        let client_region_len = 1 << 45;
        let server_region_len = client_region_len;
        let limits = ServerLimits { backend, client_region_len, server_region_len, ..limits() };
        let server = Server::start(&scratch.place(), limits);
        let interrupt = Arc::new(Interrupt::new().unwrap());
        let initiator = GivesUp(Arc::clone(&interrupt));
        let max_region_len = u64::MAX;
        let options =
            ConnectOptions { backend, max_region_len, initiator: &initiator, ..options() };
        let limit = ConnectLimit { until: None, interrupt: Some(interrupt) };
        let given_up = connect_within(&name("calc"), &scratch.place(), &options, &limit);
        assert!(matches!(given_up, Err(ConnectError::Interrupted)), "{:?}", given_up.err());
        server.end();
    }
}
