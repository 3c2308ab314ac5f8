//! Values that describe themselves, for types that take whatever comes.

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::error::TraceError;

/// A value that says what it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum MadeValue {
    #[default]
    Null,
    Bool(bool),
    Integer(i128),
    Decimal(f64),
    Text(String),
    List(Vec<MadeValue>),
    Map(Vec<(String, MadeValue)>),
}

impl MadeValue {
    /// Returns a value of each kind.
    pub fn usual() -> [Self; 6] {
        [
            Self::Text(String::new()),
            Self::Integer(1),
            Self::Bool(false),
            Self::List(Vec::new()),
            Self::Map(Vec::new()),
            // It comes last: in an option it would be null, which some codecs do not write.
            Self::Null,
        ]
    }

    /// Returns the value to which the numbers of entries lead.
    pub fn at(&mut self, path: &[usize]) -> Option<&mut Self> {
        path.iter().try_fold(self, |value, number| match value {
            Self::Map(entries) => entries.get_mut(*number).map(|(_, value)| value),
            _ => None,
        })
    }

    /// Returns its entries, if it is a map.
    pub fn entries_at(&mut self, path: &[usize]) -> Option<&mut Vec<(String, Self)>> {
        match self.at(path)? {
            Self::Map(entries) => Some(entries),
            _ => None,
        }
    }
}

impl IntoDeserializer<'_, TraceError> for MadeValue {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for MadeValue {
    type Error = TraceError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        match self {
            Self::Null => visitor.visit_unit(),
            Self::Bool(value) => visitor.visit_bool(value),
            Self::Integer(value) => match u64::try_from(value) {
                Ok(value) => visitor.visit_u64(value),
                Err(_) => visitor.visit_i64(i64::try_from(value).unwrap_or_default()),
            },
            Self::Decimal(value) => visitor.visit_f64(value),
            Self::Text(text) => visitor.visit_string(text),
            Self::List(list) => visitor.visit_seq(SeqDeserializer::new(list.into_iter())),
            Self::Map(entries) => visitor.visit_map(MapDeserializer::new(entries.into_iter())),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}
