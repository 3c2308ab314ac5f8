//! What a transport reports, in the words of calls.

use std::time::Duration;

use witrpc_transport::{ChannelError, ClientChannel};

use super::{CallError, Direction};

impl CallError {
    /// Says of a connection, on which no lane was free, who holds the lanes.
    pub(crate) fn no_free_lane(channel: &dyn ClientChannel) -> Self {
        Self::NoFreeLane { lanes: channel.lanes(), abandoned: channel.abandoned() }
    }

    /// What a transport reported, in the words of calls; `after` is the call's timeout, `no_lane` the
    /// error for want of a lane.
    pub(crate) fn from_channel(
        error: ChannelError,
        after: Option<Duration>,
        no_lane: impl FnOnce() -> Self,
    ) -> Self {
        match error {
            ChannelError::TooLarge { len, max } => {
                Self::TooLarge { direction: Direction::Request, len, max }
            }
            ChannelError::NoFreeLane => no_lane(),
            ChannelError::TooFewLanes { lanes, needed } => Self::TooFewLanes { lanes, needed },
            ChannelError::NoSpace | ChannelError::TooManyLeases { .. } => Self::NoSpace,
            // Of a lease, which a call does without: it copies what it cannot lend.
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
            ChannelError::Misbehaved(how) => Self::Protocol { message: how.to_owned() },
            // Of a later version of the seam.
            other => Self::Protocol { message: other.to_string() },
        }
    }
}
