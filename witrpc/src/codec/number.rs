//! Recognises numbers among values of any type, and writes and reads them as postcard does.
//!
//! Most calls carry numbers. A number has no parts, and no codec refuses one, so the checks of the
//! serializer and the deserializer do not apply. So a number that is a whole value bypasses both. The
//! bytes are the same as postcard's, and are read only if postcard would read the same number.
//!
//! As in [`plain`](super::plain), optimised code contains none of the comparisons of type ids.

use std::any::Any;

use super::buffer::SmallBuf;

/// A number in postcard's format: one byte, or seven bits in each byte, the lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    Byte(u8),
    Varint(u64),
}

/// Returns the number that a value is; `None` for a value of any other type.
#[inline(always)]
pub fn of_value<T: 'static>(value: &T) -> Option<Number> {
    let value: &dyn Any = value;
    macro_rules! first {
        ($($number:ty: |$is:ident| $as:expr;)*) => {
            None$(.or_else(|| value.downcast_ref::<$number>().map(|&$is| $as)))*
        };
    }
    first! {
        u64: |is| Number::Varint(is);
        u32: |is| Number::Varint(is.into());
        u16: |is| Number::Varint(is.into());
        i64: |is| Number::Varint(zigzag(is));
        i32: |is| Number::Varint(zigzag(is.into()));
        i16: |is| Number::Varint(zigzag(is.into()));
        u8: |is| Number::Byte(is);
        bool: |is| Number::Byte(is.into());
    }
}

/// Writes a number.
#[inline(always)]
pub fn write(number: Number, to: &mut SmallBuf) {
    match number {
        Number::Byte(byte) => to.push(byte),
        Number::Varint(number) if number < 0x80 => to.push(number as u8),
        Number::Varint(number) => write_longer(number, to),
    }
}

#[inline(never)]
fn write_longer(mut rest: u64, to: &mut SmallBuf) {
    while rest >= 0x80 {
        to.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    to.push(rest as u8);
}

/// Reads a `T` that is a number from the front of `from`. Returns `None`, with nothing read, for
/// any other type and for bytes that postcard must judge: invalid ones, and those of the greatest
/// length.
#[inline(always)]
pub fn read<T: 'static>(from: &mut &[u8]) -> Option<T> {
    macro_rules! first {
        ($($number:ty: |$from:ident| $read:expr;)*) => {
            None$(.or_else(|| as_type::<T, $number>(|$from| $read, from)))*
        };
    }
    first! {
        u64: |from| varint::<9>(from);
        u32: |from| varint::<4>(from).map(|read| read as u32);
        u16: |from| varint::<2>(from).map(|read| read as u16);
        i64: |from| varint::<9>(from).map(unzigzag);
        i32: |from| varint::<4>(from).map(|read| unzigzag(read) as i32);
        i16: |from| varint::<2>(from).map(|read| unzigzag(read) as i16);
        u8: |from| byte(from);
        bool: |from| match from {
            [0, ..] => byte(from).map(|_| false),
            [1, ..] => byte(from).map(|_| true),
            _ => None,
        };
    }
}

/// Reads an `N` if `T` is that type.
#[inline(always)]
pub fn as_type<T: 'static, N: 'static>(
    read: impl FnOnce(&mut &[u8]) -> Option<N>,
    from: &mut &[u8],
) -> Option<T> {
    let mut value: Option<N> = None;
    let slot: &mut dyn Any = &mut value;
    if !slot.is::<Option<T>>() {
        return None;
    }
    value = read(from);
    let slot: &mut dyn Any = &mut value;
    slot.downcast_mut::<Option<T>>().and_then(Option::take)
}

#[inline(always)]
fn byte(from: &mut &[u8]) -> Option<u8> {
    let (first, rest) = from.split_first()?;
    *from = rest;
    Some(*first)
}

