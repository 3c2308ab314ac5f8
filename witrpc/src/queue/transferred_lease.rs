//! Bytes that are handed over in one process: both sides hold the same ones.

use std::sync::Arc;

use witrpc_transport::{ChannelError, Lent, Lessor, SharedBytes, WritableBytes, private_bytes};

/// A lessor of private memory that passes on what it is given.
pub struct TransferredLease;

impl Lessor for TransferredLease {
    fn largest_lease(&self) -> usize {
        isize::MAX as usize
    }

    fn longest_body_with(&self, _leases: usize) -> usize {
        usize::MAX
    }

    fn try_alloc(&self, lens: &[usize]) -> Result<Vec<Box<dyn WritableBytes>>, ChannelError> {
        lens.iter().map(|len| private_bytes(*len)).collect()
    }

    fn lend(&self, bytes: &Arc<dyn SharedBytes>) -> Option<Lent> {
        Some(Lent::new(Arc::clone(bytes)))
    }
}

/// Returns the memory that a message was lent.
pub fn taken_along(lent: &Lent) -> Arc<dyn SharedBytes> {
    let bytes = lent.get::<Arc<dyn SharedBytes>>();
    Arc::clone(bytes.expect("bytes are sent over the transport that has lent them"))
}
