//! Peers that connect and do not become clients.

use std::io::{IoSlice, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::panic::catch_unwind;

use rustix::event::PollFlags;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use rustix::process::{Resource, Rlimit, setrlimit};
use witrpc_transport::ResourceError;

use crate::memory::region::{Identity, RegionName};
use crate::portable::shm;
use crate::rendezvous::record::Record;
use crate::sys::fdpass::send_with;
use crate::sys::memfd::OwnMemory;
use crate::sys::resource::random_bytes;

use super::descriptors::{open_now, settle_at};
use super::handshake::wait_for;
use super::raw::{Raw, framed, opening, pending};
use super::*;

/// A deadline that a test can wait for. A client is far quicker, and connects again if it is not.
const SOON: Duration = Duration::from_millis(200);

/// Starts a server whose handshakes take at most this time.
fn hasty_server(scratch: &Scratch, handshake_timeout: Duration) -> Server {
    Server::start(&scratch.place(), ServerLimits { handshake_timeout, ..limits() })
}

/// Checks that clients can connect and leave as usual.
pub fn assert_serves(scratch: &Scratch, server: &Server) {
    let client = loop {
        match try_connect(&scratch.place()) {
            Ok(client) => break client,
            // On a machine under load even a client may miss a short deadline.
            Err(ConnectError::HungUp) => {}
            Err(other) => panic!("{other}"),
        }
    };
    // A client that was admitted and then missed the deadline came earlier, and has gone.
    let connected = |event| match event {
        Event::Connected { client_id, .. } => Some(client_id),
        _ => None,
    };
    let id = server.events.try_iter().filter_map(connected).last().expect("it is in");
    drop(client);
    server.expect_hung_up(id);
}

#[test]
fn the_silent_the_half_and_the_garbled_are_dropped_and_others_served() {
    let scratch = Scratch::new();
    let server = hasty_server(&scratch, SOON);
    let words: [Vec<u8>; 8] = [
        Vec::new(),
        opening()[..7].to_vec(),
        opening().to_vec(),
        [&opening()[..], &[9, 0]].concat(),
        [&opening()[..], &framed(&[1; 73])[..40]].concat(),
        [&opening()[..], &framed(&[0; 20])].concat(),
        [&opening()[..], &[0; 4]].concat(),
        vec![b'G'; 100_000],
    ];
    let strangers = words.map(|word| {
        let mut pending = pending(&scratch);
        // The server may drop it before it has sent everything.
        let _ = pending.write_all(&word);
        pending
    });
    assert_serves(&scratch, &server);
    strangers.into_iter().for_each(wait_for_hang_up);
    assert_serves(&scratch, &server);
    server.end();
}

#[test]
fn nothing_is_made_for_a_stranger_that_has_not_proved_the_keys() {
    let test = "rendezvous::tests::unauthenticated::nothing_is_made_for_a_stranger_that_has_not_proved_the_keys";
    in_own_process(test, || {
        let scratch = Scratch::new();
        let server = Server::start(&scratch.place(), limits());
        let regions =
            || fs::read_to_string("/proc/self/maps").unwrap().matches("memfd:witrpc").count();
        let mut silent: Vec<_> = (0..10).map(|_| Raw::new(&scratch)).collect();
        assert_eq!(regions(), 0, "the server has exchanged keys with all of them");
        let (_memory, sealed) = OwnMemory::create(REGION_LEN).unwrap();
        let forged = framed(&[1; 89]);
        assert_eq!(send_with(&silent[0].stream, &forged, &[sealed.file.as_fd()]), Ok(forged.len()));
        wait_for_hang_up(silent.remove(0).stream);
        assert_eq!(regions(), 1, "ours, which the server did not map");
        silent[0].exchange_regions();
        assert_eq!(regions(), 3, "the server's, and the one passed, mapped by the server");
        server.end();
    });
}

#[test]
fn more_strangers_than_places_do_not_keep_clients_out() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch.place(), ServerLimits { grace: GRACE, ..limits() });
    let strangers: Vec<_> = (0..200).map(|_| pending(&scratch)).collect();
    drop(try_connect(&scratch.place()).expect("the oldest give way in the end"));
    let mut strangers = strangers.into_iter();
    for pending in strangers.by_ref().take(100) {
        wait_for_hang_up(pending);
    }
    server.end();
    strangers.for_each(wait_for_hang_up);
}

