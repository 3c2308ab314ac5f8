//! Reads postcard's bytes by a shape: they do not say what they are.

use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use crate::contract::shape::{Content, Leaf, Opaque, Part, Shape, ShapeKind, Variant};

use super::datum::{Anything, Datum};
use super::path::{Misfit, Path};

/// Reads one part of a value.
#[derive(Clone, Copy)]
pub struct PartSeed<'s> {
    pub shape: &'s Shape,
    pub part: &'s Part,
    pub path: &'s Path<'s>,
}

impl<'s> PartSeed<'s> {
    /// Returns the seed of a part at a step below this.
    fn at<'q>(self, part: &'q Part, path: &'q Path<'q>) -> PartSeed<'q>
    where
        's: 'q,
    {
        PartSeed { shape: self.shape, part, path }
    }

    fn unknown<E: Error>(self, opaque: &Opaque) -> E {
        said(self.path.misfit(format!("{}, and postcard does not describe it", reason(opaque))))
    }
}

fn said<E: Error>(misfit: Misfit) -> E {
    E::custom(misfit)
}

/// Returns why the form of a part is unknown.
pub fn reason(opaque: &Opaque) -> &'static str {
    match opaque {
        Opaque::AsksForAny => "has a type that reads whatever comes",
        Opaque::Flattened => "has flattened fields",
        Opaque::Ignores => "has a type that ignores its value",
        Opaque::Varies => "has a form that depends on the value before it",
        Opaque::NotReached => "has a form that the server could not find out",
    }
}

impl<'de> DeserializeSeed<'de> for PartSeed<'_> {
    type Value = Datum;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Datum, D::Error> {
        let kind = match self.part {
            Part::Leaf(leaf) => return read_leaf(*leaf, from),
            Part::Opaque(opaque) => return Err(self.unknown(opaque)),
            Part::Type(index) => &self.shape.types[*index].kind,
        };
        let visitor = KindVisitor { seed: self, kind };
        match kind {
            ShapeKind::Option(_) => from.deserialize_option(visitor),
            ShapeKind::Sequence(_) | ShapeKind::Raw(_) => from.deserialize_seq(visitor),
            ShapeKind::Map(..) => from.deserialize_map(visitor),
            ShapeKind::Tuple(parts) => from.deserialize_tuple(parts.len(), visitor),
            ShapeKind::UnitStruct => Ok(Datum::UnitStruct),
            ShapeKind::Newtype(part) => {
                let path = self.path.within().map_err(said)?;
                self.at(part, &path).deserialize(from)
            }
            ShapeKind::Struct(fields) => from.deserialize_tuple(fields.len(), visitor),
            ShapeKind::Enum(_) => from.deserialize_enum("", &[], visitor),
            ShapeKind::Tagged(..) => Err(self.unknown(&Opaque::AsksForAny)),
        }
    }
}

fn read_leaf<'de, D: Deserializer<'de>>(leaf: Leaf, from: D) -> Result<Datum, D::Error> {
    match leaf {
        Leaf::Bool => from.deserialize_bool(Anything),
        Leaf::I8 => from.deserialize_i8(Anything),
        Leaf::I16 => from.deserialize_i16(Anything),
        Leaf::I32 => from.deserialize_i32(Anything),
        Leaf::I64 => from.deserialize_i64(Anything),
        Leaf::I128 => from.deserialize_i128(Anything),
        Leaf::U8 => from.deserialize_u8(Anything),
        Leaf::U16 => from.deserialize_u16(Anything),
        Leaf::U32 => from.deserialize_u32(Anything),
        Leaf::U64 => from.deserialize_u64(Anything),
        Leaf::U128 => from.deserialize_u128(Anything),
        Leaf::F32 => from.deserialize_f32(Anything),
        Leaf::F64 => from.deserialize_f64(Anything),
        Leaf::Char => from.deserialize_char(Anything),
        Leaf::Str => from.deserialize_str(Anything),
        Leaf::Bytes => from.deserialize_bytes(Anything),
        Leaf::Unit => from.deserialize_unit(Anything),
    }
}

/// The visitor of a value with parts.
struct KindVisitor<'s> {
    seed: PartSeed<'s>,
    kind: &'s ShapeKind,
}

