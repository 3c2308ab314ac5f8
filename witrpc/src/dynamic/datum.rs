//! A value as one codec has it: what remains of a typed value once names are settled.
//!
//! A codec with names writes a struct as a map and a variant as a text or a map of one entry. Postcard
//! writes fields one after the other and the number of a variant. So a datum is made for one codec, and
//! then looks to the serializer like the typed value: the bytes are the same.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, SerializeTuple, Serializer};

/// A value as one codec has it.
#[derive(Clone, Debug, PartialEq)]
pub enum Datum {
    Unit,
    UnitStruct,
    Bool(bool),
    I8(i8),
    I16(i16),
    I32(i32),
    I64(i64),
    I128(i128),
    U8(u8),
    U16(u16),
    U32(u32),
    U64(u64),
    U128(u128),
    F32(f32),
    F64(f64),
    Char(char),
    Str(String),
    Bytes(Vec<u8>),
    None,
    Some(Box<Datum>),
    Sequence(Vec<Datum>),
    /// Parts whose number the type gives.
    Tuple(Vec<Datum>),
    Map(Vec<(Datum, Datum)>),
    /// The number of a variant and its content, as postcard writes them.
    Variant(u32, Option<Box<Datum>>),
}

impl Serialize for Datum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Datum::Unit => serializer.serialize_unit(),
            Datum::UnitStruct => serializer.serialize_unit_struct(""),
            Datum::Bool(value) => serializer.serialize_bool(*value),
            Datum::I8(value) => serializer.serialize_i8(*value),
            Datum::I16(value) => serializer.serialize_i16(*value),
            Datum::I32(value) => serializer.serialize_i32(*value),
            Datum::I64(value) => serializer.serialize_i64(*value),
            Datum::I128(value) => serializer.serialize_i128(*value),
            Datum::U8(value) => serializer.serialize_u8(*value),
            Datum::U16(value) => serializer.serialize_u16(*value),
            Datum::U32(value) => serializer.serialize_u32(*value),
            Datum::U64(value) => serializer.serialize_u64(*value),
            Datum::U128(value) => serializer.serialize_u128(*value),
            Datum::F32(value) => serializer.serialize_f32(*value),
            Datum::F64(value) => serializer.serialize_f64(*value),
            Datum::Char(value) => serializer.serialize_char(*value),
            Datum::Str(value) => serializer.serialize_str(value),
            Datum::Bytes(value) => serializer.serialize_bytes(value),
            Datum::None => serializer.serialize_none(),
            Datum::Some(value) => serializer.serialize_some(&**value),
            Datum::Sequence(parts) => {
                let mut sequence = serializer.serialize_seq(Some(parts.len()))?;
                parts.iter().try_for_each(|part| sequence.serialize_element(part))?;
                sequence.end()
            }
            Datum::Tuple(parts) => {
                let mut tuple = serializer.serialize_tuple(parts.len())?;
                parts.iter().try_for_each(|part| tuple.serialize_element(part))?;
                tuple.end()
            }
            Datum::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                entries.iter().try_for_each(|(key, value)| map.serialize_entry(key, value))?;
                map.end()
            }
            Datum::Variant(number, None) => serializer.serialize_unit_variant("", *number, ""),
            Datum::Variant(number, Some(content)) => {
                serializer.serialize_newtype_variant("", *number, "", &**content)
            }
        }
    }
}

/// Reads whatever comes, from a codec whose bytes describe themselves.
impl<'de> Deserialize<'de> for Datum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Anything)
    }
}

/// The visitor of a value of any form.
pub struct Anything;

macro_rules! visit {
    ($($method:ident($ty:ty) => $kind:ident;)*) => {$(
        fn $method<E>(self, value: $ty) -> Result<Datum, E> {
            Ok(Datum::$kind(value.into()))
        }
    )*};
}

impl<'de> Visitor<'de> for Anything {
    type Value = Datum;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    visit! {
        visit_bool(bool) => Bool;
        visit_i8(i8) => I8;
        visit_i16(i16) => I16;
        visit_i32(i32) => I32;
        visit_i64(i64) => I64;
        visit_i128(i128) => I128;
        visit_u8(u8) => U8;
        visit_u16(u16) => U16;
        visit_u32(u32) => U32;
        visit_u64(u64) => U64;
        visit_u128(u128) => U128;
        visit_f32(f32) => F32;
        visit_f64(f64) => F64;
        visit_char(char) => Char;
        visit_str(&str) => Str;
        visit_string(String) => Str;
        visit_bytes(&[u8]) => Bytes;
        visit_byte_buf(Vec<u8>) => Bytes;
    }

    fn visit_unit<E>(self) -> Result<Datum, E> {
        Ok(Datum::Unit)
    }

    fn visit_none<E>(self) -> Result<Datum, E> {
        Ok(Datum::None)
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Datum, D::Error> {
        Datum::deserialize(inner)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<Datum, D::Error> {
        Datum::deserialize(inner)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Datum, A::Error> {
        let mut read = Vec::new();
        while let Some(part) = parts.next_element()? {
            read.push(part);
        }
        Ok(Datum::Sequence(read))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Datum, A::Error> {
        let mut read = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            read.push(entry);
        }
        Ok(Datum::Map(read))
    }
}
