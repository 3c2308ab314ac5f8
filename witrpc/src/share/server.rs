//! Space in the memory that the caller sees, for results.

use witrpc_transport::{ChannelError, WritableBytes, private_bytes};

use crate::call::server::context::CallContext;
use crate::codec::{RawElement, len_of_one_raw};
use crate::error::AllocError;

use super::{SharedMut, check};

impl CallContext {
    /// Takes space for `len` elements in the memory that the caller sees, to be filled in place and
    /// returned as a [`Shared`](crate::Shared).
    ///
    /// It never waits: a client that keeps what it was sent would hold up the server's threads
    /// otherwise. While there is too little, it is private memory, which the answer copies, as it
    /// does over a transport without shared memory; nothing is copied within one process. What is
    /// too long for that copy to be an answer, over
    /// [`max_message_size`](crate::Mmf::max_message_size), can only be had in shared memory.
    ///
    /// # Errors
    ///
    /// [`AllocError::TooLarge`]: it does not fit however little is taken. [`AllocError::NoSpace`] and
    /// [`AllocError::TooManyLeases`]: not now, and it is too long to be copied.
    /// [`AllocError::NoMemory`]: nor is there private memory. [`AllocError::Encrypted`]: nothing can be
    /// shared in place. [`AllocError::ClientGone`]: over shared memory.
    ///
    /// # Examples
    ///
    /// ```
    /// use witrpc::{AllocError, CallContext, Shared, wit_service};
    ///
    /// #[wit_service]
    /// pub trait Generator {
    ///     fn ramp(&self, #[wit(ctx)] cx: &CallContext, len: u64) -> Result<Shared<[u64]>, String>;
    /// }
    ///
    /// struct Ramp;
    ///
    /// impl Generator for Ramp {
    ///     fn ramp(&self, cx: &CallContext, len: u64) -> Result<Shared<[u64]>, String> {
    ///         let mut ramp = cx.alloc(len as usize).map_err(|error| error.to_string())?;
    ///         ramp.iter_mut().zip(0..).for_each(|(element, value)| *element = value);
    ///         Ok(ramp.freeze())
    ///     }
    /// }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let generator = GeneratorClient::in_process(Ramp);
    /// assert_eq!(generator.ramp(1_000)?.get(999), Some(999));
    /// # Ok(())
    /// # }
    /// ```
    pub fn alloc<T: RawElement>(&self, len: usize) -> Result<SharedMut<[T]>, AllocError> {
        check::<T>();
        self.bytes(len.saturating_mul(size_of::<T>())).map(SharedMut::new)
    }

    /// As [`alloc`](Self::alloc), for one value.
    ///
    /// # Errors
    ///
    /// As [`alloc`](Self::alloc).
    pub fn alloc_value<T: RawElement>(&self) -> Result<SharedMut<T>, AllocError> {
        check::<T>();
        self.bytes(size_of::<T>()).map(SharedMut::new)
    }

    fn bytes(&self, len: usize) -> Result<Box<dyn WritableBytes>, AllocError> {
        let allocated = match self.peer.lessor().map(|lessor| (lessor, lessor.try_alloc_one(len))) {
            Some((lessor, Err(ChannelError::NoSpace | ChannelError::TooManyLeases { .. })))
                if len_of_one_raw(len) <= lessor.longest_body_with(0) =>
            {
                private_bytes(len)
            }
            Some((_, allocated)) => allocated,
            None => private_bytes(len),
        };
        allocated.map_err(|error| AllocError::on_server(error, len))
    }
}