#[test]
fn a_rush_of_clients_waits_for_its_turn() {
    let scratch = Scratch::new();
    // A peer that is only slow, as all are on a machine under load, keeps its place.
    let limits = ServerLimits { max_clients: 200, ..limits() };
    let server = Server::start(&scratch.place(), limits);
    let (rush, place) = (std::sync::Barrier::new(limits.max_clients), scratch.place());
    let connected: Vec<_> = std::thread::scope(|scope| {
        let client = || {
            rush.wait();
            try_connect(&place)
        };
        let clients: Vec<_> = (0..limits.max_clients).map(|_| scope.spawn(client)).collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    for client in &connected {
        assert!(client.is_ok(), "{client:?}");
    }
    drop(connected);
    server.end();
}

#[test]
fn a_server_that_cannot_allocate_its_region_says_so() {
    let scratch = Scratch::new();
    let limits = ServerLimits { server_region_len: 1 << 50, ..limits() };
    let server = Server::start(&scratch.place(), limits);
    let mut client = Raw::new(&scratch);
    let (_memory, sealed) = OwnMemory::create(REGION_LEN).unwrap();
    client.say_file(sealed.identity, &[sealed.file.as_fd()]);
    let heard = client.hear();
    let Some(Record::Lacking(said)) = Record::decode(&heard) else { panic!("{heard:?}") };
    let lacked = ResourceError::decode(said).expect("a server says what it lacks");
    assert!(
        matches!(lacked, ResourceError::Memory { needed, .. } if needed == 1 << 50),
        "{lacked}"
    );
    wait_for_hang_up(client.stream);
    server.end();
}

#[test]
fn a_client_that_does_not_read_its_welcome_is_dropped() {
    // Gives it as much time as this machine needs to come this far.
    let mut time = SOON;
    while !is_dropped_with_its_welcome_unread(time) {
        assert!(time < PATIENCE, "no client comes in");
        time *= 2;
    }
}

/// Returns `false` if the time was over before the client was admitted.
fn is_dropped_with_its_welcome_unread(time: Duration) -> bool {
    let scratch = Scratch::new();
    let server = hasty_server(&scratch, time);
    // It panics when the server hangs up.
    let _client = catch_unwind(|| {
        let mut client = Raw::new(&scratch);
        let answers = client.exchange_regions();
        client.say(&Record::Hello { answers, blob: &vec![7; MAX_BLOB_LEN] }, &[]);
        wait_for(&client.stream, PollFlags::IN);
        client
    });
    let Ok(Event::Connected { client_id, .. }) = server.events.try_recv() else { return false };
    server.expect_hung_up(client_id);
    server.end();
    true
}

#[test]
fn a_hello_that_answers_another_region_record_is_found_wrong() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch.place(), limits());
    let mut client = Raw::new(&scratch);
    client.exchange_regions();
    client.say(&Record::Hello { answers: [9; 16], blob: &[7; 40] }, &[]);
    assert_eq!(client.hear(), Record::Failure(record::Failure::FoundWrong).encode());
    wait_for_hang_up(client.stream);
    server.end();
}

#[test]
fn named_regions_leave_no_name_when_the_client_dies_in_the_handshake() {
    let scratch = Scratch::new();
    let limits = ServerLimits { backend: PORTABLE, ..limits() };
    let server = Server::start(&scratch.place(), limits);
    let mut client = Raw::new(&scratch);
    let name = RegionName(random_bytes().unwrap());
    // As if killed after sending: this side never removes the name.
    std::mem::forget(shm::OwnMemory::create(name, REGION_LEN).unwrap());
    client.say_name(name, REGION_LEN);
    let record = client.hear();
    let Some(Record::Region { region: Identity::Named { name: theirs, .. }, .. }) =
        Record::decode(&record)
    else {
        panic!("{record:?}")
    };
    let exists = |name: RegionName| Path::new("/dev/shm").join(&name.os_id()[1..]).exists();
    assert!(!exists(name), "the server has it open");
    assert!(exists(theirs), "no process has opened it yet");
    drop(client);
    server.end();
    assert!(!exists(theirs), "the server has given it up");
}

