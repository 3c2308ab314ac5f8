//! The key exchange that comes before the hello, and frames that are sealed with its keys.
//!
//! Each side sends its requirements, as the bits of its [`Demands`], and its message of the
//! exchange. The hello and its answer are always sealed, so a client that is admitted has proved
//! that it has the keys. The rest is sealed if both require it.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use witrpc::ConnectError;
use witrpc::transport::{
    Clearance, Credentials, Demands, FIRST_MESSAGE_NUMBER, Guard, Initiator, Keys, MAX_PIECE_LEN,
    Responder, TAG_LEN,
};

use crate::frame;

/// One direction of a connection.
pub(crate) struct FrameCipher {
    keys: Option<Arc<dyn Keys>>,
    /// The number of the next piece. All frames are of lane 0.
    next: u64,
}

/// The directions of a side: what it sends, and what it receives.
pub(crate) type Directions = (FrameCipher, FrameCipher);

fn directions(keys: Box<dyn Keys>) -> Directions {
    let keys: Arc<dyn Keys> = keys.into();
    let of = |keys| FrameCipher { keys: Some(keys), next: 0 };
    (of(Arc::clone(&keys)), of(keys))
}

fn prologue(demands: Demands) -> Vec<u8> {
    [b"own_socket", &demands.to_bits().to_le_bytes()[..]].concat()
}

fn opening(demands: Demands, message: &[u8]) -> Vec<u8> {
    frame::frame(frame::EXCHANGE, &[&demands.to_bits().to_le_bytes(), message])
}

fn read_opening(rest: &[u8]) -> Option<(Demands, &[u8])> {
    let (bits, message) = rest.split_first_chunk()?;
    Some((Demands::from_bits(u32::from_le_bytes(*bits))?, message))
}

/// Exchanges keys with a server.
pub(crate) fn of_client(
    socket: &UnixStream,
    credentials: &Credentials,
) -> Result<Directions, ConnectError> {
    let lost = |_| ConnectError::HungUp;
    let ours = credentials.demands();
    let begun = credentials.begin(&prologue(ours)).expect("there are random bytes");
    frame::write(socket, &opening(ours, &begun.message)).map_err(lost)?;
    let (kind, rest) = frame::read(socket).map_err(lost)?;
    let reply = read_opening(&rest).filter(|_| kind == frame::EXCHANGE);
    let (theirs, reply) = reply.ok_or(ConnectError::HungUp)?;
    credentials.check(theirs)?;
    (begun.finish)(reply).map(directions).ok_or(ConnectError::TokenRejected)
}

/// Returns the reply to a client's opening, and the keys if the client may send its hello.
pub(crate) fn reply(guard: &Guard, rest: &[u8]) -> (Vec<u8>, Option<(Directions, Clearance)>) {
    let demands = guard.demands();
    let response =
        read_opening(rest).filter(|(theirs, _)| *theirs == demands).and_then(|(_, message)| {
            guard.respond(&prologue(demands), message).expect("there are random bytes")
        });
    match response {
        Some(response) => {
            let reply = opening(demands, &response.message);
            (reply, Some((directions(response.keys), response.clearance)))
        }
        None => (opening(demands, &[]), None),
    }
}

impl FrameCipher {
    /// Returns the direction for what follows the hello and its answer.
    pub(crate) fn for_messages(self, demands: Demands) -> Self {
        Self { keys: self.keys.filter(|_| demands.encryption), next: FIRST_MESSAGE_NUMBER }
    }

    /// Returns a frame as it is sent.
    pub(crate) fn seal(&mut self, plain: Vec<u8>) -> Vec<u8> {
        let Some(keys) = &self.keys else { return plain };
        let mut sealed = Vec::new();
        for piece in frame::content(&plain).chunks(MAX_PIECE_LEN) {
            let start = sealed.len();
            sealed.extend_from_slice(piece);
            let tag = keys.seal(self.next, &mut sealed[start..]);
            self.next += 1;
            sealed.extend_from_slice(&tag);
        }
        frame::framed(&[&sealed])
    }

    /// Reads the next frame's kind and the rest of it.
    pub(crate) fn read(&mut self, socket: &UnixStream) -> io::Result<(u8, Vec<u8>)> {
        let Some(keys) = &self.keys else { return frame::read(socket) };
        let invalid = || io::Error::from(io::ErrorKind::InvalidData);
        let mut content = Vec::new();
        for sealed in frame::read_content(socket)?.chunks_mut(MAX_PIECE_LEN + TAG_LEN) {
            let (piece, tag) = sealed.split_last_chunk_mut().ok_or_else(invalid)?;
            if !keys.open(self.next, piece, *tag) {
                return Err(invalid());
            }
            self.next += 1;
            content.extend_from_slice(piece);
        }
        frame::split(content)
    }
}