impl KindVisitor<'_> {
    fn sequence<'de, A: SeqAccess<'de>>(
        self,
        part: &Part,
        mut items: A,
    ) -> Result<Datum, A::Error> {
        let mut read = Vec::new();
        loop {
            let path = self.seed.path.numbered(read.len()).map_err(said)?;
            match items.next_element_seed(self.seed.at(part, &path))? {
                Some(item) => read.push(item),
                None => return Ok(Datum::Sequence(read)),
            }
        }
    }
}

/// Reads parts whose number the type gives.
fn tuple<'de, 'p, A: SeqAccess<'de>>(
    seed: PartSeed<'_>,
    parts: impl Iterator<Item = &'p Part>,
    mut items: A,
) -> Result<Datum, A::Error> {
    let mut read = Vec::new();
    for part in parts {
        let path = seed.path.numbered(read.len()).map_err(said)?;
        let item = items.next_element_seed(seed.at(part, &path))?;
        read.push(item.ok_or_else(|| said::<A::Error>(seed.path.misfit("has too few parts")))?);
    }
    Ok(Datum::Tuple(read))
}

impl<'de> Visitor<'de> for KindVisitor<'_> {
    type Value = Datum;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the parts of `{}`", self.seed.path)
    }

    fn visit_none<E>(self) -> Result<Datum, E> {
        Ok(Datum::None)
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Datum, D::Error> {
        let ShapeKind::Option(part) = self.kind else { return Ok(Datum::None) };
        let path = self.seed.path.within().map_err(said)?;
        let inner = self.seed.at(part, &path).deserialize(from)?;
        Ok(Datum::Some(Box::new(inner)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Datum, A::Error> {
        match self.kind {
            ShapeKind::Sequence(part) | ShapeKind::Raw(part) => self.sequence(part, items),
            ShapeKind::Tuple(parts) => tuple(self.seed, parts.iter(), items),
            ShapeKind::Struct(fields) => {
                tuple(self.seed, fields.iter().map(|field| &field.part), items)
            }
            _ => Err(said(self.seed.path.misfit("is no sequence"))),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Datum, A::Error> {
        let ShapeKind::Map(key, part) = self.kind else {
            return Err(said(self.seed.path.misfit("is no map")));
        };
        let mut read = Vec::new();
        loop {
            let path = self.seed.path.numbered(read.len()).map_err(said)?;
            let Some(key) = entries.next_key_seed(self.seed.at(key, &path))? else {
                return Ok(Datum::Map(read));
            };
            read.push((key, entries.next_value_seed(self.seed.at(part, &path))?));
        }
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<Datum, A::Error> {
        let ShapeKind::Enum(variants) = self.kind else {
            return Err(said(self.seed.path.misfit("is no enum")));
        };
        let (number, content) = access.variant::<u32>()?;
        let Some(Variant { content: shape, .. }) = variants.get(number as usize) else {
            let problem = format!("is variant {number}, which the contract does not have");
            return Err(said(self.seed.path.misfit(problem)));
        };
        let path = self.seed.path.within().map_err(said)?;
        let seed = PartSeed { path: &path, ..self.seed };
        let content = match shape {
            Content::Unit => content.unit_variant().map(|()| None)?,
            Content::Newtype(part) => {
                content.newtype_variant_seed(seed.at(part, &path)).map(Some)?
            }
            Content::Tuple(parts) => {
                let parts = parts.iter().collect();
                Some(content.tuple_variant(shape.parts().len(), PartsVisitor { seed, parts })?)
            }
            Content::Struct(fields) => {
                let parts = fields.iter().map(|field| &field.part).collect();
                Some(content.tuple_variant(fields.len(), PartsVisitor { seed, parts })?)
            }
            Content::Opaque => return Err(seed.unknown(&Opaque::NotReached)),
        };
        Ok(Datum::Variant(number, content.map(Box::new)))
    }
}

/// The visitor of a variant's parts.
struct PartsVisitor<'s> {
    seed: PartSeed<'s>,
    parts: Vec<&'s Part>,
}

impl<'de> Visitor<'de> for PartsVisitor<'_> {
    type Value = Datum;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the parts of `{}`", self.seed.path)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Datum, A::Error> {
        tuple(self.seed, self.parts.into_iter(), items)
    }
}
