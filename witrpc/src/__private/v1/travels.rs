//! What the type of a value must be able to do: serde's part of it, and how a `Shared` crosses.

#![expect(private_interfaces, reason = "what is in the trait is called by this crate alone")]

use std::alloc::Layout;

use super::Wire;
use super::bounds::assert_element;
use crate::codec::{DecodeError, Decoder, EncodeError, Encoder};
use crate::contract::{Tracer, trace_value};
use crate::shared::{Shareable, Shared};

/// A type that can be an argument as a whole, or a result or its `Ok`: what serde carries, and what is
/// shared.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel between processes",
    label = "not `Serialize + DeserializeOwned + Send + 'static`",
    note = "derive `serde::Serialize` and `serde::Deserialize` for it and for every type in it, and have it own its data: no `Rc`, no reference",
    note = "a type of another crate may have them behind a feature, often called `serde`; or send what you need of it in a type of your own",
    note = "a `Shared` is an argument, a result or its `Ok`, and part of nothing else; its elements also derive `bytemuck::Pod` and `bytemuck::Zeroable` (with `#[repr(C)]`), or write a `Vec` instead"
)]
pub trait Travels: Sized + Send + 'static {
    /// What is shared, if it is.
    #[doc(hidden)]
    const ELEMENT: Option<Layout> = None;

    /// Gives it to a message.
    #[doc(hidden)]
    fn put<'a>(&'a self, name: &'static str, to: &mut Encoder<'a>) -> Result<(), EncodeError>;

    /// Reads it from a message.
    #[doc(hidden)]
    fn take(name: &'static str, from: &mut Decoder<'_>) -> Result<Self, DecodeError>;

    /// Reports its shape.
    #[doc(hidden)]
    fn trace(tracer: &mut Tracer);
}

#[diagnostic::do_not_recommend]
impl<T: Wire> Travels for T {
    #[inline(always)]
    fn put<'a>(&'a self, name: &'static str, to: &mut Encoder<'a>) -> Result<(), EncodeError> {
        to.value(name, self)
    }

    #[inline(always)]
    fn take(name: &'static str, from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        from.value(name)
    }

    fn trace(tracer: &mut Tracer) {
        trace_value::<T>(tracer);
    }
}

#[diagnostic::do_not_recommend]
impl<T: ?Sized + Shareable> Travels for Shared<T> {
    const ELEMENT: Option<Layout> = Some(Layout::new::<T::Element>());

    fn put<'a>(&'a self, name: &'static str, to: &mut Encoder<'a>) -> Result<(), EncodeError> {
        to.shared(name, self.bytes())
    }

    fn take(name: &'static str, from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        from.shared::<T>(name).map(Self::new)
    }

    fn trace(tracer: &mut Tracer) {
        T::trace(tracer);
    }
}

/// Asks for [`Travels`], in the same words wherever generated code does.
pub const fn assert_travels<T: Travels>() {
    if let Some(element) = T::ELEMENT {
        assert_element(element);
    }
}
