//! The errors of a transport, and the reasons why a connection ends.

use thiserror::Error;

/// The reason why a transport could not carry a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ChannelError {
    /// The message is over the connection's limit; nothing was sent.
    #[error("the message has {len} bytes, and this connection carries at most {max}")]
    TooLarge {
        /// The message's length in bytes.
        len: usize,
        /// The limit in bytes.
        max: usize,
    },
    /// Every place for a call stayed taken until the limit; nothing was sent.
    #[error("every lane of the connection stayed taken until the deadline")]
    NoFreeLane,
    /// The connection has fewer places than what is kept open over it needs; nothing was sent. The layers above
    /// a transport count these, not the transport.
    #[error("the connection has {lanes} lanes, and what is open over it needs {needed}")]
    TooFewLanes {
        /// How many there are.
        lanes: u32,
        /// How many are needed at least.
        needed: u32,
    },
    /// The space for messages stayed taken until the limit.
    #[error("the space for messages stayed taken until the deadline")]
    NoSpace,
    /// All leases that the connection may have stayed out until the limit.
    #[error("{max} leases of the connection, the most there may be, stayed out until the deadline")]
    TooManyLeases {
        /// How many there may be.
        max: usize,
    },
    /// The connection is encrypted, so nothing can be shared in place.
    #[error("the connection is encrypted, so nothing can be leased over it")]
    Encrypted,
    /// The server is draining, or has shut down gracefully: it has not taken the request, if that was sent at
    /// all.
    #[error("the server is shutting down and takes no new calls")]
    ShuttingDown,
    /// The answer did not come in time; the handler may still run.
    #[error("the answer did not come before the deadline")]
    TimedOut,
    /// The other process died with the call pending.
    #[error("the other process died before it answered")]
    PeerDied,
    /// The connection was closed on purpose, here or there, or had been lost before.
    #[error("the connection has ended: {0}")]
    Disconnected(DisconnectReason),
    /// This process has no memory for an answer that has come, or for what is to be shared; the connection goes
    /// on.
    #[error("there is no memory here for {len} bytes")]
    NoMemory {
        /// The length in bytes.
        len: usize,
    },
    /// The answer is longer than this client accepts. It was dropped, and the connection goes on.
    #[error("the answer has {len} bytes, and this client accepts at most {max}")]
    AnswerTooLarge {
        /// The answer's length in bytes.
        len: usize,
        /// The limit in bytes.
        max: usize,
    },
    /// The server has no memory for the request, which did not run; the connection goes on.
    #[error("the server has no memory for the request")]
    PeerNoMemory,
    /// The request has certainly not reached the server; the connection goes on.
    #[error("the request did not reach the server")]
    NotDelivered,
    /// The peer broke the protocol; the connection is closed.
    #[error("the other process broke the protocol: {0}")]
    Misbehaved(&'static str),
}

/// The reason why a connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DisconnectReason {
    /// This side closed it.
    #[error("it was closed here")]
    ClosedHere,
    /// The server shut down.
    #[error("the server shut down")]
    ServerShutDown,
    /// The server disconnected this client.
    #[error("the server disconnected this client")]
    Dismissed,
    /// The peer died earlier.
    #[error("the other process had died")]
    PeerDied,
    /// The peer had broken the protocol.
    #[error("the other process had broken the protocol")]
    Misbehaved,
    /// The peer cannot be reached any more, though it may live: the network, or a broker between, failed.
    #[error("the other side cannot be reached any more")]
    Unreachable,
    /// An encrypted connection has used its keys up, after some 10¹⁶ messages.
    #[error("the keys of the connection are used up: connect again")]
    KeysSpent,
    /// A panic within the transport has left its bookkeeping unreliable. The panic says where.
    #[error("a fault of the transport in this process, which its panic has reported, ended it")]
    Faulty,
    /// This process is a fork of the one that connected.
    #[error("this process is a fork of the one that connected")]
    Forked,
    /// The server was lost, and a client that reconnects could not reach another. The next server refused it,
    /// or the time for reconnecting was over. The client's connection has the reason.
    #[error("the server was lost, and no other could be reached")]
    ReconnectFailed,
}
