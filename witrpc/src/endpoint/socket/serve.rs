//! A server's end of one connection: the greeting, and what the client sends from there on.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Weak};
use std::time::Instant;

use witrpc_rt::PeerCredentials;
use witrpc_transport::{
    Answer, ChannelError, Clearance, ClientInfo, Demands, Responder, ServerPort, Ticket,
};

use crate::error::ConnectError;
use crate::queue::end::End;
use crate::queue::outlet::AnswerSink;
use crate::queue::server::{ConnectionHandle, ServerQueue};

use super::connect::of_messages;
use super::frame::{
    self, FrameBuilder, MAX_GREETING_LEN, MAX_OPENING_LEN, OpeningRead, SOCKET_VERSION,
    SocketFrame, SocketRefusal,
};
use super::outbox::Outbox;
use super::place::own_uid;
use super::port::{Greeting, SocketPort};
use super::sealing::{FrameKeys, FrameSealer};
use super::stream::{FrameReader, send_all};

/// The answers of a server to one client.
struct SocketAnswers(Arc<Outbox>);

impl AnswerSink for SocketAnswers {
    fn send(&self, ticket: Ticket, answer: Answer) {
        self.0.put(frame::answer(ticket, &answer));
    }

    fn drain(&self) {
        self.0.put(frame::drain());
    }

    fn close(&self, end: End) {
        self.0.put_last(frame::end(end));
    }

    fn has_delivered(&self) -> bool {
        self.0.is_empty()
    }
}

/// What the key exchange with a client has found.
struct Exchanged {
    keys: FrameKeys,
    clearance: Clearance,
    demands: Demands,
}

/// Serves a client until the connection ends. Run by a thread.
pub fn run(
    port: &Arc<SocketPort>,
    greeting: Greeting,
    socket: &Arc<UnixStream>,
    who: PeerCredentials,
) {
    // A client that is lost in its greeting has had no call.
    let Ok(Some((mut reader, requests, outbox, max_held))) = greet(port, socket, who) else {
        return;
    };
    drop(greeting);
    read_requests(&mut reader, &requests, &outbox, max_held);
    drop(requests);
    outbox.close();
}

type Entered = (FrameReader, ConnectionHandle, Arc<Outbox>, usize);

/// Lets a client in, or returns `None` if it is refused or has only inquired.
fn greet(
    port: &Arc<SocketPort>,
    socket: &Arc<UnixStream>,
    who: PeerCredentials,
) -> io::Result<Option<Entered>> {
    let until = Instant::now().checked_add(port.handshake_timeout);
    let until = until.ok_or(io::ErrorKind::InvalidInput)?;
    let mut reader = FrameReader::new(Arc::clone(socket), MAX_OPENING_LEN, until);
    let opening = reader.read()?;
    let Some(exchanged) = answer_opening(port, socket, who, &opening, until)? else {
        return Ok(None);
    };
    let Exchanged { keys, clearance, demands } = exchanged;
    reader.expect_greeting(keys.clone(), MAX_GREETING_LEN);
    let content = reader.read()?;
    let Some((SocketFrame::Hello, hello)) = SocketFrame::split(&content) else { return Ok(None) };
    let mut greets = FrameSealer::of_greeting(keys.clone());
    let mut tell = |frame: Vec<u8>| match greets.seal(frame) {
        Some(frame) => send_all(socket, &frame, until),
        None => Err(io::ErrorKind::InvalidData.into()),
    };
    let Some(server) = port.server() else {
        tell(SocketRefusal::ShuttingDown.frame())?;
        return Ok(None);
    };
    let keys = of_messages(keys, demands);
    let outbox = Arc::new(new_outbox(socket, &keys, Arc::downgrade(&server)));
    let client = ClientInfo::new(who.pid, who.uid).cleared(clearance);
    let connected = server.connect(hello, client, SocketAnswers(Arc::clone(&outbox)));
    let (welcome, requests) = match connected {
        Ok(connected) => connected,
        Err(error) => {
            tell(refusal(error).frame())?;
            return Ok(None);
        }
    };
    let limits = server.limits();
    drop(server);
    let writes = Arc::clone(&outbox);
    // Until here nothing has left, and the end of the connection drops what waits.
    port.spawn("witrpc-sock-w", move || writes.run())?;
    if let Err(error) = tell(frame::welcome(limits, &welcome)) {
        outbox.close();
        return Err(error);
    }
    outbox.uncork();
    reader.expect_messages(keys, frame::max_content_len(limits.max_message_size));
    Ok(Some((reader, requests, outbox, limits.max_message_size)))
}

