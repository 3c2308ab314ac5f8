//! A program between a client and its server, or in the server's place, has no success: not by
//! changing, cutting, repeating or reflecting messages, and not without the token.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;
use witrpc::{AccessToken, ConnectError, Mmf, WitServer, wit_service};
use witrpc_tests::adversary::relay::{Meddle, Way, relay};
use witrpc_tests::watchdog::{PATIENCE, eventually};

#[wit_service]
trait Lamp {
    fn is_lit(&self) -> bool;
}

struct Lit;

impl Lamp for Lit {
    fn is_lit(&self) -> bool {
        true
    }
}

/// Short, so that a handshake which is stuck ends soon.
const HANDSHAKE: Duration = Duration::from_millis(150);

/// A server, and a directory with a relay between it and its clients.
struct Scene {
    /// How long either side waits for a handshake.
    handshake: Duration,
    served: TempDir,
    between: TempDir,
    token: AccessToken,
    server: WitServer,
}

impl Scene {
    /// Creates a scene in which handshakes have enough time.
    fn new() -> Self {
        Self::with(PATIENCE)
    }

    fn with(handshake: Duration) -> Self {
        let (served, between) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let token = AccessToken::random();
        let server = Self::serve(&served, &token, handshake);
        Self { handshake, served, between, token, server }
    }

    fn serve(dir: &TempDir, token: &AccessToken, handshake: Duration) -> WitServer {
        let place = Mmf::new("lamp").in_dir(dir.path()).handshake_timeout(handshake);
        let builder = WitServer::builder().listen(place.lanes(4).size(64 << 10));
        let builder = builder.service(LampServer::new(Lit)).access_token(token.clone());
        builder.encryption(true).start().unwrap()
    }

    /// Replaces the server.
    fn restart(&mut self) {
        self.server.handle().shutdown(PATIENCE);
        self.server = Self::serve(&self.served, &self.token, self.handshake);
    }

    fn socket(&self) -> PathBuf {
        self.served.path().join("lamp")
    }

    fn connect_in(&self, dir: &TempDir) -> Result<LampClient, ConnectError> {
        let place = Mmf::new("lamp").in_dir(dir.path()).handshake_timeout(self.handshake);
        let builder = LampClient::builder(place).access_token(self.token.clone());
        builder.encryption(true).connect()
    }

    /// Connects through a relay that meddles, and returns the outcome. Twice, because a client that
    /// is hung up on tries once more.
    fn connect_through(&self, meddle: impl Meddle + Clone) -> Result<LampClient, ConnectError> {
        let at = self.between.path().join("lamp");
        let first = relay(&at, &self.socket(), meddle.clone());
        let result = self.connect_in(&self.between);
        let _ = std::fs::remove_file(&at);
        if result.is_err() {
            first.join().expect("the relay ends with its connection");
        }
        result
    }

    /// Checks that no client was admitted, and that honest ones can still connect.
    fn assert_unharmed(&self) {
        let client = loop {
            match self.connect_in(&self.served) {
                Ok(client) => break client,
                // On a machine under load, an honest client may miss this short deadline too.
                Err(ConnectError::HungUp | ConnectError::HandshakeTimedOut { .. }) => {}
                Err(other) => panic!("{other}"),
            }
        };
        assert_eq!(client.is_lit(), Ok(true));
        drop(client);
        eventually("no client is connected", || self.server.handle().clients().is_empty());
    }
}

/// Returns all bytes, of each direction, of a handshake without meddling.
fn recorded(scene: &Scene) -> (Vec<u8>, Vec<u8>) {
    let said = Arc::new(Mutex::new((Vec::new(), Vec::new())));
    let client = loop {
        *said.lock().unwrap() = (Vec::new(), Vec::new());
        let record = Arc::clone(&said);
        let client = scene.connect_through(move |way, _, bytes: &mut Vec<u8>| {
            let mut said = record.lock().unwrap();
            match way {
                Way::ToServer => said.0.extend_from_slice(bytes),
                Way::ToClient => said.1.extend_from_slice(bytes),
            }
            true
        });
        // A relay that only passes bytes on is a wire.
        match client {
            Ok(client) => break client,
            // On a machine under load, an honest client may miss this short deadline too.
            Err(ConnectError::HungUp | ConnectError::HandshakeTimedOut { .. }) => {}
            Err(other) => panic!("nothing was changed: {other}"),
        }
    };
    assert_eq!(client.is_lit(), Ok(true));
    drop(client);
    let said = said.lock().unwrap();
    assert!(said.0.len() > 150 && said.1.len() > 200, "{} {}", said.0.len(), said.1.len());
    (said.0.clone(), said.1.clone())
}

#[test]
fn no_byte_of_a_handshake_can_be_changed() {
    // A changed length may make it wait forever.
    let scene = Scene::with(HANDSHAKE);
    let (to_server, to_client) = recorded(&scene);
    for (changed, len) in [(Way::ToServer, to_server.len()), (Way::ToClient, to_client.len())] {
        // Every byte that goes in clear, and some of the sealed ones.
        for place in (0..len).filter(|place| *place < 150 || place % 7 == 0) {
            let result = scene.connect_through(move |way, offset, bytes: &mut Vec<u8>| {
                if way == changed && (offset..offset + bytes.len()).contains(&place) {
                    bytes[place - offset] ^= 0x20;
                }
                true
            });
            assert!(result.is_err(), "{changed:?}, byte {place} of {len}");
        }
    }
    scene.assert_unharmed();
}

