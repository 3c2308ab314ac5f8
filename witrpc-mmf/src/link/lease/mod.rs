//! Leases: blocks that are filled in place, lent with a message, and read in place.
//!
//! A message's own bytes are copied twice, into a block and out of it. A lease is a block that a
//! user fills through a `&mut [u8]` and that a message merely names; its reader copies out of it what
//! it wants, when it wants, and gives the block back when it drops the lease.
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
//! The flag [`LEASES`](super::head::LEASES) of a head says that the message ends with the
//! descriptions of leases, two words each as on a line, and their number in a byte ([`trailer`]).
//! Such a message travels in one piece, so that whoever drops it unread finds them.
//!
//! # Invariants
//!
//! 0. **One writer, then none.** A [`LeaseWriter`] has its block to itself; `freeze` consumes it.
//!    From then on nobody writes to the block until it is back in the arena, which takes that no
//!    [`OwnLease`] is left and that the peer, if it was lent the block, has released it.
//! 1. **A block is with one message at a time.** It is claimed before a message names it, by the
//!    protocol of [`lending`]. A second message, while the first's reader has not released the block,
//!    does not get it (and carries a copy instead).
//! 2. **Each time a block is lent it has a new generation**, one after what the peer's slot holds.
//!    So the reader tells a stale name by its own slot alone, and the writer, when it is to lend the
//!    block again, a release under a generation that it has not lent: both end the connection. To
//!    release a block a second time
//!    under the same generation changes nothing.
//! 3. **A reader holds a granule once.** What it holds is in a table ([`held`]); a lease that
//!    overlaps one that is held, is stale, lies outside the arena or is one of too many ends the
//!    connection. The table's entry goes before the release is published, so an honest writer is
//!    never found at fault.
//! 4. **Both ends outlive the connection.** Leases hold the end that they belong to, and so its
//!    mappings, but never the other way round; the connection ends without regard to them.
//!
//! What a reader reads is what the peer has written, at whatever moment: see [`crate::memory::copy`].

mod held;
mod lending;
mod own;
mod received;
pub(crate) mod trailer;

#[cfg(test)]
mod model;

use super::half::Half;

pub(crate) use held::Held;
pub use own::{Claim, LeaseWriter, OwnLease};
pub use received::ReceivedLease;
pub(crate) use received::take_leases;
pub use trailer::MAX_LEASES_OF_A_MESSAGE;

/// An end of a connection, as far as blocks know it.
pub(crate) trait End: Send + Sync + 'static {
    /// What it has in common with the other end.
    fn half(&self) -> &Half;

    /// A block of ours has come back, or may have: whoever waits for space looks again.
    fn space_returned(&self);

    /// The peer has broken this rule: the connection ends.
    fn accuse(&self, rule: &'static str);

    /// A message is read where it lies from now on.
    fn block_received(&self) {}

    /// A message is read no more.
    fn block_released(&self) {}
}
