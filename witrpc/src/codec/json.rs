//! JSON: a value a line.

use std::cell::Cell;

use serde::{Deserialize, Deserializer, Serialize};

use super::bounded::Bounds;
use super::buffer::SmallBuf;
use super::error::EncodeFault;
use super::number_key::is_number;
use super::{Codec, strict};

/// Encodes a value, and returns how many elements all its sequences and maps have together.
pub fn encode<T: Serialize + ?Sized>(value: &T, to: &mut SmallBuf) -> Result<usize, EncodeFault> {
    let mut serializer = serde_json::Serializer::new(&mut *to);
    let elements = strict::serialize(value, Codec::Json, &mut serializer)?;
    to.push(b'\n');
    Ok(elements)
}

/// Decodes a value off the front of `from`.
///
/// # Errors
///
/// Why the bytes are no such value, in words.
pub fn decode<'de, T: Deserialize<'de>>(from: &mut &'de [u8]) -> Result<T, String> {
    let text = *from;
    let error = match decode_as(from, |InBounds::<T, false>(value)| value) {
        Err(error) if has_key_of_number(text) => error,
        outcome => return outcome,
    };
    // Perhaps there is a map of numbers behind a tag: see `number_key`.
    decode_as(from, |InBounds::<T, true>(value)| value).map_err(|_| error)
}

fn decode_as<'de, B: Deserialize<'de>, T>(
    from: &mut &'de [u8],
    inside: impl FnOnce(B) -> T,
) -> Result<T, String> {
    let mut deserializer = serde_json::Deserializer::from_slice(from);
    // Its limit counts brackets, which are more than the levels that the writer counts.
    deserializer.disable_recursion_limit();
    let mut values = deserializer.into_iter();
    let value = match values.next() {
        Some(value) => value.map_err(|error: serde_json::Error| error.to_string())?,
        None => return Err("the message ends before it".to_owned()),
    };
    let rest = &from[values.byte_offset()..];
    *from = rest.strip_prefix(b"\n").ok_or("no line end follows it")?;
    Ok(inside(value))
}

/// Returns whether a text may have a key that is a number or a `bool`.
fn has_key_of_number(text: &[u8]) -> bool {
    let pieces = || text.split(|byte| *byte == b'"');
    pieces()
        .zip(pieces().skip(1))
        .any(|(key, next)| next.starts_with(b":") && str::from_utf8(key).is_ok_and(is_number))
}

/// A value that is read within bounds, its keys as numbers or not.
struct InBounds<T, const NUMBER_KEYS: bool>(T);

impl<'de, T: Deserialize<'de>, const NUMBER_KEYS: bool> Deserialize<'de>
    for InBounds<T, NUMBER_KEYS>
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // JSON claims no lengths.
        let elements = Cell::new(usize::MAX);
        Bounds::new(&elements).number_keys(NUMBER_KEYS).within(deserializer).map(InBounds)
    }
}
