//! Samples that a program registers for types that accept none of the usual values.

use std::sync::Mutex;

use serde::Serialize;
use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use thiserror::Error;
use witrpc_rt::lock;

use super::sample::Samples;

/// The most numbers, texts and byte strings that a process may register, of each kind.
const MOST: usize = 256;

/// The longest text or byte string, in bytes.
const LONGEST: usize = 64 << 10;

static REGISTERED: Mutex<Samples> = Mutex::new(Samples::NONE);

/// The reason why a sample could not be registered.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SampleError {
    /// The value's `Serialize` failed.
    #[error("the sample cannot be serialized: {message}; give another value of the type")]
    Serialize {
        /// Its error message.
        message: String,
    },
    /// A text or a byte string of the value is too long.
    #[error(
        "the sample holds a text or byte string of {len} bytes, and at most {LONGEST} are kept: \
         give a shorter one that the type takes"
    )]
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// The process has registered too many values.
    #[error(
        "the samples of this process hold more than {MOST} different values of one kind: register \
         only values of types that take none of the usual ones"
    )]
    TooMany,
}

/// Registers an example of a value, for types that validate the values they are made from.
///
/// A server learns the form of a type on the wire before it starts, and a client before it connects, by
/// deserializing made-up values. Usual texts and numbers are tried: addresses in hex, UUIDs, times,
/// URLs, ports, ratios and the like. If a type accepts none of them, it and what comes after it stay
/// unknown, and codecs that do not describe themselves do not carry it; see
/// [`BindError::UnverifiedType`](crate::BindError::UnverifiedType). The numbers, texts, byte strings
/// and lengths in `example` are tried too, in every type.
///
/// Call it on both sides, before the first server is started and the first client connects: a type that
/// has been traced by then is not traced again. It holds for the whole process.
///
/// # Errors
///
/// [`SampleError`]: the value does not serialize, or exceeds a limit. A text or byte string may have
/// 65,536 bytes. A process may register 256 different numbers, 256 texts and 256 byte strings.
///
/// # Examples
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use witrpc::wit_service;
///
/// /// Accepts only a text that no sample has.
/// #[derive(Serialize, Deserialize)]
/// #[serde(try_from = "String", into = "String")]
/// struct Shelf(String);
///
/// # impl Clone for Shelf { fn clone(&self) -> Self { Self(self.0.clone()) } }
/// # impl From<Shelf> for String { fn from(shelf: Shelf) -> String { shelf.0 } }
/// impl TryFrom<String> for Shelf {
///     type Error = &'static str;
///
///     fn try_from(text: String) -> Result<Self, &'static str> {
///         if text.starts_with("shelf~") { Ok(Self(text)) } else { Err("it is no shelf") }
///     }
/// }
///
/// #[wit_service]
/// trait Store {
///     fn count(&self, at: (Shelf, u32)) -> u32;
/// }
///
/// struct Empty;
///
/// impl Store for Empty {
///     fn count(&self, _: (Shelf, u32)) -> u32 {
///         0
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// witrpc::register_sample(&Shelf("shelf~1".to_owned()))?;
///
/// let store = StoreClient::in_process(Empty);
/// assert_eq!(store.connection().contract(), "count(at: (str, u32)) -> u32");
/// # Ok(())
/// # }
/// ```
pub fn register_sample<T: Serialize + ?Sized>(example: &T) -> Result<(), SampleError> {
    let mut found = Samples::NONE;
    for human_readable in [false, true] {
        let collector = Collector { found: &mut found, human_readable };
        example.serialize(collector).map_err(|Collected(error)| error)?;
    }
    let mut registered = lock(&REGISTERED);
    let mut merged = registered.clone();
    add_new(&mut merged.integers, found.integers)?;
    add_new(&mut merged.decimals, found.decimals)?;
    add_new(&mut merged.texts, found.texts)?;
    add_new(&mut merged.bytes, found.bytes)?;
    *registered = merged;
    Ok(())
}

/// Returns what has been registered so far.
pub fn registered() -> Samples {
    lock(&REGISTERED).clone()
}

fn add_new<T: PartialEq>(list: &mut Vec<T>, found: Vec<T>) -> Result<(), SampleError> {
    for value in found {
        if !list.contains(&value) {
            list.push(value);
        }
        if list.len() > MOST {
            return Err(SampleError::TooMany);
        }
    }
    Ok(())
}

/// A serializer without output: it keeps the parts of a value.
struct Collector<'c> {
    found: &'c mut Samples,
    human_readable: bool,
}

/// The reason why not all parts were kept.
#[derive(Debug)]
struct Collected(SampleError);

impl std::fmt::Display for Collected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Collected {}

impl serde::ser::Error for Collected {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self(SampleError::Serialize { message: message.to_string() })
    }
}

