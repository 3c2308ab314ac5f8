//! The parts of made-up values, as serde accesses them.

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use crate::contract::shape::{Content, ShapeKind, TypeIndex};

use super::deserializer::{Tracing, settle_names, unseen_fields};
use super::error::TraceError;
use super::fields::Way;
use super::place::TracePlace;
use super::probes::FieldProbe;
use super::state::{FrameKind, UNSEEN};

/// Elements or fields, in order.
pub struct TraceParts<'t> {
    trace: Tracing<'t>,
    within: TypeIndex,
    variant: usize,
    len: usize,
    next: usize,
    /// Whether all are at one place of the shape.
    alike: bool,
    /// The level of the struct, if these are its fields.
    fields: Option<usize>,
}

impl<'t> TraceParts<'t> {
    /// Creates `len` elements of one type.
    pub fn alike(trace: Tracing<'t>, within: TypeIndex, len: usize) -> Self {
        Self { trace, within, variant: 0, len, next: 0, alike: true, fields: None }
    }

    /// Creates `len` parts, each of its own type.
    pub fn apart(trace: Tracing<'t>, within: TypeIndex, variant: usize, len: usize) -> Self {
        Self { trace, within, variant, len, next: 0, alike: false, fields: None }
    }

    /// Marks the parts as the fields of the struct, or struct variant, at this level.
    pub fn fields(self, level: usize) -> Self {
        Self { fields: Some(level), ..self }
    }

    /// Returns how many have been asked for.
    pub fn taken(&self) -> usize {
        self.next
    }
}

impl<'de> SeqAccess<'de> for &mut TraceParts<'_> {
    type Error = TraceError;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, TraceError> {
        if self.next == self.len {
            return Ok(None);
        }
        let part = if self.alike { 0 } else { self.next };
        self.next += 1;
        let place = TracePlace::Inside { within: self.within, variant: self.variant, part };
        if let Some(level) = self.fields {
            self.trace.state.borrow_mut().ask_field(level, part, false);
        }
        self.trace.part(place, |part| seed.deserialize(part)).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.len - self.next)
    }
}

/// The entries of a map.
pub struct Entries<'t> {
    pub trace: Tracing<'t>,
    pub within: TypeIndex,
    pub left: usize,
}

impl Entries<'_> {
    fn place(&self, part: usize) -> TracePlace {
        TracePlace::Inside { within: self.within, variant: 0, part }
    }
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = TraceError;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, TraceError> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        self.trace.part(self.place(0), |key| seed.deserialize(key)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<S::Value, TraceError> {
        self.trace.part(self.place(1), |value| seed.deserialize(value))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

/// The fields of a struct, or struct variant, by their names.
pub struct NamedFields<'t> {
    trace: Tracing<'t>,
    within: TypeIndex,
    variant: usize,
    level: usize,
    names: &'static [&'static str],
    /// The fields that are still to be asked for, the next one last.
    left: Vec<usize>,
    /// The field whose name was given.
    current: Option<usize>,
    /// Whether a field that the struct does not name comes last.
    surplus: bool,
}

/// The name of a field that no struct has.
const SURPLUS: &str = "field of no struct";

impl<'de> MapAccess<'de> for NamedFields<'_> {
    type Error = TraceError;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, TraceError> {
        self.current = self.left.pop();
        let Some(field) = self.current else {
            let surplus = std::mem::take(&mut self.surplus);
            return surplus.then(|| seed.deserialize(SURPLUS.into_deserializer())).transpose();
        };
        self.trace.state.borrow_mut().ask_field(self.level, field, true);
        seed.deserialize(self.names[field].into_deserializer()).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<S::Value, TraceError> {
        let Some(part) = self.current else { return seed.deserialize(().into_deserializer()) };
        self.trace.state.borrow_mut().ask_field(self.level, part, false);
        let (within, variant) = (self.within, self.variant);
        let place = TracePlace::Inside { within, variant, part };
        self.trace.part(place, |value| seed.deserialize(value))
    }
}

