//! Errors of starting a server.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;
use witrpc_transport::ResourceError;

use super::Codec;
use super::remedy::remedy;

/// The reason why a server could not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BindError {
    /// The name cannot be used on this machine.
    #[error("{name:?} cannot be a server's name: {rule}")]
    InvalidName {
        /// The name as given.
        name: String,
        /// The rule that it breaks, as a sentence.
        rule: String,
    },
    /// Another server holds the name.
    #[error(
        "a server named {name:?} is already running{}: stop it, or choose another name",
        locked(.path.as_deref())
    )]
    NameInUse {
        /// The name.
        name: String,
        /// The lock file that it holds; `None` if it serves within one process.
        path: Option<PathBuf>,
    },
    /// The memory of a connection would be too small to work.
    #[error("a size of {size} bytes is too small: give at least {min}")]
    SizeTooSmall {
        /// The size asked for, in bytes.
        size: usize,
        /// The smallest one that works, in bytes.
        min: usize,
    },
    /// A limit of the endpoint or the server is outside its bounds.
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
    /// The directory of the names is not safe to use.
    #[error("the directory of names cannot be used: {source} (Mmf::in_dir names another one)")]
    Directory {
        /// What is wrong with it and what to do.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// This process lacks the memory that a client takes, or that memory would exceed a limit. The
    /// server checks this before the first client comes.
    #[error("this server could not take a client: {0}")]
    Resource(#[source] ResourceError),
    /// A file of another program has the place of the name. It was left as it was.
    #[error("{} is {found}, and was left as it was: remove it, or choose another name", .path.display())]
    NotOurs {
        /// The path.
        path: PathBuf,
        /// What it is.
        found: &'static str,
    },
    /// The server was given no service.
    #[error("the server has nothing to serve: give it one with .service(XServer::new(..))")]
    NoService,
    /// The server has no endpoint.
    #[error("the server does not know where to serve: give it a name with .listen(\"name\")")]
    NoEndpoint,
    /// Two services of one server have the same name.
    #[error(
        "two services are named {service:?}: rename one with #[wit_service(name = \"..\")], or \
         serve it under another server name"
    )]
    DuplicateService {
        /// The name on the wire.
        service: &'static str,
    },
    /// There are more services than a server can number.
    #[error("the server has {services} services and can serve at most {max}: use a second server")]
    TooManyServices {
        /// How many were given.
        services: usize,
        /// How many are possible.
        max: usize,
    },
    /// A type of the service cannot be carried by a codec that the server allows.
    #[error(
        "{service}.{method} cannot be served over {codec}: {problem}; change the type, or leave \
         {codec} out of .codecs([..])"
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
    /// No codec carries all types of the service.
    #[error("no codec carries all types of {service:?}: {}", .problems.join("; "))]
    NoCodecFits {
        /// The service's name on the wire.
        service: &'static str,
        /// What each codec does not carry.
        problems: Vec<String>,
    },
    /// A codec that the server allows does not describe a part of a type, and that part is unknown.
    ///
    /// If the client had another version of the type, it would be read as a wrong value. See
    /// [`WitServerBuilder::allow_unverified_types`](crate::WitServerBuilder::allow_unverified_types).
    #[error(
        "{service}.{method} cannot be served over {codec}: {part} could not be verified: {reason}, \
         and {codec} does not tell what its bytes are; give a value that the type takes to \
         register_sample, leave {codec} out of .codecs([..]), or take the risk with \
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
        /// Why it is unknown, with the last error of the type's `Deserialize`.
        reason: String,
    },
    /// The description of a service's methods and types, which clients compare with their own, is
    /// too long to be sent to them.
    #[error(
        "the methods and types of {service:?} take {len} bytes to describe, and at most {max} can \
         be sent to a client: split it into several services"
    )]
    ContractTooLarge {
        /// The service's name on the wire.
        service: &'static str,
        /// The length of the description in bytes.
        len: usize,
        /// The limit in bytes.
        max: usize,
    },
    /// A method takes an `impl Iterator`, and the program is built with `panic = "abort"`. When the
    /// client disconnects before the last item, the server unwinds out of such a method. Otherwise the
    /// method would mistake a part for the whole.
    #[error(
        "{service}.{method} takes an iterator, which needs unwinding when a client goes before its \
         last item, and this program is built with panic = \"abort\": build it with panic = \
         \"unwind\", or make the method an async fn that takes an impl Stream"
    )]
    NeedsUnwinding {
        /// The service's name on the wire.
        service: &'static str,
        /// The method's name on the wire.
        method: &'static str,
    },
    /// This build of the transport cannot serve.
    #[error(
        "the transport cannot serve here: {problem}; listen on an endpoint of another transport"
    )]
    Unsupported {
        /// What is missing, as a sentence.
        problem: String,
    },
    /// The operating system refused a call.
    #[error("could not {doing}: {source}; {}", remedy(.source))]
    Io {
        /// What the server was doing, as in "could not ..": `lock the name`.
        doing: String,
        /// The system's error.
        source: io::Error,
    },
}

/// Returns the lock that a server holds, as part of a sentence.
fn locked(path: Option<&Path>) -> String {
    path.map_or_else(String::new, |path| format!(", it holds the lock {}", path.display()))
}

#[cfg(test)]
mod tests {
    use crate::error::assert_is_sentence;

    use super::*;

    fn examples() -> Vec<BindError> {
        let (text, path) = (|| "oh".to_owned(), PathBuf::from("/run/calc"));
        vec![
            BindError::InvalidName { name: text(), rule: "choose another one".to_owned() },
            BindError::NameInUse { name: text(), path: None },
            BindError::NameInUse { name: text(), path: Some(path.clone()) },
            BindError::Resource(ResourceError::Descriptors { limit: 17 }),
            BindError::SizeTooSmall { size: 1, min: 40_960 },
            BindError::LimitOutOfRange { limit: "lanes", value: 0, min: 1, max: 1024 },
            BindError::Directory { source: "it is a file; remove it".into() },
            BindError::NotOurs { path, found: "a file" },
            BindError::NoService,
            BindError::NoEndpoint,
            BindError::DuplicateService { service: "Calculator" },
            BindError::TooManyServices { services: 300, max: 256 },
            BindError::NoCodecFits { service: "Calculator", problems: vec!["oh".to_owned()] },
            BindError::CodecRefused {
                codec: Codec::Postcard,
                service: "Calculator",
                method: "add",
                problem: text(),
            },
            BindError::UnverifiedType {
                codec: Codec::Postcard,
                service: "Shop",
                method: "place".to_owned(),
                part: "argument `order`".to_owned(),
                reason: text(),
            },
            BindError::ContractTooLarge { service: "Calculator", len: 2, max: 1 },
            BindError::NeedsUnwinding { service: "Calculator", method: "sum" },
            BindError::Unsupported { problem: text() },
            BindError::Io { doing: "lock the name".to_owned(), source: io::Error::other("oh") },
        ]
    }

    #[test]
    fn every_error_is_a_sentence() {
        for error in examples() {
            assert_is_sentence(&error.to_string());
        }
    }
}
