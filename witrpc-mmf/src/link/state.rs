//! What the owner of a region says about itself, in its state word.
//!
//! Written by the owner only, with a relaxed store before it hangs up the link; read by the peer
//! after the hang-up, which orders the two. A region whose owner was killed still says `SERVING`.
//! [`DRAINING`] is for a peer that is still connected: before each call it looks for it. For its calls
//! that wait to be sent, the server rings after it has written that.
//!
//! # What [`DRAINED`] promises
//!
//! The server writes it once every request that it took has been answered, and after it has decided
//! to take no other. So a client that finds it behind the hang-up, and its response line still
//! without the answer, knows that the call has not run. Three orders make it so:
//!
//! 1. The server answers a call before it counts the call's thread or job as ended, and it writes
//!    the word after it has found none of them running (`witrpc/src/pool/stage.rs`).
//! 2. It writes the word before it hangs up.
//! 3. The client looks at the response line once more after it has seen the hang-up.
//!
//! The client believes no more than that. A server that lies here could as well lie in its answers.

use super::message::DisconnectReason;

/// The owner is at work.
pub const SERVING: u64 = 1;
/// The server answers what has arrived and takes nothing new.
pub const DRAINING: u64 = 2;
/// The owner has left on purpose.
pub const CLOSED: u64 = 3;
/// The server has shut down.
pub const SHUT_DOWN: u64 = 4;
/// The server has dismissed this client.
pub const DISMISSED: u64 = 5;
/// The owner found the peer to break the protocol.
pub const ACCUSED: u64 = 6;
/// The server has shut down in good order: it did not take what it has not answered.
pub const DRAINED: u64 = 7;

/// What a hang-up means, given the state word of the one who hung up.
pub fn meaning(state: u64) -> DisconnectReason {
    match state {
        SHUT_DOWN | CLOSED | DRAINED => DisconnectReason::ServerShutDown,
        DISMISSED => DisconnectReason::Dismissed,
        ACCUSED => DisconnectReason::Misbehaved,
        _ => DisconnectReason::PeerDied,
    }
}
