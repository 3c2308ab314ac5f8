//! A client that connects: finds the server, and is let in.

use std::fs;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use witrpc_rt::PeerCredentials;
use witrpc_transport::{
    ClientChannel, Demands, Initiator, MAX_HELLO_LEN, MIN_MESSAGE_LEN, NoRandomBytes, ResourceError,
};

use crate::error::ConnectError;
use crate::queue::limits::Limits;
use crate::transport::ConnectConfig;

use super::claim::{describe, reach};
use super::client;
use super::frame::{
    self, MAX_GREETING_LEN, MAX_OPENING_LEN, SOCKET_VERSION, SocketFrame, SocketRefusal,
};
use super::interrupt::ConnectInterrupt;
use super::place::{SocketPlace, own_uid};
use super::sealing::{FrameKeys, FrameSealer};
use super::stream::{FrameReader, send_all};

/// The first pause before a client looks again for a server that is not there. It doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(20);

/// What a client asks of a connection.
pub struct SocketConnect<'a> {
    pub place: &'a SocketPlace,
    pub config: &'a ConnectConfig,
    /// How long the server may take to let the client in, unless the config sets a limit.
    pub handshake_timeout: Duration,
    /// The longest message that the client takes.
    pub max_message_size: usize,
}

/// A connection that the server has let in.
pub struct LetIn {
    pub socket: Arc<UnixStream>,
    pub reader: FrameReader,
    pub welcome: Vec<u8>,
    pub limits: Limits,
    /// The keys of messages, if these are sealed.
    pub keys: FrameKeys,
}

