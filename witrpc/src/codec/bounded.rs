//! A deserializer around a codec's that bounds what a hostile message can cost.
//!
//! - Nesting, since each level takes stack: [`MAX_LEVELS`]. Levels are counted where a codec visits
//!   parts, so those that serde buffers behind a tag count too.
//! - The stack that the levels take, by what is left of it at each level and each `Some`:
//!   [`StackLimit`]. A level takes what its type takes, which may be the size of an array.
//! - Elements. An element of a sequence or map takes at least one byte of the message, unless it has no
//!   content (`()`). So all values of a message together may have one element for each byte, and
//!   [`MAX_EMPTY_ELEMENTS`] more. A few bytes cannot claim 2⁶⁰ elements, nor can many values claim 2²⁰
//!   each. No memory is allocated by a length that the message claims.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;

use serde::de;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use witrpc_rt::StackLimit;

use super::fault::{Fault, MAX_DEPTH, Words};
use super::number_key::Key;

/// The number of elements that a message may hold in all its sequences and maps, beyond one for
/// each of its bytes.
pub const MAX_EMPTY_ELEMENTS: usize = 1 << 16;

/// The number of levels that a reader goes down. The content of a variant takes two, since codecs with
/// names write a map of the variant around it. So a value that a writer allows by [`MAX_DEPTH`] is read.
const MAX_LEVELS: u32 = 2 * MAX_DEPTH;

/// The unused rest of each bound.
pub struct Bounds<'m> {
    depth: Cell<u32>,
    stack: StackLimit,
    /// The elements left for the message, which all its values share.
    elements: &'m Cell<usize>,
    number_keys: bool,
    human_readable: bool,
    words: Words,
}

impl<'m> Bounds<'m> {
    /// Creates the bounds of one value, in a message that may have `elements` more elements.
    #[inline]
    pub fn new(elements: &'m Cell<usize>) -> Self {
        let (depth, words) = (Cell::new(MAX_LEVELS), Words::default());
        let stack = StackLimit::of_this_thread();
        Self { depth, stack, elements, number_keys: false, human_readable: false, words }
    }

    /// Has types read their human-readable form though the codec is not text.
    pub fn human_readable(self, human_readable: bool) -> Self {
        Self { human_readable, ..self }
    }

    /// Reads keys as numbers where [`number_key`](super::number_key) says so.
    #[cfg(feature = "json")]
    pub fn number_keys(self, number_keys: bool) -> Self {
        Self { number_keys, ..self }
    }

    /// Deserializes within these bounds. An error gives the reason as text.
    #[inline]
    pub fn deserialize<'de, T, D>(
        self,
        deserializer: D,
        tell: impl FnOnce(D::Error) -> String,
    ) -> Result<T, String>
    where
        T: de::Deserialize<'de>,
        D: Deserializer<'de>,
    {
        self.seed(PhantomData::<T>, deserializer, tell)
    }

    /// Deserializes what `seed` reads, within these bounds. An error gives the reason as text.
    #[inline]
    pub fn seed<'de, S, D>(
        self,
        seed: S,
        deserializer: D,
        tell: impl FnOnce(D::Error) -> String,
    ) -> Result<S::Value, String>
    where
        S: DeserializeSeed<'de>,
        D: Deserializer<'de>,
    {
        match seed.deserialize(self.around(deserializer)) {
            Ok(value) => Ok(value),
            Err(fault) => Err(self.words.tell(fault, tell)),
        }
    }

    /// Deserializes within these bounds, for a caller that is a `Deserialize` itself.
    #[cfg(feature = "json")]
    pub fn within<'de, T, D>(self, deserializer: D) -> Result<T, D::Error>
    where
        T: de::Deserialize<'de>,
        D: Deserializer<'de>,
    {
        T::deserialize(self.around(deserializer)).map_err(|fault| self.keep(fault))
    }

    #[inline]
    fn around<I>(&self, inner: I) -> Bounded<'_, I> {
        Bounded { inner, bounds: self }
    }

    #[inline]
    fn enter<E>(&self) -> Result<Level<'_>, Fault<E>> {
        self.check_stack()?;
        let left = self.depth.get().checked_sub(1).ok_or_else(Fault::too_deep)?;
        self.depth.set(left);
        Ok(Level(&self.depth))
    }

    #[inline]
    fn check_stack<E>(&self) -> Result<(), Fault<E>> {
        if self.stack.is_reached() { Err(Fault::no_stack(self.stack)) } else { Ok(()) }
    }

    #[inline]
    fn count_element<E>(&self) -> Result<(), Fault<E>> {
        match self.elements.get().checked_sub(1) {
            Some(left) => {
                self.elements.set(left);
                Ok(())
            }
            None => Err(too_many_elements()),
        }
    }

    #[cold]
    fn keep<E: de::Error>(&self, fault: Fault<E>) -> E {
        self.words.keep(fault, |words| E::custom(words))
    }
}

