//! Why a name could not be bound or reached. Each variant carries what was found, and reads as a
//! sentence that says what to do.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Which rule a name breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// It has no characters.
    #[error("a name must not be empty; choose one of 1 to {max} bytes, such as \"calc\"", max = crate::Name::MAX_LEN)]
    Empty,
    /// It does not fit beside its directory into a socket's address.
    #[error("the name is {len} bytes long; shorten it to at most {max}")]
    TooLong {
        /// Its length in bytes.
        len: usize,
        /// The most bytes a name may have.
        max: usize,
    },
    /// It holds a slash, a NUL or another control character.
    #[error("the name {name:?} contains {character:?}; leave out slashes and control characters")]
    Character {
        /// The name.
        name: String,
        /// The first character at fault.
        character: char,
    },
    /// It starts with a dot, as files do that are about to become a name.
    #[error("the name {name:?} starts with a dot; begin it with another character")]
    LeadingDot {
        /// The name.
        name: String,
    },
    /// The directory of names uses it for itself.
    #[error("the name {name:?} is reserved; choose another")]
    Reserved {
        /// The name.
        name: String,
    },
}

/// What is wrong with a directory that names live in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// There is a file, or a symbolic link, where the directory should be.
    #[error("{path:?} is {found}, not a directory; remove it, or choose another directory")]
    NotADirectory {
        /// Where.
        path: PathBuf,
        /// What stands there.
        found: &'static str,
    },
    /// It belongs to another user.
    #[error(
        "{path:?} belongs to user {owner}, not to {expected}; have its owner remove it, choose another directory, or, if that user is to serve there, allow it with allow_uid"
    )]
    WrongOwner {
        /// Where.
        path: PathBuf,
        /// The user id of its owner.
        owner: u32,
        /// The user id it must belong to.
        expected: u32,
    },
    /// Others may do too much there.
    #[error(
        "{path:?} has mode {mode:04o}, which lets others at it; take away {excess:04o} (chmod) if they have done no harm"
    )]
    WrongMode {
        /// Where.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// The bits that must not be set.
        excess: u32,
    },
    /// It is to let other users reach the server, and does not.
    #[error(
        "{path:?} has mode {mode:04o}, which keeps the users out that are allowed; let others enter it (chmod 0711)"
    )]
    KeepsOthersOut {
        /// Where.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The directories of a user are for him alone.
    #[error(
        "other users are allowed, and the directories of a user's names are his alone; name a directory to share with in_dir"
    )]
    NotShared,
    /// No directory can hold names on this machine.
    #[error(
        "there is no place for names: {} cannot be used; name a directory of your own",
        list(tried)
    )]
    NonePossible {
        /// The directories that were tried, each with what the system said.
        tried: Vec<(PathBuf, io::Error)>,
    },
    /// The system refused an operation on it.
    #[error("{path:?} cannot be used: {source}; see to it, or choose another directory")]
    System {
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

fn list(tried: &[(PathBuf, io::Error)]) -> String {
    let each: Vec<_> = tried.iter().map(|(path, error)| format!("{path:?} ({error})")).collect();
    each.join(" and ")
}

/// Why a server could not take its name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// The name breaks a rule.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A directory for names cannot be used.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// Another server of this user holds the name.
    #[error("the name {name:?} is in use; stop the server that holds it, or choose another name")]
    NameInUse {
        /// The name.
        name: String,
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
        /// What was tried, as in `lock the name`.
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
    Directory(#[from] DirectoryError),
    /// No server has the name.
    #[error(
        "nobody serves {name:?} (waited {waited:?}); start the server, or ask to wait for it longer"
    )]
    NobodyServes {
        /// The name.
        name: String,
        /// How long it was waited for.
        waited: Duration,
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
        "the server runs as user {found}, not as {expected}; do not trust it, and see who put it there"
    )]
    OtherUser {
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
        ours: crate::Backend,
        /// The server's.
        theirs: crate::Backend,
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
    /// This process could not get the memory for its region, or map the server's.
    #[error(
        "there is no memory for a region of {len} bytes: {source}; free some, or lower the server's size"
    )]
    NoMemory {
        /// How much was asked for, in bytes.
        len: u64,
        /// What the system said.
        source: io::Error,
    },
    /// The server could not get the memory for its region of this connection.
    #[error("the server has no memory for another client; free some, or lower its size")]
    ServerNoMemory,
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
        /// What was tried, as in `lock the name`.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
}
