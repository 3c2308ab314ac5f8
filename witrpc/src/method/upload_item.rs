//! The items of a stream that a method takes.
//!
//! A method says here once what its items are, and no other generated code asks for their bounds: they
//! follow from this trait. It is not [`Wire`], whose supertraits the compiler would name in its place.

use crate::codec::{Codec, DecodeError, Decoder, EncodeError, Piece, Wire, read_batch};
use crate::contract::{Trace, trace};

/// A type that can be an item of a stream.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel between processes",
    label = "not `Serialize + DeserializeOwned + Send + 'static`",
    note = "derive `serde::Serialize` and `serde::Deserialize` for it and for every type in it, and have it own its data: no `Rc`, no reference",
    note = "a type of another crate may have them behind a feature, often called `serde`; or send what you need of it in a type of your own",
    note = "a `Shared` is an argument, a result or its `Ok`, and part of nothing else; its elements also derive `bytemuck::Pod` and `bytemuck::Zeroable` (with `#[repr(C)]`), or write a `Vec` instead"
)]
pub trait UploadItem: Send + Sized + 'static {
    /// Reports its shape.
    #[doc(hidden)]
    const TRACE: Trace;

    /// Makes it ready to be sent.
    #[doc(hidden)]
    fn piece(self, codec: Codec) -> Result<Piece<Self>, EncodeError>;

    /// Reads a batch of items.
    #[doc(hidden)]
    fn read_batch(from: &mut Decoder<'_>) -> Result<Vec<Self>, DecodeError>;
}

#[diagnostic::do_not_recommend]
impl<T: Wire> UploadItem for T {
    const TRACE: Trace = trace::<T>;

    #[inline]
    fn piece(self, codec: Codec) -> Result<Piece<Self>, EncodeError> {
        Piece::new(self, codec)
    }

    #[inline]
    fn read_batch(from: &mut Decoder<'_>) -> Result<Vec<Self>, DecodeError> {
        read_batch(from)
    }
}
