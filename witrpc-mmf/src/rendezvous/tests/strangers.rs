//! Those who connect and are no clients.

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

/// So soon that a test can wait for it. A client is quicker by far, and is tried again where it is
/// not.
const SOON: Duration = Duration::from_millis(200);

/// A server whose handshakes take no longer than that.
fn hasty_server(scratch: &Scratch, handshake_timeout: Duration) -> Server {
    Server::start(&scratch.place(), ServerLimits { handshake_timeout, ..limits() })
}

/// Clients come and go as if nothing were.
pub fn assert_serves(scratch: &Scratch, server: &Server) {
    let client = loop {
        match try_connect(&scratch.place()) {
            Ok(client) => break client,
            // On a machine under load even a client may miss a short deadline.
            Err(ConnectError::HungUp) => {}
            Err(other) => panic!("{other}"),
        }
    };
    // Who was admitted and then missed the deadline has come before it, and has gone.
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
        // It may be dropped before it has said all of it.
        let _ = pending.write_all(&word);
        pending
    });
    assert_serves(&scratch, &server);
    strangers.into_iter().for_each(wait_for_hang_up);
    assert_serves(&scratch, &server);
    server.end();
}

#[test]
fn nothing_is_made_for_one_who_has_not_shown_the_keys() {
    let test = "rendezvous::tests::strangers::nothing_is_made_for_one_who_has_not_shown_the_keys";
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
    // Nobody gives way who is only slow, as all are on a machine under load.
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
    // As much time as it takes on this machine to come as far as that.
    let mut time = SOON;
    while !is_dropped_with_its_welcome_unread(time) {
        assert!(time < PATIENCE, "no client comes in");
        time *= 2;
    }
}

/// `false` if the time was over before the client was let in.
fn is_dropped_with_its_welcome_unread(time: Duration) -> bool {
    let scratch = Scratch::new();
    let server = hasty_server(&scratch, time);
    // It panics when it is hung up on.
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
    let limits = ServerLimits { backend: Backend::Portable, ..limits() };
    let server = Server::start(&scratch.place(), limits);
    let mut client = Raw::new(&scratch);
    let name = RegionName(random_bytes().unwrap());
    // As if killed after sending: nothing on this side will ever take the name away.
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
    assert!(exists(theirs), "nobody has opened it yet");
    drop(client);
    server.end();
    assert!(!exists(theirs), "the server has given it up");
}

#[test]
fn a_region_of_the_other_backend_or_that_does_not_exist_is_refused() {
    let nowhere = RegionName(random_bytes().unwrap());
    for backend in [Backend::Native, Backend::Portable] {
        let scratch = Scratch::new();
        let server = Server::start(&scratch.place(), ServerLimits { backend, ..limits() });
        let mut client = Raw::new(&scratch);
        client.say_name(nowhere, REGION_LEN);
        let refused = Record::Failure(record::Failure::FoundWrong).encode();
        assert_eq!(client.hear(), refused);
        if backend == Backend::Portable {
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
    let test = "rendezvous::tests::strangers::strangers_and_clients_leave_no_descriptor_behind";
    in_own_process(test, || {
        let scratch = Scratch::new();
        let before = open_now();
        let server = Server::start(&scratch.place(), limits());
        let file = fs::File::open("/proc/self/exe").unwrap();
        for round in 0..20 {
            let mut pending = pending(&scratch);
            pending.write_all(&opening()[..round % 17]).unwrap();
            // Descriptors that nobody asked for.
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
    let test = "rendezvous::tests::strangers::a_server_that_ran_out_of_descriptors_goes_on_when_it_has_some_again";
    in_own_process(test, || {
        let scratch = Scratch::new();
        let server = Server::start(&scratch.place(), limits());
        // Let in, so that the server wants no descriptor for it below.
        let waiting = Raw::new(&scratch);
        let mut hoard = Vec::new();
        setrlimit(Resource::Nofile, Rlimit { current: Some(64), maximum: Some(64) }).unwrap();
        while let Ok(file) = fs::File::open("/dev/null") {
            hoard.push(file);
        }
        // One for the client's socket, none for the server's: it waits in the queue.
        hoard.pop();
        let client = pending(&scratch);
        drop((hoard, waiting));
        drop(try_connect(&scratch.place()).expect("there are descriptors again"));
        drop(client);
        server.end();
    });
}
