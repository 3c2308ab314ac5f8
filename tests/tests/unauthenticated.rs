//! A process that connects to the socket and is no client is dropped, and other clients are not
//! affected.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use witrpc::{ConnectError, Mmf};
use witrpc_tests::basic::BasicClient;
use witrpc_tests::fixture::{Address, Fixture, FixtureConfig};
use witrpc_tests::watchdog::PATIENCE;

const HANDSHAKE: Duration = Duration::from_millis(300);

/// The bytes with which every version of the protocol begins, then version 4 and no demands.
const OPENING: &[u8; 16] = b"WitRPC\r\n\x04\0\0\0\0\0\0\0";

#[test]
fn a_silent_stranger_is_dropped_at_the_deadline() {
    let (_dir, fixture) = hasty_fixture();
    let client = client_of(&fixture);
    let started = Instant::now();
    let mut stranger = stranger_at(&fixture);
    assert_eq!(client.add(1, 2), Ok(3));
    assert!(is_hung_up(&mut stranger));
    assert!(started.elapsed() >= HANDSHAKE, "it was given time");
    assert_eq!(client.add(1, 2), Ok(3));
}

#[test]
fn half_a_hello_is_dropped_at_the_deadline() {
    let (_dir, fixture) = hasty_fixture();
    for half in [&OPENING[..11], &[&OPENING[..], &[200, 0, 0]].concat()] {
        let mut stranger = stranger_at(&fixture);
        // Its time may be over before it has sent that.
        let _ = stranger.write_all(half);
        assert!(is_hung_up(&mut stranger));
    }
    assert_eq!(client_of(&fixture).add(1, 2), Ok(3));
}

#[test]
fn garbage_is_dropped() {
    let (_dir, fixture) = hasty_fixture();
    let _silent = stranger_at(&fixture);
    let client = client_of(&fixture);
    let mut rng = fastrand::Rng::with_seed(5);
    for round in 0..40 {
        let mut stranger = stranger_at(&fixture);
        let mut garbage = vec![0; rng.usize(1..5_000)];
        rng.fill(&mut garbage);
        if round % 2 == 0 {
            garbage.splice(0..0, *OPENING);
        }
        // The server may hang up in the middle of it.
        let _ = stranger.write_all(&garbage);
        assert!(is_hung_up(&mut stranger), "round {round}");
        assert_eq!(client.add(round, 1), Ok(round + 1));
    }
    assert_eq!(client_of(&fixture).add(1, 2), Ok(3));
}

#[test]
fn a_crowd_of_silent_strangers_keeps_no_client_out() {
    let (_dir, fixture) = hasty_fixture();
    let _crowd: Vec<_> = (0..100).map(|_| stranger_at(&fixture)).collect();
    let clients: Vec<_> = (0..5).map(|_| client_of(&fixture)).collect();
    for client in &clients {
        assert_eq!(client.add(1, 2), Ok(3));
    }
}

#[test]
fn another_version_is_told_ours() {
    let (_dir, fixture) = fixture_with(FixtureConfig::default());
    let mut stranger = stranger_at(&fixture);
    let mut opening = *OPENING;
    opening[8] = 77;
    stranger.write_all(&opening).unwrap();
    let mut answer = Vec::new();
    stranger.read_to_end(&mut answer).unwrap();
    assert_eq!(&answer[..8], &OPENING[..8]);
    assert_eq!(answer[8..12], OPENING[8..12]);
}

#[test]
fn a_server_of_another_version_is_refused_with_both_versions() {
    let mut opening = [0; 48];
    opening[..16].copy_from_slice(OPENING);
    opening[8] = 77;
    match connect_to_one_that_says(Some(opening.to_vec()), PATIENCE) {
        ConnectError::VersionMismatch { ours: 4, theirs: 77 } => {}
        other => panic!("{other}"),
    }
}

#[test]
fn a_server_that_speaks_garbage_or_not_at_all_is_refused() {
    let protocol = connect_to_one_that_says(Some(vec![0x55; 200]), PATIENCE);
    assert!(matches!(protocol, ConnectError::Protocol { .. }), "{protocol}");
    let silent = connect_to_one_that_says(None, HANDSHAKE);
    assert!(matches!(silent, ConnectError::HandshakeTimedOut { after: HANDSHAKE }), "{silent}");
}

