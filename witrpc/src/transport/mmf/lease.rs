//! Leases of the channel, put on the seam.

use std::any::Any;
use std::sync::Arc;
use std::task::{Context, Poll};

use witrpc_mmf as channel;

use super::client::with_limit;
use super::errors;
use crate::transport::{ChannelError, Lent, Lessor, Limit, SharedBytes, WritableBytes};

struct Writer(channel::LeaseWriter);

impl WritableBytes for Writer {
    fn as_slice(&self) -> &[u8] {
        self.0.as_slice()
    }

    fn as_mut_slice(&mut self) -> &mut [u8] {
        self.0.as_mut_slice()
    }

    fn freeze(self: Box<Self>) -> Arc<dyn SharedBytes> {
        Arc::new(self.0.freeze())
    }
}

/// A lease of our own, on which claims hold too: as it is, so that there is one count for all.
impl SharedBytes for channel::OwnLease {
    fn len(&self) -> usize {
        self.len()
    }

    fn copy_to(&self, offset: usize, out: &mut [u8]) {
        out.copy_from_slice(&self.as_slice()[offset..offset + out.len()]);
    }

    fn as_slice(&self) -> Option<&[u8]> {
        Some(self.as_slice())
    }
}

/// A lease of the peer's.
pub(super) struct Received(pub(super) channel::ReceivedLease);

impl SharedBytes for Received {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn copy_to(&self, offset: usize, out: &mut [u8]) {
        self.0.copy_to(offset, out);
    }

    fn as_slice(&self) -> Option<&[u8]> {
        self.0.as_slice()
    }
}

impl Lessor for Arc<channel::Client> {
    fn largest_lease(&self) -> usize {
        (**self).largest_lease()
    }

    fn longest_body_with(&self, leases: usize) -> usize {
        (**self).longest_body_with(leases)
    }

    fn try_alloc(&self, lens: &[usize]) -> Result<Vec<Box<dyn WritableBytes>>, ChannelError> {
        channel::Client::try_alloc(self, lens).map(writers).map_err(errors::channel)
    }

    fn try_alloc_one(&self, len: usize) -> Result<Box<dyn WritableBytes>, ChannelError> {
        channel::Client::try_alloc_one(self, len).map(writer).map_err(errors::channel)
    }

    fn poll_alloc(
        &self,
        cx: &mut Context<'_>,
        waiting: &mut Option<Box<dyn Any + Send + Sync>>,
        lens: &[usize],
        limit: &mut Limit,
    ) -> Poll<Result<Vec<Box<dyn WritableBytes>>, ChannelError>> {
        let state = waiting.get_or_insert_with(|| Box::<channel::Allocating>::default());
        let state = state.downcast_mut().expect("a wait goes on where it began");
        let polled =
            with_limit(limit, |limit| channel::Client::poll_alloc(self, cx, state, lens, limit));
        polled.map_ok(writers).map_err(errors::channel)
    }

    fn lend(&self, bytes: &Arc<dyn SharedBytes>) -> Option<Lent> {
        let claim = (**self).claim(own(bytes)?)?;
        Some(Lent(Box::new(claim)))
    }
}

impl Lessor for Arc<channel::Connection> {
    fn largest_lease(&self) -> usize {
        (**self).largest_lease()
    }

    fn longest_body_with(&self, leases: usize) -> usize {
        (**self).longest_body_with(leases)
    }

    fn try_alloc(&self, lens: &[usize]) -> Result<Vec<Box<dyn WritableBytes>>, ChannelError> {
        channel::Connection::try_alloc(self, lens).map(writers).map_err(errors::channel)
    }

    fn try_alloc_one(&self, len: usize) -> Result<Box<dyn WritableBytes>, ChannelError> {
        channel::Connection::try_alloc_one(self, len).map(writer).map_err(errors::channel)
    }

    fn lend(&self, bytes: &Arc<dyn SharedBytes>) -> Option<Lent> {
        let claim = (**self).claim(own(bytes)?)?;
        Some(Lent(Box::new(claim)))
    }
}

fn writers(writers: Vec<channel::LeaseWriter>) -> Vec<Box<dyn WritableBytes>> {
    writers.into_iter().map(writer).collect()
}

fn writer(writer: channel::LeaseWriter) -> Box<dyn WritableBytes> {
    Box::new(Writer(writer))
}

/// The lease that the bytes are, if this transport made them.
fn own(bytes: &Arc<dyn SharedBytes>) -> Option<Arc<channel::OwnLease>> {
    let bytes: Arc<dyn Any + Send + Sync> = Arc::<dyn SharedBytes>::clone(bytes);
    bytes.downcast().ok()
}

/// Hands out what a message was lent, as the channel knows it.
pub(super) fn with_claims<R>(leases: &[Lent], send: impl FnOnce(&[&channel::Claim]) -> R) -> R {
    let Some(first) = leases.first() else { return send(&[]) };
    let mut claims = [claim(first); channel::MAX_LEASES_OF_A_MESSAGE];
    for (place, lent) in claims.iter_mut().zip(leases) {
        *place = claim(lent);
    }
    send(&claims[..leases.len()])
}

fn claim(lent: &Lent) -> &channel::Claim {
    lent.0.downcast_ref().expect("a lease is sent over the transport that has lent it")
}