/// Reads a varint of at most `LONGEST` bytes. These are too few to overflow the number.
#[inline(always)]
fn varint<const LONGEST: usize>(from: &mut &[u8]) -> Option<u64> {
    let (&first, rest) = from.split_first()?;
    if first < 0x80 {
        *from = rest;
        return Some(first.into());
    }
    longer_varint(from, LONGEST)
}

#[inline(never)]
fn longer_varint(from: &mut &[u8], longest: usize) -> Option<u64> {
    let mut read = 0;
    for (place, &byte) in from.iter().take(longest).enumerate() {
        read |= u64::from(byte & 0x7f) << (7 * place);
        if byte < 0x80 {
            *from = &from[place + 1..];
            return Some(read);
        }
    }
    None
}

/// Maps small numbers of either sign to small numbers without sign (zigzag).
#[inline(always)]
fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63) as u64
}

#[inline(always)]
fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use serde::Serialize;
    use serde::de::DeserializeOwned;

    use super::*;

    /// Checks both directions against postcard's.
    fn same<T: Serialize + DeserializeOwned + Copy + PartialEq + Debug + 'static>(value: T) {
        let mut buffer = [0; 16];
        let theirs = postcard::to_slice(&value, &mut buffer).unwrap();
        let mut ours = SmallBuf::new();
        write(of_value(&value).unwrap(), &mut ours);
        assert_eq!(ours.as_slice(), &*theirs, "{value:?}");
        let more = [&theirs[..], &[7]].concat();
        let mut rest = &more[..];
        match read::<T>(&mut rest) {
            Some(read) => assert_eq!((read, rest), (value, &[7][..])),
            None => assert_eq!((rest, theirs.len()), (&more[..], size_of::<T>() * 8 / 7 + 1)),
        }
    }

    macro_rules! edges {
        ($($number:ty)*) => {$(
            for shift in 0..<$number>::BITS {
                for near in [-1, 0, 1] {
                    let value = (1 as $number).wrapping_shl(shift).wrapping_add(near as $number);
                    same::<$number>(value);
                    same::<$number>(!value);
                }
            }
        )*};
    }

    #[test]
    fn numbers_are_written_and_read_as_by_postcard() {
        edges!(u8 u16 u32 u64 i16 i32 i64);
        same(false);
        same(true);
    }

    /// Checks that any bytes are read as postcard reads them.
    fn reads_no_other<T: DeserializeOwned + PartialEq + Debug + 'static>(bytes: &[u8]) {
        let mut rest = bytes;
        if let Some(read) = read::<T>(&mut rest) {
            assert_eq!(postcard::take_from_bytes::<T>(bytes), Ok((read, rest)));
        }
    }

    #[test]
    fn bytes_that_are_no_number_are_left_to_postcard() {
        for len in 0..=11 {
            for last in [0x00, 0x01, 0x0f, 0x10, 0x7f, 0x80, 0xff] {
                for before in [0x80, 0xff] {
                    let mut bytes = vec![before; len];
                    bytes.push(last);
                    reads_no_other::<u64>(&bytes);
                    reads_no_other::<u32>(&bytes);
                    reads_no_other::<u16>(&bytes);
                    reads_no_other::<i64>(&bytes);
                    reads_no_other::<i32>(&bytes);
                    reads_no_other::<i16>(&bytes);
                    reads_no_other::<u8>(&bytes);
                    reads_no_other::<bool>(&bytes);
                }
            }
        }
        assert_eq!(read::<u64>(&mut &[][..]), None);
    }

    #[test]
    fn a_value_of_another_type_is_none() {
        assert_eq!(of_value(&"7".to_owned()), None);
        assert_eq!(of_value(&Some(7_u64)), None);
        assert_eq!(of_value(&7_i8), None);
        assert_eq!(read::<String>(&mut &[1, b'7'][..]), None);
        assert_eq!(read::<Option<u64>>(&mut &[1, 7][..]), None);
    }
}