#[test]
fn a_region_of_the_other_backend_or_that_does_not_exist_is_refused() {
    let nowhere = RegionName(random_bytes().unwrap());
    for backend in [Backend::Native, PORTABLE] {
        let scratch = Scratch::new();
        let server = Server::start(&scratch.place(), ServerLimits { backend, ..limits() });
        let mut client = Raw::new(&scratch);
        client.say_name(nowhere, REGION_LEN);
        let refused = Record::Failure(record::Failure::FoundWrong).encode();
        assert_eq!(client.hear(), refused);
        if backend == PORTABLE {
            let mut client = Raw::new(&scratch);
            let (_memory, sealed) = OwnMemory::create(REGION_LEN).unwrap();
            client.say_file(sealed.identity, &[sealed.file.as_fd()]);
            assert_eq!(client.hear(), refused);
        }
        server.end();
    }
}

#[test]
fn strangers_and_clients_leave_no_descriptor_behind() {
    let test =
        "rendezvous::tests::unauthenticated::strangers_and_clients_leave_no_descriptor_behind";
    in_own_process(test, || {
        let scratch = Scratch::new();
        let before = open_now();
        let server = Server::start(&scratch.place(), limits());
        let file = fs::File::open("/proc/self/exe").unwrap();
        for round in 0..20 {
            let mut pending = pending(&scratch);
            pending.write_all(&opening()[..round % 17]).unwrap();
            // Descriptors that the protocol does not expect.
            let _ = send_with(&pending, b"x", &[file.as_fd(), file.as_fd()]);
            drop(pending);
            let greedy = Raw::new(&scratch);
            send_many(&greedy.stream, &[file.as_fd(); 8]);
            wait_for_hang_up(greedy.stream);
            assert_serves(&scratch, &server);
        }
        drop(file);
        server.end();
        settle_at(before);
    });
}

/// Passes more descriptors than any message of the handshake does.
pub fn send_many(pending: &UnixStream, passed: &[BorrowedFd<'_>; 8]) {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(8))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    assert!(control.push(SendAncillaryMessage::ScmRights(passed)));
    let bytes = [IoSlice::new(b"abcd")];
    assert_eq!(sendmsg(pending, &bytes, &mut control, SendFlags::empty()), Ok(4));
}

#[test]
fn a_server_that_ran_out_of_descriptors_goes_on_when_it_has_some_again() {
    let test = "rendezvous::tests::unauthenticated::a_server_that_ran_out_of_descriptors_goes_on_when_it_has_some_again";
    in_own_process(test, || {
        let scratch = Scratch::new();
        let server = Server::start(&scratch.place(), limits());
        // Accepted already, so that the server needs no descriptor for it below.
        let waiting = Raw::new(&scratch);
        let mut hoard = Vec::new();
        setrlimit(Resource::Nofile, Rlimit { current: Some(64), maximum: Some(64) }).unwrap();
        while let Ok(file) = fs::File::open("/dev/null") {
            hoard.push(file);
        }
        // One is for the client's socket, none is left for the server's but its reserve.
        hoard.pop();
        let client = pending(&scratch);
        drop((hoard, waiting));
        drop(try_connect(&scratch.place()).expect("there are descriptors again"));
        drop(client);
        server.end();
    });
}

/// A host that panics as it is asked, and says when its thread has failed.
struct Panics(Sender<()>);

impl Host for Panics {
    fn admit(&self, _client: &ClientInfo, _hello: &[u8]) -> Admitted {
        panic!("a host panics")
    }

    fn connected(&self, _client: ClientInfo, _session: Session, _connection: Established) {}

    fn hung_up(&self, _client_id: u64) {}

    fn failed(&self) {
        let _ = self.0.send(());
    }
}

#[test]
fn a_host_that_panics_is_told_that_its_thread_has_failed() {
    let scratch = Scratch::new();
    let (sender, failed) = channel();
    let control = start(claim(&scratch.place()), limits(), Arc::new(Panics(sender)));
    try_connect(&scratch.place()).expect_err("the host panics");
    failed.recv_timeout(PATIENCE).expect("the host learns of the panic");
    drop(claim(&scratch.place()));
    // An orderly end afterwards is no failure: the host learns of one only.
    control.shutdown();
    drop(control);
    assert!(failed.recv().is_err(), "the host learns of it twice");
}