#[cold]
fn too_many_elements<E>() -> Fault<E> {
    Fault::said(format!(
        "its message claims more than {MAX_EMPTY_ELEMENTS} elements that take no bytes"
    ))
}

/// One level of nesting, which ends when this is dropped.
struct Level<'b>(&'b Cell<u32>);

impl Drop for Level<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

/// A wrapper that keeps any part of serde's reading side within bounds.
struct Bounded<'b, I> {
    inner: I,
    bounds: &'b Bounds<'b>,
}

/// Forwards the methods that take a visitor, and the few arguments before it, with or without a level.
/// Elements are counted if the message gives their number.
macro_rules! forward {
    ($(
        $method:ident($($argument:ident: $ty:ty),*) $(in $level:ident)? $(=> $counted:ident)?;
    )*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(
            self,
            $($argument: $ty,)*
            visitor: V,
        ) -> Result<V::Value, Self::Error> {
            $(let $level = self.bounds.enter()?;)?
            let counted = false $(|| stringify!($counted) == "counted")?;
            let visitor = Inside { visitor, bounds: self.bounds, counted };
            self.inner.$method($($argument,)* visitor).map_err(Fault::Codec)
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Bounded<'_, D> {
    type Error = Fault<D::Error>;

    forward! {
        deserialize_any() => counted;
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
        deserialize_identifier();
        deserialize_ignored_any();
        deserialize_newtype_struct(name: &'static str) in _level;
        deserialize_seq() => counted;
        deserialize_tuple(len: usize);
        deserialize_tuple_struct(name: &'static str, len: usize);
        deserialize_map() => counted;
        deserialize_struct(name: &'static str, fields: &'static [&'static str]);
        deserialize_enum(name: &'static str, variants: &'static [&'static str]);
    }

    #[inline]
    fn is_human_readable(&self) -> bool {
        self.bounds.human_readable || self.inner.is_human_readable()
    }
}

/// A wrapper around a type's own visitor, which gives it parts that are [`Bounded`].
struct Inside<'b, V> {
    visitor: V,
    bounds: &'b Bounds<'b>,
    /// Whether the message gives the number of elements, and not the type.
    counted: bool,
}

/// Forwards the methods for values without parts.
macro_rules! visit {
    ($($method:ident($($argument:ident: $ty:ty)?))*) => {$(
        #[inline]
        fn $method<E: de::Error>(self $(, $argument: $ty)?) -> Result<V::Value, E> {
            let bounds = self.bounds;
            self.visitor.$method($($argument)?).map_err(|fault| bounds.keep(fault))
        }
    )*};
}

/// Wraps the parts of the visited value in [`Bounded`].
macro_rules! inside {
    ($(
        $method:ident($part:ident) $(if $check:ident)? $(in $level:ident)?
            as $wrapper:ident { $($counted:ident)? };
    )*) => {$(
        #[inline]
        fn $method<I: $part<'de>>(self, inner: I) -> Result<V::Value, I::Error> {
            let bounds = self.bounds;
            $(bounds.$check().map_err(|fault| bounds.keep(fault))?;)?
            $(let $level = bounds.enter().map_err(|fault| bounds.keep(fault))?;)?
            let parts = $wrapper { inner, bounds $(, $counted: self.$counted)? };
            self.visitor.$method(parts).map_err(|fault| bounds.keep(fault))
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Inside<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    visit! {
        visit_bool(value: bool)
        visit_i8(value: i8)
        visit_i16(value: i16)
        visit_i32(value: i32)
        visit_i64(value: i64)
        visit_i128(value: i128)
        visit_u8(value: u8)
        visit_u16(value: u16)
        visit_u32(value: u32)
        visit_u64(value: u64)
        visit_u128(value: u128)
        visit_f32(value: f32)
        visit_f64(value: f64)
        visit_char(value: char)
        visit_str(value: &str)
        visit_borrowed_str(value: &'de str)
        visit_string(value: String)
        visit_bytes(value: &[u8])
        visit_borrowed_bytes(value: &'de [u8])
        visit_byte_buf(value: Vec<u8>)
        visit_none()
        visit_unit()
    }

    inside! {
        visit_some(Deserializer) if check_stack as Bounded {};
        visit_newtype_struct(Deserializer) as Bounded {};
        visit_seq(SeqAccess) in _level as BoundedElements { counted };
        visit_map(MapAccess) in _level as BoundedElements { counted };
        visit_enum(EnumAccess) as Bounded {};
    }
}

/// The elements of a sequence or the entries of a map.
struct BoundedElements<'b, A> {
    inner: A,
    bounds: &'b Bounds<'b>,
    counted: bool,
}

impl<A> BoundedElements<'_, A> {
    /// Returns how many elements to allocate for: at most the possible number.
    fn expect(&self, claimed: Option<usize>) -> Option<usize> {
        claimed.map(|claimed| claimed.min(self.bounds.elements.get()))
    }
}

/// Forwards the method for the next element, or the next key.
macro_rules! next {
    ($method:ident $(, $wrap:ident)?) => {
        #[inline]
        fn $method<S: DeserializeSeed<'de>>(
            &mut self,
            seed: S,
        ) -> Result<Option<S::Value>, Self::Error> {
            $(let seed = $wrap { inner: seed, as_number: self.counted && self.bounds.number_keys };)?
            let next = self.inner.$method(self.bounds.around(seed)).map_err(Fault::Codec)?;
            if next.is_some() && self.counted {
                self.bounds.count_element()?;
            }
            Ok(next)
        }

        #[inline]
        fn size_hint(&self) -> Option<usize> {
            self.expect(self.inner.size_hint())
        }
    };
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for BoundedElements<'_, A> {
    type Error = Fault<A::Error>;

    next!(next_element_seed);
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for BoundedElements<'_, A> {
    type Error = Fault<A::Error>;

    next!(next_key_seed, Key);

    #[inline]
    fn next_value_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<S::Value, Self::Error> {
        self.inner.next_value_seed(self.bounds.around(seed)).map_err(Fault::Codec)
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Bounded<'_, S> {
    type Value = S::Value;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<S::Value, D::Error> {
        let bounds = self.bounds;
        self.inner.deserialize(bounds.around(inner)).map_err(|fault| bounds.keep(fault))
    }
}

impl<'de, 'b, A: EnumAccess<'de>> EnumAccess<'de> for Bounded<'b, A> {
    type Error = Fault<A::Error>;
    type Variant = Bounded<'b, A::Variant>;

    #[inline]
    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self::Variant), Self::Error> {
        let bounds = self.bounds;
        let (value, inner) = self.inner.variant_seed(bounds.around(seed)).map_err(Fault::Codec)?;
        Ok((value, bounds.around(inner)))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Bounded<'_, A> {
    type Error = Fault<A::Error>;

    #[inline]
    fn unit_variant(self) -> Result<(), Self::Error> {
        self.inner.unit_variant().map_err(Fault::Codec)
    }

    #[inline]
    fn newtype_variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<S::Value, Self::Error> {
        let _level = self.bounds.enter()?;
        self.inner.newtype_variant_seed(self.bounds.around(seed)).map_err(Fault::Codec)
    }

    forward! {
        tuple_variant(len: usize) in _level;
        struct_variant(fields: &'static [&'static str]) in _level;
    }
}
