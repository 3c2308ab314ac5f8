//! The types that can be a whole argument or a whole result.

use std::alloc::Layout;

use super::shareable::Shareable;
use super::wire::{Wire, assert_element};
use super::{DecodeError, Decoder, EncodeError, Encoder};

/// A type that can be a whole argument, a whole result or its `Ok`: a type that serde carries, or a
/// `Shared`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel between processes",
    label = "not `Serialize + DeserializeOwned + Send + 'static`",
    note = "derive `serde::Serialize` and `serde::Deserialize` for it and for every type in it, and have it own its data: no `Rc`, no reference",
    note = "a type of another crate may have them behind a feature, often called `serde`; or send what you need of it in a type of your own",
    note = "a `Shared` is an argument, a result or its `Ok`, and part of nothing else; its elements also derive `bytemuck::Pod` and `bytemuck::Zeroable` (with `#[repr(C)]`), or write a `Vec` instead"
)]
pub trait Transfer: Sized + Send + 'static {
    /// The layout of the shared elements, if it is a `Shared`.
    #[doc(hidden)]
    const ELEMENT: Option<Layout> = None;

    /// Adds the value to a message.
    #[doc(hidden)]
    fn put<'a>(&'a self, name: &'static str, to: &mut Encoder<'a>) -> Result<(), EncodeError>;

    /// Reads a value from a message.
    #[doc(hidden)]
    fn take(name: &'static str, from: &mut Decoder<'_>) -> Result<Self, DecodeError>;

    /// Calls the method of `visitor` for this kind of type.
    #[doc(hidden)]
    fn visit(visitor: impl VisitTransfer);
}

/// A visitor of [`Transfer`] types, with one method for each kind.
pub trait VisitTransfer {
    /// Visits a type that serde carries.
    fn serde<T: Wire>(self);

    /// Visits a `Shared<T>`.
    fn shared<T: ?Sized + Shareable>(self);
}

#[diagnostic::do_not_recommend]
impl<T: Wire> Transfer for T {
    #[inline(always)]
    fn put<'a>(&'a self, name: &'static str, to: &mut Encoder<'a>) -> Result<(), EncodeError> {
        to.value(name, self)
    }

    #[inline(always)]
    fn take(name: &'static str, from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        from.value(name)
    }

    fn visit(visitor: impl VisitTransfer) {
        visitor.serde::<T>();
    }
}

/// Refuses, at compile time, what the bounds of a `Shared` cannot exclude.
pub const fn assert_transfer<T: Transfer>() {
    if let Some(element) = T::ELEMENT {
        assert_element(element);
    }
}
