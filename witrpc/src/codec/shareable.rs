//! The types that a [`Shared`](crate::share::Shared) can hold: a slice, or one value.

use witrpc_transport::SharedBytes;

use super::wire::{RawElement, assert_raw};

/// A type that can be in shared memory: `[T]`, or one `T`. Only this crate implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot lie in shared memory",
    label = "not a slice or a value of plain elements",
    note = "write `Shared<[T]>` or `Shared<T>` with a `T` of plain numbers (`Shared<[u8]>` for text), or derive `bytemuck::Pod` and `bytemuck::Zeroable` (with `#[repr(C)]`), `serde::Serialize` and `serde::Deserialize` on it"
)]
pub trait Shareable: sealed::Form + Send + Sync + 'static {}

impl<T: RawElement> Shareable for [T] {}
impl<T: RawElement> Shareable for T {}

/// The sealed part of the trait, for this crate alone.
pub mod sealed {
    use crate::codec::RawElement;

    pub trait Form {
        type Element: RawElement;

        /// Returns the bytes as this form. Returns `None` if their number or alignment does not
        /// fit.
        fn of_bytes(bytes: &[u8]) -> Option<&Self>;

        fn of_bytes_mut(bytes: &mut [u8]) -> Option<&mut Self>;

        /// Returns whether `len` bytes can be one.
        fn fits(len: usize) -> bool;

        /// Calls the method of `visitor` for this form.
        fn visit(visitor: impl VisitForm);
    }

    /// A visitor of forms, with one method for each.
    pub trait VisitForm {
        /// Visits a `[T]`.
        fn slice<T: RawElement>(self);

        /// Visits one `T`.
        fn one<T: RawElement>(self);
    }
}

impl<T: RawElement> sealed::Form for [T] {
    type Element = T;

    fn of_bytes(bytes: &[u8]) -> Option<&Self> {
        bytemuck::try_cast_slice(bytes).ok()
    }

    fn of_bytes_mut(bytes: &mut [u8]) -> Option<&mut Self> {
        bytemuck::try_cast_slice_mut(bytes).ok()
    }

    fn fits(len: usize) -> bool {
        len.is_multiple_of(size_of::<T>())
    }

    fn visit(visitor: impl sealed::VisitForm) {
        visitor.slice::<T>();
    }
}

impl<T: RawElement> sealed::Form for T {
    type Element = T;

    fn of_bytes(bytes: &[u8]) -> Option<&Self> {
        bytemuck::try_from_bytes(bytes).ok()
    }

    fn of_bytes_mut(bytes: &mut [u8]) -> Option<&mut Self> {
        bytemuck::try_from_bytes_mut(bytes).ok()
    }

    fn fits(len: usize) -> bool {
        len == size_of::<T>()
    }

    fn visit(visitor: impl sealed::VisitForm) {
        visitor.one::<T>();
    }
}

/// Refuses, at compile time, elements of size zero or of too large an alignment.
pub const fn check<T: RawElement>() {
    const { assert_raw::<T>() }
}

/// Elements in private memory.
pub struct Elements<T>(pub Vec<T>);

impl<T: RawElement> SharedBytes for Elements<T> {
    fn len(&self) -> usize {
        size_of_val(&*self.0)
    }

    fn copy_to(&self, offset: usize, out: &mut [u8]) {
        let bytes: &[u8] = bytemuck::cast_slice(&self.0);
        out.copy_from_slice(&bytes[offset..offset + out.len()]);
    }

    fn as_slice(&self) -> Option<&[u8]> {
        Some(bytemuck::cast_slice(&self.0))
    }
}
