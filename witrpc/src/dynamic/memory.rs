//! Values that cross as they are in memory: slices, `Vec`s of numbers, and leases.
//!
//! Numbers become an array. Bytes, and elements whose layout a shape does not give, become one text of
//! bytes.

use serde_json::Value;

use crate::contract::shape::{Leaf, Part, Shape, ShapeKind};

use super::bytes;
use super::datum::Datum;
use super::fit::{Fitter, wanted};
use super::path::{Misfit, Path};
use super::show;

/// Returns the elements of a value that crosses as memory; `None` if the codec encodes it.
pub fn element(shape: &Shape) -> Option<&Part> {
    let Part::Type(index) = &shape.root else { return None };
    match &shape.types[*index].kind {
        ShapeKind::Raw(element) => Some(element),
        _ => None,
    }
}

macro_rules! numbers {
    ($($kind:ident: $number:ty),*) => {
        /// Returns the length of a number in memory; `None` for bytes and for what is no number.
        fn number_len(leaf: Leaf) -> Option<usize> {
            match leaf {
                $(Leaf::$kind => Some(size_of::<$number>()),)*
                _ => None,
            }
        }

        /// Returns the number of these bytes, which have its length.
        fn read(leaf: Leaf, memory: &[u8]) -> Option<Datum> {
            match leaf {
                $(Leaf::$kind => {
                    memory.try_into().ok().map(|bytes| Datum::$kind(<$number>::from_ne_bytes(bytes)))
                })*
                _ => None,
            }
        }

        /// Adds a number as it is in memory.
        fn write(datum: &Datum, memory: &mut Vec<u8>) {
            match datum {
                $(Datum::$kind(number) => memory.extend(number.to_ne_bytes()),)*
                _ => unreachable!("a leaf that is a number makes a number"),
            }
        }
    };
}

numbers! {
    I8: i8, I16: i16, I32: i32, I64: i64, I128: i128,
    U16: u16, U32: u32, U64: u64, U128: u128, F32: f32, F64: f64
}

/// Makes the memory of a value with these elements.
///
/// # Errors
///
/// [`Misfit`]: the value is neither numbers of that kind nor bytes.
pub fn fit(
    fitter: &Fitter<'_>,
    element: &Part,
    value: &Value,
    path: &Path<'_>,
) -> Result<Vec<u8>, Misfit> {
    let leaf = match element {
        Part::Leaf(leaf) if number_len(*leaf).is_some() => *leaf,
        _ => return bytes::of_value(value, path),
    };
    let Value::Array(items) = value else {
        return match value {
            Value::String(_) => bytes::of_value(value, path),
            _ => Err(wanted("an array", value, path)),
        };
    };
    let mut memory = Vec::new();
    for (n, item) in items.iter().enumerate() {
        write(&fitter.leaf(leaf, item, &path.numbered(n)?)?, &mut memory);
    }
    Ok(memory)
}

/// Returns what memory with these elements is in JSON.
///
/// # Errors
///
/// [`Misfit`]: it is not whole numbers, or JSON does not carry one of them.
pub fn show(element: &Part, memory: &[u8], path: &Path<'_>) -> Result<Value, Misfit> {
    let (leaf, len) = match element {
        Part::Leaf(leaf) => match number_len(*leaf) {
            Some(len) => (*leaf, len),
            None => return Ok(bytes::encode(memory)),
        },
        _ => return Ok(bytes::encode(memory)),
    };
    if !memory.len().is_multiple_of(len) {
        let has = memory.len();
        return Err(path.misfit(format!("has {has} bytes, which are no whole number of {leaf}")));
    }
    let numbers = memory.chunks(len).enumerate().map(|(n, bytes)| {
        let number = read(leaf, bytes).expect("a chunk has the length of a number");
        show::plain(&number, &path.numbered(n)?)
    });
    numbers.collect::<Result<_, _>>().map(Value::Array)
}
