//! The state of a connection, and how it ended.

use std::sync::Arc;

use witrpc_transport::DisconnectReason;

use crate::error::{CallError, ConnectError, ContractDifference};

/// The state of a connection: [`Connection::state`](crate::Connection::state).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionState {
    /// A server is there.
    Connected,
    /// The server was lost, and the client tries to reach the next one: see
    /// [`Reconnect`](crate::Reconnect). Calls wait meanwhile.
    Reconnecting,
    /// The connection has ended for good.
    Disconnected(DisconnectReason),
}

/// The final end of a connection.
#[derive(Clone, Debug)]
pub struct Ended {
    pub reason: DisconnectReason,
    /// Why reconnecting failed.
    pub error: Option<Arc<ConnectError>>,
}

impl Ended {
    pub fn for_reason(reason: DisconnectReason) -> Self {
        Self { reason, error: None }
    }

    /// Returns the error of calls that are made later or are waiting. None of them was sent.
    pub fn call_error(&self) -> CallError {
        match self.error.as_deref() {
            Some(ConnectError::ContractMismatch { differences, .. }) => {
                CallError::ContractMismatch { difference: ContractDifference::list(differences) }
            }
            Some(ConnectError::TokenRequired | ConnectError::TokenRejected) => {
                CallError::Unauthorized
            }
            _ => CallError::Disconnected(self.reason),
        }
    }
}
