//! Errors of the channel, as errors of this crate.

use witrpc_mmf as channel;
use witrpc_transport::ResourceError;

use crate::error::{BindError, ConnectError};
use crate::security::compare;

/// The reason why an endpoint has no usable name.
pub enum NoName {
    Invalid(channel::NameError),
    Resource(ResourceError),
}

pub fn bind_name(name: &str, why: NoName) -> BindError {
    match why {
        NoName::Invalid(rule) => {
            BindError::InvalidName { name: name.into(), rule: rule.to_string() }
        }
        NoName::Resource(lacked) => BindError::Resource(lacked),
    }
}

pub fn connect_name(name: &str, why: NoName) -> ConnectError {
    match why {
        NoName::Invalid(rule) => {
            ConnectError::InvalidName { name: name.into(), rule: rule.to_string() }
        }
        NoName::Resource(lacked) => ConnectError::Resource(lacked),
    }
}

pub fn bind(error: channel::BindError) -> BindError {
    use channel::BindError as E;
    match error {
        E::NameInUse { name, path } => BindError::NameInUse { name, path: Some(path) },
        E::Resource(lacked) => BindError::Resource(lacked),
        E::Directory(error) => BindError::Directory { source: Box::new(error) },
        E::NotOurs { path, found } => BindError::NotOurs { path, found },
        E::LimitOutOfRange { limit: "size", value, min, .. } if value < min => {
            BindError::SizeTooSmall { size: value as usize, min: min as usize }
        }
        E::LimitOutOfRange { limit, value, min, max } => {
            BindError::LimitOutOfRange { limit, value, min, max }
        }
        E::System { doing, source } => BindError::Io { doing: doing.into(), source },
        other => BindError::Unsupported { problem: other.to_string() },
    }
}

pub fn connect(error: channel::ConnectError) -> ConnectError {
    use channel::ConnectError as E;
    match error {
        E::NobodyServes { name, waited, places } => {
            let places = places.iter().map(ToString::to_string).collect();
            ConnectError::NobodyServes { name, waited, places }
        }
        E::Directory(error) => ConnectError::Directory { source: Box::new(error) },
        E::NotAServer { path, found } => ConnectError::NotOurs { path, found },
        E::OtherUser { path, expected, found } => ConnectError::OtherUser { path, expected, found },
        E::OtherBackend { ours, theirs } => {
            ConnectError::BackendMismatch { ours: ours.to_string(), theirs: theirs.to_string() }
        }
        E::OtherVersion { ours, theirs } => ConnectError::VersionMismatch { ours, theirs },
        E::NotAllowed { uid } => ConnectError::NotAllowed { uid },
        E::OtherDemands { ours, theirs } => match compare(theirs, ours) {
            Err(error) => error,
            Ok(()) => ConnectError::Protocol { problem: error.to_string() },
        },
        E::Unauthorized => ConnectError::TokenRejected,
        E::RegionTooLarge { len, max } => ConnectError::RegionTooLarge { size: len, max },
        E::Resource(lacked) => ConnectError::Resource(lacked),
        E::ServerResource(lacked) => ConnectError::ServerResource(lacked),
        E::ServerFull => ConnectError::TooManyClients,
        E::NotAccepting => ConnectError::ShuttingDown,
        E::Refused(bytes) => ConnectError::Refused(bytes),
        E::HungUp => ConnectError::HungUp,
        E::TimedOut { after } => ConnectError::HandshakeTimedOut { after },
        E::Interrupted => ConnectError::Io {
            doing: "connect".to_owned(),
            source: std::io::ErrorKind::Interrupted.into(),
        },
        E::System { doing, source } => ConnectError::Io { doing: doing.into(), source },
        other => ConnectError::Protocol { problem: other.to_string() },
    }
}
