//! Errors of connecting to a server.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;
use witrpc_transport::{DisconnectReason, ResourceError};

use super::call::CallError;
use super::left_behind::LeftBehindLimit;
use super::remedy::remedy;
use super::{Codec, ContractDifference};

/// The reason why a client could not connect.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The name cannot be used on this machine.
    #[error("{name:?} cannot be a server's name: {rule}")]
    InvalidName {
        /// The name as given.
        name: String,
        /// The rule that it breaks, as a sentence.
        rule: String,
    },
    /// No server has this name, or the one that had it has died.
    #[error(
        "no server serves {name:?}{}{}: start the server first, or wait for it with wait_for_server",
        waited_for(*.waited),
        looked_in(.places)
    )]
    NobodyServes {
        /// The name.
        name: String,
        /// How long the client waited for a server, as configured.
        waited: Duration,
        /// Where the client looked: the full path of the server's socket, or why a directory was
        /// skipped. Empty where names have no paths.
        places: Vec<String>,
    },
    /// A server has this name, but does not serve the client's service.
    #[error(
        "the server does not serve {asked:?}, only {serves:?}: check the name of the server, or add \
         the service to it"
    )]
    UnknownService {
        /// The service's name on the wire.
        asked: String,
        /// The services that it serves.
        serves: Vec<String>,
    },
    /// A server that the client is already connected to did not answer whether it serves another
    /// service.
    #[error("the server could not be asked for {service:?}: {source}")]
    Unanswered {
        /// The service's name on the wire.
        service: &'static str,
        /// The error of that call.
        source: CallError,
    },
    /// The server does not allow the codec.
    #[error(
        "the server does not speak {asked}, only {allowed:?}: choose one of these with .codec(..)"
    )]
    CodecNotAllowed {
        /// The client's codec.
        asked: Codec,
        /// The codecs that it allows.
        allowed: Vec<Codec>,
    },
    /// The server has left the codec out for this service, because it does not carry all types.
    #[error(
        "the server does not serve this service over {asked}, only over {allowed:?}: {reason}; choose \
         one of these with .codec(..)"
    )]
    CodecLeftOut {
        /// The client's codec.
        asked: Codec,
        /// The codecs over which it serves this service.
        allowed: Vec<Codec>,
        /// The types, and why, in the server's words.
        reason: String,
    },
    /// No codec carries all types of the service, on both sides.
    #[error("no codec carries all types of {service:?} on both sides: {}", .problems.join("; "))]
    NoCodecFits {
        /// The service's name on the wire.
        service: &'static str,
        /// What each codec does not carry.
        problems: Vec<String>,
    },
    /// A type of the service cannot be carried by the client's codec.
    #[error(
        "{service}.{method} cannot be called over {codec}: {problem}; change the type, or choose \
         another codec with .codec(..)"
    )]
    CodecRefused {
        /// The codec.
        codec: Codec,
        /// The service's name on the wire.
        service: &'static str,
        /// The method's name on the wire.
        method: &'static str,
        /// What cannot be carried, and why.
        problem: String,
    },
    /// A part of a type is unknown to the client or to the server, and the codec does not describe it.
    /// Equal contracts do not prove that the part is equal.
    ///
    /// See
    /// [`ClientBuilder::allow_unverified_types`](crate::ClientBuilder::allow_unverified_types).
    #[error(
        "{service}.{method} cannot be called over {codec}: {part} could not be verified: {reason}, \
         and {codec} does not tell what its bytes are; give a value that the type takes to \
         register_sample, choose another codec, or take the risk with \
         .allow_unverified_types(true) on both sides"
    )]
    UnverifiedType {
        /// The codec.
        codec: Codec,
        /// The service's name on the wire.
        service: &'static str,
        /// The name of the method or event on the wire.
        method: String,
        /// Where in it: ``argument `order`: field `amount` of `Order` ``. If several parts are unknown,
        /// the first three, and how many more there are.
        part: String,
        /// Why it is unknown: the last error of the type's `Deserialize`, or that the server does not
        /// know it.
        reason: String,
    },
    /// Client and server were built from incompatible versions of the service.
    ///
    /// The rules are at [`Connection`](crate::Connection#contracts).
    #[error(
        "client and server have different versions of {service:?} ({}): build both from one trait",
        ContractDifference::list(.differences)
    )]
    ContractMismatch {
        /// The service's name on the wire.
        service: &'static str,
        /// The first twenty differences.
        differences: Vec<ContractDifference>,
    },
    /// The server is shutting down or accepts no more clients.
    #[error("the server accepts no new clients, it is shutting down: connect once it serves again")]
    ShuttingDown,
    /// The server has reached its limit of clients.
    #[error(
        "the server already serves as many clients as it may: wait until one leaves, or raise \
         max_clients on its endpoint"
    )]
    TooManyClients,
    /// Disconnected clients have left too much behind on the server: handlers still run, or hooks
    /// and drops are queued.
    #[error(
        "clients that have gone have left {max} {limit} behind on the server, which accepts no \
         client meanwhile: {}",
        .limit.advice()
    )]
    TooManyLeftBehind {
        /// The limit that was reached.
        limit: LeftBehindLimit,
        /// Its value.
        max: u64,
    },
    /// Client and server speak different versions of the protocol.
    #[error(
        "the server speaks version {theirs} of the protocol and this client version {ours}: build \
         both with compatible versions of witrpc"
    )]
    VersionMismatch {
        /// The version that this side proposed last.
        ours: u32,
        /// The server's newest version.
        theirs: u32,
    },
    /// Client and server were configured with different backends.
    #[error(
        "the server uses the {theirs} backend and this client the {ours} one: choose the same one \
         with .backend(..) on both endpoints (the portable one needs the feature `portable`)"
    )]
    BackendMismatch {
        /// The client's backend.
        ours: String,
        /// The server's backend.
        theirs: String,
    },
    /// The server refused in a way that this version cannot read. A transport passes every refusal of
    /// [`Admission::admit`](witrpc_transport::Admission::admit) on in this variant. Clients turn those
    /// that they can read into the other variants.
    #[error(
        "the server refused this client for a reason that this version cannot read ({} bytes): \
         build both sides with compatible versions of witrpc", .0.len()
    )]
    Refused(Vec<u8>),
    /// No directory of names is safe to use, or none can be used at all.
    #[error("the directory of names cannot be used: {source} (Mmf::in_dir names another one)")]
    Directory {
        /// What is wrong with it and what to do.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The file under the name is not a server.
    #[error(
        "{} is {found}, not a server, and was left as it was: remove it, or use another name",
        .path.display()
    )]
    NotOurs {
        /// The path.
        path: PathBuf,
        /// What it is.
        found: &'static str,
    },
    /// The server runs as another user than the owner of the directory.
    #[error(
        "the server at {} runs as user {found}, not as {expected}: do not trust it, and find out which \
         process put it there",
        .path.display()
    )]
    OtherUser {
        /// The path of its socket.
        path: PathBuf,
        /// The user id that owns the directory of the name.
        expected: u32,
        /// The user id that the server runs as.
        found: u32,
    },
    /// The server does not accept the user that this client runs as.
    #[error(
        "the server does not accept user {uid}: allow that user with allow_uid on its endpoint"
    )]
    NotAllowed {
        /// The user id of this client.
        uid: u32,
    },
    /// A limit of the endpoint is outside its bounds.
    #[error("{limit} cannot be {value}: give a value from {min} to {max}")]
    LimitOutOfRange {
        /// The name of the option.
        limit: &'static str,
        /// The value given.
        value: u64,
        /// The smallest value allowed.
        min: u64,
        /// The largest value allowed.
        max: u64,
    },
    /// The server is alive but did not answer the handshake in time.
    #[error(
        "a server holds the name but did not answer the handshake within {after:?}: find out \
         whether it is stopped or overloaded"
    )]
    HandshakeTimedOut {
        /// The time allowed.
        after: Duration,
    },
    /// A server is there, but the client had not connected by the time that
    /// [`connect_timeout`](crate::ClientBuilder::connect_timeout) allows.
    #[error(
        "a server holds the name but did not let this client in within the connect_timeout of \
         {after:?}: find out whether it is stopped or overloaded, or allow more"
    )]
    TimedOut {
        /// The time allowed.
        after: Duration,
    },
    /// The server cannot be reached: the network, or a broker between, failed. It may live all the same. A client
    /// that [reconnects](crate::Reconnect) tries again.
    #[error("the server at {address} cannot be reached: {source}; see that the way to it works")]
    Unreachable {
        /// Where the server is, in the words of the transport.
        address: String,
        /// The transport's error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The server hung up during the handshake: it died, it is shutting down, or more clients connect
    /// than it can handle. The client has tried once more in vain. It is not at fault, and nothing was
    /// called. Connecting again is safe and may succeed.
    #[error(
        "the server hung up during the handshake: see whether it died, is shutting down or is \
         overrun by clients, and connect again"
    )]
    HungUp,
    /// This process lacks a resource for its side of the connection.
    #[error("this client could not make its side of the connection: {0}")]
    Resource(#[source] ResourceError),
    /// The server lacks a resource for its side of another connection. The limit that it reports is its
    /// own.
    #[error("the server could not make its side of the connection: {0}")]
    ServerResource(#[source] ResourceError),
    /// The server requires this client to share more memory than the client allows.
    #[error(
        "the server asks for a region of {size} bytes and this client shares at most {max}: raise \
         max_region_size, or lower size on the server's endpoint"
    )]
    RegionTooLarge {
        /// The length that the server requires, in bytes for each direction.
        size: u64,
        /// This client's limit, in bytes.
        max: u64,
    },
    /// The server sends longer messages than this client takes.
    #[error(
        "the server's messages may have {len} bytes and this client takes at most {max}: raise \
         max_message_size on the client's endpoint, or lower it on the server's"
    )]
    MessagesTooLarge {
        /// The length of the server's longest message, in bytes.
        len: u64,
        /// This client's limit, in bytes.
        max: u64,
    },
    /// The server broke the protocol during the handshake.
    #[error(
        "the server broke the protocol of the handshake ({problem}): check that both sides use \
         compatible versions of witrpc"
    )]
    Protocol {
        /// The rule that it broke.
        problem: String,
    },
    /// This build of the transport cannot connect.
    #[error("the transport cannot connect here: {problem}; use an endpoint of another transport")]
    Unsupported {
        /// What is missing, as a sentence.
        problem: String,
    },
    /// The server requires an access token and this client has none.
    #[error(
        "the server asks for an access token and this client has none: give it the server's with \
         .access_token(..)"
    )]
    TokenRequired,
    /// The server does not know this client's access token. Nothing else is wrong with the client.
    #[error(
        "the server does not accept this client's access token: make sure that it has the same one, \
         and that the token has not been replaced"
    )]
    TokenRejected,
    /// This client has an access token and the server requires none. So the server cannot prove that it
    /// is the intended one.
    #[error(
        "this client has an access token and the server asks for none, so it may be the \
         wrong server: give the server the token too, or connect without it"
    )]
    TokenUnexpected,
    /// This client's access token could not be obtained.
    #[error("the access token of this client could not be obtained: {source}; check its provider")]
    NoToken {
        /// The provider's error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The server requires encryption and this client does not.
    #[error(
        "the server requires encryption and this client does not: add .encryption(true) to the \
         client"
    )]
    EncryptionRequired,
    /// This client requires encryption and the server does not.
    #[error(
        "this client requires encryption and the server does not: add .encryption(true) to the \
         server"
    )]
    EncryptionUnavailable,
    /// The operating system refused a call.
    #[error("could not {doing}: {source}; {}", remedy(.source))]
    Io {
        /// What the client was doing, as in "could not ..": `connect to the socket`.
        doing: String,
        /// The system's error.
        source: io::Error,
    },
}

