//! The frames that cross a socket: a length of four bytes, and a content of that length.
//!
//! The first byte of a content is its [`SocketFrame`]. Numbers are little-endian. A sealed content is cut into
//! pieces, each followed by its tag; the length counts the tags.
//!
//! ```text
//! client: Opening                Hello             Request, Cancel ...
//! server:          Reply                  Welcome             Answer, Drain ... End
//!                  └ or a Refusal ────────┘
//! ```

use std::time::{Duration, Instant};

use witrpc_transport::{
    Answer, Demands, MAX_EXCHANGE_LEN, MAX_HELLO_LEN, Payload, Request, SMALL_LEN, Ticket,
};

use crate::queue::end::End;
use crate::queue::limits::Limits;

/// The version of the frames and their order. Both sides must have the same.
pub const SOCKET_VERSION: u16 = 1;

const MAGIC: [u8; 4] = *b"WitS";

/// The bytes of the length before each content.
pub const LENGTH_LEN: usize = 4;

/// The longest content before a client is known: an opening.
pub const MAX_OPENING_LEN: usize = 64 + MAX_EXCHANGE_LEN;

/// The longest content of a hello and of its answer, unsealed.
pub const MAX_GREETING_LEN: usize = 64 + MAX_HELLO_LEN;

/// The bytes before the body of the longest head, a request's.
const HEAD_LEN: usize = 1 + 8 + 4 + 8;

/// Stands for no deadline.
const NO_DEADLINE: u64 = u64::MAX;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum SocketFrame {
    /// The client's magic number, version, demands and message of the key exchange.
    Opening,
    /// The server's demands and message of the exchange. Without a message, the token is refused.
    Reply,
    /// A [`SocketRefusal`].
    Refusal,
    /// The hello of a client that has the keys.
    Hello,
    /// The limits of the server, and its welcome.
    Welcome,
    Request,
    /// A call was given up.
    Cancel,
    Answer,
    /// The server takes no new calls.
    Drain,
    /// The reason of the server, as its last frame.
    End,
    /// Asks for a [`Report`](Self::Report), instead of an opening.
    Inquiry,
    /// The metrics of the server.
    Report,
}

impl SocketFrame {
    const ALL: [Self; 12] = [
        Self::Opening,
        Self::Reply,
        Self::Refusal,
        Self::Hello,
        Self::Welcome,
        Self::Request,
        Self::Cancel,
        Self::Answer,
        Self::Drain,
        Self::End,
        Self::Inquiry,
        Self::Report,
    ];

    /// Splits a content into its kind and the rest.
    pub fn split(content: &[u8]) -> Option<(Self, &[u8])> {
        let (code, rest) = content.split_first()?;
        Some((*Self::ALL.get(usize::from(*code))?, rest))
    }
}

/// Returns the longest content of a message on a connection with this limit, unsealed.
pub fn max_content_len(max_message_size: usize) -> usize {
    HEAD_LEN + max_message_size
}

/// A frame that is made: its length is written by [`finish`](Self::finish).
pub struct FrameBuilder(Vec<u8>);

impl FrameBuilder {
    /// Begins a frame with space for `len` bytes behind its kind.
    pub fn new(kind: SocketFrame, len: usize) -> Self {
        let mut bytes = Vec::with_capacity(LENGTH_LEN + 1 + len);
        bytes.extend([0; LENGTH_LEN]);
        bytes.push(kind as u8);
        Self(bytes)
    }

    pub fn put(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn put_payload(mut self, payload: &Payload) -> Self {
        let start = self.0.len();
        self.0.resize(start + payload.len(), 0);
        payload.copy_to(0, &mut self.0[start..]);
        self
    }

    pub fn finish(self) -> Vec<u8> {
        with_length(self.0)
    }
}

/// Writes the length of a frame's content into its first bytes. The limits keep it below 4 GiB.
pub fn with_length(mut frame: Vec<u8>) -> Vec<u8> {
    let len = (frame.len() - LENGTH_LEN) as u32;
    frame[..LENGTH_LEN].copy_from_slice(&len.to_le_bytes());
    frame
}

/// What both sides bind into the key exchange.
pub fn prologue(demands: Demands) -> Vec<u8> {
    [&MAGIC[..], &SOCKET_VERSION.to_le_bytes(), &demands.to_bits().to_le_bytes()].concat()
}

pub fn opening(demands: Demands, message: &[u8]) -> Vec<u8> {
    let head = prologue(demands);
    FrameBuilder::new(SocketFrame::Opening, head.len() + message.len())
        .put(&head)
        .put(message)
        .finish()
}

/// What a client's opening says.
#[derive(Debug, PartialEq, Eq)]
pub enum OpeningRead<'a> {
    /// A client of this version, with its demands and its message of the exchange.
    Known(Demands, &'a [u8]),
    /// A client of another version.
    OtherVersion,
    /// It is no opening.
    Malformed,
}

pub fn read_opening(rest: &[u8]) -> OpeningRead<'_> {
    let read = || {
        let rest = rest.strip_prefix(&MAGIC)?;
        let (version, rest) = rest.split_first_chunk()?;
        if u16::from_le_bytes(*version) != SOCKET_VERSION {
            return Some(OpeningRead::OtherVersion);
        }
        let (demands, message) = split_demands(rest)?;
        Some(OpeningRead::Known(demands, message))
    };
    read().unwrap_or(OpeningRead::Malformed)
}

