//! What a client and a server exchange, and how each turns the other away.

use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{RecvFlags, SendFlags, recv, send};
use witrpc_transport::ResourceError;

use crate::memory::copy::Pages;
use crate::rendezvous::record::{ClientOpening, Offer, PROTOCOL_VERSION, ServerOpening, Verdict};

use super::*;

pub fn wait_for(fd: &impl AsFd, what: PollFlags) -> PollFlags {
    let timeout = Timespec::try_from(PATIENCE).unwrap();
    let mut fds = [PollFd::new(fd, what)];
    poll(&mut fds, Some(&timeout)).expect("polling does not fail");
    fds[0].revents()
}

/// Checks that both ends of a connection see the same limits, and each what the other writes.
fn assert_fit(client: &Established, server: &Established) {
    for side in [client, server] {
        assert_eq!((side.lanes, side.max_message_len), (4, 1000));
        assert_eq!(side.credentials.pid, std::process::id());
    }
    for side in [client, server] {
        assert_eq!((side.own.len(), side.peer.len()), (REGION_LEN, REGION_LEN));
    }
    for (own, peer) in [(&client.own, &server.peer), (&server.own, &client.peer)] {
        // SAFETY: the byte is inside the mapping, and only this thread uses it.
        assert_eq!(unsafe { peer.start().wrapping_add(4999).read_volatile() }, 0);
        // SAFETY: as above; this side's mapping is the writable one.
        unsafe { own.start().wrapping_add(4999).write_volatile(77) };
        // SAFETY: as above.
        assert_eq!(unsafe { peer.start().wrapping_add(4999).read_volatile() }, 77);
    }
}

#[test]
fn each_side_reads_what_the_other_writes() {
    for backend in [Backend::Native, PORTABLE] {
        let scratch = Scratch::new();
        let server = Server::start(&scratch.place(), ServerLimits { backend, ..limits() });
        let options = ConnectOptions { backend, ..options() };
        let Connected { welcome, established: client, .. } =
            connect(&name("calc"), &scratch.place(), &options).expect("it is served");
        let Event::Connected { client_id, session, connection } = server.next() else { panic!() };
        assert_eq!(&*welcome, b"hello");
        assert_eq!(session.get(), Some(&(client_id + 100)));
        assert_fit(&client, &connection);
        let bells = (&client.doorbell, &connection.doorbell);
        let (Some(ours), Some(theirs)) = bells else {
            assert!(backend == PORTABLE && bells.0.is_none() && bells.1.is_none());
            continue;
        };
        for (from, to) in [(ours, theirs), (theirs, ours)] {
            assert_eq!(send(from, b"!", SendFlags::DONTWAIT), Ok(1));
            assert_eq!(wait_for(to, PollFlags::IN), PollFlags::IN);
            assert_eq!(recv(to, &mut [0; 8], RecvFlags::DONTWAIT).unwrap().1, 1);
        }
        server.end();
    }
}

#[test]
fn a_client_of_another_backend_is_told_both_and_the_server_goes_on() {
    for (ours, theirs) in [(Backend::Native, PORTABLE), (PORTABLE, Backend::Native)] {
        let scratch = Scratch::new();
        let server = Server::start(&scratch.place(), ServerLimits { backend: theirs, ..limits() });
        let with = |backend| {
            let options = ConnectOptions { backend, ..options() };
            connect(&name("calc"), &scratch.place(), &options)
        };
        let refused = with(ours).expect_err("they differ");
        assert!(
            matches!(refused, ConnectError::OtherBackend { ours: o, theirs: t } if (o, t) == (ours.code().name(), theirs.code().name()))
        );
        let text = refused.to_string();
        assert!(text.contains("native") && text.contains("portable"), "{text}");
        with(theirs).expect("it is the server's");
        server.end();
    }
}

#[test]
fn a_full_bell_does_not_block() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch.place(), limits());
    let client = try_connect(&scratch.place()).expect("it is served");
    let doorbell = client.established.doorbell.as_ref().expect("natively there is one");
    let full = (0..1_000_000).find_map(|_| send(doorbell, b"!", SendFlags::DONTWAIT).err());
    assert_eq!(full, Some(rustix::io::Errno::AGAIN));
    server.end();
}

