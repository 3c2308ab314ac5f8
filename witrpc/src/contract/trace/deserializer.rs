//! A deserializer without input: it notes what a type asks for and makes up values.

use std::any::type_name;
use std::cell::RefCell;

use serde::de::{Deserializer, Visitor};

use crate::contract::shape::{Field, Leaf, Opaque, Part, ShapeKind, TypeIndex, TypeShape};

use super::access::{Entries, TraceParts, Variants, read_fields};
use super::error::TraceError;
use super::made::MadeValue;
use super::place::TracePlace;
use super::sample::{Sample, SamplePool};
use super::search::{Spot, What};
use super::state::{FrameKind, TraceState, TypeKey, UNSEEN, unseen_variant};
use super::unseen;

/// The deserializer that makes up the value at one place.
#[derive(Clone, Copy)]
pub struct Tracing<'t> {
    pub state: &'t RefCell<TraceState>,
    pub spot: Spot,
    pub human_readable: bool,
}

/// Takes what a step has given out, which is of the kind that was asked for.
macro_rules! sample {
    ($kind:ident of $step:expr) => {
        match $step? {
            Sample::$kind(sample) => sample,
            other => return Err(TraceError(format!("{other:?} is no sample of this kind"))),
        }
    };
}

impl<'t> Tracing<'t> {
    /// Returns the same trace at a place inside this one.
    pub fn at(self, place: TracePlace) -> Self {
        Self { spot: Spot { place, above: self.spot.place }, ..self }
    }

    /// Makes a part. If that fails, other values are tried for it.
    pub fn part<T>(
        self,
        place: TracePlace,
        make: impl FnOnce(Self) -> Result<T, TraceError>,
    ) -> Result<T, TraceError> {
        let part = self.at(place);
        self.state.borrow_mut().search.begin(part.spot);
        let outcome = make(part);
        self.state.borrow_mut().end_part(part.spot, outcome.is_ok());
        outcome
    }

    /// Returns which sample to hand out here.
    fn step(self, pool: SamplePool) -> Result<Sample, TraceError> {
        let due = self.state.borrow_mut().step(self.spot, pool);
        due.ok_or_else(|| TraceError("no value that was tried suits its type".to_owned()))
    }

    /// Returns which of `samples` samples to give out here.
    pub fn fixed(self, samples: usize) -> Result<usize, TraceError> {
        Ok(sample!(Number of self.step(SamplePool::Fixed(samples))))
    }

    fn see(self, leaf: Leaf) {
        self.state.borrow_mut().see(self.spot.place, Part::Leaf(leaf));
    }

    fn leaf<T: Copy>(self, leaf: Leaf, samples: &[T]) -> Result<T, TraceError> {
        self.see(leaf);
        self.fixed(samples.len()).map(|due| samples[due])
    }

    fn integer(self, leaf: Leaf, min: i128, max: i128) -> Result<i128, TraceError> {
        self.see(leaf);
        Ok(sample!(Integer of self.step(SamplePool::Integer(min, max))))
    }

    fn decimal(self, leaf: Leaf) -> Result<f64, TraceError> {
        self.see(leaf);
        Ok(sample!(Decimal of self.step(SamplePool::Decimal)))
    }

    /// Notes a type with parts, and that a value of it is asked for.
    fn composite<'de, V: Visitor<'de>>(
        self,
        name: &'static str,
        asked: &'static str,
        kind: impl FnOnce() -> ShapeKind,
    ) -> Result<TypeIndex, TraceError> {
        let key =
            TypeKey { visitor: type_name::<V>(), value: type_name::<V::Value>(), name, asked };
        let shape = || TypeShape { name: name.into(), kind: kind() };
        let index = self.state.borrow_mut().see_type(self.spot.place, key, shape);
        self.fixed(1).map(|_| index)
    }

    /// Runs `make` inside a type.
    pub fn inside<T>(
        self,
        index: TypeIndex,
        variant: usize,
        kind: FrameKind,
        make: impl FnOnce() -> Result<T, TraceError>,
    ) -> Result<T, TraceError> {
        let level = self.state.borrow_mut().enter(index, variant, kind);
        let value = make()?;
        self.state.borrow_mut().leave(level);
        Ok(value)
    }

    fn opaque(self, why: Opaque, samples: usize) -> Result<usize, TraceError> {
        self.state.borrow_mut().see_opaque(self.spot.place, why);
        self.fixed(samples)
    }

    /// Returns what can be left empty if no value can be made inside.
    fn container(self) -> FrameKind {
        FrameKind::Container((self.spot, What::Length))
    }

    /// Returns how many elements to give a value of that type.
    fn elements(self, index: TypeIndex) -> usize {
        self.state.borrow_mut().elements(self.spot, index)
    }
}

/// The methods for integers.
macro_rules! integers {
    ($($method:ident $leaf:ident $visit:ident $ty:ident;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
            let max = i128::try_from($ty::MAX).unwrap_or(i128::MAX);
            let integer = self.integer(Leaf::$leaf, $ty::MIN as i128, max)?;
            visitor.$visit($ty::try_from(integer).unwrap_or_default())
        }
    )*};
}

