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
    fn the_bytes_are_the_elements() {
        assert_eq!(raw_bytes(&vec![1_u16, 2]), Some(bytemuck::bytes_of(&[1_u16, 2])));
        assert_eq!(raw_bytes(&Vec::<u64>::new()), Some(&[][..]));
        assert_eq!(raw_bytes(&"text".to_owned()), None);
    }
}
