//! What a peer sends over a socket is not trusted: half a frame, a length over the limit, a peer that stops
//! reading, one that floods, one that dies in a frame. Each ends its own connection only.

use std::time::{Duration, Instant};

use fastrand::Rng;
use witrpc::transport::{
    Answer, ChannelError, ClientChannel, ConnectConfig, DisconnectReason, Limit, Transport,
};
use witrpc::{ConnectError, Socket};
use witrpc_tests::adversary::socket::{
    ANSWER, CANCEL, EchoServer, HELLO, LANES, LONG, LONG_LEN, MAX_MESSAGE, OPENING, REPLY, REQUEST,
    RawClient, RawServer, WELCOME, answer, connect, echo, frame, from_client, from_server, request,
    welcome,
};
use witrpc_tests::watchdog::{PATIENCE, Watchdog, eventually};

/// Frames that no client sends first.
fn bad_openings() -> Vec<Vec<u8>> {
    vec![
        vec![0, 0, 0, 0],
        u32::MAX.to_le_bytes().to_vec(),
        1000_u32.to_le_bytes().to_vec(),
        frame(OPENING, &[]),
        frame(OPENING, &[b"WitX", &[1, 0, 0, 0, 0, 0], &[0; 48]]),
        frame(OPENING, &[b"WitS", &[1, 0, 0, 0, 0, 0], &[0; 90]]),
        frame(OPENING, &[b"WitS", &[1, 0, 255, 255, 255, 255], &[0; 48]]),
        frame(HELLO, &[b"hello"]),
        frame(REQUEST, &[&[0; 20]]),
        frame(99, &[]),
        frame(10, &[b"more"]),
    ]
}

#[test]
fn a_client_that_opens_badly_is_cut_off_and_others_are_served() {
    let _watchdog = Watchdog::new(PATIENCE);
    let server = EchoServer::new();
    for opening in bad_openings() {
        let client = RawClient::silent(server.path());
        client.send(&opening);
        client.until_closed();
    }
    for len in 0..10 {
        let client = RawClient::silent(server.path());
        client.send(&frame(OPENING, &[b"WitS", &[1, 0, 0, 0, 0, 0], &[0; 48]])[..len]);
        drop(client);
    }
    server.serves_the_honest();
    assert!(server.clients() <= 1);
}

#[test]
fn clients_that_say_nothing_keep_others_waiting_no_longer_than_their_handshake() {
    let _watchdog = Watchdog::new(PATIENCE);
    let server = EchoServer::new();
    let silent: Vec<_> = (0..100).map(|_| RawClient::silent(server.path())).collect();
    server.serves_the_honest();
    silent.iter().for_each(RawClient::until_closed);
}

/// Frames that no client sends once it is let in.
fn bad_requests() -> Vec<Vec<u8>> {
    let over = MAX_MESSAGE + 1;
    let mut too_many: Vec<u8> = Vec::new();
    (0..2).for_each(|_| too_many.extend(request(7, LONG, &[])));
    vec![
        vec![0, 0, 0, 0],
        u32::MAX.to_le_bytes().to_vec(),
        (over as u32 + 100).to_le_bytes().to_vec(),
        request(1, 0, &vec![0; over]),
        request(1 << 48, 0, &[]),
        request(1, 1 << 31, &[]),
        frame(REQUEST, &[&[0; 19]]),
        frame(CANCEL, &[&[0; 7]]),
        frame(CANCEL, &[&[0; 9]]),
        frame(ANSWER, &[&[0; 12]]),
        frame(WELCOME, &[&[0; 12]]),
        frame(99, &[]),
    ]
}

#[test]
fn a_client_that_breaks_the_protocol_is_cut_off_and_others_are_served() {
    let _watchdog = Watchdog::new(PATIENCE);
    let server = EchoServer::new();
    let honest = connect(server.path()).expect("it is let in");
    for bad in bad_requests() {
        let client = RawClient::let_in(server.path());
        client.send(&request(5, 0, b"fine"));
        assert_eq!(client.read(), answer(5, 0, b"fine")[4..]);
        client.send(&bad);
        client.until_closed();
        assert_eq!(echo(&*honest, b"and now"), Ok(b"and now".to_vec()));
    }
    eventually("all others are forgotten", || server.clients() == 1);
}

#[test]
fn a_client_that_dies_in_a_frame_is_forgotten() {
    let _watchdog = Watchdog::new(PATIENCE);
    let server = EchoServer::new();
    let whole = request(1, 0, &[0; 200]);
    for len in [1, 3, 4, 5, 20, 100, whole.len() - 1] {
        let client = RawClient::let_in(server.path());
        client.send(&whole[..len]);
        drop(client);
    }
    eventually("all are forgotten", || server.clients() == 0);
    server.serves_the_honest();
}

