//! Strings that are borrowed from the message where the codec allows it. Like a [number](super::number),
//! a string bypasses postcard's serializer and deserializer.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

use super::buffer::SmallBuf;
use super::number;
use super::number::Number;

/// Returns the string that a value is; `None` for a value of any other type.
#[inline(always)]
pub fn of_value<T: 'static>(value: &T) -> Option<&str> {
    let value: &dyn Any = value;
    value.downcast_ref::<String>().map(String::as_str)
}

/// Writes a string as postcard does.
#[inline]
pub fn write(text: &str, to: &mut SmallBuf) {
    number::write(Number::Varint(text.len() as u64), to);
    to.extend(text.as_bytes());
}

/// Reads a string from the front of `from`. Returns `None`, with nothing read, for bytes that are
/// not a string: postcard reports the error.
#[inline]
pub fn read<'a>(from: &mut &'a [u8]) -> Option<&'a str> {
    let mut rest = *from;
    let len = number::read::<u64>(&mut rest)?;
    let (text, rest) = rest.split_at_checked(usize::try_from(len).ok()?)?;
    let text = str::from_utf8(text).ok()?;
    *from = rest;
    Some(text)
}

/// Does the same for a `T` that is a `String`; `None` for any other type.
#[inline(always)]
pub fn read_string<T: 'static>(from: &mut &[u8]) -> Option<T> {
    number::as_type::<T, String>(|from| read(from).map(str::to_owned), from)
}

/// A string that is borrowed from the input if it is there unchanged. A JSON string with an escape
/// is not.
pub struct Text<'a>(pub Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_written_and_read_as_by_postcard() {
        for text in ["", "a", "größer", &"x".repeat(127), &"x".repeat(128), &"ü".repeat(9_000)] {
            let mut buffer = vec![0; text.len() + 3];
            let theirs = &*postcard::to_slice(text, &mut buffer).unwrap();
            let mut ours = SmallBuf::new();
            write(text, &mut ours);
            assert_eq!(ours.as_slice(), theirs);
            let more = [theirs, b"7"].concat();
            let mut rest = &more[..];
            assert_eq!((read(&mut rest), rest), (Some(text), &b"7"[..]));
            let (mut rest, owned) = (&more[..], text.to_owned());
            assert_eq!(of_value(&owned), Some(text));
            assert_eq!(read_string(&mut rest), Some(owned));
        }
    }

    #[test]
    fn bytes_that_are_no_string_are_left_to_postcard() {
        let huge = [&[0xff; 9][..], &[1]].concat();
        for bytes in [&b""[..], b"\x02a", b"\x80", b"\x02\xff\xff", b"\x01\xc3\xbc", &huge] {
            let mut rest = bytes;
            assert_eq!((read(&mut rest), rest), (None, bytes));
            assert_eq!(read_string::<String>(&mut rest), None);
            assert!(postcard::take_from_bytes::<&str>(bytes).is_err());
        }
        assert_eq!(read_string::<Vec<u8>>(&mut &b"\x01a"[..]), None);
        assert_eq!(of_value(&"a"), None, "a borrowed one is known as such");
    }
}