impl ConnectError {
    /// Returns whether connecting again, with nothing changed on this side, may succeed: the obstacle
    /// passes by itself, or when a server starts or has room.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        let passes = |source: &CallError| match source {
            CallError::Disconnected(reason) => *reason == DisconnectReason::PeerDied,
            other => other.is_retryable(),
        };
        matches!(self, Self::Unanswered { source, .. } if passes(source))
            || matches!(self, Self::Resource(why) | Self::ServerResource(why) if why.may_pass())
            || matches!(
                self,
                Self::NobodyServes { .. }
                    | Self::ShuttingDown
                    | Self::TooManyClients
                    | Self::TooManyLeftBehind { .. }
                    | Self::HandshakeTimedOut { .. }
                    | Self::TimedOut { .. }
                    | Self::HungUp
                    | Self::Unreachable { .. }
                    | Self::NoToken { .. }
                    | Self::Io { .. }
            )
    }
}

/// Returns how long a client waited, as part of a sentence.
fn waited_for(waited: Duration) -> String {
    if waited.is_zero() { String::new() } else { format!(" after waiting for {waited:?}") }
}

/// Returns where a client looked for a server, as part of a sentence.
fn looked_in(places: &[String]) -> String {
    if places.is_empty() { String::new() } else { format!(" ({})", places.join("; ")) }
}

