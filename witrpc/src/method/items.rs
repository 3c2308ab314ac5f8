//! How the items of a returned stream cross.

use std::collections::VecDeque;

use crate::codec::{
    Codec, DecodeError, Decoder, EncodeError, EncodeItem, Piece, Wire, encode_as, encode_item,
    read_batch,
};
use crate::contract::{Trace, trace, trace_result};
use crate::error::NoAppError;

use super::ResultType;

/// Reads a batch of items.
pub type ReadItems<T, E> = fn(&mut Decoder<'_>) -> Result<VecDeque<Result<T, E>>, DecodeError>;

/// How items cross that the service makes as `M`, and whose receiver has a `T` or an `E`.
pub struct Items<M, T, E> {
    pub(crate) encode: EncodeItem<M>,
    pub(crate) read: ReadItems<T, E>,
    pub(crate) trace: Trace,
}

/// Returns how items cross that are values.
#[must_use]
pub const fn items<T: Wire>() -> Items<T, T, NoAppError> {
    Items {
        encode: encode_item::<T>,
        read: |from| Ok(read_batch::<T>(from)?.into_iter().map(Ok).collect()),
        trace: trace::<T>,
    }
}

/// Returns how items cross that are `Result`s.
#[must_use]
pub const fn items_of_results<T: Wire, E: Wire>() -> Items<Result<T, E>, T, E> {
    Items {
        encode: encode_item::<Result<T, E>>,
        read: |from| read_batch(from),
        trace: trace_result::<T, E>,
    }
}

/// Returns how items cross that are `Result`s under another name.
#[must_use]
pub const fn items_of_alias<R, const IS_RESULT: bool>() -> Items<R, R::Ok, R::Err>
where
    R: ResultType<IS_RESULT, Ok: Wire, Err: Wire>,
{
    Items {
        encode: |item: &R, codec: Codec| -> Result<Piece<R>, EncodeError> {
            encode_as(&item.as_result(), codec)
        },
        read: |from| read_batch(from),
        trace: trace_result::<R::Ok, R::Err>,
    }
}
