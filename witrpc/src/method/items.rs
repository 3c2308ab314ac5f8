//! The form in which the items of a returned stream cross.

use crate::codec::{DecodeError, Decoder, EncodeItem, Wire, encode_item, read_batch};
use crate::contract::{Trace, trace, trace_result};
use crate::error::NoAppError;

use super::{ResultType, StreamMethod};

/// Reads a batch of items.
pub type ReadItems<T, E> = fn(&mut Decoder<'_>) -> Result<Vec<Result<T, E>>, DecodeError>;

/// The form of items that the service makes as `M`, and whose receiver has a `T` or an `E`.
pub struct Items<M, T, E> {
    pub(crate) encode: EncodeItem<M>,
    pub(crate) read: ReadItems<T, E>,
    pub(crate) trace: Trace,
}

/// The types of items on either side.
pub trait ItemTypes {
    /// An item as the service makes it.
    type Made: 'static;
    /// The value of an item.
    type Ok;
    /// The error of an item.
    type Err;
}

impl<M: 'static, T, E> ItemTypes for Items<M, T, E> {
    type Made = M;
    type Ok = T;
    type Err = E;
}

/// The form of the items of the method `M`.
pub type ItemsOf<M> = Items<Made<M>, ItemOk<M>, ItemErr<M>>;
/// An item of the method `M`, as the service makes it.
pub type Made<M> = <<M as StreamMethod>::Items as ItemTypes>::Made;
/// The value of an item of the method `M`.
pub type ItemOk<M> = <<M as StreamMethod>::Items as ItemTypes>::Ok;
/// The error of an item of the method `M`.
pub type ItemErr<M> = <<M as StreamMethod>::Items as ItemTypes>::Err;

/// The form of items that are values.
pub type ValueItems<T> = Items<T, T, NoAppError>;
/// The form of items that are `Result`s.
pub type ResultItems<T, E> = Items<Result<T, E>, T, E>;
/// The form of items whose type may be a `Result` under another name.
pub type AliasItems<R, const KIND: u8> =
    Items<R, <R as ResultType<KIND>>::Ok, <R as ResultType<KIND>>::Err>;

/// Returns how items cross that are values.
#[must_use]
pub const fn items<T: Wire>() -> ValueItems<T> {
    Items {
        encode: encode_item::<T>,
        read: |from| Ok(read_batch::<T>(from)?.into_iter().map(Ok).collect()),
        trace: trace::<T>,
    }
}

/// Returns how items cross that are `Result`s.
#[must_use]
pub const fn items_of_results<T: Wire, E: Wire>() -> ResultItems<T, E> {
    Items {
        encode: encode_item::<Result<T, E>>,
        read: |from| read_batch(from),
        trace: trace_result::<T, E>,
    }
}

/// Items whose type may be a `Result` under another name.
pub trait AliasItem<const KIND: u8>: ResultType<KIND> {
    /// The form in which they cross.
    #[doc(hidden)]
    const ITEMS: AliasItems<Self, KIND>;
}

impl<T: Wire, E: Wire> AliasItem<1> for Result<T, E> {
    const ITEMS: ResultItems<T, E> = items_of_results();
}

impl<T: Wire> AliasItem<0> for T {
    const ITEMS: ValueItems<T> = items();
}

/// Returns how items cross whose type may be a `Result` under another name.
#[must_use]
pub const fn items_of_alias<R: AliasItem<KIND>, const KIND: u8>() -> AliasItems<R, KIND> {
    R::ITEMS
}
