//! Descriptors that take as long to close as their sender wants, passed in every way there is.

use std::io::{IoSlice, Write};
use std::mem::MaybeUninit;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::sockopt::set_socket_linger;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use rustix::process::{Resource, Rlimit, setrlimit};

use crate::rendezvous::record::{ClientOpening, PROTOCOL_VERSION, ServerOpening};
use crate::sys::doorbell::{Doorbell, Drained};
use crate::sys::fd_closer;
use crate::sys::fork::Descriptor;

use super::raw::{Raw, opening, pending, read_exactly};
use super::unauthenticated::{assert_serves, send_many};
use super::*;

/// Longer than any test waits.
const FOR_EVER: Duration = Duration::from_secs(24 * 60 * 60);

/// A socket whose last close blocks the closing thread for ever: the other end does not read what was
/// written to it.
pub struct Bomb {
    pub socket: OwnedFd,
    pub fuse: Fuse,
}

/// The other end. Dropping it ends the wait.
pub struct Fuse(#[expect(dead_code, reason = "kept open")] TcpStream);

impl Bomb {
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let mut socket = TcpStream::connect(listener.local_addr().unwrap()).expect("it listens");
        let fuse = Fuse(listener.accept().expect("the connection has come").0);
        set_socket_linger(&socket, Some(FOR_EVER)).unwrap();
        socket.set_nonblocking(true).unwrap();
        while socket.write(&[0; 1 << 16]).is_ok() {}
        Self { socket: socket.into(), fuse }
    }

    /// Creates a bomb that lies in the queue of a socket, where no process can take it apart.
    pub fn hidden() -> Self {
        let Self { socket, fuse } = Self::new();
        let (inner, outer) = UnixStream::pair().unwrap();
        send_last(&outer, b"x", &[], &socket, SendFlags::empty());
        Self { socket: inner.into(), fuse }
    }

    /// Sends the last reference to it with some bytes, to a receiver that does not look yet.
    pub fn send(self, to: impl AsFd, bytes: &[u8], flags: SendFlags) -> Fuse {
        send_last(to, bytes, &[], &self.socket, flags);
        self.fuse
    }

    /// Sends it to a receiver that looks at once.
    pub fn pass(self, to: impl AsFd, bytes: &[u8], flags: SendFlags) -> Fuse {
        send_last(to, bytes, &[], &self.socket, flags);
        self.close_elsewhere()
    }

    /// Sends it behind other descriptors, which take the free places before it.
    fn send_behind(self, others: [BorrowedFd<'_>; OTHERS], to: impl AsFd) -> Fuse {
        send_last(to, b"abcd", &others, &self.socket, SendFlags::empty());
        self.close_elsewhere()
    }

    /// Closes the sender's copy on a thread that may block. If the receiver has closed its copy already,
    /// this close is the last.
    fn close_elsewhere(self) -> Fuse {
        std::thread::spawn(move || drop(self.socket));
        self.fuse
    }
}

/// More descriptors than the places that sending them frees.
const OTHERS: usize = 9;

fn send_last(
    to: impl AsFd,
    bytes: &[u8],
    others: &[BorrowedFd<'_>],
    socket: &OwnedFd,
    flags: SendFlags,
) {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(OTHERS + 1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let passed = [others, &[socket.as_fd()]].concat();
    assert!(control.push(SendAncillaryMessage::ScmRights(&passed)));
    let flags = flags | SendFlags::NOSIGNAL;
    let sent = sendmsg(to, &[IoSlice::new(bytes)], &mut control, flags);
    if sent != Ok(bytes.len()) {
        // Otherwise this thread would be the one that blocks.
        set_socket_linger(socket, None).unwrap();
        panic!("{sent:?}");
    }
}

#[test]
fn strangers_that_pass_bombs_delay_no_client() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch.place(), limits());
    for flags in [SendFlags::empty(), SendFlags::OOB] {
        let mut fuses = Vec::new();
        // With the first or the last bytes of an opening; in place of a key or a region; with the
        // hello.
        let early = pending(&scratch);
        fuses.push(Bomb::new().pass(&early, &opening()[..1], flags));
        let mut behind = pending(&scratch);
        let other =
            ClientOpening { version: PROTOCOL_VERSION + 1, demands: Demands::default() }.encode();
        behind.write_all(&other[..15]).unwrap();
        fuses.push(Bomb::new().pass(&behind, &other[15..], SendFlags::empty()));
        let mut as_key = pending(&scratch);
        as_key.write_all(&opening()).unwrap();
        read_exactly(&mut as_key, ServerOpening::LEN);
        fuses.push(Bomb::new().pass(&as_key, b"abcd", flags));
        let as_region = Raw::new(&scratch).stream;
        fuses.push(Bomb::new().pass(&as_region, b"abcd", flags));
        let mut with_hello = Raw::new(&scratch);
        with_hello.exchange_regions();
        let with_hello = with_hello.stream;
        fuses.push(Bomb::new().pass(&with_hello, &[1; 1000], flags));
        assert_serves(&scratch, &server);
        for pending in [early, behind, as_key, as_region, with_hello] {
            wait_for_hang_up(pending);
        }
        assert_serves(&scratch, &server);
        drop(fuses);
    }
    server.end();
}

#[test]
fn a_client_that_leaves_bombs_in_its_link_delays_no_client() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch.place(), limits());
    for flags in [SendFlags::empty(), SendFlags::OOB] {
        let client = try_connect(&scratch.place()).unwrap();
        let (id, _connection) = server.next_connected();
        let fuse = Bomb::new().send(&client.link, b"x", flags);
        drop(client);
        server.expect_hung_up(id);
        assert_serves(&scratch, &server);
        drop(fuse);
    }
    server.end();
}

