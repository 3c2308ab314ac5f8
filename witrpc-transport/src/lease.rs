//! Leases: bytes in shared memory that stay in place while a message hands them over.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::error::ChannelError;
use crate::limit::Limit;

/// Bytes that any number of holders may read and that no thread of this process writes to. A shared value
/// consists of them. When the last holder drops them, they return to their lessor, on any thread and without
/// waiting. They may outlive the connection.
pub trait SharedBytes: Any + Send + Sync {
    /// Returns how many there are.
    fn len(&self) -> usize;

    /// Returns whether there are no bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Copies the bytes from `offset` on into all of `out`. If a peer can still write to them, they may differ
    /// from an earlier copy.
    ///
    /// # Panics
    ///
    /// If `offset + out.len()` is beyond the end.
    fn copy_to(&self, offset: usize, out: &mut [u8]);

    /// Returns the bytes in place, aligned for any raw element. Returns `None` if a peer that is not trusted
    /// can write to them.
    fn as_slice(&self) -> Option<&[u8]>;
}

/// Bytes that one holder fills, aligned for any raw element.
pub trait WritableBytes: Send + Sync {
    /// Returns the bytes, as they are so far.
    fn as_slice(&self) -> &[u8];

    /// Returns the bytes, to be filled.
    fn as_mut_slice(&mut self) -> &mut [u8];

    /// Ends the writing: from here on the bytes are only read.
    fn freeze(self: Box<Self>) -> Arc<dyn SharedBytes>;
}

/// One message's right to take some [`SharedBytes`] along, given by [`Lessor::lend`]. Its content is private to
/// the transport that made it. If it is dropped before the message is sent, another message may take them.
pub struct Lent(Box<dyn Any + Send + Sync>);

impl Lent {
    /// Wraps what the transport needs when the message is sent.
    #[must_use]
    pub fn new(content: impl Any + Send + Sync) -> Self {
        Self(Box::new(content))
    }

    /// Returns what the transport has wrapped, if it is a `T`.
    #[must_use]
    pub fn get<T: Any>(&self) -> Option<&T> {
        self.0.downcast_ref()
    }
}

/// The lessor of one end of a connection: it gives out space that messages can hand over, and lends what is in
/// it. Any thread may call any method. None blocks.
pub trait Lessor: Send + Sync {
    /// Returns the size of the largest lease, in bytes.
    fn largest_lease(&self) -> usize;

    /// Returns the longest body, in bytes, of a message that takes this many leases along. For zero, returns
    /// the longest body of any message.
    fn longest_body_with(&self, leases: usize) -> usize;

    /// Takes space of these lengths, all of it or none, without waiting. It goes back when the writer, all
    /// readers and the peer have dropped it. So a peer that keeps leases keeps their space, up to the bounds of
    /// the connection.
    ///
    /// # Errors
    ///
    /// [`ChannelError::TooLarge`] or [`ChannelError::Encrypted`] if the space can never be had.
    /// [`ChannelError::NoSpace`] or [`ChannelError::TooManyLeases`] if it cannot be had now. Or an error for a
    /// connection that is gone.
    fn try_alloc(&self, lens: &[usize]) -> Result<Vec<Box<dyn WritableBytes>>, ChannelError>;

    /// Does the same as [`try_alloc`](Self::try_alloc), for one length.
    ///
    /// # Errors
    ///
    /// Those of [`try_alloc`](Self::try_alloc).
    fn try_alloc_one(&self, len: usize) -> Result<Box<dyn WritableBytes>, ChannelError> {
        let bytes = self.try_alloc(&[len])?;
        Ok(bytes.into_iter().next().expect("one was asked for"))
    }

    /// Does the same as [`try_alloc`](Self::try_alloc), but waits for what is short, and wakes at `limit` at
    /// the latest. To be polled with the same lengths and the same `waiting`, which starts as `None`. Dropping
    /// `waiting` gives the wait up. A transport that does not wait need not implement it.
    ///
    /// # Errors
    ///
    /// Those of [`try_alloc`](Self::try_alloc), for what is still short at the limit.
    fn poll_alloc(
        &self,
        cx: &mut Context<'_>,
        waiting: &mut Option<Box<dyn Any + Send + Sync>>,
        lens: &[usize],
        limit: &mut Limit,
    ) -> Poll<Result<Vec<Box<dyn WritableBytes>>, ChannelError>> {
        let _ = (cx, waiting, limit);
        Poll::Ready(self.try_alloc(lens))
    }

    /// Lets one message of this connection take `bytes` along. Returns `None` if they have to be copied: they
    /// belong to another connection, or are with another message.
    fn lend(&self, bytes: &Arc<dyn SharedBytes>) -> Option<Lent>;
}

/// Returns `len` zero bytes of private memory, for transports without shared memory.
///
/// # Errors
///
/// [`ChannelError::NoMemory`] if the memory is lacking.
pub fn private_bytes(len: usize) -> Result<Box<dyn WritableBytes>, ChannelError> {
    let padded = len.saturating_add(LINE - 1);
    let bytes: Vec<u8> = bytemuck::allocation::try_zeroed_vec(padded)
        .map_err(|()| ChannelError::NoMemory { len })?;
    let start = bytes.as_ptr().addr().wrapping_neg() % LINE;
    Ok(Box::new(Private { bytes, start, len }))
}

/// Private memory, aligned for any raw element.
struct Private {
    /// Never grows, and so stays at its address.
    bytes: Vec<u8>,
    /// The index of the first byte whose address is a multiple of [`LINE`].
    start: usize,
    len: usize,
}

/// The alignment in bytes: a cache line.
const LINE: usize = 64;

impl WritableBytes for Private {
    fn as_slice(&self) -> &[u8] {
        &self.bytes[self.start..][..self.len]
    }

    fn as_mut_slice(&mut self) -> &mut [u8] {
        &mut self.bytes[self.start..][..self.len]
    }

    fn freeze(self: Box<Self>) -> Arc<dyn SharedBytes> {
        Arc::new(*self)
    }
}

impl SharedBytes for Private {
    fn len(&self) -> usize {
        self.len
    }

    fn copy_to(&self, offset: usize, out: &mut [u8]) {
        out.copy_from_slice(&WritableBytes::as_slice(self)[offset..offset + out.len()]);
    }

    fn as_slice(&self) -> Option<&[u8]> {
        Some(WritableBytes::as_slice(self))
    }
}

impl fmt::Debug for Lent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lent").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_memory_is_zero_and_aligned() {
        for len in [0, 1, 63, 64, 65, 4097] {
            let mut bytes = private_bytes(len).unwrap();
            assert_eq!(bytes.as_mut_slice(), vec![0; len]);
            assert!(bytes.as_slice().as_ptr().addr().is_multiple_of(LINE));
            bytes.as_mut_slice().fill(7);
            let shared = bytes.freeze();
            assert_eq!((shared.len(), shared.as_slice()), (len, Some(&*vec![7; len])));
        }
        assert_eq!(
            private_bytes(usize::MAX).err(),
            Some(ChannelError::NoMemory { len: usize::MAX })
        );
    }
}