fn new_outbox(socket: &Arc<UnixStream>, keys: &FrameKeys, server: Weak<ServerQueue>) -> Outbox {
    Outbox::corked(Arc::clone(socket), FrameSealer::of_messages(keys.clone()), move || {
        // A shutdown may wait for what has left now.
        server.upgrade().into_iter().for_each(|server| server.ring());
    })
}

/// Replies to the first frame of a client. Returns the keys of one that has the secret.
fn answer_opening(
    port: &SocketPort,
    socket: &UnixStream,
    who: PeerCredentials,
    opening: &[u8],
    until: Instant,
) -> io::Result<Option<Exchanged>> {
    let tell = |frame: Vec<u8>| send_all(socket, &frame, until).map(|()| None);
    let Some(server) = port.server() else { return tell(SocketRefusal::ShuttingDown.frame()) };
    let rest = match SocketFrame::split(opening) {
        Some((SocketFrame::Opening, rest)) => rest,
        Some((SocketFrame::Inquiry, [])) if who.uid == own_uid() => {
            let report = server.report();
            return tell(
                FrameBuilder::new(SocketFrame::Report, report.len()).put(&report).finish(),
            );
        }
        Some((SocketFrame::Inquiry, [])) => return tell(SocketRefusal::NotAllowed.frame()),
        _ => return Ok(None),
    };
    let guard = server.guard();
    let demands = guard.demands();
    let message = match frame::read_opening(rest) {
        OpeningRead::Known(theirs, message) if theirs == demands => message,
        // The client compares the demands, and tells its user.
        OpeningRead::Known(..) => return tell(frame::reply(demands, &[])),
        OpeningRead::OtherVersion => {
            return tell(SocketRefusal::OtherVersion(SOCKET_VERSION).frame());
        }
        OpeningRead::Malformed => return Ok(None),
    };
    let response = guard.respond(&frame::prologue(demands), message);
    let Some(response) = response.map_err(io::Error::other)? else {
        return tell(frame::reply(demands, &[]));
    };
    send_all(socket, &frame::reply(demands, &response.message), until)?;
    let keys = FrameKeys::Some(response.keys.into());
    Ok(Some(Exchanged { keys, clearance: response.clearance, demands }))
}

fn refusal(error: ConnectError) -> SocketRefusal {
    match error {
        ConnectError::Refused(reason) => SocketRefusal::Told(reason),
        ConnectError::TooManyClients => SocketRefusal::Full,
        _ => SocketRefusal::ShuttingDown,
    }
}

/// Reads what a client sends until the connection ends, or the client breaks the protocol.
fn read_requests(
    reader: &mut FrameReader,
    requests: &ConnectionHandle,
    outbox: &Outbox,
    max_held: usize,
) {
    while let Ok(content) = reader.read() {
        let taken = match SocketFrame::split(&content) {
            Some((SocketFrame::Request, _)) => {
                outbox.wait_for_room(max_held);
                frame::read_request(content).map(|request| requests.request(request))
            }
            Some((SocketFrame::Cancel, rest)) => frame::read_cancel(rest).map(|ticket| {
                requests.cancel(ticket);
                Ok(())
            }),
            _ => None,
        };
        match taken {
            None | Some(Err(ChannelError::Misbehaved(_))) => return,
            // A request behind the server's last frame is ignored: that frame still has to reach the client.
            Some(Ok(()) | Err(_)) => {}
        }
    }
}