/// Makes `visitor` read the fields of a struct or struct variant, in the way that shows most of them.
/// Returns how many fields it has, if they were read without names.
pub fn read_fields<'de, V: Visitor<'de>>(
    trace: Tracing<'_>,
    (within, variant): (TypeIndex, usize),
    names: &'static [&'static str],
    visitor: V,
) -> Result<(V::Value, Option<usize>), TraceError> {
    let (way, mut left, probe) = {
        let mut state = trace.state.borrow_mut();
        let probe = state.probes.begin((within, variant), names.len());
        let order = state.field_order(within, variant, names);
        (order.way, order.by_failures(), probe)
    };
    let kind = FrameKind::Fields { asked: 0, current: None };
    let level = trace.state.borrow_mut().enter(within, variant, kind);
    let read = if way == Way::ByName || probe.is_some() {
        left.retain(|field| probe != Some(FieldProbe::Omits(*field)));
        left.reverse();
        let surplus = probe == Some(FieldProbe::Adds);
        let current = None;
        let named = NamedFields { trace, within, variant, level, names, left, current, surplus };
        (visitor.visit_map(named)?, None)
    } else {
        let mut parts = TraceParts::apart(trace, within, variant, names.len()).fields(level);
        let value = visitor.visit_seq(&mut parts)?;
        (value, Some(parts.taken()))
    };
    let mut state = trace.state.borrow_mut();
    state.leave(level);
    state.probes.end((within, variant));
    Ok(read)
}

/// One variant of an enum.
pub struct Variants<'t> {
    pub trace: Tracing<'t>,
    pub within: TypeIndex,
    pub variant: usize,
    pub name: &'static str,
}

impl Variants<'_> {
    fn place(&self, part: usize) -> TracePlace {
        TracePlace::Inside { within: self.within, variant: self.variant, part }
    }

    /// Notes the content of the variant, and lets `change` correct it.
    fn content(&self, first_seen: Content, change: impl FnOnce(&mut Content)) {
        let mut state = self.trace.state.borrow_mut();
        if let ShapeKind::Enum(variants) = state.kind_mut(self.within) {
            let content = &mut variants[self.variant].content;
            if *content == Content::Unit {
                *content = first_seen;
            }
            change(content);
        }
    }
}

impl<'de> EnumAccess<'de> for Variants<'_> {
    type Error = TraceError;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self), TraceError> {
        // The name is itself a value: a variant that the type does not know fails here.
        self.trace.at(self.place(usize::MAX)).fixed(1)?;
        let value = seed.deserialize(VariantName(&self))?;
        Ok((value, self))
    }
}

impl<'de> VariantAccess<'de> for Variants<'_> {
    type Error = TraceError;

    fn unit_variant(self) -> Result<(), TraceError> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<S::Value, TraceError> {
        self.content(Content::Newtype(UNSEEN), |_| {});
        self.trace.part(self.place(0), |content| seed.deserialize(content))
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, TraceError> {
        self.content(Content::Tuple(vec![UNSEEN; len]), |_| {});
        let (trace, within, variant) = (self.trace, self.within, self.variant);
        visitor.visit_seq(&mut TraceParts::apart(trace, within, variant, len))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TraceError> {
        let unseen = Content::Struct(unseen_fields(fields));
        self.content(unseen.clone(), |_| {});
        let of = (self.within, self.variant);
        let (value, taken) = read_fields(self.trace, of, fields, visitor)?;
        self.content(unseen, |content| {
            if let (Content::Struct(fields), Some(taken)) = (content, taken) {
                settle_names(fields, taken);
            }
        });
        Ok(value)
    }
}

/// The name or number of a variant, as the codec has it.
struct VariantName<'v>(&'v Variants<'v>);

impl<'de> Deserializer<'de> for VariantName<'_> {
    type Error = TraceError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        if self.0.trace.human_readable {
            return visitor.visit_str(self.0.name);
        }
        let index = u32::try_from(self.0.variant);
        visitor.visit_u32(index.map_err(|error| TraceError(error.to_string()))?)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}
