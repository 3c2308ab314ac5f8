//! The keys of a map as numbers, for a codec that writes all keys as strings.
//!
//! A type that asks for a number gets it from the codec. One that is behind a tag or a flatten does not:
//! serde keeps the map in a buffer first, each key as it comes, and makes no number of a string. So a
//! value that cannot be read with strings is read once more with numbers for such keys.

use serde::de::{DeserializeSeed, Deserializer, Error, Visitor};

/// A key, or what reads one.
pub struct Key<I> {
    pub inner: I,
    /// Whether a type that takes whatever comes gets a number where the key is one.
    pub as_number: bool,
}

/// Returns whether a key is what a codec writes for a number or a `bool`.
#[cfg(feature = "json")]
pub fn is_number(key: &str) -> bool {
    matches!(key, "true" | "false") || unsigned(key).is_some() || signed(key).is_some()
}

fn unsigned(key: &str) -> Option<u64> {
    key.parse().ok().filter(|number: &u64| number.to_string() == key)
}

fn signed(key: &str) -> Option<i64> {
    key.parse().ok().filter(|number: &i64| number.to_string() == key)
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Key<S> {
    type Value = S::Value;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<S::Value, D::Error> {
        if self.as_number {
            self.inner.deserialize(Key { inner, as_number: true })
        } else {
            self.inner.deserialize(inner)
        }
    }
}

/// Forwards the methods that take a visitor, those for any key with the visitor in a [`Key`].
macro_rules! forward {
    ($($method:ident($($argument:ident: $ty:ty),*) $(as $wrap:ident)?;)*) => {$(
        fn $method<V: Visitor<'de>>(
            self,
            $($argument: $ty,)*
            visitor: V,
        ) -> Result<V::Value, Self::Error> {
            $(let visitor = $wrap { inner: visitor, as_number: self.as_number };)?
            self.inner.$method($($argument,)* visitor)
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Key<D> {
    type Error = D::Error;

    forward! {
        deserialize_any() as Key;
        deserialize_identifier() as Key;
        deserialize_bool();
        deserialize_i8();
        deserialize_i16();
        deserialize_i32();
        deserialize_i64();
        deserialize_i128();
        deserialize_u8();
        deserialize_u16();
        deserialize_u32();
        deserialize_u64();
        deserialize_u128();
        deserialize_f32();
        deserialize_f64();
        deserialize_char();
        deserialize_str();
        deserialize_string();
        deserialize_bytes();
        deserialize_byte_buf();
        deserialize_option();
        deserialize_unit();
        deserialize_unit_struct(name: &'static str);
        deserialize_ignored_any();
        deserialize_newtype_struct(name: &'static str);
        deserialize_seq();
        deserialize_tuple(len: usize);
        deserialize_tuple_struct(name: &'static str, len: usize);
        deserialize_map();
        deserialize_struct(name: &'static str, fields: &'static [&'static str]);
        deserialize_enum(name: &'static str, variants: &'static [&'static str]);
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

/// Visits the number that a text is, or the text.
macro_rules! visit {
    ($($method:ident($ty:ty);)*) => {$(
        fn $method<E: Error>(self, key: $ty) -> Result<V::Value, E> {
            if let Some(number) = unsigned(&key) {
                self.inner.visit_u64(number)
            } else if let Some(number) = signed(&key) {
                self.inner.visit_i64(number)
            } else if let "true" | "false" = &*key {
                self.inner.visit_bool(key == "true")
            } else {
                self.inner.$method(key)
            }
        }
    )*};
}

/// A codec that writes keys as strings visits nothing else.
impl<'de, V: Visitor<'de>> Visitor<'de> for Key<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.inner.expecting(f)
    }

    visit! {
        visit_str(&str);
        visit_borrowed_str(&'de str);
        visit_string(String);
    }
}
