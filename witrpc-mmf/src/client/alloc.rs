//! Space for leases in the client's arena: taken at once, or waited for.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::task::{Context, Poll};

use crate::link::lease::{Claim, End, Held, LeaseWriter, OwnLease, trailer};
use crate::link::message::{ChannelError, Limit};
use crate::link::release;
use crate::link::release::ReleaseTable;
use crate::memory::arena::{Block, BlockRef};
use crate::memory::copy::OwnMemory;
use crate::memory::layout::WANTS_SPACE;
use crate::memory::send_arena::{SendArena, Shortage};
use crate::memory::words::Mapped;

use super::Client;
use super::waiting::Waiting;

/// A wait for space across the polls of a future. Dropping it gives the wait up.
#[derive(Debug, Default)]
pub struct Allocating {
    waiting: Waiting,
    /// Whose queue it stands in.
    client: Option<Arc<Client>>,
}

impl Client {
    /// The longest that a lease, or all leases together, can be, in bytes.
    pub fn largest_lease(&self) -> usize {
        self.outbox.largest_lease()
    }

    /// The longest body, in bytes, of a request that takes so many leases along: with some, it travels
    /// in one piece.
    pub fn longest_body_with(&self, leases: usize) -> usize {
        let longest = self.outbox.largest_block().min(self.max_message_len);
        match leases {
            0 => self.max_message_len,
            some => longest.saturating_sub(trailer::len_of(some)),
        }
    }

    /// Takes space for leases of these lengths, for all of them or none, without waiting.
    ///
    /// # Errors
    ///
    /// [`ChannelError::TooLarge`], [`ChannelError::Encrypted`]: it can never be had.
    /// [`ChannelError::NoSpace`],
    /// [`ChannelError::TooManyLeases`]: not now. Or that the connection is gone.
    pub fn try_alloc(self: &Arc<Self>, lens: &[usize]) -> Result<Vec<LeaseWriter>, ChannelError> {
        self.check_leases(lens)?;
        let blocks = self.outbox.reserve_leases(lens, &self.released())?;
        Ok(self.writers(blocks))
    }

    /// As [`try_alloc`](Self::try_alloc), for one lease.
    ///
    /// # Errors
    ///
    /// As [`try_alloc`](Self::try_alloc).
    pub fn try_alloc_one(self: &Arc<Self>, len: usize) -> Result<LeaseWriter, ChannelError> {
        self.check_leases(&[len])?;
        let block = self.outbox.reserve_lease(len, &self.released())?;
        Ok(LeaseWriter::new(Arc::clone(self) as _, block))
    }

    /// As [`try_alloc`](Self::try_alloc), but waits for what is short. To be polled with the same
    /// `allocating` and lengths until it is ready.
    ///
    /// # Errors
    ///
    /// As [`try_alloc`](Self::try_alloc); what is short now, only when `limit` has passed.
    pub fn poll_alloc(
        self: &Arc<Self>,
        cx: &mut Context<'_>,
        allocating: &mut Allocating,
        lens: &[usize],
        limit: &mut Limit,
    ) -> Poll<Result<Vec<LeaseWriter>, ChannelError>> {
        self.carriage.check_leasable()?;
        self.outbox.check_leases(lens)?;
        allocating.client.get_or_insert_with(|| Arc::clone(self));
        let mut short_of = Shortage::Space;
        let mut reserve = || match self.outbox.reserve_leases(lens, &self.released()) {
            Ok(blocks) => Some(blocks),
            Err(shortage) => {
                short_of = shortage;
                None
            }
        };
        let blocks = self.poll_for_space(cx, &mut allocating.waiting, limit, || {
            let wants_space = self.own.word64(WANTS_SPACE);
            release::find_or_ask(&self.space_epochs, wants_space, &mut reserve)
        });
        match blocks {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(blocks)) => Poll::Ready(Ok(self.writers(blocks))),
            Poll::Ready(Err(ChannelError::NoSpace)) => Poll::Ready(Err(short_of.into())),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
        }
    }

    /// Claims a lease for a request. `None` if it is another connection's, or is with another
    /// message.
    pub fn claim(&self, lease: Arc<OwnLease>) -> Option<Claim> {
        lease.claim(self.own.arena())
    }

    /// Refuses leases that cannot be had, whatever comes back.
    fn check_leases(&self, lens: &[usize]) -> Result<(), ChannelError> {
        self.check_connected()?;
        self.carriage.check_leasable()?;
        self.outbox.check_leases(lens)
    }

    fn writers(self: &Arc<Self>, blocks: Vec<Block>) -> Vec<LeaseWriter> {
        blocks.into_iter().map(|block| LeaseWriter::new(Arc::clone(self) as _, block)).collect()
    }
}

impl Drop for Allocating {
    fn drop(&mut self) {
        if let Some(client) = self.client.take()
            && !client.origin.is_forked()
        {
            client.end_wait(&mut self.waiting);
        }
    }
}

impl End for Client {
    fn own(&self) -> &OwnMemory {
        &self.own
    }

    fn outbox(&self) -> &SendArena {
        &self.outbox
    }

    fn released(&self) -> ReleaseTable<'_, Mapped> {
        let slots = self.server.words32(self.layout.server_release(), self.layout.granules());
        ReleaseTable { slots }
    }

    fn space_returned(&self) {
        if !self.space_waiters.is_empty() {
            self.space_waiters.notify_all();
        }
    }

    fn accuse(&self, rule: &'static str) {
        self.accuse(rule);
    }

    fn is_forked(&self) -> bool {
        self.origin.is_forked()
    }

    fn arena_len(&self) -> usize {
        self.layout.arena_len()
    }

    fn held(&self) -> &Held {
        &self.held
    }

    fn slot(&self, granule: usize) -> &AtomicU32 {
        self.own.word32(self.layout.client_release() + granule * 4)
    }

    fn copy_block(&self, block: &BlockRef, offset: usize, out: &mut [u8]) {
        self.copy_block(block, offset, out);
    }

    unsafe fn view_block(&self, block: &BlockRef) -> Option<&[u8]> {
        // SAFETY: the contract is the same.
        unsafe { self.view_block(block) }
    }

    fn release(&self, block: &BlockRef) {
        self.release(block);
    }
}