#[test]
fn a_client_that_leaves_is_reported_and_the_next_can_come() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch.place(), ServerLimits { max_clients: 1, ..limits() });
    let mut last = 0;
    for _ in 0..5 {
        let client = try_connect(&scratch.place()).expect("there is room for one");
        let (id, _connection) = server.next_connected();
        assert!(id > last, "no number is used twice");
        last = id;
        let second = try_connect(&scratch.place()).map(drop);
        assert!(matches!(second, Err(ConnectError::ServerFull)), "{second:?}");
        drop(client);
        server.expect_hung_up(id);
    }
    server.end();
}

#[test]
fn a_closed_link_hangs_up_at_the_client() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch.place(), limits());
    let first = try_connect(&scratch.place()).unwrap();
    let second = try_connect(&scratch.place()).unwrap();
    let [(one, _first), (two, _second)] = [(); 2].map(|()| server.next_connected());
    server.control.close_link(one);
    server.expect_hung_up(one);
    assert!(wait_for(&first.link, PollFlags::IN).contains(PollFlags::HUP));
    server.control.close_link(one);
    server.control.close_link(u64::MAX);

    server.control.shutdown();
    server.expect_hung_up(two);
    assert!(wait_for(&second.link, PollFlags::IN).contains(PollFlags::HUP));
    assert!(matches!(server.next(), Event::Dropped));
}

#[test]
fn a_shutdown_gives_the_name_up_before_it_returns() {
    let scratch = Scratch::new();
    for _ in 0..50 {
        let server = Server::start(&scratch.place(), limits());
        server.control.shutdown();
        drop(claim(&scratch.place()));
        server.control.shutdown();
    }
    assert_eq!(scratch.leftovers(), [""; 0]);
}

#[test]
fn a_server_that_stops_accepting_keeps_its_clients() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch.place(), limits());
    let client = try_connect(&scratch.place()).unwrap();
    let (_, connection) = server.next_connected();
    server.control.stop_accepting();
    // The order and a connection may cross, but not for ever.
    let refused = loop {
        match try_connect(&scratch.place()) {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, ConnectError::NotAccepting), "{refused}");
    let timeout = Timespec { tv_sec: 0, tv_nsec: 0 };
    let link = &mut [PollFd::new(&client.link, PollFlags::IN)];
    assert_eq!(poll(link, Some(&timeout)), Ok(0), "the link stands");
    let doorbell = connection.doorbell.expect("natively there is one");
    assert_eq!(send(&doorbell, b"!", SendFlags::DONTWAIT), Ok(1));
    server.end();
}

#[test]
fn a_refusal_carries_the_hosts_bytes() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch.place(), limits());
    let refused =
        connect(&name("calc"), &scratch.place(), &ConnectOptions { hello: b"refuse", ..options() });
    assert!(
        matches!(&refused, Err(ConnectError::Refused(why)) if why == b"not you"),
        "{refused:?}"
    );
    server.end();
}

#[test]
fn the_longest_hello_and_welcome_arrive_and_a_longer_one_is_not_sent() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch.place(), limits());
    let hello: Vec<_> = (0..=MAX_BLOB_LEN).map(|i| (i % 251) as u8).collect();
    let say =
        |hello| connect(&name("calc"), &scratch.place(), &ConnectOptions { hello, ..options() });
    let client = say(&hello[..MAX_BLOB_LEN]).expect("it is just short enough");
    assert!(client.welcome == hello[..MAX_BLOB_LEN]);
    let refused = say(&hello).map(drop);
    assert!(
        matches!(refused, Err(ConnectError::HelloTooLong { len, max }) if (len, max) == (MAX_BLOB_LEN + 1, MAX_BLOB_LEN))
    );
    server.end();
}

#[test]
fn a_missing_server_is_reported_at_once() {
    let scratch = Scratch::new();
    for _ in 0..2 {
        let refused = try_connect(&scratch.place()).map(drop);
        assert!(
            matches!(&refused, Err(ConnectError::NobodyServes { name, .. }) if name == "calc"),
            "{refused:?}"
        );
        // Once without the directory, once with it.
        drop(claim(&scratch.place()));
    }
}

