//! Why an attempt at a call failed, and what that says of its link.

use witrpc_transport::{ChannelError, DisconnectReason};

use crate::connection::link;

/// Why an attempt at a call brought no answer.
pub enum Failed {
    /// The server has no such method.
    NoMethod,
    /// The request cannot be made for this link; why was noted.
    Unencoded,
    /// The request has not been sent to its end, or was turned away: its handler does not run.
    Unsent(ChannelError),
    /// The request has been sent.
    Unanswered(ChannelError),
    /// The call's token was cancelled.
    Cancelled,
}

impl Failed {
    /// Of a request that was sent. A server that has ended in good order did not take it.
    pub fn unanswered(error: ChannelError) -> Self {
        match error {
            ChannelError::ShuttingDown => Failed::Unsent(error),
            other => Failed::Unanswered(other),
        }
    }

    /// Why the whole link is lost, if it is.
    pub fn lost_for(&self) -> Option<DisconnectReason> {
        match self {
            Failed::Unsent(error) | Failed::Unanswered(error) => link::lost_for(error),
            Failed::NoMethod | Failed::Unencoded | Failed::Cancelled => None,
        }
    }
}
