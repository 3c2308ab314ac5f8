//! Reads a value of the emptiest bytes, in either of the two forms that a type may have.

use std::cell::Cell;

use serde::de::DeserializeOwned;

use super::bounded::Bounds;

/// Reads a value from postcard's bytes, in the form that it has for people or in that for programs.
pub fn read_form<T: DeserializeOwned>(bytes: &[u8], human_readable: bool) -> Option<T> {
    let elements = Cell::new(bytes.len());
    let bounds = Bounds::new(&elements).human_readable(human_readable);
    let mut deserializer = postcard::Deserializer::from_bytes(bytes);
    let value = bounds.deserialize(&mut deserializer, |error| error.to_string()).ok()?;
    deserializer.finalize().is_ok_and(<[u8]>::is_empty).then_some(value)
}
