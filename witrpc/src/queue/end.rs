//! Why a connection ends, as one side tells the other.

use witrpc_transport::{ChannelError, DisconnectReason};

/// Why a connection ends, as the server tells its client, or as the transport finds out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// The server has dismissed this client.
    Dismissed,
    /// The server has shut down at once.
    ShutDown,
    /// The server has shut down after it had answered what had arrived.
    Drained,
    /// The other side has gone without a word.
    Died,
    /// The other side has broken the transport's protocol.
    Misbehaved,
}

impl End {
    const ALL: [Self; 5] =
        [Self::Dismissed, Self::ShutDown, Self::Drained, Self::Died, Self::Misbehaved];

    /// Returns the number that stands for it in a transport's messages.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }

    /// Returns what a peer's number stands for; [`End::Misbehaved`] for one that stands for nothing.
    #[must_use]
    pub fn from_code(code: u8) -> Self {
        Self::ALL.into_iter().find(|end| end.code() == code).unwrap_or(Self::Misbehaved)
    }

    /// What calls in flight end with.
    pub(crate) fn pending(self) -> ChannelError {
        match self {
            Self::Died => ChannelError::PeerDied,
            Self::Misbehaved => ChannelError::Misbehaved("what came makes no sense"),
            end => end.later(),
        }
    }

    /// What later calls end with.
    pub(crate) fn later(self) -> ChannelError {
        ChannelError::Disconnected(match self {
            Self::Dismissed => DisconnectReason::Dismissed,
            Self::ShutDown => DisconnectReason::ServerShutDown,
            Self::Drained => return ChannelError::ShuttingDown,
            Self::Died => DisconnectReason::PeerDied,
            Self::Misbehaved => DisconnectReason::Misbehaved,
        })
    }
}
