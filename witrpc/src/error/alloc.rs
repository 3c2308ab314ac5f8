//! The errors of allocating space for shared elements.

use std::time::Duration;

use thiserror::Error;
use witrpc_transport::{ChannelError, DisconnectReason};

use super::call::CallError;
use super::wording::reason;

/// The reason why [`Connection::alloc`](crate::Connection::alloc) or
/// [`CallContext::alloc`](crate::CallContext::alloc) failed. No space has been taken then.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AllocError {
    /// The connection can never share this many bytes at once, however long the caller waits.
    #[error(
        "{len} bytes are more than the {max} that this connection can share at once, in this \
         direction; give the server a larger `Mmf::size`, or share less at a time"
    )]
    TooLarge {
        /// The requested length, in bytes.
        len: usize,
        /// The longest possible length, in bytes.
        max: usize,
    },
    /// The space stayed taken: by leases that the client or the server holds, or by messages.
    #[error(
        "no space for {len} bytes {}: drop `Shared` values that are not needed any more, in the client \
         and in the server, or give the server a larger `Mmf::size`",
        Waited(*waited)
    )]
    NoSpace {
        /// The requested length, in bytes.
        len: usize,
        /// How long the caller waited for it; `None` if it did not wait.
        waited: Option<Duration>,
    },
    /// The maximum number of leases stayed in use.
    #[error(
        "too few of the {max} leases that a connection may have out, in this direction, {}: drop \
         `Shared` values that are not needed any more, in the client and in the server",
        Waited(*waited)
    )]
    TooManyLeases {
        /// The maximum number of leases.
        max: usize,
        /// How long the caller waited; `None` if it did not wait.
        waited: Option<Duration>,
    },
    /// The caller asked for more leases at once than there can ever be.
    #[error(
        "{asked} leases were asked for at once, and a connection may have {max} out, in this \
         direction: ask for fewer, or put several values into one lease"
    )]
    TooManyAtOnce {
        /// The number of leases asked for.
        asked: usize,
        /// The maximum number of leases.
        max: usize,
    },
    /// The process has no private memory for the elements. Private memory was needed because the
    /// transport has none to share, or because its space was taken.
    #[error("this process has no memory for {len} bytes: free some, or share less at a time")]
    NoMemory {
        /// The requested length, in bytes.
        len: usize,
    },
    /// The connection is encrypted. Elements shared in place would be readable by every process
    /// that can read the memory, so sharing in place is refused.
    #[error(
        "nothing can be shared in place over an encrypted connection: pass a `Shared::from_vec`, \
         which is copied and encrypted, or connect without encryption"
    )]
    Encrypted,
    /// The server is shutting down.
    #[error("the server is shutting down; connect again when it is back")]
    ShuttingDown,
    /// The server was lost, and no other server had come when the time was over. Applies to a
    /// client that [reconnects](crate::Reconnect).
    #[error(
        "the server is gone, and none had come back when the time to wait for space was over: see \
         why it does not serve, or allow more time"
    )]
    NotConnected,
    /// The connection is closed, or was just lost.
    #[error("the connection is closed, so nothing can be shared over it: {}", reason(*.0))]
    Disconnected(DisconnectReason),
    /// In a handler: the client is not connected any more.
    #[error(
        "the client of this call has gone, so nothing can be shared with it: return, because no \
         caller waits for the answer"
    )]
    ClientGone,
}

impl AllocError {
    /// Turns a transport's error about `len` bytes into this type, after a wait of `waited`.
    pub(crate) fn from_channel(
        error: ChannelError,
        lens: &[usize],
        waited: Option<Duration>,
    ) -> Self {
        match error {
            ChannelError::TooManyLeases { max } if lens.len() > max => {
                Self::TooManyAtOnce { asked: lens.len(), max }
            }
            ChannelError::TooLarge { len, max } => Self::TooLarge { len, max },
            ChannelError::TooManyLeases { max } => Self::TooManyLeases { max, waited },
            ChannelError::NoMemory { len } => Self::NoMemory { len },
            ChannelError::Encrypted => Self::Encrypted,
            ChannelError::ShuttingDown => Self::ShuttingDown,
            ChannelError::Disconnected(reason) => Self::Disconnected(reason),
            ChannelError::Misbehaved(_) => Self::Disconnected(DisconnectReason::Misbehaved),
            ChannelError::PeerDied => Self::Disconnected(DisconnectReason::PeerDied),
            _ => {
                let len = lens.iter().fold(0, |sum: usize, len| sum.saturating_add(*len));
                Self::NoSpace { len, waited }
            }
        }
    }

    /// Turns a transport's error into that of a handler, whose peer is the client.
    pub(crate) fn on_server(error: ChannelError, len: usize) -> Self {
        match Self::from_channel(error, &[len], None) {
            Self::Disconnected(_) | Self::ShuttingDown => Self::ClientGone,
            other => other,
        }
    }

    /// Turns the error of a wait for the next server into this type.
    pub(crate) fn from_wait(error: CallError) -> Self {
        match error {
            CallError::NotConnected => Self::NotConnected,
            CallError::Disconnected(reason) => Self::Disconnected(reason),
            // The next server has refused this client: see `Connection::reconnect_error`.
            _ => Self::Disconnected(DisconnectReason::ReconnectFailed),
        }
    }
}

/// The outcome of a wait, for reading.
struct Waited(Option<Duration>);

impl std::fmt::Display for Waited {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(time) => write!(f, "came free within {time:?}"),
            None => f.write_str("could be had at once"),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::error::assert_is_sentence;

    use super::*;

    #[test]
    fn every_error_is_a_sentence_and_says_how_long_was_waited() {
        let waited = Some(Duration::from_millis(20));
        for error in [
            ChannelError::TooLarge { len: 2, max: 1 },
            ChannelError::NoSpace,
            ChannelError::TooManyLeases { max: 1 },
            ChannelError::NoMemory { len: 1 },
            ChannelError::Encrypted,
            ChannelError::ShuttingDown,
            ChannelError::Disconnected(DisconnectReason::ClosedHere),
            ChannelError::Misbehaved("it"),
            ChannelError::PeerDied,
        ] {
            for waited in [waited, None] {
                let words = AllocError::from_channel(error, &[100], waited).to_string();
                assert_is_sentence(&words);
                let is_short =
                    matches!(error, ChannelError::NoSpace | ChannelError::TooManyLeases { .. });
                assert_eq!(words.contains("20ms"), is_short && waited.is_some(), "{words}");
            }
        }
        let max = ChannelError::TooManyLeases { max: 1 };
        let words = AllocError::from_channel(max, &[5, 5], waited).to_string();
        assert_is_sentence(&words);
        assert!(words.starts_with("2 leases") && !words.contains("20ms"), "{words}");
        for error in [
            CallError::NotConnected,
            CallError::Unauthorized,
            CallError::Disconnected(DisconnectReason::ClosedHere),
        ] {
            assert_is_sentence(&AllocError::from_wait(error).to_string());
        }
    }

    #[test]
    fn a_handler_is_told_of_its_client_and_not_of_a_server() {
        for error in [
            ChannelError::PeerDied,
            ChannelError::Disconnected(DisconnectReason::Dismissed),
            ChannelError::Misbehaved("it"),
        ] {
            let words = AllocError::on_server(error, 1).to_string();
            assert_is_sentence(&words);
            assert!(words.starts_with("the client") && !words.contains("server"), "{words}");
        }
        let short = AllocError::NoSpace { len: 1, waited: None };
        assert_eq!(AllocError::on_server(ChannelError::NoSpace, 1), short);
    }
}
