//! Why a name could not be bound or reached. Each variant has the values that were found, and its
//! text says what to do.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use witrpc_transport::ResourceError;

mod directory;

use crate::name::NameError;
use crate::sys::resource::lacked_by_process;

pub use directory::{DirectoryError, LookedIn};

/// Why a server could not bind its name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// The name breaks a rule.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A directory for names cannot be used.
    #[error(transparent)]
    Directory(DirectoryError),
    /// Regions cannot be made here.
    #[error(transparent)]
    Resource(#[from] ResourceError),
    /// Another server of this user has the name.
    #[error(
        "the name {name:?} is in use: the lock {path:?} is held; stop the server that holds it, or \
         choose another name"
    )]
    NameInUse {
        /// The name.
        name: String,
        /// The lock file.
        path: PathBuf,
    },
    /// The path of the name has something that no server of this library has left.
    #[error("{path:?} is {found}; remove it, or choose another name")]
    NotOurs {
        /// The path.
        path: PathBuf,
        /// What was found there. It was not changed.
        found: &'static str,
    },
    /// Other users are allowed, and the portable backend cannot share memory with them.
    #[error(
        "the portable backend shares memory within one user only; choose the native one, or allow no other users"
    )]
    PortableIsPrivate,
    /// A limit is out of its bounds.
    #[error("{limit} is {value}; choose from {min} to {max}")]
    LimitOutOfRange {
        /// The name of the limit.
        limit: &'static str,
        /// The value that was given.
        value: u64,
        /// The least value.
        min: u64,
        /// The greatest value.
        max: u64,
    },
    /// The system refused an operation.
    #[error("could not {doing}: {source}")]
    System {
        /// The operation, as in `start the control thread`.
        doing: &'static str,
        /// The error of the system.
        source: io::Error,
    },
}

