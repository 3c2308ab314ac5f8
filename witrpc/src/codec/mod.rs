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

#[cfg(test)]
mod fidelity;
#[cfg(test)]
mod leased;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod round_trip;

use std::fmt;

#[cfg(test)]
pub(crate) use batch::WINDOW_BYTES;
pub(crate) use batch::{Batch, EncodeItem, Piece, encode_as, encode_item, read_batch};
pub(crate) use body::len_of_one_raw;
pub(crate) use decode::Decoder;
pub(crate) use encode::{Encoded, Encoder};
pub(crate) use error::{DecodeError, EncodeError};
pub(crate) use open::{OpenBody, OwnedBody};
pub(crate) use plain::is_plain_vec;
pub(crate) use transfer::{
    Lent, RawElement, Transfer, VisitTransfer, Wire, assert_raw, assert_transfer,
};

/// How the values of a service's calls become bytes. The client chooses; one server speaks
/// several at once.
///
/// Whatever the codec, a `&[T]` argument travels as it lies in memory, and so does a `Vec` of
/// numbers (`u8` to `u64`, `i8` to `i64`, `f32`, `f64`) that is a whole argument, a whole result or
/// its `Ok`. A `Vec` *inside* another value is encoded element by element; for bytes, the
/// `serde_bytes` crate helps.
///
/// What a codec would not give back as it was is refused, never sent as something else:
///
/// - When a server binds or a client connects, by the name of the method and field: for JSON
///   `Option<Option<_>>`, `Option<()>` and maps whose keys are no strings; for postcard untagged and
///   internally tagged enums, flattened fields and types of which a part is
///   [unknown](crate::WitServerBuilder::allow_unverified_types); for both, types whose `Serialize`
///   and `Deserialize` are seen to differ.
/// - At the call: floats that are NaN or infinite in JSON (not those that travel raw), and a `Some`
///   of what is null in JSON, such as `serde_json::Value::Null`, as `None` is null too; fields that
///   `skip_serializing_if` leaves out in postcard; paths that are not UTF-8.
///
/// A value may be nested 128 levels deep. In postcard, the sequences and maps of a message may have
/// 65,536 elements that take no bytes, such as `()`, beyond one for each byte of the message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Codec {
    /// Compact and quick: the [postcard wire format](https://postcard.jamesmunns.com/wire-format).
    #[default]
    Postcard,
    /// Text that other tools can read.
    #[cfg(feature = "json")]
    Json,
}

impl Codec {
    /// Whether types show themselves in the way that they have for people: a date as text.
    pub(crate) fn is_human_readable(self) -> bool {
        self != Codec::Postcard
    }

    /// Whether its bytes say which kind of value and which field they hold, so that a reader of
    /// another type fails instead of reading a wrong value.
    pub(crate) fn describes_itself(self) -> bool {
        self != Codec::Postcard
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Codec::Postcard => "postcard",
            #[cfg(feature = "json")]
            Codec::Json => "JSON",
        })
    }
}
