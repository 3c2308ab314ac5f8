//! Allocates space for leases in the client's arena, at once or by waiting.

use std::sync::Arc;
use std::task::{Context, Poll};

use witrpc_transport::{ChannelError, DisconnectReason, Limit};

use crate::link::half::Half;
use crate::link::lease::{Claim, End, LeaseWriter, OwnLease, trailer};
use crate::link::release;
use crate::memory::arena::Block;
use crate::memory::layout::WANTS_SPACE;
use crate::memory::send_arena::LeaseShortage;

use super::Client;
use super::waiting::Waiting;

/// A wait for space across the polls of a future. Dropping it gives the wait up.
#[derive(Debug, Default)]
pub struct Allocating {
    waiting: Waiting,
    /// The client whose queues the wait may be in.
    client: Option<Arc<Client>>,
}

impl Client {
    /// Returns the most bytes that all leases together can have, which is also the longest lease.
    pub fn largest_lease(&self) -> usize {
        self.half.send_arena.largest_lease()
    }

    /// Returns the longest body, in bytes, of a request with this many leases. A request with
    /// leases travels in one piece.
    pub fn longest_body_with(&self, leases: usize) -> usize {
        let longest = self.half.send_arena.largest_block().min(self.half.max_message_len);
        match leases {
            0 => self.half.max_message_len,
            some => longest.saturating_sub(trailer::len_of(some)),
        }
    }

    /// Allocates leases of these lengths in bytes, all or none, without waiting.
    ///
    /// # Errors
    ///
    /// [`ChannelError::TooLarge`] and [`ChannelError::Encrypted`]: there can never be such leases.
    /// [`ChannelError::NoSpace`] and [`ChannelError::TooManyLeases`]: not at present. Or the reason
    /// why the connection is gone.
    pub fn try_alloc(self: &Arc<Self>, lens: &[usize]) -> Result<Vec<LeaseWriter>, ChannelError> {
        self.check_leases(lens)?;
        let blocks = self.half.send_arena.reserve_leases(lens, &self.half.released())?;
        Ok(self.writers(blocks))
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

    /// Allocates leases as [`try_alloc`](Self::try_alloc) does, and waits while there is no space.
    /// Poll it with the same `allocating` and lengths until it is ready.
    ///
    /// # Errors
    ///
    /// As [`try_alloc`](Self::try_alloc). It reports what is short at present only when `limit` has
    /// passed.
    pub fn poll_alloc(
        self: &Arc<Self>,
        cx: &mut Context<'_>,
        allocating: &mut Allocating,
        lens: &[usize],
        limit: &mut Limit,
    ) -> Poll<Result<Vec<LeaseWriter>, ChannelError>> {
        self.half.check_leases(lens)?;
        allocating.client.get_or_insert_with(|| Arc::clone(self));
        let mut short_of = LeaseShortage::Space;
        let mut reserve = || match self.half.send_arena.reserve_leases(lens, &self.half.released())
        {
            Ok(blocks) => Some(blocks),
            Err(shortage) => {
                short_of = shortage;
                None
            }
        };
        let blocks = self.poll_for_space(cx, &mut allocating.waiting, limit, || {
            let wants_space = self.half.own.head_word(WANTS_SPACE);
            release::find_or_ask(&self.space_epochs, wants_space, &mut reserve)
        });
        match blocks {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(blocks)) => Poll::Ready(Ok(self.writers(blocks))),
            Poll::Ready(Err(ChannelError::NoSpace)) => Poll::Ready(Err(short_of.into())),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
        }
    }

    /// Claims a lease for a request. Returns `None` if the lease belongs to another connection or
    /// another message has it.
    pub fn claim(&self, lease: Arc<OwnLease>) -> Option<Claim> {
        lease.claim(self.half.own.arena())
    }

    /// Refuses leases that there can never be, however much space is released.
    fn check_leases(&self, lens: &[usize]) -> Result<(), ChannelError> {
        self.check_connected()?;
        self.check_arena()?;
        self.half.check_leases(lens)
    }

    /// Ends the connection if the bookkeeping of its space is unreliable.
    pub(super) fn check_arena(&self) -> Result<(), ChannelError> {
        if self.half.send_arena.is_broken() {
            self.lose(DisconnectReason::Faulty);
            return Err(ChannelError::Disconnected(DisconnectReason::Faulty));
        }
        Ok(())
    }

    fn writers(self: &Arc<Self>, blocks: Vec<Block>) -> Vec<LeaseWriter> {
        blocks.into_iter().map(|block| LeaseWriter::new(Arc::clone(self) as _, block)).collect()
    }
}

impl Drop for Allocating {
    fn drop(&mut self) {
        if let Some(client) = self.client.take()
            && !client.half.origin.is_forked()
        {
            client.end_wait(&mut self.waiting);
        }
    }
}

impl End for Client {
    fn half(&self) -> &Half {
        &self.half
    }

    fn space_returned(&self) {
        // The block came back under the lock of the arena, under which tasks look for space.
        if !self.space_waiters.is_empty() {
            self.space_waiters.wake_all();
        }
    }

    fn accuse(&self, rule: &'static str) {
        self.accuse(rule);
    }
}
