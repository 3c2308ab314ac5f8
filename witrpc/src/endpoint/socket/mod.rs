//! Named Unix sockets: the transport for places that forbid shared memory.
//!
//! It stands on the kit of [`crate::queue`]. `place` says where a socket is, `claim` takes it for a server.
//! `frame` is the format, `sealing` the encryption of frames, `stream` reads and writes them. `outbox` holds
//! what has not left. `connect` and `client` are a client's side, `port` and `serve` a server's.

mod claim;
mod client;
mod connect;
mod frame;
mod inquire;
mod interrupt;
mod outbox;
mod place;
mod port;
mod sealing;
mod serve;
mod stream;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use witrpc_transport::{ClientChannel, ServerPort};

use crate::error::{BindError, ConnectError};
use crate::queue::limits::Limits;
use crate::transport::{BindConfig, ConnectConfig, Transport};

use connect::SocketConnect;
use place::SocketPlace;
use port::SocketPort;

/// The longest time that either side may take for the handshake, unless the user sets another.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);

/// The largest `max_message_size`: the length of a frame has 32 bits, and tags count.
const MOST_MESSAGE_SIZE: usize = u32::MAX as usize - (2 << 20);

/// A Unix socket with a name or a path, and the limits of the server behind it.
///
/// It needs no shared memory, so it works where that is forbidden: under gVisor, under a strict seccomp filter,
/// in a container without `memfd_create`. Each message takes system calls, and its bytes are copied into the
/// kernel and out of it. Values that are [shared](crate::Shared) cross as copies. All else is the same as over an
/// [`Mmf`](crate::Mmf): streams, events, cancellation, tokens, encryption, reconnection.
///
/// The limits of the server apply: a client learns them when it connects. Two limits are the client's:
/// [`max_message_size`](Self::max_message_size), over which it refuses a server, and
/// [`handshake_timeout`](Self::handshake_timeout).
///
/// # Names and users
///
/// A name is a socket in `/tmp/witrpc-sockets-<uid>`, which only this user can enter. Both sides ask the kernel
/// for the user of the other (`SO_PEERCRED`): a client trusts no server of another user, and a server turns
/// clients of other users away, unless [`allow_uid`](Self::allow_uid) names them. A server that starts removes the
/// sockets that dead servers have left there. Names of sockets and those of an [`Mmf`](crate::Mmf) are apart:
/// a server may have both.
///
/// # What a client may take
///
/// A server has two threads for each client, and holds for it at most one message that arrives. While more than
/// [`max_message_size`](Self::max_message_size) bytes of answers wait for a client that does not read, its
/// further requests are not read either. Handlers that already run may add an answer for each of the
/// [`lanes`](Self::lanes). Such a client has not got its answers, so a graceful shutdown waits for it until its
/// time is over. The end after that waits a second at most.
///
/// # Forks
///
/// A child that was forked without `exec` holds copies of the sockets. Its calls over them fail, and it cannot
/// serve. But while it lives, the death of its parent stays hidden from the peers. So fork before, or `exec`.
///
/// # Examples
///
/// ```
/// use witrpc::{Socket, WitServer, wit_service};
///
/// #[wit_service]
/// pub trait Adder {
///     fn add(&self, a: u64, b: u64) -> u64;
/// }
///
/// struct Local;
///
/// impl Adder for Local {
///     fn add(&self, a: u64, b: u64) -> u64 {
///         a + b
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let path = std::env::temp_dir().join(format!("adder-{}.sock", std::process::id()));
/// let endpoint = Socket::at(path); // or a name: Socket::new("adder")
/// let service = AdderServer::new(Local);
/// let server = WitServer::builder().listen(endpoint.clone()).service(service).start()?;
/// let client = AdderClient::connect(endpoint)?;
/// assert_eq!(client.add(2, 3)?, 5);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Socket {
    place: SocketPlace,
    limits: Limits,
    handshake_timeout: Duration,
}

impl Socket {
    /// Returns the endpoint of this name. A name has 1 to 64 bytes, without slashes, control characters or a
    /// leading dot. It is checked when it is bound or connected to. Each user has a separate set of names.
    pub fn new(name: impl Into<String>) -> Self {
        Self::of(SocketPlace::named(name.into()))
    }