impl<'de> Deserializer<'de> for Tracing<'_> {
    type Error = TraceError;

    integers! {
        deserialize_i8 I8 visit_i8 i8;
        deserialize_i16 I16 visit_i16 i16;
        deserialize_i32 I32 visit_i32 i32;
        deserialize_i64 I64 visit_i64 i64;
        deserialize_i128 I128 visit_i128 i128;
        deserialize_u8 U8 visit_u8 u8;
        deserialize_u16 U16 visit_u16 u16;
        deserialize_u32 U32 visit_u32 u32;
        deserialize_u64 U64 visit_u64 u64;
        deserialize_u128 U128 visit_u128 u128;
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        visitor.visit_f32(self.decimal(Leaf::F32)? as f32)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        visitor.visit_f64(self.decimal(Leaf::F64)?)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        visitor.visit_bool(self.leaf(Leaf::Bool, &[false, true])?)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        visitor.visit_char(self.leaf(Leaf::Char, &['a', '0', 'A', '-', '/'])?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        self.see(Leaf::Str);
        let text = sample!(Text of self.step(SamplePool::Text));
        visitor.visit_str(&text)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        self.see(Leaf::Bytes);
        let bytes = sample!(Bytes of self.step(SamplePool::Bytes));
        visitor.visit_bytes(&bytes)
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
        self.composite::<V>(name, "unit struct", || ShapeKind::UnitStruct)?;
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        let index = self.composite::<V>("", "option", || ShapeKind::Option(UNSEEN))?;
        if self.elements(index) == 0 {
            return visitor.visit_none();
        }
        let inner = self.at(TracePlace::Inside { within: index, variant: 0, part: 0 });
        self.inside(index, 0, self.container(), || visitor.visit_some(inner))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, TraceError> {
        if name == unseen::NAME {
            return Err(TraceError("`witrpc::unseen` hides it".to_owned()));
        }
        let index = self.composite::<V>(name, "newtype", || ShapeKind::Newtype(UNSEEN))?;
        let inner = self.at(TracePlace::Inside { within: index, variant: 0, part: 0 });
        self.inside(index, 0, FrameKind::Fixed, || visitor.visit_newtype_struct(inner))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        let index = self.composite::<V>("", "sequence", || ShapeKind::Sequence(UNSEEN))?;
        let mut parts = TraceParts::alike(self, index, self.elements(index));
        self.inside(index, 0, self.container(), || visitor.visit_seq(&mut parts))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        let index = self.composite::<V>("", "map", || ShapeKind::Map(UNSEEN, UNSEEN))?;
        let entries = Entries { trace: self, within: index, left: self.elements(index) };
        self.inside(index, 0, self.container(), || visitor.visit_map(entries))
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
        let index = self.composite::<V>(name, "tuple", || ShapeKind::Tuple(vec![UNSEEN; len]))?;
        let mut parts = TraceParts::apart(self, index, 0, len);
        self.inside(index, 0, FrameKind::Fixed, || visitor.visit_seq(&mut parts))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TraceError> {
        let kind = || ShapeKind::Struct(unseen_fields(fields));
        let index = self.composite::<V>(name, "struct", kind)?;
        let (value, taken) = read_fields(self, (index, 0), fields, visitor)?;
        if let (ShapeKind::Struct(fields), Some(taken)) =
            (self.state.borrow_mut().kind_mut(index), taken)
        {
            settle_names(fields, taken);
        }
        Ok(value)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TraceError> {
        let kind = || ShapeKind::Enum(variants.iter().map(|name| unseen_variant(name)).collect());
        let index = self.composite::<V>(name, "enum", kind)?;
        let chosen = self.state.borrow().choose_variant(index);
        let Some(variant) = chosen else {
            return Err(TraceError(format!("no variant of `{name}` could be made")));
        };
        let access = Variants { trace: self, within: index, variant, name: variants[variant] };
        let value =
            self.inside(index, variant, FrameKind::Variant, || visitor.visit_enum(access))?;
        self.state.borrow_mut().made_variant(index, variant);
        Ok(value)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        if !self.human_readable {
            self.opaque(Opaque::AsksForAny, 0)?;
        }
        let key = TypeKey {
            visitor: type_name::<V>(),
            value: type_name::<V::Value>(),
            name: "",
            asked: "any",
        };
        let tagged = self.state.borrow_mut().see_tagged(self.spot.place, key);
        if let Some(value) = tagged {
            self.fixed(1)?;
            return value.deserialize_any(visitor);
        }
        let usual = MadeValue::usual();
        let due = self.opaque(Opaque::AsksForAny, usual.len())?;
        usual[due].clone().deserialize_any(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        self.opaque(Opaque::Ignores, usize::from(self.human_readable))?;
        visitor.visit_unit()
    }

    /// Answers the keys of flattened structs. Those of plain structs and enums are answered by the
    /// code that reads these.
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        self.opaque(Opaque::Flattened, 0)?;
        visitor.visit_unit()
    }

    fn is_human_readable(&self) -> bool {
        self.human_readable
    }
}

/// Returns the fields of a struct before any has been seen.
pub fn unseen_fields(names: &[&'static str]) -> Vec<Field> {
    names.iter().map(|name| Field { name: Some((*name).into()), part: UNSEEN }).collect()
}

/// Forgets the names of a struct that took fewer fields than it has names: some are aliases, so the
/// fields' own names are unknown.
pub fn settle_names(fields: &mut Vec<Field>, taken: usize) {
    if taken < fields.len() {
        fields.truncate(taken);
        fields.iter_mut().for_each(|field| field.name = None);
    }
}
