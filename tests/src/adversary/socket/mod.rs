//! Peers of [`Socket`](witrpc::Socket) that speak its format by hand, and honest ones beside them.

mod client;
mod echo;
mod server;

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use witrpc::transport::{Demands, Keys, TAG_LEN};

pub use client::{RawClient, from_client};
pub use echo::{EchoServer, LONG, LONG_LEN, connect, echo};
pub use server::{RawServer, from_server, welcome};

/// The kinds of frames.
pub const OPENING: u8 = 0;
/// The answer to an opening.
pub const REPLY: u8 = 1;
/// The hello, sealed.
pub const HELLO: u8 = 3;
/// The answer to a hello, sealed.
pub const WELCOME: u8 = 4;
/// A request: ticket, tag, time left, body.
pub const REQUEST: u8 = 5;
/// A call that is given up.
pub const CANCEL: u8 = 6;
/// An answer: ticket, tag, body.
pub const ANSWER: u8 = 7;

/// The longest message of these servers.
pub const MAX_MESSAGE: usize = 1 << 20;

/// How many calls a client of these servers may have in flight.
pub const LANES: u32 = 8;

/// What both sides bind into the key exchange, for peers without demands.
fn prologue() -> Vec<u8> {
    let demands = Demands::default().to_bits().to_le_bytes();
    [&b"WitS"[..], &1_u16.to_le_bytes(), &demands].concat()
}

/// Returns a frame of this kind.
pub fn frame(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    with_length(&[&[kind], parts.concat().as_slice()].concat())
}

/// Returns a request of this ticket and tag, without a deadline.
pub fn request(seq: u64, tag: u32, body: &[u8]) -> Vec<u8> {
    frame(REQUEST, &[&seq.to_le_bytes(), &tag.to_le_bytes(), &u64::MAX.to_le_bytes(), body])
}

/// Returns an answer of this ticket.
pub fn answer(seq: u64, tag: u32, body: &[u8]) -> Vec<u8> {
    frame(ANSWER, &[&seq.to_le_bytes(), &tag.to_le_bytes(), body])
}

/// Returns a path that no other server has.
fn scratch() -> PathBuf {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let number = LAST.fetch_add(1, Relaxed);
    std::env::temp_dir().join(format!("witrpc-adversary-{}-{number}", std::process::id()))
}

fn with_length(content: &[u8]) -> Vec<u8> {
    let len = u32::try_from(content.len()).expect("it is short").to_le_bytes();
    [&len[..], content].concat()
}

/// Returns a greeting as it is sent: sealed in one piece, the first.
fn sealed(keys: &dyn Keys, kind: u8, rest: &[u8]) -> Vec<u8> {
    let mut piece = [&[kind], rest].concat();
    let tag = keys.seal(0, &mut piece);
    with_length(&[&piece[..], &tag].concat())
}

/// Opens such a greeting.
fn opened(keys: &dyn Keys, mut content: Vec<u8>) -> io::Result<Vec<u8>> {
    let invalid = || io::Error::from(io::ErrorKind::InvalidData);
    let (piece, tag) = content.split_last_chunk_mut::<TAG_LEN>().ok_or_else(invalid)?;
    if !keys.open(0, piece, *tag) {
        return Err(invalid());
    }
    Ok(piece.to_vec())
}

/// Reads the content of the next frame.
fn read_content(mut socket: &UnixStream) -> io::Result<Vec<u8>> {
    let mut len = [0; 4];
    socket.read_exact(&mut len)?;
    let mut content = vec![0; u32::from_le_bytes(len) as usize];
    socket.read_exact(&mut content)?;
    Ok(content)
}

/// Sends bytes to a peer that may have closed the connection.
fn send(mut socket: &UnixStream, bytes: &[u8]) {
    // What it does not take is lost on it.
    let _ = socket.write_all(bytes);
}

/// Reads until the peer closes the connection.
fn until_closed(mut socket: &UnixStream) {
    // A peer that closes with bytes unread resets the connection.
    let _ = socket.read_to_end(&mut Vec::new());
}

fn boxed(keys: Box<dyn Keys>) -> Arc<dyn Keys> {
    keys.into()
}
