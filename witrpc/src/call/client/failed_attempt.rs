//! The failure of an attempt at a call, and what it means for the link.

use witrpc_transport::{ChannelError, DisconnectReason};

use crate::connection::link;
use crate::error::CallError;

/// The reason why an attempt at a call brought no answer.
pub enum Failed {
    /// The server does not have the method as this client has it.
    NoMethod(Box<CallError>),
    /// The request cannot be encoded for this link; the call has recorded the reason.
    Unencoded,
    /// The request was not sent completely, or was rejected: its handler does not run.
    Unsent(ChannelError),
    /// The request has been sent.
    Unanswered(ChannelError),
    /// The call's token was cancelled.
    Cancelled,
}

impl Failed {
    /// Returns the failure of a request that was sent. A server that shut down gracefully did not
    /// take it, and one that it has not reached did not either.
    pub fn unanswered(error: ChannelError) -> Self {
        match error {
            ChannelError::ShuttingDown | ChannelError::NotDelivered => Failed::Unsent(error),
            other => Failed::Unanswered(other),
        }
    }

    /// Returns why the whole link is lost, if it is.
    pub fn lost_for(&self) -> Option<DisconnectReason> {
        match self {
            Failed::Unsent(error) | Failed::Unanswered(error) => link::lost_for(error),
            Failed::NoMethod(_) | Failed::Unencoded | Failed::Cancelled => None,
        }
    }
}
