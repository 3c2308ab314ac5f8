//! What the owner of a region says about itself, in its state word.
//!
//! Written by the owner only, with a relaxed store before it hangs up the link; read by the peer
//! after the hang-up, which orders the two. A region whose owner was killed still says `SERVING`.
//! Only [`DRAINING`] is for a peer that is still connected: before each call it looks for it.

use crate::message::DisconnectReason;

/// The owner is at work.
pub(crate) const SERVING: u64 = 1;
/// The server answers what has arrived and takes nothing new.
pub(crate) const DRAINING: u64 = 2;
/// The owner has left on purpose.
pub(crate) const CLOSED: u64 = 3;
/// The server has shut down.
pub(crate) const SHUT_DOWN: u64 = 4;
/// The server has dismissed this client.
pub(crate) const DISMISSED: u64 = 5;
/// The owner found the peer to break the protocol.
pub(crate) const ACCUSED: u64 = 6;

/// What a hang-up means, given the state word of the one who hung up.
pub(crate) fn meaning(state: u64) -> DisconnectReason {
    match state {
        SHUT_DOWN | CLOSED => DisconnectReason::ServerShutDown,
        DISMISSED => DisconnectReason::Dismissed,
        ACCUSED => DisconnectReason::Misbehaved,
        _ => DisconnectReason::PeerDied,
    }
}
