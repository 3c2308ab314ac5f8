//! MessagePack: structs as maps, and every type in its human-readable form.
//!
//! That form, because serde's buffer behind a tag reads no other: an `IpAddr` in an internally tagged
//! enum would be written as bytes and asked for as text.
//!
//! A value is decoded only after its bytes have been scanned: all that they claim is there, so no length
//! can make a reader allocate for more. The scan also finds where the next value begins, and needs no
//! stack. Extension types are refused; the encoder writes none.

use std::cell::Cell;

use serde::{Deserialize, Serialize};

use super::bounded::Bounds;
use super::buffer::SmallBuf;
use super::error::EncodeFault;
use super::{Codec, strict};

/// Encodes a value, and returns how many elements all its sequences and maps have together.
pub fn encode<T: Serialize + ?Sized>(value: &T, to: &mut SmallBuf) -> Result<usize, EncodeFault> {
    let mut serializer = rmp_serde::Serializer::new(to).with_struct_map().with_human_readable();
    strict::serialize(value, Codec::MessagePack, &mut serializer)
}

/// Decodes a value off the front of `from`.
///
/// # Errors
///
/// Why the bytes are no such value, in words.
pub fn decode<'de, T: Deserialize<'de>>(from: &mut &'de [u8]) -> Result<T, String> {
    let (value, rest) = from.split_at(value_len(from)?);
    let elements = Cell::new(value.len());
    let mut deserializer = rmp_serde::Deserializer::from_read_ref(value).with_human_readable();
    let value = Bounds::new(&elements).deserialize(&mut deserializer, |error| error.to_string())?;
    *from = rest;
    Ok(value)
}

/// Returns how many bytes the first value has.
fn value_len(bytes: &[u8]) -> Result<usize, &'static str> {
    let mut scan = ValueScan { rest: bytes, values: 1 };
    while scan.values > 0 {
        scan.values -= 1;
        scan.step()?;
        // Each value takes a byte at least.
        if scan.values > scan.rest.len() as u64 {
            return Err(ENDS_WITHIN);
        }
    }
    Ok(bytes.len() - scan.rest.len())
}

const ENDS_WITHIN: &str = "the message ends within it";

/// A scan over the values of a message, without regard to which of them contains which.
struct ValueScan<'a> {
    rest: &'a [u8],
    /// How many values are still to come.
    values: u64,
}

impl ValueScan<'_> {
    /// Passes a value without its elements, which it adds to the values to come.
    fn step(&mut self) -> Result<(), &'static str> {
        match self.number(1)? as u8 {
            0x00..=0x7f | 0xc0 | 0xc2 | 0xc3 | 0xe0..=0xff => {}
            short @ 0x80..=0x8f => self.values += 2 * u64::from(short & 0xf),
            short @ 0x90..=0x9f => self.values += u64::from(short & 0xf),
            short @ 0xa0..=0xbf => self.skip((short & 0x1f).into())?,
            0xc4 | 0xd9 => self.skip_counted(1)?,
            0xc5 | 0xda => self.skip_counted(2)?,
            0xc6 | 0xdb => self.skip_counted(4)?,
            0xcc | 0xd0 => self.skip(1)?,
            0xcd | 0xd1 => self.skip(2)?,
            0xca | 0xce | 0xd2 => self.skip(4)?,
            0xcb | 0xcf | 0xd3 => self.skip(8)?,
            0xdc => self.values += self.number(2)?,
            0xdd => self.values += self.number(4)?,
            0xde => self.values += 2 * self.number(2)?,
            0xdf => self.values += 2 * self.number(4)?,
            0xc1 | 0xc7..=0xc9 | 0xd4..=0xd8 => return Err("it holds an extension type"),
        }
        Ok(())
    }

    /// Reads a number of `len` bytes.
    fn number(&mut self, len: usize) -> Result<u64, &'static str> {
        let (number, rest) = self.rest.split_at_checked(len).ok_or(ENDS_WITHIN)?;
        self.rest = rest;
        Ok(number.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// Skips text or bytes, behind a length of `len` bytes.
    fn skip_counted(&mut self, len: usize) -> Result<(), &'static str> {
        let bytes = self.number(len)?;
        self.skip(bytes)
    }

    fn skip(&mut self, len: u64) -> Result<(), &'static str> {
        let rest = usize::try_from(len).ok().and_then(|len| self.rest.get(len..));
        self.rest = rest.ok_or(ENDS_WITHIN)?;
        Ok(())
    }
}