    /// Returns the endpoint of the socket at this path, of at most 106 bytes. Its directory must exist. Other
    /// users must not be able to write to that, unless it has the sticky bit.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self::of(SocketPlace::at(path.into()))
    }

    fn of(place: SocketPlace) -> Self {
        Self { place, limits: Limits::DEFAULT, handshake_timeout: HANDSHAKE_TIMEOUT }
    }

    /// Returns the name, or the path.
    #[must_use]
    pub fn name(&self) -> String {
        self.place.label()
    }

    /// Places the socket in this directory instead of the user's own: for containers and for system services. A
    /// server creates the directory if it is missing, accessible to its user only. Other users must not be able
    /// to write to it, unless it has the sticky bit.
    #[must_use]
    pub fn in_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.place.in_dir(path.into());
        self
    }

    /// Shares the server with another user of the machine. On a server, clients that run as `uid` are let in, as
    /// those of its own user are. On a client, a server that runs as `uid` is trusted to be the right one. Both
    /// sides must call this, and name the socket with [`in_dir`](Self::in_dir) or [`at`](Self::at). It may be
    /// called for several users.
    ///
    /// The socket then has mode `0666`, and a directory that the server creates `0711`: every user can try to
    /// connect, and is turned away before anything is read. An allowed user can do what any client can.
    #[must_use]
    pub fn allow_uid(mut self, uid: u32) -> Self {
        self.place.allow_uid(uid);
        self
    }

    /// Sets how many calls of one client may be in flight, from 1 to 1024. Default: 64. Further calls wait,
    /// until their time is over. Streams or uploads need 2, events 3, and all of them at the same time 4: see
    /// the [guide](crate::guide::streams_and_events#how-many-there-may-be).
    #[must_use]
    pub fn lanes(mut self, lanes: u32) -> Self {
        self.limits.lanes = lanes;
        self
    }

    /// Sets how many clients may be connected at once, from 1 to 65,536. Default: 1,024. Each takes two threads
    /// of the server.
    #[must_use]
    pub fn max_clients(mut self, max_clients: u32) -> Self {
        self.limits.max_clients = max_clients;
        self
    }

    /// Sets the largest encoded request or answer in bytes, from 64 to 4 GiB - 2 MiB - 1. Default: 64 MiB. A
    /// longer message is refused where it is made, and nothing of it is sent. On a client's endpoint, it sets the
    /// largest that a server may have: a client refuses to connect to a server with more.
    #[must_use]
    pub fn max_message_size(mut self, max_message_size: usize) -> Self {
        self.limits.max_message_size = max_message_size;
        self
    }

    /// Sets how long a client may take for the handshake. Default: 5 s. The server drops a client that takes
    /// longer. On a client's endpoint, it sets how long the server may take;
    /// [`ClientBuilder::connect_timeout`](crate::ClientBuilder::connect_timeout) takes the place of that.
    #[must_use]
    pub fn handshake_timeout(mut self, timeout: Duration) -> Self {
        self.handshake_timeout = timeout;
        self
    }
}

impl Transport for Socket {
    fn bind(&self, config: BindConfig) -> Result<Arc<dyn ServerPort>, BindError> {
        self.limits.check()?;
        let len = self.limits.max_message_size;
        if len > MOST_MESSAGE_SIZE {
            return Err(BindError::LimitOutOfRange {
                limit: "max_message_size",
                value: len as u64,
                min: witrpc_transport::MIN_MESSAGE_LEN as u64,
                max: MOST_MESSAGE_SIZE as u64,
            });
        }
        Ok(SocketPort::bind(&self.place, self.limits, self.handshake_timeout, config)?)
    }

    fn connect(&self, config: ConnectConfig) -> Result<Arc<dyn ClientChannel>, ConnectError> {
        SocketConnect {
            place: &self.place,
            config: &config,
            handshake_timeout: self.handshake_timeout,
            max_message_size: self.limits.max_message_size.min(MOST_MESSAGE_SIZE),
        }
        .run()
    }

    fn servers(&self) -> Result<Vec<String>, ConnectError> {
        self.live_names()
    }

    fn report(&self) -> Result<Vec<u8>, ConnectError> {
        self.inquire()
    }
}
