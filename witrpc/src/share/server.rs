//! Allocates space for results, in memory that the caller sees.

use witrpc_transport::{ChannelError, WritableBytes, private_bytes};

use crate::call::server::context::CallContext;
use crate::codec::{RawElement, len_of_one_raw};
use crate::error::AllocError;

use super::{SharedMut, check};

impl CallContext {
    /// Allocates space for `len` elements in memory that the caller sees. Fill it in place, then return
    /// it as a [`Shared`](crate::Shared).
    ///
    /// This never waits: otherwise a client that keeps what it received would block the server's
    /// threads. While there is too little space, this allocates private memory, which the answer
    /// copies. It does the same over a transport without shared memory. Within one process nothing
    /// is copied. A result over [`max_message_size`](crate::Mmf::max_message_size) cannot be copied
    /// into an answer, so it must fit into shared memory.
    ///
    /// # Errors
    ///
    /// [`AllocError::TooLarge`]: it would not fit even if all the space were free.
    /// [`AllocError::NoSpace`] and [`AllocError::TooManyLeases`]: nothing is free now, and the elements
    /// are too long to be copied. [`AllocError::NoMemory`]: there is no private memory either.
    /// [`AllocError::Encrypted`]: an encrypted connection shares nothing in place.
    /// [`AllocError::ClientGone`], over shared memory: the client has gone.
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

    /// Allocates space for one value; otherwise as [`alloc`](Self::alloc).
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