#[test]
fn a_client_waits_for_a_server_as_long_as_it_was_asked_to() {
    let scratch = Scratch::new();
    let wait = |wait_for_server| ConnectOptions { wait_for_server, ..options() };
    let briefly = connect(&name("calc"), &scratch.place(), &wait(Duration::from_millis(30)));
    let Err(ConnectError::NobodyServes { waited, .. }) = briefly else { panic!("{briefly:?}") };
    assert!(waited >= Duration::from_millis(30));

    let started = std::sync::Barrier::new(2);
    std::thread::scope(|scope| {
        let client = scope.spawn(|| {
            started.wait();
            connect(&name("calc"), &scratch.place(), &wait(PATIENCE)).map(drop)
        });
        started.wait();
        let server = Server::start(&scratch.place(), limits());
        client.join().unwrap().expect("the server came in time");
        server.end();
    });
}

#[test]
fn a_server_that_never_answers_is_given_up_at_the_deadline() {
    let scratch = Scratch::new();
    let _stopped = claim(&scratch.place());
    let after = Duration::from_millis(20);
    let options = ConnectOptions { handshake_timeout: after, ..options() };
    let refused = connect(&name("calc"), &scratch.place(), &options).map(drop);
    assert!(
        matches!(refused, Err(ConnectError::TimedOut { after: a }) if a == after),
        "{refused:?}"
    );
}

#[test]
fn a_server_whose_queue_is_full_is_given_up_at_the_deadline() {
    let scratch = Scratch::new();
    drop(claim(&scratch.place()));
    let socket = claim::open_socket().unwrap();
    let address = rustix::net::SocketAddrUnix::new(scratch.path_of("calc")).unwrap();
    rustix::net::bind(&socket, &address).unwrap();
    rustix::net::listen(&socket, 0).unwrap();
    let queued: Vec<_> = std::iter::repeat_with(|| {
        let client = claim::open_socket().unwrap();
        rustix::net::connect(&client, &address).is_ok().then_some(client)
    })
    .map_while(|client| client)
    .collect();
    assert!(!queued.is_empty());
    let after = Duration::from_millis(20);
    let options = ConnectOptions { handshake_timeout: after, ..options() };
    let refused = connect(&name("calc"), &scratch.place(), &options).map(drop);
    assert!(
        matches!(refused, Err(ConnectError::TimedOut { after: a }) if a == after),
        "{refused:?}"
    );
}

#[test]
fn a_region_above_the_clients_limit_is_refused() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch.place(), limits());
    let max_region_len = REGION_LEN as u64 / 2;
    let options = ConnectOptions { max_region_len, ..options() };
    let refused = connect(&name("calc"), &scratch.place(), &options).map(drop);
    let Err(ConnectError::RegionTooLarge { len, max }) = refused else { panic!("{refused:?}") };
    assert_eq!((len, max), (2 * max_region_len, max_region_len));
    server.end();
}

#[test]
fn a_region_that_the_client_cannot_allocate_is_an_error() {
    let scratch = Scratch::new();
    let len = 1 << 50;
    let limits = ServerLimits { client_region_len: len, server_region_len: len, ..limits() };
    let server = Server::start(&scratch.place(), limits);
    let options = ConnectOptions { max_region_len: u64::MAX, ..options() };
    let refused = connect(&name("calc"), &scratch.place(), &options).map(drop);
    let Err(ConnectError::Resource(ResourceError::Memory { needed, .. })) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(needed, 1 << 50);
    server.end();
}

#[test]
fn a_client_of_another_version_is_told_ours() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch.place(), limits());
    let mut client = UnixStream::connect(scratch.path_of("calc")).unwrap();
    let mut opening = ClientOpening { version: 9, demands: Demands::default() }.encode();
    opening[12] = 0xff; // Options of a version that we cannot know.
    client.write_all(&opening).unwrap();
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).expect("the server hangs up");
    let answer = ServerOpening::decode(&answer).expect("it answers");
    assert_eq!((answer.version, answer.verdict), (PROTOCOL_VERSION, Verdict::OtherVersion));
    server.end();
}

