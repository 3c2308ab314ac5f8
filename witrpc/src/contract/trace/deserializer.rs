//! A deserializer without input: it notes what a type asks for and makes something up.

use std::any::type_name;
use std::cell::RefCell;
use std::fmt;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{Deserializer, Visitor};

use super::super::shape::{Field, Kind, Leaf, Opaque, Part, TypeIndex, TypeShape};
use super::access::{Entries, NamedFields, Parts, Variants};
use super::sample::{BYTES, NUMBERS, STRINGS};
use super::state::{Key, Place, State, UNSEEN, unseen_variant};

/// Why a pass of a trace ended.
#[derive(Debug)]
pub(super) struct TraceError(pub(super) String);

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TraceError {}

impl serde::de::Error for TraceError {
    fn custom<T: fmt::Display>(words: T) -> Self {
        Self(words.to_string())
    }
}

/// Makes up the value at one place.
#[derive(Clone, Copy)]
pub(super) struct Tracing<'t> {
    pub(super) state: &'t RefCell<State>,
    pub(super) place: Place,
    pub(super) human_readable: bool,
}

impl<'t> Tracing<'t> {
    /// The same trace at another place.
    pub(super) fn at(self, place: Place) -> Self {
        Self { place, ..self }
    }

    /// Which of so many samples to hand out here.
    pub(super) fn step(self, samples: usize) -> Result<usize, TraceError> {
        let due = self.state.borrow_mut().step(self.place, samples);
        due.ok_or_else(|| TraceError("no value that was tried suits its type".to_owned()))
    }

    fn leaf<T: Copy>(self, leaf: Leaf, samples: &[T]) -> Result<T, TraceError> {
        self.state.borrow_mut().see(self.place, Part::Leaf(leaf));
        self.step(samples.len()).map(|due| samples[due])
    }

    /// Notes a type with parts, and that a value of it is asked for.
    fn composite<'de, V: Visitor<'de>>(
        self,
        name: &'static str,
        asked: &'static str,
        ways: usize,
        kind: impl FnOnce() -> Kind,
    ) -> Result<(TypeIndex, usize), TraceError> {
        let key = Key { visitor: type_name::<V>(), value: type_name::<V::Value>(), name, asked };
        let shape = || TypeShape { name: name.into(), kind: kind() };
        let index = self.state.borrow_mut().see_type(self.place, key, shape);
        self.step(ways).map(|due| (index, due))
    }

    /// Runs `make` inside a type.
    pub(super) fn inside<T>(
        self,
        index: TypeIndex,
        variant: usize,
        avoidable: bool,
        make: impl FnOnce() -> Result<T, TraceError>,
    ) -> Result<T, TraceError> {
        let level = self.state.borrow_mut().enter(index, variant, avoidable);
        let value = make()?;
        self.state.borrow_mut().leave(level);
        Ok(value)
    }

    fn opaque(self, why: Opaque, samples: usize) -> Result<usize, TraceError> {
        self.state.borrow_mut().see_opaque(self.place, why);
        self.step(samples)
    }
}

/// The methods for numbers.
macro_rules! numbers {
    ($($method:ident $leaf:ident $visit:ident;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
            visitor.$visit(self.leaf(Leaf::$leaf, &NUMBERS)?.into())
        }
    )*};
}

