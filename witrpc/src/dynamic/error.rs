//! What goes wrong with a client that has no trait.

use serde_json::Value;
use thiserror::Error;

use crate::error::{CallError, ConnectError, EventError};

use super::message::Unshown;
use super::path::Misfit;

/// The error of a [`DynamicClient`](super::DynamicClient).
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum DynamicError {
    /// A value does not fit the contract. Nothing was sent.
    #[error(transparent)]
    Misfit(#[from] Misfit),
    /// An item of an upload does not fit the contract, or could not be had. The method may have begun.
    #[error(transparent)]
    Upload(Misfit),
    /// The server does not serve that service.
    #[error("the server does not serve {asked:?}: it serves {}", listed(.serves))]
    UnknownService {
        /// The service's name.
        asked: String,
        /// The services that it serves.
        serves: Vec<String>,
    },
    /// The service has no method or event of that name.
    #[error("{service} has no {kind} {asked:?}: it has {}", listed(.has))]
    Unknown {
        /// The service's name.
        service: String,
        /// `method` or `event`.
        kind: &'static str,
        /// The name that was asked for.
        asked: String,
        /// The names that there are.
        has: Vec<String>,
    },
    /// The method takes or returns a stream and was called otherwise, or the reverse.
    #[error("{method} {takes}: use {instead}")]
    Streams {
        /// The method's name.
        method: String,
        /// What it does: `returns a stream`.
        takes: &'static str,
        /// The function for such a method.
        instead: &'static str,
    },
    /// A connection to one of the services failed.
    #[error("{problem}")]
    Connect {
        /// What went wrong, in words.
        problem: String,
    },
    /// The call failed, or the service answered with its own error.
    #[error(transparent)]
    Call(#[from] CallError<Value>),
    /// The method ran, and JSON does not carry what it answered.
    #[error("{0}: the method ran, and its answer cannot be shown")]
    Unshown(Misfit),
    /// Events are missing, or come no more.
    #[error(transparent)]
    Event(#[from] EventError),
}

impl DynamicError {
    /// Returns whether the method may have run.
    #[must_use]
    pub fn maybe_executed(&self) -> bool {
        match self {
            Self::Call(error) => error.maybe_executed(),
            Self::Unshown(_) | Self::Upload(_) => true,
            _ => false,
        }
    }
}

impl From<ConnectError> for DynamicError {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::UnknownService { asked, serves } => {
                Self::UnknownService { asked, serves }
            }
            other => Self::Connect { problem: other.to_string() },
        }
    }
}

impl From<Unshown> for DynamicError {
    fn from(unshown: Unshown) -> Self {
        match unshown {
            Unshown::Undecoded(error) => {
                Self::Call(CallError::Decode { message: error.to_string() })
            }
            Unshown::Misfit(misfit) => Self::Unshown(misfit),
        }
    }
}

fn listed(names: &[String]) -> String {
    super::fit::list(names)
}