#[test]
fn a_client_that_floods_is_cut_off_and_others_are_served() {
    let _watchdog = Watchdog::new(PATIENCE);
    let server = EchoServer::new();
    let client = RawClient::let_in(server.path());
    // Calls that are given up keep their place: it sends more than it may, and never reads.
    let flood: Vec<u8> = (0..100_000).flat_map(|seq| request(seq, LONG, &[])).collect();
    std::thread::scope(|scope| {
        scope.spawn(|| client.send(&flood));
        for _ in 0..20 {
            server.serves_the_honest();
        }
        client.until_closed();
    });
    eventually("it is forgotten", || server.clients() == 0);
}

#[test]
fn a_client_that_stops_reading_gets_everything_once_it_reads() {
    let _watchdog = Watchdog::new(PATIENCE);
    let server = EchoServer::new();
    let client = RawClient::let_in(server.path());
    let ask = |seqs: std::ops::Range<u32>| {
        seqs.for_each(|seq| client.send(&request(seq.into(), LONG, &[])));
    };
    // As many as may be in flight. Their answers are over what the server holds.
    assert!(LANES as usize * LONG_LEN > 2 * MAX_MESSAGE);
    ask(0..LANES);
    eventually("all are answered", || server.long_answers() == LANES);
    // So it takes none of these until the client reads.
    ask(LANES..2 * LANES);
    for _ in 0..20 {
        server.serves_the_honest();
    }
    assert_eq!(server.long_answers(), LANES);
    for seq in 0..2 * LANES {
        assert!(client.read() == answer(seq.into(), LONG, &vec![7; LONG_LEN])[4..], "answer {seq}");
    }
}

#[test]
fn a_client_that_never_reads_holds_up_neither_others_nor_the_end() {
    let _watchdog = Watchdog::new(PATIENCE);
    let server = EchoServer::new();
    let clients: Vec<_> = (0..4).map(|_| RawClient::let_in(server.path())).collect();
    for client in &clients {
        (0..u64::from(LANES)).for_each(|seq| client.send(&request(seq, LONG, &[])));
    }
    server.serves_the_honest();
    // Its drop waits for all threads.
    drop(server);
    drop(clients);
}

#[test]
fn a_server_that_greets_badly_is_told_from_one_that_died() {
    let _watchdog = Watchdog::new(PATIENCE);
    type E = ConnectError;
    let broken = |error: &E| matches!(error, E::Protocol { .. });
    let gone = |error: &E| matches!(error, E::HungUp);
    type Is<'a> = &'a dyn Fn(&E) -> bool;
    let cases: Vec<(Vec<u8>, Is<'_>)> = vec![
        (vec![], &gone),
        (vec![9, 0, 0], &gone),
        (vec![9, 0, 0, 0, 1], &gone),
        (u32::MAX.to_le_bytes().to_vec(), &broken),
        (frame(99, &[]), &broken),
        (frame(REPLY, &[&[0; 3]]), &broken),
        (frame(REPLY, &[&[255; 4]]), &broken),
        (frame(REPLY, &[&[0; 4]]), &|error| matches!(error, E::TokenRejected)),
        (frame(REPLY, &[&[1, 0, 0, 0]]), &|error| matches!(error, E::TokenRequired)),
        (frame(REPLY, &[&[2, 0, 0, 0]]), &|error| matches!(error, E::EncryptionRequired)),
        (frame(2, &[&[0]]), &|error| matches!(error, E::NotAllowed { .. })),
        (frame(2, &[&[1, 9, 0]]), &|error| {
            matches!(error, E::VersionMismatch { ours: 1, theirs: 9 })
        }),
        (frame(2, &[&[99]]), &broken),
    ];
    for (greeting, is_expected) in cases {
        let server = RawServer::that_greets_with(greeting.clone());
        let error = connect(server.path()).expect_err("it has no keys");
        assert!(is_expected(&error), "{greeting:?}: {error:?}");
    }
}

#[test]
fn a_server_that_is_silent_is_waited_for_only_as_long_as_allowed() {
    let _watchdog = Watchdog::new(PATIENCE);
    let server = RawServer::that_is_silent();
    let timeout = Duration::from_millis(5);
    let socket = Socket::at(server.path()).handshake_timeout(timeout);
    let error = socket.connect(ConnectConfig::new(Vec::new())).err();
    assert!(
        matches!(error, Some(ConnectError::HandshakeTimedOut { after }) if after == timeout),
        "{error:?}"
    );
    let mut config = ConnectConfig::new(Vec::new());
    config.until = Some(Instant::now() + timeout);
    let error = Socket::at(server.path()).connect(config).err();
    assert!(matches!(error, Some(ConnectError::HandshakeTimedOut { .. })), "{error:?}");
}

