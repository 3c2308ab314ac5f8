//! Recognises `Vec`s of numbers, which are sent raw, among values of any type.
//!
//! The comparisons of type ids are constants for each `T`, so optimised code contains none of them. They
//! see through type aliases, which a macro cannot.

use std::any::{Any, TypeId};

use bytemuck::Pod;

/// Evaluates `$body` for each plain type until one returns `Some`.
macro_rules! first_plain {
    ($element:ident => $body:expr) => {
        first_plain!(@each $element => $body; u8 u16 u32 u64 i8 i16 i32 i64 f32 f64)
    };
    (@each $element:ident => $body:expr; $($plain:ty)*) => {
        None$(.or_else(|| { type $element = $plain; $body }))*
    };
}

/// Returns whether `T` is a `Vec` whose elements are sent raw.
pub fn is_plain_vec<T: 'static>() -> bool {
    first_plain!(E => (TypeId::of::<T>() == TypeId::of::<Vec<E>>()).then_some(())).is_some()
}

/// Returns the bytes of a `Vec` that is sent raw; `None` for a value of any other type.
#[inline]
pub fn raw_bytes<T: 'static>(value: &T) -> Option<&[u8]> {
    #[inline]
    fn bytes_of<T: 'static, E: Pod>(value: &T) -> Option<&[u8]> {
        if TypeId::of::<T>() != TypeId::of::<Vec<E>>() {
            return None;
        }
        let value: &dyn Any = value;
        value.downcast_ref::<Vec<E>>().map(|elements| bytemuck::cast_slice(elements))
    }
    first_plain!(E => bytes_of::<T, E>(value))
}

/// Returns the bytes of a plain number, at the front of a word; `None` for a value of any other type.
#[inline(always)]
pub fn to_word<T: 'static>(value: &T) -> Option<u64> {
    fn word_of<T: 'static, E: Pod>(value: &T) -> Option<u64> {
        let value: &dyn Any = value;
        let mut word = [0; size_of::<u64>()];
        word[..size_of::<E>()].copy_from_slice(bytemuck::bytes_of(value.downcast_ref::<E>()?));
        Some(u64::from_ne_bytes(word))
    }
    first_plain!(E => word_of::<T, E>(value))
}

/// Returns the plain number that [`to_word`] made a word of.
#[inline(always)]
pub fn from_word<T: 'static>(word: u64) -> Option<T> {
    fn value_of<T: 'static, E: Pod>(word: u64) -> Option<T> {
        if TypeId::of::<T>() != TypeId::of::<E>() {
            return None;
        }
        let bytes = word.to_ne_bytes();
        let mut value = Some(bytemuck::pod_read_unaligned::<E>(&bytes[..size_of::<E>()]));
        let value: &mut dyn Any = &mut value;
        value.downcast_mut::<Option<T>>().and_then(Option::take)
    }
    first_plain!(E => value_of::<T, E>(word))
}

/// The source of a raw section's elements.
pub trait ReadRaw {
    type Error;

    fn read_raw<E: Pod>(&mut self) -> Result<Vec<E>, Self::Error>;
}

/// Reads a `Vec` that was sent raw. Returns `None`, with nothing read, for any other type.
#[inline]
pub fn read_plain_vec<T: 'static, R: ReadRaw>(source: &mut R) -> Option<Result<T, R::Error>> {
    fn read_as<T: 'static, E: Pod, R: ReadRaw>(source: &mut R) -> Option<Result<T, R::Error>> {
        if TypeId::of::<T>() != TypeId::of::<Vec<E>>() {
            return None;
        }
        let mut elements = match source.read_raw::<E>() {
            Ok(elements) => Some(elements),
            Err(error) => return Some(Err(error)),
        };
        let value: &mut dyn Any = &mut elements;
        value.downcast_mut::<Option<T>>().and_then(Option::take).map(Ok)
    }
    first_plain!(E => read_as::<T, E, R>(source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vecs_of_numbers_are_plain_and_nothing_else_is() {
        type Alias = Vec<f64>;
        assert!(is_plain_vec::<Alias>());
        assert!(is_plain_vec::<Vec<u8>>());
        assert!(!is_plain_vec::<Vec<bool>>());
        assert!(!is_plain_vec::<Vec<usize>>());
        assert!(!is_plain_vec::<Option<Vec<u8>>>());
        assert!(!is_plain_vec::<u8>());
    }

    #[test]
    fn a_number_survives_its_word_and_nothing_else_has_one() {
        fn survives<T: PartialEq + std::fmt::Debug + 'static>(value: T) {
            assert_eq!(from_word::<T>(to_word(&value).unwrap()), Some(value));
        }
        survives(u8::MAX);
        survives(-2_i16);
        survives(3_000_000_000_u32);
        survives(-1.5_f32);
        survives(f64::MIN_POSITIVE);
        survives(u64::MAX - 1);
        assert_eq!(to_word(&true), None);
        assert_eq!(to_word(&vec![1_u8]), None);
        assert_eq!(from_word::<usize>(1), None);
    }

    #[test]
    fn the_bytes_are_the_elements() {
        assert_eq!(raw_bytes(&vec![1_u16, 2]), Some(bytemuck::bytes_of(&[1_u16, 2])));
        assert_eq!(raw_bytes(&Vec::<u64>::new()), Some(&[][..]));
        assert_eq!(raw_bytes(&"text".to_owned()), None);
    }
}
