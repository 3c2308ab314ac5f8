//! Messages, as `witrpc-transport` defines them.

pub use witrpc_transport::{
    Answer, Body, ChannelError, DisconnectReason, Fill, Leasing, Limit, Outgoing, Payload,
    RemoteBytes, Request, Ticket,
};

/// The bounds of the longest message of a connection, in bytes.
pub const MESSAGE_LEN_BOUNDS: (usize, usize) = (64, u32::MAX as usize);