#[test]
fn limits_that_no_server_may_have_are_refused() {
    let _watchdog = Watchdog::new(PATIENCE);
    for (lanes, max) in [(0, 1000), (1025, 1000), (u32::MAX, 1000), (8, 0), (8, 63)] {
        let server = RawServer::that_welcomes_with(WELCOME, welcome(lanes, max));
        let error = connect(server.path()).err();
        assert!(matches!(error, Some(ConnectError::Protocol { .. })), "{error:?}");
    }
    for max in [(64 << 20) + 1, u64::MAX] {
        let server = RawServer::that_welcomes_with(WELCOME, welcome(8, max));
        let error = connect(server.path()).err();
        assert!(
            matches!(error, Some(ConnectError::MessagesTooLarge { len, .. }) if len == max),
            "{error:?}"
        );
    }
    let server = RawServer::that_welcomes_with(ANSWER, welcome(8, 1000));
    let error = connect(server.path()).err();
    assert!(matches!(error, Some(ConnectError::Protocol { .. })), "{error:?}");
}

#[test]
fn a_server_that_answers_badly_is_told_from_one_that_died() {
    let _watchdog = Watchdog::new(PATIENCE);
    let over = answer(1, 0, &vec![0; MAX_MESSAGE + 1]);
    let broken = [
        u32::MAX.to_le_bytes().to_vec(),
        over,
        answer(99, 0, &[]),
        answer(1, 1 << 31, &[]),
        frame(ANSWER, &[&[0; 11]]),
        frame(REQUEST, &[&[0; 20]]),
        frame(8, &[b"more"]),
        frame(99, &[]),
    ];
    let died = [vec![], vec![1, 0], answer(1, 0, &[0; 100])[..50].to_vec()];
    let cases = broken.into_iter().map(|bytes| (bytes, true));
    for (bytes, breaks) in cases.chain(died.map(|bytes| (bytes, false))) {
        let server = RawServer::that_answers_with(bytes.clone());
        let client = connect(server.path()).expect("it is let in");
        let ended = echo(&*client, b"question").expect_err("it is no answer");
        let start = &bytes[..bytes.len().min(20)];
        assert_eq!(matches!(ended, ChannelError::Misbehaved(_)), breaks, "{start:?}: {ended}");
        let reason = if breaks { DisconnectReason::Misbehaved } else { DisconnectReason::PeerDied };
        assert_eq!(client.lost(), Some(ChannelError::Disconnected(reason)));
    }
}

#[test]
fn a_dropped_client_ends_its_connection_whatever_the_server_does() {
    let _watchdog = Watchdog::new(PATIENCE);
    let server = RawServer::that_welcomes_with(WELCOME, welcome(8, 1 << 20));
    let client = connect(server.path()).expect("it is let in");
    // The server never answers. It reads until the client goes, and its drop waits for that.
    let ticket = echo_later(&*client);
    let mut answer = Answer::default();
    let mut limit = Limit::At(Instant::now());
    let ended = client.wait_answer(ticket, &mut limit, &mut answer);
    assert_eq!(ended, Err(ChannelError::TimedOut));
    drop(client);
}

fn echo_later(client: &dyn ClientChannel) -> witrpc::transport::Ticket {
    use witrpc::transport::{Body, Outgoing, pad};
    let padded = pad(b"question");
    let message = Outgoing::new(0, Body::Small { padded: &padded, len: 8 });
    client.try_send(message).expect("it stands").expect("a lane is free")
}

/// Changes bytes of honest conversations at random, on either side.
#[test]
fn changed_bytes_end_their_own_connection_only() {
    let _watchdog = Watchdog::new(2 * PATIENCE);
    let mut rng = Rng::with_seed(18);
    let frames = bad_openings().into_iter().chain(bad_requests());
    let good = [request(1, 0, b"one"), request(2, LONG, &[]), answer(1, 0, b"two"), frame(8, &[])];
    let all: Vec<_> = frames.filter(|frame| frame.len() < 1000).chain(good).collect();
    for _ in 0..60 {
        let mut bytes: Vec<u8> = (0..rng.usize(1..4))
            .flat_map(|_| rng.choice(&all).expect("there are some").clone())
            .collect();
        for _ in 0..rng.usize(0..3) {
            let place = rng.usize(..bytes.len());
            bytes[place] = rng.u8(..);
        }
        bytes.truncate(rng.usize(1..=bytes.len()));
        from_client(&bytes);
        from_server(&bytes);
    }
}
