//! Values that are usually absent.

use std::ops::{Deref, DerefMut};

/// A boxed value that is usually absent. If it is, dropping it costs one branch.
pub struct Rare<T>(Option<Box<T>>);

impl<T> Rare<T> {
    /// Wraps a value that may be absent.
    #[inline]
    pub const fn new(value: Option<Box<T>>) -> Self {
        Self(value)
    }
}

impl<T> Default for Rare<T> {
    #[inline]
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Deref for Rare<T> {
    type Target = Option<Box<T>>;

    #[inline]
    fn deref(&self) -> &Option<Box<T>> {
        &self.0
    }
}

impl<T> DerefMut for Rare<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Option<Box<T>> {
        &mut self.0
    }
}

impl<T> Drop for Rare<T> {
    #[inline]
    fn drop(&mut self) {
        if let Some(value) = self.0.take() {
            discard(value);
        }
    }
}

#[cold]
#[inline(never)]
fn discard<T>(value: Box<T>) {
    drop(value);
}