#[test]
fn a_handshake_that_is_cut_short_leaves_nothing() {
    let scene = Scene::new();
    let (to_server, to_client) = recorded(&scene);
    for (cut, len) in [(Way::ToServer, to_server.len()), (Way::ToClient, to_client.len())] {
        for place in (0..len).step_by(5) {
            let result = scene.connect_through(move |way, offset, bytes: &mut Vec<u8>| {
                let ends = way == cut && offset + bytes.len() > place;
                if ends {
                    bytes.truncate(place.saturating_sub(offset));
                }
                !ends
            });
            assert!(result.is_err(), "{cut:?}, after byte {place} of {len}");
        }
    }
    scene.assert_unharmed();
}

#[test]
fn what_a_client_has_said_opens_nothing_when_it_is_said_again() {
    let scene = Scene::new();
    let (said, _) = recorded(&scene);
    for _ in 0..20 {
        let mut again = UnixStream::connect(scene.socket()).unwrap();
        again.set_read_timeout(Some(PATIENCE)).unwrap();
        // The server may have hung up by then.
        let _ = again.write_all(&said);
        let mut answer = Vec::new();
        let _ = again.read_to_end(&mut answer);
        // The server opens, and exchanges keys that the relay does not have; then the record does
        // not open.
        assert!(answer.len() <= 72 + 4 + 1 + 48, "{} bytes", answer.len());
    }
    scene.assert_unharmed();
}

#[test]
fn what_one_server_was_told_means_nothing_to_the_next_of_its_name() {
    let mut scene = Scene::new();
    let (said, _) = recorded(&scene);
    scene.restart();
    let mut answer = Vec::new();
    let mut again = UnixStream::connect(scene.socket()).unwrap();
    again.set_read_timeout(Some(PATIENCE)).unwrap();
    let _ = again.write_all(&said);
    let _ = again.read_to_end(&mut answer);
    // The server opens, and does not exchange keys.
    assert_eq!(answer[72..], [1, 0, 0, 0, 1]);
    scene.assert_unharmed();
}

#[test]
fn a_server_cannot_be_passed_off_as_one_of_another_name() {
    let scene = Scene::new();
    let at = scene.served.path().join("torch");
    let torch = Mmf::new("torch").in_dir(scene.served.path()).handshake_timeout(PATIENCE);
    let torch = WitServer::builder().listen(torch).service(LampServer::new(Lit));
    let torch = torch.access_token(scene.token.clone()).encryption(true).start().unwrap();
    let relay = relay(&scene.between.path().join("lamp"), &at, |_, _, _: &mut Vec<u8>| true);
    let refused = scene.connect_in(&scene.between).unwrap_err();
    assert!(matches!(refused, ConnectError::TokenRejected), "{refused}");
    relay.join().unwrap();
    assert!(torch.handle().clients().is_empty());
}

#[test]
fn what_a_side_has_said_is_no_answer_to_it() {
    let scene = Scene::new();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let result = scene.connect_through(move |way, offset, bytes: &mut Vec<u8>| {
        let mut heard = heard.lock().unwrap();
        match way {
            // The client's part of the key exchange, behind its opening.
            Way::ToServer if offset == 16 => heard.clone_from(bytes),
            Way::ToClient if offset == 72 => {
                // The server's message is longer by the byte that gives its kind.
                bytes.splice(5.., heard[4..].iter().copied());
            }
            _ => {}
        }
        true
    });
    assert!(matches!(result, Err(ConnectError::TokenRejected)), "{result:?}");
    scene.assert_unharmed();
}

#[test]
fn neither_side_can_be_talked_out_of_what_it_asks_for() {
    let scene = Scene::new();
    // The requirements of both are at these places of their openings. All are removed, or a part.
    for left in [0, 1, 2] {
        let result = scene.connect_through(move |way, offset, bytes: &mut Vec<u8>| {
            match (way, offset) {
                (Way::ToServer, 0) => bytes[12] = left,
                (Way::ToClient, 0) => bytes[64] = left,
                _ => {}
            }
            true
        });
        assert!(result.is_err(), "with {left}");
        // To the client only, which might otherwise be led to send in clear.
        let result = scene.connect_through(move |way, offset, bytes: &mut Vec<u8>| {
            if (way, offset) == (Way::ToClient, 0) {
                bytes[64] = left;
            }
            true
        });
        let refused = result.unwrap_err();
        let expected = match left {
            1 => matches!(refused, ConnectError::EncryptionUnavailable),
            _ => matches!(refused, ConnectError::TokenUnexpected),
        };
        assert!(expected, "with {left}: {refused}");
    }
    scene.assert_unharmed();
}

#[test]
fn a_squatter_of_the_name_is_found_by_the_client() {
    let scene = Scene::new();
    for token in [Some(AccessToken::random()), None] {
        let dir = TempDir::new().unwrap();
        let squatter = WitServer::builder().listen(Mmf::new("lamp").in_dir(dir.path()));
        let squatter = squatter.service(LampServer::new(Lit)).encryption(true);
        let squatter = match &token {
            Some(token) => squatter.access_token(token.clone()),
            None => squatter,
        };
        let squatter = squatter.start().unwrap();
        match (token, scene.connect_in(&dir).unwrap_err()) {
            (Some(_), ConnectError::TokenRejected) | (None, ConnectError::TokenUnexpected) => {}
            (_, other) => panic!("{other}"),
        }
        assert!(squatter.handle().clients().is_empty());
    }
}
