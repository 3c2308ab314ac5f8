//! The frames on the socket: a length, a kind and the rest.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use witrpc::transport::{Answer, Payload, Request, Ticket};

pub(crate) const HELLO: u8 = 0;
pub(crate) const WELCOME: u8 = 1;
pub(crate) const REQUEST: u8 = 2;
pub(crate) const CANCEL: u8 = 3;
pub(crate) const ANSWER: u8 = 4;
pub(crate) const DRAIN: u8 = 5;
/// Followed by the code of the reason. It is the last frame.
pub(crate) const END: u8 = 6;
/// Followed by the reason.
pub(crate) const REFUSAL: u8 = 7;

/// A message of the key exchange, before the hello.
pub(crate) const EXCHANGE: u8 = 8;

/// Longer than any frame of a test.
const MAX_LEN: usize = 8 << 20;

pub(crate) fn frame(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    framed(&[&[&[kind][..]], parts].concat())
}

/// Returns a frame with this content.
pub(crate) fn framed(parts: &[&[u8]]) -> Vec<u8> {
    let len = parts.iter().map(|part| part.len()).sum::<usize>();
    let mut frame = Vec::with_capacity(4 + len);
    frame.extend(u32::try_from(len).expect("a test sends less").to_le_bytes());
    parts.iter().for_each(|part| frame.extend(*part));
    frame
}

/// Returns the kind of a frame and the rest of it, without the length.
pub(crate) fn content(frame: &[u8]) -> &[u8] {
    &frame[4..]
}

pub(crate) fn write(mut socket: &UnixStream, frame: &[u8]) -> io::Result<()> {
    socket.write_all(frame)
}

/// Reads the next frame's kind and the rest of it.
pub(crate) fn read(socket: &UnixStream) -> io::Result<(u8, Vec<u8>)> {
    split(read_content(socket)?)
}

/// Reads the content of the next frame.
pub(crate) fn read_content(mut socket: &UnixStream) -> io::Result<Vec<u8>> {
    let mut len = [0; 4];
    socket.read_exact(&mut len)?;
    let len = u32::from_le_bytes(len) as usize;
    if len > MAX_LEN {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut content = vec![0; len];
    socket.read_exact(&mut content)?;
    Ok(content)
}

/// Splits a content into the kind and the rest.
pub(crate) fn split(mut content: Vec<u8>) -> io::Result<(u8, Vec<u8>)> {
    if content.is_empty() {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let kind = content.remove(0);
    Ok((kind, content))
}

fn bytes_of(payload: &Payload) -> Vec<u8> {
    let mut bytes = vec![0; payload.len()];
    payload.copy_to(0, &mut bytes);
    bytes
}

/// Sends a deadline as the time that is left, in nanoseconds, since the clocks may differ.
pub(crate) fn of_request(request: &Request) -> Vec<u8> {
    let left = request.deadline.map(|at| at.saturating_duration_since(Instant::now()));
    let left = left.and_then(|left| u64::try_from(left.as_nanos()).ok()).unwrap_or(u64::MAX);
    let (seq, tag) = (request.ticket.seq.to_le_bytes(), request.tag.to_le_bytes());
    frame(REQUEST, &[&seq, &tag, &left.to_le_bytes(), &bytes_of(&request.payload)])
}

pub(crate) fn of_answer(ticket: Ticket, answer: &Answer) -> Vec<u8> {
    let (seq, tag) = (ticket.seq.to_le_bytes(), answer.tag.to_le_bytes());
    frame(ANSWER, &[&seq, &tag, &bytes_of(&answer.payload)])
}

pub(crate) fn of_cancel(ticket: Ticket) -> Vec<u8> {
    frame(CANCEL, &[&ticket.seq.to_le_bytes()])
}

/// Takes the ticket off the front.
pub(crate) fn ticket(rest: &[u8]) -> Option<(Ticket, &[u8])> {
    let (seq, rest) = rest.split_first_chunk()?;
    Some((Ticket::new(0, u64::from_le_bytes(*seq)), rest))
}

pub(crate) fn to_answer(rest: &[u8]) -> Option<(Ticket, Answer)> {
    let (ticket, rest) = ticket(rest)?;
    let (tag, rest) = rest.split_first_chunk()?;
    let payload = Payload::from_private(rest.to_vec());
    Some((ticket, Answer::new(u32::from_le_bytes(*tag), payload)))
}

pub(crate) fn to_request(rest: &[u8]) -> Option<Request> {
    let (ticket, rest) = ticket(rest)?;
    let (tag, rest) = rest.split_first_chunk()?;
    let (left, rest) = rest.split_first_chunk()?;
    let deadline = match u64::from_le_bytes(*left) {
        u64::MAX => None,
        left => Instant::now().checked_add(Duration::from_nanos(left)),
    };
    let payload = Payload::from_private(rest.to_vec());
    Some(Request::new(ticket, u32::from_le_bytes(*tag), payload, deadline))
}
