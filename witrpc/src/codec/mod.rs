//! The encoding of values as bytes.
//!
//! The body of a message has this layout, with every codec:
//!
//! ```text
//! raw section 1 | padding | raw section 2 | … | encoded section | lengths: u32 LE each | count: u8
//! ```
//!
//! Raw sections are copies of memory: slices of plain elements, and a `Vec` of numbers that is a whole
//! argument or a whole result. Each starts at a multiple of [`body::SECTION_ALIGN`]. Everything else is
//! in the encoded section, value after value. The lengths and their count are present only if the
//! message's tag says so. Otherwise the body is the encoded section alone.

mod batch;
mod body;
mod bounded;
mod buffer;
mod decode;
mod encode;
mod error;
pub mod fault;
mod form;
#[cfg(feature = "json")]
mod json;
#[cfg(feature = "messagepack")]
mod messagepack;
mod number;
mod number_key;
mod open;
mod plain;
mod scope;
mod strict;
mod text;
mod transfer;
mod wire;

#[cfg(all(test, feature = "json", feature = "messagepack"))]
mod described;
#[cfg(test)]
mod fidelity;
#[cfg(test)]
mod leased;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod round_trip;
pub mod shareable;

pub use crate::error::Codec;
pub use batch::{Batch, EncodeItem, Piece, WINDOW_BYTES, encode_item, read_batch};
#[cfg(feature = "dynamic")]
pub use batch::{encode_as, read_count};
pub use body::len_of_one_raw;
pub use decode::Decoder;
pub use encode::{Encoded, Encoder};
pub use error::{DecodeError, DecodeFault, EncodeError, EncodeFault};
pub use form::read_form;
pub use open::{OpenBody, OwnedBody};
pub use plain::{is_plain_vec, to_word as plain_to_word};
pub use transfer::{Transfer, VisitTransfer, assert_transfer};
pub use wire::{Lent, RawElement, Wire, assert_raw};
