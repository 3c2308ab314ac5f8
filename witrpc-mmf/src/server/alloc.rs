//! Space for leases in the arena of the server's end, which is never waited for: a server's thread
//! waits for no client.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use crate::link::half::Half;
use crate::link::lease::{Claim, End, LeaseWriter, OwnLease, trailer};
use crate::link::message::ChannelError;
use crate::memory::layout::INLINE_LEN;

use super::connection::Connection;

impl Connection {
    /// The longest that a lease, or all leases together, can be, in bytes.
    pub fn largest_lease(&self) -> usize {
        self.half.send_arena.largest_lease()
    }

    /// The longest body, in bytes, of an answer that takes so many leases along: with some, what its
    /// line has left for it.
    pub fn longest_body_with(&self, leases: usize) -> usize {
        match leases {
            0 => self.half.max_message_len,
            some => INLINE_LEN.saturating_sub(trailer::len_of(some)),
        }
    }

    /// Takes space for leases of these lengths, for all of them or none.
    ///
    /// # Errors
    ///
    /// [`ChannelError::TooLarge`], [`ChannelError::Encrypted`]: it can never be had.
    /// [`ChannelError::NoSpace`],
    /// [`ChannelError::TooManyLeases`]: not now. [`ChannelError::PeerDied`]: nobody is there.
    pub fn try_alloc(self: &Arc<Self>, lens: &[usize]) -> Result<Vec<LeaseWriter>, ChannelError> {
        self.check_leases(lens)?;
        let blocks = self.half.send_arena.reserve_leases(lens, &self.half.released())?;
        Ok(blocks.into_iter().map(|block| LeaseWriter::new(Arc::clone(self) as _, block)).collect())
    }

    /// As [`try_alloc`](Self::try_alloc), for one lease.
    ///
    /// # Errors
    ///
    /// As [`try_alloc`](Self::try_alloc).
    pub fn try_alloc_one(self: &Arc<Self>, len: usize) -> Result<LeaseWriter, ChannelError> {
        self.check_leases(&[len])?;
        let block = self.half.send_arena.reserve_lease(len, &self.half.released())?;
        Ok(LeaseWriter::new(Arc::clone(self) as _, block))
    }

    /// Refuses leases that cannot be had, whatever comes back.
    fn check_leases(&self, lens: &[usize]) -> Result<(), ChannelError> {
        if !self.is_connected() {
            return Err(ChannelError::PeerDied);
        }
        self.half.check_leases(lens)
    }

    /// Claims a lease for an answer. `None` if it is another connection's, or is with another
    /// message.
    pub fn claim(&self, lease: Arc<OwnLease>) -> Option<Claim> {
        lease.claim(self.half.own.arena())
    }
}

impl End for Connection {
    fn half(&self) -> &Half {
        &self.half
    }

    /// Answers may wait for it.
    fn space_returned(&self) {
        if self.is_connected() {
            self.flush_queue();
        }
    }

    /// Its next request ends it.
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