#[cfg(test)]
mod tests {
    use crate::error::assert_is_sentence;

    use super::*;

    fn examples() -> Vec<ConnectError> {
        let (text, path) = (|| "oh".to_owned(), PathBuf::from("/run/calc"));
        let second = Duration::from_secs(1);
        let difference =
            ContractDifference { method: text(), place: text(), problem: "is odd".to_owned() };
        vec![
            ConnectError::InvalidName { name: text(), rule: "choose another one".to_owned() },
            ConnectError::NobodyServes { name: text(), waited: Duration::ZERO, places: vec![] },
            ConnectError::NobodyServes { name: text(), waited: second, places: vec![text()] },
            ConnectError::UnknownService { asked: text(), serves: vec![text()] },
            ConnectError::Unanswered { service: "Calculator", source: CallError::PeerDied },
            ConnectError::CodecNotAllowed { asked: Codec::Postcard, allowed: vec![] },
            ConnectError::CodecLeftOut { asked: Codec::Postcard, allowed: vec![], reason: text() },
            ConnectError::NoCodecFits { service: "Calculator", problems: vec![text(), text()] },
            ConnectError::CodecRefused {
                codec: Codec::Postcard,
                service: "Calculator",
                method: "add",
                problem: text(),
            },
            ConnectError::UnverifiedType {
                codec: Codec::Postcard,
                service: "Shop",
                method: "place".to_owned(),
                part: "argument `order`".to_owned(),
                reason: text(),
            },
            ConnectError::ContractMismatch { service: "Calculator", differences: vec![difference] },
            ConnectError::ShuttingDown,
            ConnectError::TooManyClients,
            ConnectError::TooManyLeftBehind { limit: LeftBehindLimit::AsyncHandlers, max: 1 },
            ConnectError::TooManyLeftBehind { limit: LeftBehindLimit::RequestBytes, max: 1 },
            ConnectError::TooManyLeftBehind { limit: LeftBehindLimit::Threads, max: 1 },
            ConnectError::TooManyLeftBehind { limit: LeftBehindLimit::Cleanups, max: 1 },
            ConnectError::HungUp,
            ConnectError::VersionMismatch { ours: 1, theirs: 2 },
            ConnectError::BackendMismatch { ours: text(), theirs: text() },
            ConnectError::Refused(vec![1, 2, 3]),
            ConnectError::Directory { source: "it is a file; remove it".into() },
            ConnectError::NotOurs { path: path.clone(), found: "a file" },
            ConnectError::OtherUser { path, expected: 1, found: 2 },
            ConnectError::NotAllowed { uid: 2 },
            ConnectError::LimitOutOfRange { limit: "lanes", value: 0, min: 1, max: 1024 },
            ConnectError::HandshakeTimedOut { after: second },
            ConnectError::TimedOut { after: second },
            ConnectError::Resource(ResourceError::MachineFiles),
            ConnectError::ServerResource(ResourceError::FileSize { limit: 1, needed: 2 }),
            ConnectError::MessagesTooLarge { len: 2, max: 1 },
            ConnectError::Unreachable { address: text(), source: "no route".into() },
            ConnectError::RegionTooLarge { size: 2, max: 1 },
            ConnectError::TokenRequired,
            ConnectError::TokenRejected,
            ConnectError::TokenUnexpected,
            ConnectError::NoToken { source: "the vault is locked".into() },
            ConnectError::EncryptionRequired,
            ConnectError::EncryptionUnavailable,
            ConnectError::Protocol { problem: text() },
            ConnectError::Unsupported { problem: text() },
            ConnectError::Io { doing: "open a socket".to_owned(), source: io::Error::other("oh") },
        ]
    }

    #[test]
    fn every_error_is_a_sentence() {
        for error in examples() {
            assert_is_sentence(&error.to_string());
        }
    }
}
