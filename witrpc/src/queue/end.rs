//! The reason why a connection ends, as one side reports it to the other.

use witrpc_transport::{ChannelError, DisconnectReason};

/// The reason why a connection ends, as the server reports it or as the transport finds it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// The server has dismissed this client.
    Dismissed,
    /// The server has shut down at once.
    ShutDown,
    /// The server has shut down after it had answered what had arrived.
    Drained,
    /// The other side has gone without a report.
    Died,
    /// The other side has broken the transport's protocol.
    Misbehaved,
    /// The other side cannot be reached any more, though it may live: the network, or a broker between, failed.
    Unreachable,
}

impl End {
    const ALL: [Self; 6] = [
        Self::Dismissed,
        Self::ShutDown,
        Self::Drained,
        Self::Died,
        Self::Misbehaved,
        Self::Unreachable,
    ];

    /// Returns the number of this reason in a transport's messages.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }

    /// Returns the reason of a peer's number, or [`End::Misbehaved`] for an unknown number.
    #[must_use]
    pub fn from_code(code: u8) -> Self {
        Self::ALL.into_iter().find(|end| end.code() == code).unwrap_or(Self::Misbehaved)
    }

    /// Returns the error of calls in flight.
    pub(crate) fn pending(self) -> ChannelError {
        match self {
            Self::Died => ChannelError::PeerDied,
            Self::Misbehaved => ChannelError::Misbehaved("a message was malformed"),
            end => end.later(),
        }
    }

    /// Returns the error of later calls.
    pub(crate) fn later(self) -> ChannelError {
        ChannelError::Disconnected(match self {
            Self::Dismissed => DisconnectReason::Dismissed,
            Self::ShutDown => DisconnectReason::ServerShutDown,
            Self::Drained => return ChannelError::ShuttingDown,
            Self::Died => DisconnectReason::PeerDied,
            Self::Misbehaved => DisconnectReason::Misbehaved,
            Self::Unreachable => DisconnectReason::Unreachable,
        })
    }
}
