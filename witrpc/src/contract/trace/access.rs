//! The parts of made-up values.

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::super::shape::{Content, Kind, TypeIndex};
use super::deserializer::{TraceError, Tracing, settle_names, unseen_fields};
use super::state::{Place, UNSEEN};

/// Elements or fields, in order.
pub(super) struct Parts<'t> {
    trace: Tracing<'t>,
    within: TypeIndex,
    variant: usize,
    len: usize,
    next: usize,
    /// Whether all stand at one place of the shape.
    alike: bool,
}

impl<'t> Parts<'t> {
    /// So many elements of one type.
    pub(super) fn alike(trace: Tracing<'t>, within: TypeIndex, len: usize) -> Self {
        Self { trace, within, variant: 0, len, next: 0, alike: true }
    }

    /// So many parts, each of its own type.
    pub(super) fn apart(trace: Tracing<'t>, within: TypeIndex, variant: usize, len: usize) -> Self {
        Self { trace, within, variant, len, next: 0, alike: false }
    }

    /// How many have been asked for.
    pub(super) fn taken(&self) -> usize {
        self.next
    }
}

impl<'de> SeqAccess<'de> for &mut Parts<'_> {
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
        let place = Place::Inside { within: self.within, variant: self.variant, part };
        seed.deserialize(self.trace.at(place)).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.len - self.next)
    }
}

/// The entries of a map.
pub(super) struct Entries<'t> {
    pub(super) trace: Tracing<'t>,
    pub(super) within: TypeIndex,
    pub(super) left: usize,
}

impl Entries<'_> {
    fn place(&self, part: usize) -> Place {
        Place::Inside { within: self.within, variant: 0, part }
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
        seed.deserialize(self.trace.at(self.place(0))).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<S::Value, TraceError> {
        seed.deserialize(self.trace.at(self.place(1)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

/// The fields of a struct that insists on their names.
pub(super) struct NamedFields<'t> {
    pub(super) trace: Tracing<'t>,
    pub(super) within: TypeIndex,
    pub(super) fields: &'static [&'static str],
    pub(super) next: usize,
}

impl<'de> MapAccess<'de> for NamedFields<'_> {
    type Error = TraceError;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, TraceError> {
        let Some(name) = self.fields.get(self.next) else { return Ok(None) };
        self.next += 1;
        seed.deserialize(name.into_deserializer()).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<S::Value, TraceError> {
        let place = Place::Inside { within: self.within, variant: 0, part: self.next - 1 };
        seed.deserialize(self.trace.at(place))
    }
}

/// One variant of an enum.
pub(super) struct Variants<'t> {
    pub(super) trace: Tracing<'t>,
    pub(super) within: TypeIndex,
    pub(super) variant: usize,
    pub(super) name: &'static str,
}

impl Variants<'_> {
    fn place(&self, part: usize) -> Place {
        Place::Inside { within: self.within, variant: self.variant, part }
    }

    /// Notes what the variant holds, and gives `change` the chance to correct it.
    fn content(&self, first_seen: Content, change: impl FnOnce(&mut Content)) {
        let mut state = self.trace.state.borrow_mut();
        if let Kind::Enum(variants) = state.kind_mut(self.within) {
            let content = &mut variants[self.variant].content;
            if *content == Content::Unit {
                *content = first_seen;
            }
            change(content);
        }
    }

    fn parts(&self, len: usize) -> Parts<'_> {
        Parts::apart(self.trace, self.within, self.variant, len)
    }
}

impl<'de> EnumAccess<'de> for Variants<'_> {
    type Error = TraceError;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self), TraceError> {
        // The name is a value of its own: a variant that the type does not know fails here.
        self.trace.at(self.place(usize::MAX)).step(1)?;
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
        seed.deserialize(self.trace.at(self.place(0)))
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, TraceError> {
        self.content(Content::Tuple(vec![UNSEEN; len]), |_| {});
        visitor.visit_seq(&mut self.parts(len))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TraceError> {
        let unseen = Content::Struct(unseen_fields(fields));
        self.content(unseen.clone(), |_| {});
        let mut parts = self.parts(fields.len());
        let value = visitor.visit_seq(&mut parts)?;
        let taken = parts.taken();
        self.content(unseen, |content| {
            if let Content::Struct(fields) = content {
                settle_names(fields, taken);
            }
        });
        Ok(value)
    }
}

/// Which variant it is, in the way of the codec.
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
