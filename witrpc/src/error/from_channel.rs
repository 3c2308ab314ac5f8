//! Turns the errors of transports into those of calls.

use std::time::Duration;

use witrpc_transport::{ChannelError, ClientChannel};

use super::{CallError, Direction};

impl CallError {
    /// Returns the error of a connection without a free lane, with what holds the lanes.
    pub(crate) fn no_free_lane(channel: &dyn ClientChannel) -> Self {
        Self::NoFreeLane { lanes: channel.lanes(), abandoned: channel.abandoned() }
    }

    /// Turns a transport's error into that of a call. `after` is the call's timeout, `no_lane` the
    /// error for a connection without a free lane.
    pub(crate) fn from_channel(
        error: ChannelError,
        after: Option<Duration>,
        no_lane: impl FnOnce() -> Self,
    ) -> Self {
        match error {
            ChannelError::TooLarge { len, max } => {
                Self::TooLarge { direction: Direction::Request, len, max }
            }
            ChannelError::AnswerTooLarge { len, max } => Self::AnswerTooLarge { len, max },
            ChannelError::NoFreeLane => no_lane(),
            ChannelError::TooFewLanes { lanes, needed } => Self::TooFewLanes { lanes, needed },
            ChannelError::NoSpace | ChannelError::TooManyLeases { .. } => Self::NoSpace,
            // The error of a lease. A call needs no lease: it copies what it cannot lend.
            ChannelError::Encrypted => {
                Self::Protocol { message: "a lease on an encrypted connection".to_owned() }
            }
            ChannelError::ShuttingDown => Self::ShuttingDown,
            ChannelError::TimedOut => Self::TimedOut { after },
            ChannelError::PeerDied => Self::PeerDied,
            ChannelError::Disconnected(reason) => Self::Disconnected(reason),
            ChannelError::NoMemory { len } => {
                Self::Decode { message: format!("there is no memory for its {len} bytes") }
            }
            ChannelError::PeerNoMemory => Self::ServerNoMemory,
            ChannelError::NotDelivered => Self::NotDelivered,
            ChannelError::Misbehaved(how) => Self::Protocol { message: how.to_owned() },
            // An error of a later version of the seam.
            other => Self::Protocol { message: other.to_string() },
        }
    }
}