/// Returns a server's opening with this offer.
fn offering(lanes: u32, region_lens: [u64; 2], max_message_len: u64) -> Vec<u8> {
    let mut opening = OPENING.to_vec();
    opening.extend(lanes.to_le_bytes());
    opening.extend([0; 4]);
    for len in [region_lens[0], region_lens[1], max_message_len] {
        opening.extend(len.to_le_bytes());
    }
    // A generation, and no demands.
    opening.extend([7; 16]);
    opening.extend([0; 8]);
    opening
}

#[test]
fn an_offer_that_no_server_makes_is_refused() {
    let (good, odd) = ([1 << 16; 2], [(1 << 16) + 1; 2]);
    let offers = [
        (offering(0, good, 64), "lanes"),
        (offering(4, [0; 2], 64), "lanes"),
        (offering(4, [4096; 2], 64), "lanes"),
        (offering(4, odd, 64), "regions"),
        (offering(4, [1 << 16, 1 << 17], 64), "regions"),
        (offering(4, good, 0), "message"),
    ];
    for (offer, what) in offers {
        let error = connect_to_one_that_says(Some(offer), PATIENCE);
        let ConnectError::Protocol { problem } = error else { panic!("{error}") };
        assert!(problem.contains(what), "{problem}");
    }
    let accepted = connect_to_one_that_says(Some(offering(4, good, 64)), HANDSHAKE);
    assert!(matches!(accepted, ConnectError::HandshakeTimedOut { .. }), "{accepted}");
}

#[test]
fn a_region_larger_than_the_client_allows_is_refused() {
    let dir = TempDir::new().unwrap();
    let fixture = Fixture::at(Address::in_dir(dir.path(), "calc"), FixtureConfig::default());
    let small = Mmf::new("calc").in_dir(dir.path()).max_region_size(1 << 16);
    match BasicClient::connect(small).unwrap_err() {
        ConnectError::RegionTooLarge { size, max } => {
            assert_eq!((size, max), (1 << 19, 1 << 16));
        }
        other => panic!("{other}"),
    }
    assert_eq!(fixture.client().add(1, 2), Ok(3));
}

fn fixture_with(plan: FixtureConfig) -> (TempDir, Fixture) {
    let dir = TempDir::new().unwrap();
    let fixture = Fixture::at(Address::in_dir(dir.path(), "calc"), plan);
    (dir, fixture)
}

/// Starts a server at which handshakes time out soon.
fn hasty_fixture() -> (TempDir, Fixture) {
    fixture_with(FixtureConfig { handshake_timeout: Some(HANDSHAKE), ..FixtureConfig::default() })
}

/// Connects a client to such a server, whose deadline an honest client may miss on a machine under
/// load.
fn client_of(fixture: &Fixture) -> BasicClient {
    loop {
        match fixture.builder().connect() {
            Ok(client) => return client,
            Err(ConnectError::HungUp) => {}
            Err(other) => panic!("{other}"),
        }
    }
}

fn stranger_at(fixture: &Fixture) -> UnixStream {
    let Address::Mmf { name, dir: Some(dir) } = fixture.address() else {
        panic!("the server is in a directory")
    };
    let stranger = UnixStream::connect(dir.join(name)).unwrap();
    stranger.set_read_timeout(Some(PATIENCE)).unwrap();
    stranger
}

/// Reads to the end, which comes when the server hangs up.
fn is_hung_up(stranger: &mut UnixStream) -> bool {
    match stranger.read_to_end(&mut Vec::new()) {
        Ok(_) => true,
        // For bytes that were written after the server had stopped reading.
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

/// Returns the error of connecting to a server that sends `first` and no more, within this time.
fn connect_to_one_that_says(first: Option<Vec<u8>>, time: Duration) -> ConnectError {
    let dir = TempDir::new().unwrap();
    let listener = UnixListener::bind(dir.path().join("calc")).unwrap();
    let impostor = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        if let Some(first) = first {
            // The client may have hung up before all of it.
            let _ = stream.write_all(&first);
        }
        stream
    });
    let place = Mmf::new("calc").in_dir(dir.path()).handshake_timeout(time);
    let error = BasicClient::connect(place).unwrap_err();
    drop(impostor.join().unwrap());
    error
}
