//! How values become bytes.
//!
//! A message's body is, whatever the codec:
//!
//! ```text
//! raw section 1 | padding | raw section 2 | … | encoded section | lengths: u32 LE each | count: u8
//! ```
//!
//! Raw sections are memory as it lies: slices of plain elements, and a `Vec` of numbers that is a
//! whole argument or a whole result. Each starts at a multiple of [`body::SECTION_ALIGN`]. Everything
//! else is in the encoded section, value after value. The lengths and their count are there only
//! if the message's tag says so; without them the body is the encoded section alone.

mod batch;
mod body;
mod bounded;
mod buffer;
mod decode;
mod encode;
mod error;
mod fault;
mod open;
mod plain;
mod strict;
mod text;
mod transfer;
mod wire;

#[cfg(test)]
mod fidelity;
#[cfg(test)]
mod leased;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod round_trip;
pub(crate) mod shareable;

pub(crate) use crate::error::Codec;
#[cfg(test)]
pub(crate) use batch::WINDOW_BYTES;
pub(crate) use batch::{Batch, EncodeItem, Piece, encode_as, encode_item, read_batch};
pub(crate) use body::len_of_one_raw;
pub(crate) use decode::Decoder;
pub(crate) use encode::{Encoded, Encoder};
pub(crate) use error::{DecodeError, EncodeError};
pub(crate) use open::{OpenBody, OwnedBody};
pub(crate) use plain::is_plain_vec;
pub(crate) use transfer::{Transfer, VisitTransfer, assert_transfer};
pub(crate) use wire::{Lent, RawElement, Wire, assert_raw};