pub fn reply(demands: Demands, message: &[u8]) -> Vec<u8> {
    FrameBuilder::new(SocketFrame::Reply, 4 + message.len())
        .put(&demands.to_bits().to_le_bytes())
        .put(message)
        .finish()
}

/// Returns the demands at the start of a reply, and the message behind them.
pub fn split_demands(rest: &[u8]) -> Option<(Demands, &[u8])> {
    let (bits, message) = rest.split_first_chunk()?;
    Some((Demands::from_bits(u32::from_le_bytes(*bits))?, message))
}

/// Why a server lets a client not in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SocketRefusal {
    /// The user of the client is not allowed.
    NotAllowed,
    /// The server has this version.
    OtherVersion(u16),
    Full,
    ShuttingDown,
    /// The reason of its admission.
    Told(Vec<u8>),
}

impl SocketRefusal {
    pub fn frame(&self) -> Vec<u8> {
        let (code, rest): (u8, &[u8]) = match self {
            Self::NotAllowed => (0, &[]),
            Self::OtherVersion(version) => (1, &version.to_le_bytes()),
            Self::Full => (2, &[]),
            Self::ShuttingDown => (3, &[]),
            Self::Told(reason) => (4, reason),
        };
        FrameBuilder::new(SocketFrame::Refusal, 1 + rest.len()).put(&[code]).put(rest).finish()
    }

    pub fn read(rest: &[u8]) -> Option<Self> {
        let (code, rest) = rest.split_first()?;
        Some(match code {
            0 => Self::NotAllowed,
            1 => Self::OtherVersion(u16::from_le_bytes(rest.try_into().ok()?)),
            2 => Self::Full,
            3 => Self::ShuttingDown,
            4 => Self::Told(rest.to_vec()),
            _ => return None,
        })
    }
}

pub fn hello(hello: &[u8]) -> Vec<u8> {
    FrameBuilder::new(SocketFrame::Hello, hello.len()).put(hello).finish()
}

pub fn welcome(limits: Limits, welcome: &[u8]) -> Vec<u8> {
    FrameBuilder::new(SocketFrame::Welcome, 12 + welcome.len())
        .put(&limits.lanes.to_le_bytes())
        .put(&(limits.max_message_size as u64).to_le_bytes())
        .put(welcome)
        .finish()
}

/// Returns the lanes, the longest message and the welcome of a server, all untrusted.
pub fn read_welcome(rest: &[u8]) -> Option<(u32, u64, &[u8])> {
    let (lanes, rest) = rest.split_first_chunk()?;
    let (len, welcome) = rest.split_first_chunk()?;
    Some((u32::from_le_bytes(*lanes), u64::from_le_bytes(*len), welcome))
}

/// Sends a deadline as the time that is left, in nanoseconds.
pub fn request(request: &Request) -> Vec<u8> {
    let left = request.deadline.map(|at| at.saturating_duration_since(Instant::now()));
    let left = left.and_then(|left| u64::try_from(left.as_nanos()).ok()).unwrap_or(NO_DEADLINE);
    FrameBuilder::new(SocketFrame::Request, HEAD_LEN + request.payload.len())
        .put(&request.ticket.seq.to_le_bytes())
        .put(&request.tag.to_le_bytes())
        .put(&left.to_le_bytes())
        .put_payload(&request.payload)
        .finish()
}

/// Reads a request's content. The ticket and the tag are untrusted.
pub fn read_request(content: Vec<u8>) -> Option<Request> {
    let head: &[u8; HEAD_LEN] = content.first_chunk()?;
    let (ticket, rest) = split_ticket(&head[1..])?;
    let (tag, left) = rest.split_first_chunk()?;
    let deadline = match u64::from_le_bytes(left.try_into().ok()?) {
        NO_DEADLINE => None,
        left => Instant::now().checked_add(Duration::from_nanos(left)),
    };
    let tag = u32::from_le_bytes(*tag);
    Some(Request::new(ticket, tag, payload_behind(content, HEAD_LEN), deadline))
}

pub fn cancel(ticket: Ticket) -> Vec<u8> {
    FrameBuilder::new(SocketFrame::Cancel, 8).put(&ticket.seq.to_le_bytes()).finish()
}

/// Returns the ticket of a cancel.
pub fn read_cancel(rest: &[u8]) -> Option<Ticket> {
    split_ticket(rest).filter(|(_, rest)| rest.is_empty()).map(|(ticket, _)| ticket)
}

pub fn answer(ticket: Ticket, answer: &Answer) -> Vec<u8> {
    FrameBuilder::new(SocketFrame::Answer, 12 + answer.payload.len())
        .put(&ticket.seq.to_le_bytes())
        .put(&answer.tag.to_le_bytes())
        .put_payload(&answer.payload)
        .finish()
}