impl<'de> Deserializer<'de> for Tracing<'_> {
    type Error = TraceError;

    numbers! {
        deserialize_i16 I16 visit_i16;
        deserialize_i32 I32 visit_i32;
        deserialize_i64 I64 visit_i64;
        deserialize_i128 I128 visit_i128;
        deserialize_u8 U8 visit_u8;
        deserialize_u16 U16 visit_u16;
        deserialize_u32 U32 visit_u32;
        deserialize_u64 U64 visit_u64;
        deserialize_u128 U128 visit_u128;
        deserialize_f32 F32 visit_f32;
        deserialize_f64 F64 visit_f64;
    }

    fn deserialize_i8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        visitor.visit_i8(self.leaf(Leaf::I8, &NUMBERS.map(|number| number as i8))?)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        visitor.visit_bool(self.leaf(Leaf::Bool, &[false, true])?)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        visitor.visit_char(self.leaf(Leaf::Char, &['a', '0'])?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        visitor.visit_str(self.leaf(Leaf::Str, &STRINGS)?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        visitor.visit_bytes(self.leaf(Leaf::Bytes, &BYTES)?)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        self.leaf(Leaf::Unit, &[()])?;
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, TraceError> {
        self.composite::<V>(name, "unit struct", 1, || Kind::UnitStruct)?;
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        let (index, _) = self.composite::<V>("", "option", 1, || Kind::Option(UNSEEN))?;
        if self.state.borrow().elements(index) == 0 {
            return visitor.visit_none();
        }
        let inner = self.at(Place::Inside { within: index, variant: 0, part: 0 });
        self.inside(index, 0, true, || visitor.visit_some(inner))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, TraceError> {
        let (index, _) = self.composite::<V>(name, "newtype", 1, || Kind::Newtype(UNSEEN))?;
        let inner = self.at(Place::Inside { within: index, variant: 0, part: 0 });
        self.inside(index, 0, false, || visitor.visit_newtype_struct(inner))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        let (index, _) = self.composite::<V>("", "sequence", 1, || Kind::Sequence(UNSEEN))?;
        let elements = self.state.borrow().elements(index);
        let mut parts = Parts::alike(self, index, elements);
        self.inside(index, 0, true, || visitor.visit_seq(&mut parts))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        let (index, _) = self.composite::<V>("", "map", 1, || Kind::Map(UNSEEN, UNSEEN))?;
        let entries =
            Entries { trace: self, within: index, left: self.state.borrow().elements(index) };
        self.inside(index, 0, true, || visitor.visit_map(entries))
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, TraceError> {
        self.deserialize_tuple_struct("", len, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, TraceError> {
        let (index, _) =
            self.composite::<V>(name, "tuple", 1, || Kind::Tuple(vec![UNSEEN; len]))?;
        let mut parts = Parts::apart(self, index, 0, len);
        self.inside(index, 0, false, || visitor.visit_seq(&mut parts))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TraceError> {
        // Postcard always reads fields in order; a type may insist on names, which JSON gives.
        let ways = if self.human_readable { 2 } else { 1 };
        let kind = || Kind::Struct(unseen_fields(fields));
        let (index, way) = self.composite::<V>(name, "struct", ways, kind)?;
        if way == 1 {
            let named = NamedFields { trace: self, within: index, fields, next: 0 };
            return self.inside(index, 0, false, || visitor.visit_map(named));
        }
        let mut parts = Parts::apart(self, index, 0, fields.len());
        let value = self.inside(index, 0, false, || visitor.visit_seq(&mut parts))?;
        if let Kind::Struct(fields) = self.state.borrow_mut().kind_mut(index) {
            settle_names(fields, parts.taken());
        }
        Ok(value)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TraceError> {
        let kind = || Kind::Enum(variants.iter().map(|name| unseen_variant(name)).collect());
        let (index, _) = self.composite::<V>(name, "enum", 1, kind)?;
        let chosen = self.state.borrow().choose_variant(index);
        let Some(variant) = chosen else {
            return Err(TraceError(format!("no variant of `{name}` could be made")));
        };
        let access = Variants { trace: self, within: index, variant, name: variants[variant] };
        let value = self.inside(index, variant, true, || visitor.visit_enum(access))?;
        self.state.borrow_mut().made_variant(index, variant);
        Ok(value)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        let samples = if self.human_readable { 6 } else { 0 };
        match self.opaque(Opaque::AsksForAny, samples)? {
            0 => visitor.visit_unit(),
            1 => visitor.visit_str(""),
            2 => visitor.visit_u64(1),
            3 => visitor.visit_bool(false),
            4 => visitor.visit_seq(SeqDeserializer::new(std::iter::empty::<()>())),
            _ => visitor.visit_map(MapDeserializer::new(std::iter::empty::<((), ())>())),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        self.opaque(Opaque::Ignores, usize::from(self.human_readable))?;
        visitor.visit_unit()
    }

    /// Asked for by the keys of flattened structs; those of plain structs and enums are answered
    /// by what reads these.
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        self.opaque(Opaque::Flattened, 0)?;
        visitor.visit_unit()
    }

    fn is_human_readable(&self) -> bool {
        self.human_readable
    }
}

/// The fields of a struct before any has been seen.
pub(super) fn unseen_fields(names: &[&'static str]) -> Vec<Field> {
    names.iter().map(|name| Field { name: Some((*name).into()), part: UNSEEN }).collect()
}

/// A struct that took fewer fields than it has names has aliases among these: then it is unknown
/// which names are the fields' own.
pub(super) fn settle_names(fields: &mut Vec<Field>, taken: usize) {
    if taken < fields.len() {
        fields.truncate(taken);
        fields.iter_mut().for_each(|field| field.name = None);
    }
}
