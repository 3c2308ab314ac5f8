//! Leases, for both halves of the transport.

use std::any::Any;
use std::sync::Arc;
use std::task::{Context, Poll};

use witrpc_transport::{ChannelError, Lent, Lessor, Limit, SharedBytes, WritableBytes};

use crate::client::Allocating;
use crate::link::lease::{LeaseWriter, OwnLease, ReceivedLease};

use super::client::Channel;
use super::server::ConnectedPeer;

impl WritableBytes for LeaseWriter {
    fn as_slice(&self) -> &[u8] {
        self.as_slice()
    }

    fn as_mut_slice(&mut self) -> &mut [u8] {
        self.as_mut_slice()
    }

    fn freeze(self: Box<Self>) -> Arc<dyn SharedBytes> {
        Arc::new((*self).freeze())
    }
}

impl SharedBytes for OwnLease {
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

impl SharedBytes for ReceivedLease {
    fn len(&self) -> usize {
        self.len()
    }

    fn copy_to(&self, offset: usize, out: &mut [u8]) {
        self.copy_to(offset, out);
    }

    fn as_slice(&self) -> Option<&[u8]> {
        self.as_slice()
    }
}

impl Lessor for Channel {
    fn largest_lease(&self) -> usize {
        self.0.largest_lease()
    }

    fn longest_body_with(&self, leases: usize) -> usize {
        self.0.longest_body_with(leases)
    }

    fn try_alloc(&self, lens: &[usize]) -> Result<Vec<Box<dyn WritableBytes>>, ChannelError> {
        self.0.try_alloc(lens).map(writers)
    }

    fn try_alloc_one(&self, len: usize) -> Result<Box<dyn WritableBytes>, ChannelError> {
        self.0.try_alloc_one(len).map(writer)
    }

    fn poll_alloc(
        &self,
        cx: &mut Context<'_>,
        waiting: &mut Option<Box<dyn Any + Send + Sync>>,
        lens: &[usize],
        limit: &mut Limit,
    ) -> Poll<Result<Vec<Box<dyn WritableBytes>>, ChannelError>> {
        let state = waiting.get_or_insert_with(|| Box::<Allocating>::default());
        let state = state.downcast_mut().expect("a wait goes on where it began");
        self.0.poll_alloc(cx, state, lens, limit).map_ok(writers)
    }

    fn lend(&self, bytes: &Arc<dyn SharedBytes>) -> Option<Lent> {
        let claim = self.0.claim(own(bytes)?)?;
        Some(Lent::new(claim))
    }
}

/// The lessor of a connection that may have ended: then it has no space.
impl Lessor for ConnectedPeer {
    fn largest_lease(&self) -> usize {
        self.connection().map_or(0, |connection| connection.largest_lease())
    }

    fn longest_body_with(&self, leases: usize) -> usize {
        self.connection().map_or(0, |connection| connection.longest_body_with(leases))
    }

    fn try_alloc(&self, lens: &[usize]) -> Result<Vec<Box<dyn WritableBytes>>, ChannelError> {
        self.connection()?.try_alloc(lens).map(writers)
    }

    fn try_alloc_one(&self, len: usize) -> Result<Box<dyn WritableBytes>, ChannelError> {
        self.connection()?.try_alloc_one(len).map(writer)
    }

    fn lend(&self, bytes: &Arc<dyn SharedBytes>) -> Option<Lent> {
        let claim = self.connection().ok()?.claim(own(bytes)?)?;
        Some(Lent::new(claim))
    }
}

fn writers(writers: Vec<LeaseWriter>) -> Vec<Box<dyn WritableBytes>> {
    writers.into_iter().map(writer).collect()
}

fn writer(writer: LeaseWriter) -> Box<dyn WritableBytes> {
    Box::new(writer)
}

/// Returns the lease behind the bytes, if this transport made them.
fn own(bytes: &Arc<dyn SharedBytes>) -> Option<Arc<OwnLease>> {
    let bytes: Arc<dyn Any + Send + Sync> = Arc::<dyn SharedBytes>::clone(bytes);
    bytes.downcast().ok()
}