impl Collector<'_> {
    fn again(&mut self) -> Collector<'_> {
        Collector { found: self.found, human_readable: self.human_readable }
    }

    fn integer(self, integer: impl TryInto<i128>) -> Result<(), Collected> {
        keep(&mut self.found.integers, integer.try_into().ok())
    }

    /// Adds the number of elements, if it is known.
    fn len(self, len: Option<usize>) -> Result<Self, Collected> {
        keep(&mut self.found.integers, len.and_then(|len| len.try_into().ok()))?;
        Ok(self)
    }
}

fn keep<T: PartialEq>(list: &mut Vec<T>, value: Option<T>) -> Result<(), Collected> {
    if let Some(value) = value.filter(|value| !list.contains(value)) {
        list.push(value);
    }
    if list.len() > MOST { Err(Collected(SampleError::TooMany)) } else { Ok(()) }
}

fn check_len(len: usize) -> Result<(), Collected> {
    if len > LONGEST { Err(Collected(SampleError::TooLong { len })) } else { Ok(()) }
}

/// The methods for integers.
macro_rules! integers {
    ($($method:ident $ty:ident)*) => {$(
        fn $method(self, integer: $ty) -> Result<(), Collected> {
            self.integer(integer)
        }
    )*};
}

/// The methods for values that are no samples.
macro_rules! skipped {
    ($($method:ident($($ty:ty),*))*) => {$(
        fn $method(self, $(_: $ty),*) -> Result<(), Collected> {
            Ok(())
        }
    )*};
}

/// The methods for values around one other.
macro_rules! wrapped {
    ($($method:ident($($ty:ty),*))*) => {$(
        fn $method<T: Serialize + ?Sized>(self, $(_: $ty,)* value: &T) -> Result<(), Collected> {
            value.serialize(self)
        }
    )*};
}

/// The methods that begin a value whose parts are as many as its type says.
macro_rules! begun {
    ($($method:ident($($ty:ty),*))*) => {$(
        fn $method(self, $(_: $ty),*) -> Result<Self, Collected> {
            Ok(self)
        }
    )*};
}

impl Serializer for Collector<'_> {
    type Ok = ();
    type Error = Collected;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    integers! {
        serialize_i8 i8
        serialize_i16 i16
        serialize_i32 i32
        serialize_i64 i64
        serialize_i128 i128
        serialize_u8 u8
        serialize_u16 u16
        serialize_u32 u32
        serialize_u64 u64
        serialize_u128 u128
    }

    skipped! {
        serialize_bool(bool)
        serialize_char(char)
        serialize_none()
        serialize_unit()
        serialize_unit_struct(&'static str)
        serialize_unit_variant(&'static str, u32, &'static str)
    }

    wrapped! {
        serialize_some()
        serialize_newtype_struct(&'static str)
        serialize_newtype_variant(&'static str, u32, &'static str)
    }

    begun! {
        serialize_tuple(usize)
        serialize_tuple_struct(&'static str, usize)
        serialize_tuple_variant(&'static str, u32, &'static str, usize)
        serialize_struct(&'static str, usize)
        serialize_struct_variant(&'static str, u32, &'static str, usize)
    }

    fn serialize_f32(self, number: f32) -> Result<(), Collected> {
        self.serialize_f64(number.into())
    }

    fn serialize_f64(self, number: f64) -> Result<(), Collected> {
        keep(&mut self.found.decimals, Some(number).filter(|number| number.is_finite()))
    }

    fn serialize_str(self, text: &str) -> Result<(), Collected> {
        check_len(text.len())?;
        keep(&mut self.found.texts, Some(text.to_owned()))
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<(), Collected> {
        check_len(bytes.len())?;
        keep(&mut self.found.bytes, Some(bytes.to_owned()))
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Self, Collected> {
        self.len(len)
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Self, Collected> {
        self.len(len)
    }

    fn is_human_readable(&self) -> bool {
        self.human_readable
    }
}

/// The compounds, whose names do not matter.
macro_rules! compounds {
    ($($compound:ident: $($method:ident $(of $name:ty)?),+;)*) => {$(
        impl $compound for Collector<'_> {
            type Ok = ();
            type Error = Collected;
            $(
                fn $method<T: Serialize + ?Sized>(
                    &mut self,
                    $(_: $name,)?
                    value: &T,
                ) -> Result<(), Collected> {
                    value.serialize(self.again())
                }
            )+

            fn end(self) -> Result<(), Collected> {
                Ok(())
            }
        }
    )*};
}

compounds! {
    SerializeSeq: serialize_element;
    SerializeTuple: serialize_element;
    SerializeTupleStruct: serialize_field;
    SerializeTupleVariant: serialize_field;
    SerializeMap: serialize_key, serialize_value;
    SerializeStruct: serialize_field of &'static str;
    SerializeStructVariant: serialize_field of &'static str;
}