/// Why a client could not connect to a server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The name breaks a rule.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A directory for names cannot be used.
    #[error(transparent)]
    Directory(DirectoryError),
    /// No server has the name.
    #[error(
        "no server serves {name:?} (waited {waited:?}; {}); start the server, or wait longer for it",
        directory::list(.places)
    )]
    NobodyServes {
        /// The name.
        name: String,
        /// How long the client waited for a server.
        waited: Duration,
        /// Each place that was searched.
        places: Vec<LookedIn>,
    },
    /// The path of the name has something other than a server's socket.
    #[error("{path:?} is {found}, not a server; remove it, or use another name")]
    NotAServer {
        /// The path.
        path: PathBuf,
        /// What was found there. It was not changed.
        found: &'static str,
    },
    /// The server runs as another user than the owner of its directory.
    #[error(
        "the server at {path:?} runs as user {found}, not as {expected}; do not trust it, and find out \
         which program put it there"
    )]
    OtherUser {
        /// The path of its socket.
        path: PathBuf,
        /// The user id that the server must have.
        expected: u32,
        /// The user id that the server has.
        found: u32,
    },
    /// The server does not accept clients of this user.
    #[error(
        "the server does not accept clients of user {uid}; allow that user there with allow_uid"
    )]
    NotAllowed {
        /// The user id that this client runs as.
        uid: u32,
    },
    /// The server speaks another version of the channel's protocol.
    #[error(
        "the server speaks version {theirs} of the protocol and this client version {ours}; build both with the same release of witrpc"
    )]
    OtherVersion {
        /// This client's version.
        ours: u32,
        /// The server's version.
        theirs: u32,
    },
    /// The server uses another backend than this client.
    #[error(
        "the server uses the {theirs} backend and this client the {ours} one; choose the same backend for both"
    )]
    OtherBackend {
        /// This client's backend.
        ours: &'static str,
        /// The server's backend.
        theirs: &'static str,
    },
    /// One side requires a secret or encryption, and the other does not.
    #[error("the server requires {theirs:?} and this client {ours:?}; configure both alike")]
    OtherDemands {
        /// This client's requirements.
        ours: witrpc_transport::Demands,
        /// The server's requirements.
        theirs: witrpc_transport::Demands,
    },
    /// The server and the client do not have the same secret, or a program in between has changed
    /// their messages.
    #[error(
        "the server and this client do not have the same secret; give both the same one, and check that no program in between changes their messages"
    )]
    Unauthorized,
    /// The server's regions are longer than this client allows.
    #[error(
        "the server asks for a region of {len} bytes and this client allows {max}; raise the client's limit or lower the server's size"
    )]
    RegionTooLarge {
        /// The length that the server announced, in bytes.
        len: u64,
        /// This client's limit, in bytes.
        max: u64,
    },
    /// This process lacks a resource for its side of the connection.
    #[error("this process cannot connect: {0}")]
    Resource(#[from] ResourceError),
    /// The server lacks a resource for its side of the connection.
    #[error("the server cannot take another client: {0}")]
    ServerResource(ResourceError),
    /// The server has reached its limit of clients.
    #[error(
        "the server has reached its limit of clients; try again when one has left, or raise the limit"
    )]
    ServerFull,
    /// The server accepts no new clients, or is shutting down.
    #[error("the server accepts no new clients; connect when it has been started again")]
    NotAccepting,
    /// The layers above the channel refused this client, for the reason in the bytes.
    #[error("the server refused this client")]
    Refused(
        /// The reason, encoded by the server's [`Admission`](witrpc_transport::Admission).
        Vec<u8>,
    ),
    /// The hello of this client is too long.
    #[error("the hello is {len} bytes long; shorten it to at most {max}")]
    HelloTooLong {
        /// Its length in bytes.
        len: usize,
        /// The most bytes that a server reads.
        max: usize,
    },
    /// The server did not finish the handshake in time.
    #[error(
        "the server did not finish the handshake within {after:?}; check whether it hangs, or allow more time"
    )]
    TimedOut {
        /// The time that was allowed.
        after: Duration,
    },
    /// The caller cancelled the connect.
    #[error("the caller cancelled the connect")]
    Interrupted,
    /// The server hung up during the handshake.
    #[error("the server hung up during the handshake; check whether it died, and connect again")]
    HungUp,
    /// The server broke the protocol of the handshake.
    #[error("the server breaks the protocol: {what}; check which program serves this name")]
    Misbehaved {
        /// The rule that it broke.
        what: String,
    },
    /// The server rejected this client's side of the handshake.
    #[error(
        "the server rejected this client's handshake; build both with the same release of witrpc, and check that no program in between changes their messages"
    )]
    FoundWrong,
    /// The system refused an operation.
    #[error("could not {doing}: {source}")]
    System {
        /// The operation, as in `start the control thread`.
        doing: &'static str,
        /// The error of the system.
        source: io::Error,
    },
}

impl From<DirectoryError> for BindError {
    fn from(error: DirectoryError) -> Self {
        match error {
            DirectoryError::Resource(lacked) => Self::Resource(lacked),
            other => Self::Directory(other),
        }
    }
}

impl From<DirectoryError> for ConnectError {
    fn from(error: DirectoryError) -> Self {
        match error {
            DirectoryError::Resource(lacked) => Self::Resource(lacked),
            other => Self::Directory(other),
        }
    }
}

impl BindError {
    /// Returns the error of a failed operation: [`Resource`](Self::Resource) if a limit of this
    /// process was reached.
    pub(crate) fn system(doing: &'static str, error: impl Into<io::Error>) -> Self {
        let source = error.into();
        match lacked_by_process(&source) {
            Some(lacked) => Self::Resource(lacked),
            None => Self::System { doing, source },
        }
    }
}

impl ConnectError {
    /// Returns the error of a failed operation: [`Resource`](Self::Resource) if a limit of this
    /// process was reached.
    pub(crate) fn system(doing: &'static str, error: impl Into<io::Error>) -> Self {
        let source = error.into();
        match lacked_by_process(&source) {
            Some(lacked) => Self::Resource(lacked),
            None => Self::System { doing, source },
        }
    }
}