/// Reads an answer's content. The ticket and the tag are untrusted.
pub fn read_answer(content: Vec<u8>) -> Option<(Ticket, Answer)> {
    const HEAD: usize = 1 + 8 + 4;
    let head: &[u8; HEAD] = content.first_chunk()?;
    let (ticket, tag) = split_ticket(&head[1..])?;
    let tag = u32::from_le_bytes(tag.try_into().ok()?);
    Some((ticket, Answer::new(tag, payload_behind(content, HEAD))))
}

pub fn drain() -> Vec<u8> {
    FrameBuilder::new(SocketFrame::Drain, 0).finish()
}

pub fn end(end: End) -> Vec<u8> {
    FrameBuilder::new(SocketFrame::End, 1).put(&[end.code()]).finish()
}

/// Returns the reason of an end; an unknown one counts as a broken protocol.
pub fn read_end(rest: &[u8]) -> End {
    rest.first().map_or(End::Misbehaved, |code| End::from_code(*code))
}

fn split_ticket(rest: &[u8]) -> Option<(Ticket, &[u8])> {
    let (seq, rest) = rest.split_first_chunk()?;
    Some((Ticket::new(0, u64::from_le_bytes(*seq)), rest))
}

/// Returns what follows a head, without another allocation.
fn payload_behind(mut content: Vec<u8>, head: usize) -> Payload {
    if content.len() - head <= SMALL_LEN {
        return Payload::from_private(content[head..].to_vec());
    }
    content.drain(..head);
    Payload::Whole(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(frame: Vec<u8>) -> Vec<u8> {
        let (len, content) = frame.split_first_chunk().unwrap();
        assert_eq!(u32::from_le_bytes(*len) as usize, content.len());
        content.to_vec()
    }

    fn bytes(payload: &Payload) -> Vec<u8> {
        let mut bytes = vec![0; payload.len()];
        payload.copy_to(0, &mut bytes);
        bytes
    }

    #[test]
    fn messages_of_every_length_are_read_as_they_were_written() {
        let (ticket, soon) = (Ticket::new(0, 77), Instant::now() + Duration::from_secs(60));
        for len in [0, 1, 27, 28, 48, 49, 5000] {
            let body: Vec<u8> = (0..len).map(|at| at as u8).collect();
            for deadline in [None, Some(soon)] {
                let payload = Payload::from_private(body.clone());
                let sent = Request::new(ticket, 5, payload, deadline);
                let read = read_request(content(request(&sent))).unwrap();
                assert_eq!(
                    (read.ticket, read.tag, bytes(&read.payload)),
                    (ticket, 5, body.clone())
                );
                // It lost the time that it took to get here.
                assert_eq!(read.deadline.is_some(), deadline.is_some());
                assert!(read.deadline.is_none_or(|read| read >= soon));
            }
            let sent = Answer::new(9, Payload::from_private(body.clone()));
            let (to, read) = read_answer(content(answer(ticket, &sent))).unwrap();
            assert_eq!((to, read.tag, bytes(&read.payload)), (ticket, 9, body));
        }
        assert_eq!(read_cancel(&content(cancel(ticket))[1..]), Some(ticket));
    }

    #[test]
    fn every_refusal_is_read_as_it_was_written() {
        for refusal in [
            SocketRefusal::NotAllowed,
            SocketRefusal::OtherVersion(7),
            SocketRefusal::Full,
            SocketRefusal::ShuttingDown,
            SocketRefusal::Told(b"no".to_vec()),
        ] {
            let content = content(refusal.frame());
            assert_eq!(SocketRefusal::read(&content[1..]), Some(refusal));
        }
        assert_eq!(SocketRefusal::read(&[5]), None);
        assert_eq!(SocketRefusal::read(&[]), None);
    }

    #[test]
    fn a_frame_that_is_cut_short_is_read_as_no_message() {
        let ticket = Ticket::new(0, 1);
        let whole = content(request(&Request::new(ticket, 5, Payload::default(), None)));
        for len in 0..whole.len() {
            assert!(read_request(whole[..len].to_vec()).is_none());
        }
        let whole = content(answer(ticket, &Answer::default()));
        for len in 0..whole.len() {
            assert!(read_answer(whole[..len].to_vec()).is_none());
        }
        let whole = content(opening(Demands::default(), b"key"));
        for len in 1..11 {
            let read = read_opening(&whole[1..len]);
            assert_eq!(read, OpeningRead::Malformed, "{len} bytes");
        }
        let mut other = whole[1..].to_vec();
        other[4] ^= 1;
        assert_eq!(read_opening(&other), OpeningRead::OtherVersion);
        assert_eq!(read_opening(&whole[1..]), OpeningRead::Known(Demands::default(), b"key"));
        assert_eq!(SocketFrame::split(&[]), None);
        assert_eq!(SocketFrame::split(&[99]), None);
        for kind in SocketFrame::ALL {
            assert_eq!(SocketFrame::split(&[kind as u8]), Some((kind, &[][..])));
        }
    }
}
