//! The state word, by which the owner of a region describes itself.
//!
//! Only the owner writes it, by a relaxed store before it hangs up the link. The peer reads it
//! after the hang-up, which orders the two. The region of a killed owner still says `SERVING`.
//!
//! [`DRAINING`] is for a client that is still connected, which reads the word before each call. For
//! calls that wait to be sent, the server rings after it has written the word.
//!
//! # What [`DRAINED`] promises
//!
//! The server writes it after every request that it took has been answered, and after it has
//! decided to take no other. So if a client finds it after the hang-up, and its response line still
//! has no answer, its call has not run. Three orders ensure that:
//!
//! 1. The server answers a call before it counts the call's thread or job as ended. It writes the
//!    word after it has found none of them running (`witrpc/src/pool/stage.rs`).
//! 2. It writes the word before it hangs up.
//! 3. The client looks at the response line once more after it has seen the hang-up.
//!
//! The client relies on the word for nothing else. A server that lies in it could as well lie in
//! its answers.

use witrpc_transport::DisconnectReason;

/// The owner is connected and works normally.
pub const SERVING: u64 = 1;
/// The server answers what has arrived and takes nothing new.
pub const DRAINING: u64 = 2;
/// The owner has closed its end of the connection.
pub const CLOSED: u64 = 3;
/// The server has shut down.
pub const SHUT_DOWN: u64 = 4;
/// The server has disconnected this client.
pub const DISMISSED: u64 = 5;
/// The owner found that the peer breaks the protocol.
pub const ACCUSED: u64 = 6;
/// The server has shut down gracefully: it did not take the requests that it has not answered.
pub const DRAINED: u64 = 7;

/// Returns the meaning of a hang-up, given the state word of the side that hung up.
pub fn meaning(state: u64) -> DisconnectReason {
    match state {
        SHUT_DOWN | CLOSED | DRAINED => DisconnectReason::ServerShutDown,
        DISMISSED => DisconnectReason::Dismissed,
        ACCUSED => DisconnectReason::Misbehaved,
        _ => DisconnectReason::PeerDied,
    }
}