/// Plays a server that answers `times` clients with these bytes.
fn answer_with(place: &Place, bytes: &[u8], times: usize) -> ConnectError {
    let claim = claim(place);
    let listener = claim.listeners().remove(0);
    std::thread::scope(|scope| {
        let client = scope.spawn(|| try_connect(place).map(drop));
        let answer = || {
            wait_for(&listener, PollFlags::IN);
            let client_end = rustix::net::accept(&*listener).unwrap();
            let mut client_end = UnixStream::from(client_end);
            client_end.read_exact(&mut [0; ClientOpening::LEN]).unwrap();
            client_end.write_all(bytes).unwrap();
            // The server's hang-up comes when the client has seen enough, or waits for more.
            client_end.shutdown(std::net::Shutdown::Write).unwrap();
            client_end
        };
        let _client_ends: Vec<_> = std::iter::repeat_with(answer).take(times).collect();
        client.join().unwrap().expect_err("that is no server")
    })
}

#[test]
fn a_server_that_answers_wrongly_is_refused() {
    let scratch = Scratch::new();
    let offer = Offer {
        backend: Backend::Native.code(),
        lanes: 1,
        client_region_len: 1 << 16,
        server_region_len: 1 << 16,
        max_message_len: 64,
    };
    let good = ServerOpening {
        version: PROTOCOL_VERSION,
        verdict: Verdict::Proceed,
        offer,
        generation: [1; 16],
        demands: Demands::default(),
    };
    let with = |offer| {
        let mut opening = good;
        opening.offer = offer;
        opening.encode()
    };

    let error = answer_with(&scratch.place(), &ServerOpening { version: 7, ..good }.encode(), 1);
    assert!(
        matches!(error, ConnectError::OtherVersion { ours: PROTOCOL_VERSION, theirs: 7 }),
        "{error}"
    );
    let said = error.to_string();
    assert!(said.contains('7') && said.contains(&PROTOCOL_VERSION.to_string()), "{said}");

    let regions = |len| with(Offer { client_region_len: len, server_region_len: len, ..offer });
    let mut unknown_backend = with(offer);
    unknown_backend[20] = 2;
    let wrong: [&[u8]; 12] = [
        &unknown_backend,
        &[b'x'; ServerOpening::LEN],
        &with(Offer { lanes: 0, ..offer }),
        &with(Offer { lanes: 1025, ..offer }),
        &with(Offer { max_message_len: 63, ..offer }),
        &with(Offer { max_message_len: 1 << 32, ..offer }),
        &regions(0),
        &regions((1 << 16) + 1),
        &regions((1 << 16) + 8),
        // Too short for an arena.
        &regions(4096),
        &with(Offer { server_region_len: 1 << 17, ..offer }),
        &with(Offer { client_region_len: 0, ..offer }),
    ];
    for bytes in wrong {
        let error = answer_with(&scratch.place(), bytes, 1);
        assert!(matches!(error, ConnectError::Misbehaved { .. }), "{error}");
    }
    let error = answer_with(&scratch.place(), &regions(1 << 41), 1);
    assert!(matches!(error, ConnectError::RegionTooLarge { .. }), "{error}");
    for bytes in [&b""[..], &good.encode()[..20], &good.encode()] {
        // The client connects once more after a hang-up.
        let error = answer_with(&scratch.place(), bytes, 2);
        assert!(matches!(error, ConnectError::HungUp), "{error}");
    }
    let record_too_long = [&good.encode()[..], &u32::MAX.to_le_bytes()].concat();
    let error = answer_with(&scratch.place(), &record_too_long, 1);
    assert!(matches!(error, ConnectError::Misbehaved { .. }), "{error}");
}

/// Listens under the name `calc` without a lock, as a program would that is about to die.
fn listener(scratch: &Scratch) -> UnixListener {
    fs::create_dir(scratch.path().join("names")).unwrap();
    set_mode(&scratch.path().join("names"), 0o700);
    UnixListener::bind(scratch.path_of("calc")).unwrap()
}

#[test]
fn a_server_that_dies_during_the_handshake_is_not_taken_for_none() {
    let scratch = Scratch::new();
    let listener = listener(&scratch);
    let place = scratch.place();
    let error = std::thread::scope(|scope| {
        let connecting = scope.spawn(|| try_connect(&place).expect_err("it dies"));
        let (mut link, _) = listener.accept().unwrap();
        link.read_exact(&mut [0; ClientOpening::LEN]).unwrap();
        // Its descriptors are closed in any order; the client tries once more when its link ends.
        drop(listener);
        drop(link);
        connecting.join().unwrap()
    });
    assert!(matches!(error, ConnectError::HungUp), "{error}");
}
