//! Leases: blocks that are filled in place, lent with a message, and read in place.
//!
//! The bytes of a message are copied twice, into a block and out of it. A lease is a block that a
//! user fills through a `&mut [u8]`, and that a message only names. Its reader copies out of it
//! what it wants, when it wants, and gives the block back when it drops the lease.
//!
//! ```text
//! alloc ── LeaseWriter ── freeze ── OwnLease ── claim ── Claim, on a message ──▶ ReceivedLease
//!   ▲          │                       │  ▲                 │                         │ drop
//!   │          │ drop                  │  └── not sent ─────┘                         ▼
//!   └──────────┴───────────────────────┴───────────── reclaim looks ──────── release table
//! ```
//!
//! # On the wire
//!
//! The flag [`LEASES`](super::head::LEASES) of a head says that the message ends with a [`trailer`].
//! A trailer has the descriptions of its leases, two words each as on a line, and their number in one
//! byte. Such a message crosses in one piece, so that a side that drops it unread finds them.
//!
//! # Invariants
//!
//! 0. **One writer, then none.** A [`LeaseWriter`] has exclusive access to its block, and `freeze`
//!    consumes it. From then on no thread writes to the block until it is back in the arena. It
//!    goes back when no [`OwnLease`] is left and the peer, if the block was lent to it, has
//!    released it.
//! 1. **A block is with one message at a time.** It is claimed before a message names it, by the
//!    protocol of [`lending`]. A second message does not get it while the reader of the first has
//!    not released it, and carries a copy instead.
//! 2. **Each time a block is lent it has a new generation**, one after the value in the peer's
//!    slot. So the reader recognises a stale description by its own slot alone. The writer, when it
//!    lends the block again, recognises a release under a generation that it has not lent. Both end
//!    the connection. A second release under the same generation changes nothing.
//! 3. **A reader holds a granule once.** A table ([`held`]) has what it holds. A lease ends the
//!    connection if it overlaps a held one, is stale, lies outside the arena, or is one too many.
//!    The reader removes the entry before it publishes the release, so it never accuses an honest
//!    writer.
//! 4. **An end outlives its connection.** Leases keep the end that they belong to, and so its
//!    mappings. The end keeps no leases, and the connection ends without regard to them.
//!
//! A reader sees what the peer has written, at any moment: see [`crate::memory::copy`].

mod held;
mod lending;
mod own;
mod received;
pub(crate) mod trailer;

#[cfg(test)]
mod model;

use super::half::Half;

pub(crate) use held::HeldLeases;
pub use own::{Claim, LeaseWriter, OwnLease};
pub use received::ReceivedLease;
pub(crate) use received::take_leases;
pub use trailer::MAX_LEASES_OF_A_MESSAGE;

/// An end of a connection, as blocks and leases use it.
pub(crate) trait End: Send + Sync + 'static {
    /// Returns the state that both kinds of end have.
    fn half(&self) -> &Half;

    /// Wakes what waits for space, after a block of this side's arena has come back, or may have.
    fn space_returned(&self);

    /// Ends the connection because the peer has broken `rule`.
    fn accuse(&self, rule: &'static str);

    /// Counts a message that is read in its block from now on.
    fn block_received(&self) {}

    /// Counts a message that is no longer read in its block.
    fn block_released(&self) {}
}