/// The kernel closes a descriptor that finds no place in the process, in the thread that receives it.
#[test]
fn a_bomb_that_there_is_no_place_for_delays_no_client() {
    let test = "rendezvous::tests::bombs::a_bomb_that_there_is_no_place_for_delays_no_client";
    in_own_process(test, || {
        let scratch = Scratch::new();
        let server = Server::start(&scratch.place(), limits());
        let client = try_connect(&scratch.place()).unwrap();
        let (_id, mut connection) = server.next_connected();
        let bombs = [(); 3].map(|()| Bomb::new());
        let null = fs::File::open("/dev/null").unwrap();
        let others = [null.as_fd(); OTHERS];
        setrlimit(Resource::Nofile, Rlimit { current: Some(64), maximum: Some(64) }).unwrap();
        let mut hoard = Vec::new();
        let mut fuses = Vec::new();
        for (said, bomb) in [&[][..], &opening(), &[]].into_iter().zip(bombs) {
            while let Ok(file) = fs::File::open("/dev/null") {
                hoard.push(file);
            }
            if fuses.len() == 2 {
                let doorbell = client.established.doorbell.as_ref().expect("the backend has one");
                fuses.push(bomb.send_behind(others, doorbell));
                continue;
            }
            // One place is for the stranger's socket. None is left for the server's own, which gets the
            // place that the bomb leaves, or that of the server's reserve.
            hoard.pop();
            let mut pending = pending(&scratch);
            pending.write_all(said).unwrap();
            fuses.push(bomb.send_behind(others, &pending));
            wait_for_hang_up(pending);
        }
        assert_eq!(Doorbell::new(connection.doorbell.take()).drain(), Drained::ReceivedFd);
        drop(hoard);
        drop(client);
        assert!(matches!(server.next(), Event::HungUp(_)));
        assert_serves(&scratch, &server);
        drop(fuses);
        server.end();
    });
}

/// Counts the descriptors of this process that are of that kind.
fn nulls() -> usize {
    let open = fs::read_dir("/proc/self/fd").expect("proc is mounted");
    let paths = open.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    paths.filter(|path| path == Path::new("/dev/null")).count()
}

#[test]
fn a_server_whose_closers_are_all_kept_waiting_serves_on_and_lets_in_later() {
    let test = "rendezvous::tests::bombs::\
                a_server_whose_closers_are_all_kept_waiting_serves_on_and_lets_in_later";
    in_own_process(test, || {
        let scratch = Scratch::new();
        let server = Server::start(&scratch.place(), limits());
        let clients = [(); 2].map(|()| {
            let client = try_connect(&scratch.place()).unwrap();
            (client, server.next_connected())
        });
        let greedy = Raw::new(&scratch).stream;
        let null = fs::File::open("/dev/null").unwrap();
        let mut fuses = Vec::new();
        // Each closer takes one, and one is left.
        for _ in 0..=fd_closer::MAX_CLOSERS {
            let Bomb { socket, fuse } = Bomb::hidden();
            drop(fd_closer::ReceivedFd::new(Descriptor::open(|| Ok::<_, ()>(socket)).unwrap()));
            fuses.push(fuse);
        }
        assert!(fd_closer::is_backed_up());
        let before = nulls();
        send_many(&greedy, &[null.as_fd(); 8]);
        // The control thread still works.
        for (client, (id, _connection)) in clients {
            drop(client);
            server.expect_hung_up(id);
        }
        // It looked at the stranger before it heard of the second of these.
        assert_eq!(nulls(), before, "it takes in more that is to be closed");
        std::thread::scope(|scope| {
            let late = scope.spawn(|| try_connect(&scratch.place()).map(drop));
            drop(fuses);
            late.join().unwrap().expect("the closers are free again");
        });
        wait_for_hang_up(greedy);
        server.end();
    });
}