impl SocketConnect<'_> {
    /// Connects, and waits for a server as long as the config allows.
    pub fn run(&self) -> Result<Arc<dyn ClientChannel>, ConnectError> {
        let len = self.config.hello.len();
        if len > MAX_HELLO_LEN {
            let problem = format!("this client's hello has {len} bytes, over {MAX_HELLO_LEN}");
            return Err(ConnectError::Protocol { problem });
        }
        let path = self.place.path()?;
        let (interrupt, _watch) = ConnectInterrupt::by(self.config.cancel.as_ref());
        let started = Instant::now();
        let left = self.config.until.map(|until| until.saturating_duration_since(started));
        let patience = self.config.wait_for_server;
        let patience = left.map_or(patience, |left| left.min(patience));
        let mut pause = FIRST_PAUSE;
        loop {
            let mut result = self.attempt(&path, &interrupt);
            if matches!(result, Err(ConnectError::HungUp)) && !interrupt.has_come() {
                // A server that ends may have had its last moment. No call was made, so this is safe.
                result = self.attempt(&path, &interrupt);
            }
            let error = match result {
                Ok(channel) => return Ok(channel),
                Err(_) if interrupt.has_come() => return Err(interrupted()),
                Err(error) => error,
            };
            let may_pass = matches!(
                error,
                ConnectError::NobodyServes { .. }
                    | ConnectError::HungUp
                    | ConnectError::ShuttingDown
            );
            let waited = started.elapsed();
            if !may_pass || waited >= patience {
                return Err(match error {
                    ConnectError::NobodyServes { name, places, .. } => {
                        ConnectError::NobodyServes { name, waited: patience, places }
                    }
                    other => other,
                });
            }
            interrupt.pause(pause.min(patience - waited));
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn attempt(
        &self,
        path: &Path,
        interrupt: &ConnectInterrupt,
    ) -> Result<Arc<dyn ClientChannel>, ConnectError> {
        let until = self.config.until;
        let until = until.or_else(|| Instant::now().checked_add(self.handshake_timeout));
        // A time too long for the clock is as good as a day.
        let until = until.unwrap_or_else(|| Instant::now() + Duration::from_secs(86_400));
        let socket = Arc::new(find(self.place, path, until, interrupt)?);
        interrupt.guard(Some(&socket));
        let let_in = self.enter(&socket, until);
        interrupt.guard(None);
        client::start(let_in?)
    }

    /// Exchanges keys and greetings with a server.
    fn enter(&self, socket: &Arc<UnixStream>, until: Instant) -> Result<LetIn, ConnectError> {
        let lost = |error| self.lost(error);
        let credentials = &self.config.credentials;
        let ours = credentials.demands();
        let begun = credentials.begin(&frame::prologue(ours)).map_err(no_random_bytes)?;
        // A server that refused and closed has said why, so what it sent counts.
        let _ = send_all(socket, &frame::opening(ours, &begun.message), until);
        let mut reader = FrameReader::new(Arc::clone(socket), MAX_OPENING_LEN, until);
        let content = reader.read().map_err(lost)?;
        let (theirs, message) = match SocketFrame::split(&content) {
            Some((SocketFrame::Reply, rest)) => {
                frame::split_demands(rest).ok_or_else(|| broken("it made a malformed reply"))?
            }
            other => return Err(refused(other)),
        };
        credentials.check(theirs)?;
        let keys = (begun.finish)(message).ok_or(ConnectError::TokenRejected)?;
        let keys = FrameKeys::Some(keys.into());
        let hello = FrameSealer::of_greeting(keys.clone()).seal(frame::hello(&self.config.hello));
        let hello = hello.ok_or_else(|| broken("the keys are used up"))?;
        let _ = send_all(socket, &hello, until);
        reader.expect_greeting(keys.clone(), MAX_GREETING_LEN);
        let content = reader.read().map_err(lost)?;
        let (limits, welcome) = match SocketFrame::split(&content) {
            Some((SocketFrame::Welcome, rest)) => self.read_welcome(rest)?,
            other => return Err(refused(other)),
        };
        let keys = of_messages(keys, ours);
        reader.expect_messages(keys.clone(), frame::max_content_len(limits.max_message_size));
        Ok(LetIn { socket: Arc::clone(socket), reader, welcome, limits, keys })
    }

    /// Checks the limits of a server.
    fn read_welcome(&self, rest: &[u8]) -> Result<(Limits, Vec<u8>), ConnectError> {
        let read = frame::read_welcome(rest);
        let (lanes, len, welcome) = read.ok_or_else(|| broken("it made a malformed welcome"))?;
        let max = self.max_message_size;
        let Some(len) = usize::try_from(len).ok().filter(|len| *len <= max) else {
            return Err(ConnectError::MessagesTooLarge { len, max: max as u64 });
        };
        let limits = Limits::DEFAULT.with_lanes(lanes).with_max_message_size(len);
        if len < MIN_MESSAGE_LEN || limits.check().is_err() {
            return Err(broken("it has limits that no server may have"));
        }
        Ok((limits, welcome.to_vec()))
    }

    /// Returns the error of a server that was lost before it let the client in.
    fn lost(&self, error: io::Error) -> ConnectError {
        match error.kind() {
            io::ErrorKind::TimedOut => {
                ConnectError::HandshakeTimedOut { after: self.handshake_timeout }
            }
            io::ErrorKind::InvalidData => broken(&error.to_string()),
            _ => ConnectError::HungUp,
        }
    }
}

/// Returns the keys of messages: they are sealed only if both sides require it.
pub fn of_messages(keys: FrameKeys, demands: Demands) -> FrameKeys {
    keys.filter(|_| demands.encryption)
}

/// Connects to the server of a path, which runs as an allowed user.
pub fn find(
    place: &SocketPlace,
    path: &Path,
    until: Instant,
    interrupt: &ConnectInterrupt,
) -> Result<UnixStream, ConnectError> {
    let failed = |source| {
        let doing = format!("connect to {}", path.display());
        ConnectError::Io { doing, source }
    };
    let no_server = || ConnectError::NobodyServes {
        name: place.label(),
        waited: Duration::ZERO,
        places: vec![format!("not at {path:?}")],
    };
    let started = Instant::now();
    let socket = loop {
        match fs::symlink_metadata(path) {
            Ok(file) if file.file_type().is_socket() => {}
            Ok(file) => {
                return Err(ConnectError::NotOurs { path: path.into(), found: describe(&file) });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(no_server()),
            Err(source) => return Err(failed(source)),
        }
        match reach(path) {
            Ok(socket) => break socket,
            Err(error) => match error.kind() {
                io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound => {
                    return Err(no_server());
                }
                // The queue is full, and no event says when it has room.
                io::ErrorKind::WouldBlock if interrupt.has_come() => return Err(interrupted()),
                io::ErrorKind::WouldBlock if Instant::now() < until => interrupt.pause(FIRST_PAUSE),
                io::ErrorKind::WouldBlock => {
                    return Err(ConnectError::HandshakeTimedOut { after: started.elapsed() });
                }
                _ => return Err(failed(error)),
            },
        }
    };
    let found = PeerCredentials::of(&socket).map_err(failed)?.uid;
    if !place.allows(found) {
        let (path, expected) = (path.to_owned(), own_uid());
        return Err(ConnectError::OtherUser { path, expected, found });
    }
    Ok(socket)
}

/// Returns the error of what a server sent instead of a welcome.
pub fn refused(frame: Option<(SocketFrame, &[u8])>) -> ConnectError {
    let refusal = match frame {
        Some((SocketFrame::Refusal, rest)) => SocketRefusal::read(rest),
        _ => None,
    };
    match refusal {
        Some(SocketRefusal::NotAllowed) => ConnectError::NotAllowed { uid: own_uid() },
        Some(SocketRefusal::OtherVersion(theirs)) => {
            ConnectError::VersionMismatch { ours: SOCKET_VERSION.into(), theirs: theirs.into() }
        }
        Some(SocketRefusal::Full) => ConnectError::TooManyClients,
        Some(SocketRefusal::ShuttingDown) => ConnectError::ShuttingDown,
        Some(SocketRefusal::Told(reason)) => ConnectError::Refused(reason),
        None => broken("it sent an unexpected frame"),
    }
}

fn broken(problem: &str) -> ConnectError {
    ConnectError::Protocol { problem: problem.to_owned() }
}

fn interrupted() -> ConnectError {
    let source = io::ErrorKind::Interrupted.into();
    ConnectError::Io { doing: "connect".to_owned(), source }
}

fn no_random_bytes(_: NoRandomBytes) -> ConnectError {
    let errno = Errno::AGAIN.raw_os_error();
    ConnectError::Resource(ResourceError::Refused { call: "getrandom".into(), errno })
}
