//! Allocates space for leases in the arena of the server's end. It never waits, because a thread of
//! the server waits for no client.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use witrpc_transport::ChannelError;

use crate::link::half::Half;
use crate::link::lease::{Claim, End, LeaseWriter, OwnLease, trailer};
use crate::memory::layout::INLINE_LEN;

use super::connection::Connection;

impl Connection {
    /// Returns the most bytes that all leases together can have, which is also the longest lease.
    pub fn largest_lease(&self) -> usize {
        self.half.send_arena.largest_lease()
    }

    /// Returns the longest body, in bytes, of an answer with this many leases. An answer with
    /// leases must fit in its line.
    pub fn longest_body_with(&self, leases: usize) -> usize {
        match leases {
            0 => self.half.max_message_len,
            some => INLINE_LEN.saturating_sub(trailer::len_of(some)),
        }
    }

    /// Allocates leases of these lengths in bytes, all or none.
    ///
    /// # Errors
    ///
    /// [`ChannelError::TooLarge`] and [`ChannelError::Encrypted`]: there can never be such leases.
    /// [`ChannelError::NoSpace`] and [`ChannelError::TooManyLeases`]: not at present.
    /// [`ChannelError::PeerDied`]: the client is gone.
    pub fn try_alloc(self: &Arc<Self>, lens: &[usize]) -> Result<Vec<LeaseWriter>, ChannelError> {
        self.check_leases(lens)?;
        let blocks = self.half.send_arena.reserve_leases(lens, &self.half.released())?;
        Ok(blocks.into_iter().map(|block| LeaseWriter::new(Arc::clone(self) as _, block)).collect())
    }

    /// Allocates one lease as [`try_alloc`](Self::try_alloc) does.
    ///
    /// # Errors
    ///
    /// As [`try_alloc`](Self::try_alloc).
    pub fn try_alloc_one(self: &Arc<Self>, len: usize) -> Result<LeaseWriter, ChannelError> {
        self.check_leases(&[len])?;
        let block = self.half.send_arena.reserve_lease(len, &self.half.released())?;
        Ok(LeaseWriter::new(Arc::clone(self) as _, block))
    }

    /// Refuses leases that there can never be, however much space is released.
    fn check_leases(&self, lens: &[usize]) -> Result<(), ChannelError> {
        if !self.is_connected() {
            return Err(ChannelError::PeerDied);
        }
        self.check_arena();
        self.half.check_leases(lens)
    }

    /// Ends the connection, when its next request is taken, if the bookkeeping of its space is unreliable.
    pub(super) fn check_arena(&self) {
        if self.half.send_arena.is_broken() {
            self.suspect("none itself: a panic here has left the bookkeeping of space unreliable");
        }
    }

    /// Claims a lease for an answer. Returns `None` if the lease belongs to another connection or
    /// another message has it.
    pub fn claim(&self, lease: Arc<OwnLease>) -> Option<Claim> {
        lease.claim(self.half.own.arena())
    }
}

impl End for Connection {
    fn half(&self) -> &Half {
        &self.half
    }

    /// Sends answers that wait for space.
    fn space_returned(&self) {
        if self.is_connected() {
            self.flush_queue();
        }
    }

    /// Ends the connection when its next request is taken.
    fn accuse(&self, rule: &'static str) {
        self.suspect(rule);
    }

    fn block_received(&self) {
        self.blocks_held.fetch_add(1, Relaxed);
    }

    fn block_released(&self) {
        self.blocks_held.fetch_sub(1, Relaxed);
    }
}
