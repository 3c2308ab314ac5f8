//! Why a name could not be bound or reached. Each variant carries what was found, and reads as a
//! sentence that says what to do.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use witrpc_transport::ResourceError;

mod directory;

use crate::name::NameError;
use crate::sys::resource::lacked_by_process;

pub use directory::{DirectoryError, LookedIn};

/// Why a server could not take its name.
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
    /// Another server of this user holds the name.
    #[error(
        "the name {name:?} is in use, its lock {path:?} is held; stop the server that holds it, or \
         choose another name"
    )]
    NameInUse {
        /// The name.
        name: String,
        /// The lock file.
        path: PathBuf,
    },
    /// Something that no server of ours has left stands where the name would.
    #[error("{path:?} is {found}; remove it, or choose another name")]
    NotOurs {
        /// Where.
        path: PathBuf,
        /// What stands there; it was left as it was.
        found: &'static str,
    },
    /// Other users are allowed, and the backend cannot share memory with them.
    #[error(
        "the portable backend shares memory within one user only; choose the native one, or allow no others"
    )]
    PortableIsPrivate,
    /// A limit is out of its bounds.
    #[error("{limit} is {value}; choose from {min} to {max}")]
    LimitOutOfRange {
        /// Which.
        limit: &'static str,
        /// What was asked for.
        value: u64,
        /// The least that is possible.
        min: u64,
        /// The most that is possible.
        max: u64,
    },
    /// The system refused.
    #[error("could not {doing}: {source}; see to what the system says, and try again")]
    System {
        /// What was tried, as in `start the control thread`.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

/// Why a client could not reach a server.
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
        "nobody serves {name:?} (waited {waited:?}; {}); start the server, or ask to wait for it longer",
        directory::list(.places)
    )]
    NobodyServes {
        /// The name.
        name: String,
        /// How long it was waited for.
        waited: Duration,
        /// Each place that could have it.
        places: Vec<LookedIn>,
    },
    /// Something else than a server's socket has the name.
    #[error("{path:?} is {found}, not a server; remove it, or use another name")]
    NotAServer {
        /// Where.
        path: PathBuf,
        /// What stands there; it was left as it was.
        found: &'static str,
    },
    /// The server runs as another user than the one its directory belongs to.
    #[error(
        "the server at {path:?} runs as user {found}, not as {expected}; do not trust it, and see who \
         put it there"
    )]
    OtherUser {
        /// Its socket.
        path: PathBuf,
        /// The user id it must have.
        expected: u32,
        /// The user id it has.
        found: u32,
    },
    /// The server lets in clients of other users than this one.
    #[error("the server does not let user {uid} in; allow it there with allow_uid")]
    NotAllowed {
        /// The user id that this client runs as.
        uid: u32,
    },
    /// The server speaks another version of the channel's protocol.
    #[error(
        "the server speaks version {theirs} of the protocol and this client version {ours}; build both with the same release of witrpc"
    )]
    OtherVersion {
        /// This side's version.
        ours: u32,
        /// The server's version.
        theirs: u32,
    },
    /// The server's connections stand on another backend than this client was told to use.
    #[error(
        "the server uses the {theirs} backend and this client the {ours} one; choose the same backend for both"
    )]
    OtherBackend {
        /// This client's.
        ours: &'static str,
        /// The server's.
        theirs: &'static str,
    },
    /// The server asks for a secret or for encryption and this client does not, or the other way
    /// round.
    #[error(
        "the server asks for {theirs:?} and this client for {ours:?}; have both ask for the same"
    )]
    OtherDemands {
        /// This client's.
        ours: witrpc_transport::Demands,
        /// The server's.
        theirs: witrpc_transport::Demands,
    },
    /// Server and client have not the same secret, or somebody between them has changed what they
    /// said.
    #[error(
        "the server and this client do not know the same secret; give both the same, and see who stands between"
    )]
    Unauthorized,
    /// A region would take more memory than this client allows.
    #[error(
        "the server asks for a region of {len} bytes and this client allows {max}; raise the client's limit or lower the server's size"
    )]
    RegionTooLarge {
        /// What the server announced, in bytes.
        len: u64,
        /// This client's limit in bytes.
        max: u64,
    },
    /// This process lacks something for its side of the connection.
    #[error("this process cannot connect: {0}")]
    Resource(#[from] ResourceError),
    /// The server lacks something for its side of the connection.
    #[error("the server cannot take another client: {0}")]
    ServerResource(ResourceError),
    /// The server has as many clients as it takes.
    #[error(
        "the server has as many clients as it takes; try again when one has left, or raise its limit"
    )]
    ServerFull,
    /// The server takes no new clients, or is shutting down.
    #[error("the server takes no new clients; connect when it has been started again")]
    NotAccepting,
    /// The layers above the channel turned this client away, for the reason in the bytes.
    #[error("the server refused this client")]
    Refused(
        /// Made by the server's host.
        Vec<u8>,
    ),
    /// What this client would say first is too long.
    #[error("the hello is {len} bytes long; shorten it to at most {max}")]
    HelloTooLong {
        /// Its length in bytes.
        len: usize,
        /// The most that a server reads.
        max: usize,
    },
    /// The server did not answer in time.
    #[error(
        "the server did not finish the handshake within {after:?}; see whether it hangs, or allow more time"
    )]
    TimedOut {
        /// The time that was allowed.
        after: Duration,
    },
    /// Connecting was interrupted.
    #[error("connecting was given up by its caller; connect again")]
    Interrupted,
    /// The server hung up during the handshake.
    #[error("the server hung up during the handshake; see whether it died, and connect anew")]
    HungUp,
    /// The server sent what no server sends.
    #[error("the server breaks the protocol: {what}; see what runs under this name")]
    Misbehaved {
        /// What was wrong.
        what: String,
    },
    /// The server found this client's side of the handshake wrong.
    #[error(
        "the server found this client's handshake wrong; build both with the same release of witrpc, and see who stands between"
    )]
    FoundWrong,
    /// The system refused.
    #[error("could not {doing}: {source}; see to what the system says, and try again")]
    System {
        /// What was tried, as in `start the control thread`.
        doing: &'static str,
        /// What the system said.
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
    /// Returns why something could not be done, which may be the process's own limit.
    pub(crate) fn system(doing: &'static str, error: impl Into<io::Error>) -> Self {
        let source = error.into();
        match lacked_by_process(&source) {
            Some(lacked) => Self::Resource(lacked),
            None => Self::System { doing, source },
        }
    }
}

impl ConnectError {
    /// Returns why something could not be done, which may be the process's own limit.
    pub(crate) fn system(doing: &'static str, error: impl Into<io::Error>) -> Self {
        let source = error.into();
        match lacked_by_process(&source) {
            Some(lacked) => Self::Resource(lacked),
            None => Self::System { doing, source },
        }
    }
}
