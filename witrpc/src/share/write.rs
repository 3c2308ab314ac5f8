//! Elements that are being filled.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use witrpc_transport::WritableBytes;

use super::{Shareable, Shared};

/// Elements that are being filled in place, before they are shared: a `&mut [T]`, or a `&mut T`.
///
/// Made by [`Connection::alloc`](crate::Connection::alloc) and
/// [`CallContext::alloc`](crate::CallContext::alloc). Elements that were not written hold what was in
/// the memory before: zeros, or what an earlier message or lease of the same connection and direction
/// left there. The peer could read all of that anyway. It can also read each element as soon as it is
/// written; no third process ever can.
///
/// Dropping it frees the space. To write element by element, take the slice out of the loop: `let frame
/// = &mut frame[..];`.
pub struct SharedMut<T: ?Sized> {
    bytes: Box<dyn WritableBytes>,
    form: PhantomData<T>,
}

impl<T: ?Sized> SharedMut<T> {
    /// Wraps bytes, whose length must be one that the form allows.
    pub(crate) fn new(bytes: Box<dyn WritableBytes>) -> Self {
        Self { bytes, form: PhantomData }
    }

    /// Ends the writing: the elements can now be passed on, and read by many.
    #[must_use]
    pub fn freeze(self) -> Shared<T> {
        Shared::new(self.bytes.freeze())
    }
}

impl<T: ?Sized + Shareable> Deref for SharedMut<T> {
    type Target = T;

    fn deref(&self) -> &T {
        T::of_bytes(self.bytes.as_slice()).expect("space is made to measure")
    }
}

impl<T: ?Sized + Shareable> DerefMut for SharedMut<T> {
    fn deref_mut(&mut self) -> &mut T {
        T::of_bytes_mut(self.bytes.as_mut_slice()).expect("space is made to measure")
    }
}

impl<T: ?Sized> From<SharedMut<T>> for Shared<T> {
    fn from(filled: SharedMut<T>) -> Self {
        filled.freeze()
    }
}

impl<T: ?Sized> fmt::Debug for SharedMut<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedMut")
            .field("bytes", &self.bytes.as_slice().len())
            .finish_non_exhaustive()
    }
}
