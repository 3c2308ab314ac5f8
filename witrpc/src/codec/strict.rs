//! A serializer around a codec's that refuses values which the codec would not return as they were.
//!
//! - A field that `skip_serializing_if` leaves out: postcard has no names, so the reader would mistake
//!   the next field's bytes for it.
//! - A float that is not finite: JSON writes `null`.
//! - `Some` of a value that is null on the wire: self-describing codecs write `None` in the same way.
//! - Nesting that is too deep for the reader, or for the stack of this thread: see
//!   [`bounded`](super::bounded).

use std::cell::{Cell, RefCell};
use std::fmt;

use serde::ser;
use serde::ser::{
    Error as _, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant,
};
use witrpc_rt::StackLimit;

use super::Codec;
use super::error::EncodeFault;
use super::fault::{Fault, MAX_DEPTH, Words};
use super::scope::scoped;

/// The name under which `serde_json` passes JSON text that is written unchanged.
const RAW_JSON: &str = "$serde_json::private::RawValue";

/// Serializes `value` through a codec's serializer. Returns how many elements all its sequences and
/// maps have together.
///
/// # Errors
///
/// The refusal of the codec, or of a rule above.
#[inline]
pub fn serialize<T: Serialize + ?Sized, S: ser::Serializer>(
    value: &T,
    codec: Codec,
    serializer: S,
) -> Result<usize, EncodeFault> {
    let seen = Seen::new();
    let within = Within { codec, depth: 0, option: Around::Other, seen: &seen };
    let strict = Strict { inner: serializer, within };
    match within.check_scope(value).and_then(|()| value.serialize(strict)) {
        Ok(_) => Ok(seen.elements.get()),
        Err(fault) => Err(seen.tell(codec, fault)),
    }
}

/// The findings so far in one value.
struct Seen {
    stack: StackLimit,
    words: Words,
    elements: Cell<usize>,
    /// Whether the value is refused for a `Some` of null.
    null_in_some: Cell<bool>,
    /// Whether the value is refused for a field that is left out.
    left_out: Cell<bool>,
    /// The path to a refused value, from the inside out. Written while an error returns.
    path: RefCell<Vec<&'static str>>,
}

impl Seen {
    #[inline]
    fn new() -> Self {
        Self {
            stack: StackLimit::of_this_thread(),
            words: Words::default(),
            elements: Cell::new(0),
            null_in_some: Cell::new(false),
            left_out: Cell::new(false),
            path: RefCell::default(),
        }
    }

    #[cold]
    fn tell<E: fmt::Display>(self, codec: Codec, fault: Fault<E>) -> EncodeFault {
        if self.null_in_some.get() {
            let mut path = self.path.into_inner();
            path.reverse();
            return EncodeFault::NullInSome { codec, path: path.join(".") };
        }
        let left_out = self.left_out.get();
        let message = self.words.tell(fault, |error| error.to_string());
        if left_out {
            return EncodeFault::LeftOut { codec, message };
        }
        EncodeFault::Codec { codec, message }
    }

    /// Records the step that leads to the place of the fault.
    #[cold]
    fn failed_at<E>(&self, step: &'static str, fault: E) -> Fault<E> {
        self.path.borrow_mut().push(step);
        Fault::Codec(fault)
    }
}

/// The surroundings of a value that decide whether it may be null.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Around {
    /// A `Some`, perhaps with newtypes in between, which leave no trace on the wire.
    Some,
    /// JSON text in a `Some`, which may be the word `null`.
    RawInSome,
    Other,
}

/// The rules at one place of a value.
#[derive(Clone, Copy)]
struct Within<'w> {
    codec: Codec,
    depth: u32,
    option: Around,
    seen: &'w Seen,
}

impl Within<'_> {
    /// Returns the rules inside a value with parts, whose struct or variant has this name.
    fn deeper<E>(self, name: &str) -> Result<Self, Fault<E>> {
        let inside = self.inside_newtype()?;
        let is_raw = self.option == Around::Some && name == RAW_JSON;
        let option = if is_raw { Around::RawInSome } else { Around::Other };
        Ok(Self { option, ..inside })
    }

    /// Checks the depth for a variant without content, which takes a level of its own.
    fn check_depth<E>(self) -> Result<(), Fault<E>> {
        self.inside_newtype().map(drop)
    }

    fn inside_newtype<E>(mut self) -> Result<Self, Fault<E>> {
        self.check_stack()?;
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err(Fault::too_deep()) } else { Ok(self) }
    }

    fn inside_some<E>(self) -> Result<Self, Fault<E>> {
        self.check_stack()?;
        let option = if self.codec.describes_itself() { Around::Some } else { Around::Other };
        Ok(Self { option, ..self })
    }

    fn check_stack<E>(self) -> Result<(), Fault<E>> {
        let stack = self.seen.stack;
        if stack.is_reached() { Err(Fault::no_stack(stack)) } else { Ok(()) }
    }

    /// Checks that null may be written here.
    fn check_null<E>(self) -> Result<(), Fault<E>> {
        if self.option == Around::Other { Ok(()) } else { Err(self.null_in_some()) }
    }

    /// Checks that this text, which may be unchanged JSON, may be written here.
    fn check_text<E>(self, text: &str) -> Result<(), Fault<E>> {
        let is_null = self.option == Around::RawInSome && text.trim() == "null";
        if is_null { Err(self.null_in_some()) } else { Ok(()) }
    }

    #[cold]
    fn null_in_some<E>(self) -> Fault<E> {
        self.seen.null_in_some.set(true);
        Fault::said("a Some holds a value that is written as null".to_owned())
    }

    fn check_float<E>(self, finite: bool) -> Result<(), Fault<E>> {
        if finite || !self.codec.is_text() {
            return Ok(());
        }
        Err(Fault::said(
            "a number is NaN or infinite, which JSON has no notation for: use another codec, or a \
             whole `Vec` of numbers"
                .to_owned(),
        ))
    }

    #[inline]
    fn check_scope<T: Serialize + ?Sized, E>(self, value: &T) -> Result<(), Fault<E>> {
        if self.codec != Codec::Postcard {
            return Ok(());
        }
        match scoped(value) {
            None => Ok(()),
            Some(address) => Err(Fault::said(format!(
                "the address {address} has a scope, which {} would lose: use MessagePack or JSON, or \
                 send the address as a string",
                self.codec
            ))),
        }
    }

    fn skip<E>(self, structure: &str, field: &str) -> Result<(), Fault<E>> {
        if self.codec != Codec::Postcard {
            return Ok(());
        }
        self.seen.left_out.set(true);
        Err(Fault::said(format!(
            "field `{field}` of `{structure}` is left out by `skip_serializing_if`, and postcard \
             has no field names to tell which: remove the attribute, or use MessagePack or JSON"
        )))
    }

    /// Counts the elements of a sequence or map that gives their number. Without a number, postcard
    /// refuses it; in JSON, each element takes bytes.
    fn count_elements(self, len: Option<usize>) {
        let elements = &self.seen.elements;
        elements.set(elements.get().saturating_add(len.unwrap_or(0)));
    }

    fn value<'a, T: ?Sized>(&'a self, value: &'a T) -> Checked<'a, T> {
        Checked { value, within: *self }
    }
}

/// A value inside another, which passes through the codec back to [`Strict`].
struct Checked<'a, T: ?Sized> {
    value: &'a T,
    within: Within<'a>,
}

impl<T: Serialize + ?Sized> Serialize for Checked<'_, T> {
    #[inline]
    fn serialize<S: ser::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let strict = Strict { inner: serializer, within: self.within };
        self.within
            .check_scope(self.value)
            .and_then(|()| self.value.serialize(strict))
            .map_err(|fault| self.within.seen.words.keep(fault, |words| S::Error::custom(words)))
    }
}

struct Strict<'w, S> {
    inner: S,
    within: Within<'w>,
}

/// Forwards the methods for values without parts, some after a check.
macro_rules! forward {
    ($(
        $method:ident($($argument:ident: $ty:ty),*) $(if $check:ident($($checked:expr)?))?;
    )*) => {$(
        #[inline]
        fn $method(self, $($argument: $ty),*) -> Result<S::Ok, Self::Error> {
            $(self.within.$check($($checked)?)?;)?
            self.inner.$method($($argument),*).map_err(Fault::Codec)
        }
    )*};
}

/// Forwards the methods that begin a value with parts. Some take the number of parts.
macro_rules! begin {
    ($(
        $method:ident($($argument:ident: $ty:ty),*) -> $part:ident, $name:expr $(, counts $len:ident)?;
    )*) => {$(
        #[inline]
        fn $method(self, $($argument: $ty),*) -> Result<Self::$part, Self::Error> {
            let within = self.within.deeper($name)?;
            $(within.count_elements($len);)?
            let inner = self.inner.$method($($argument),*).map_err(Fault::Codec)?;
            Ok(StrictParts { inner, within, name: $name })
        }
    )*};
}

impl<'w, S: ser::Serializer> ser::Serializer for Strict<'w, S> {
    type Ok = S::Ok;
    type Error = Fault<S::Error>;
    type SerializeSeq = StrictParts<'w, S::SerializeSeq>;
    type SerializeTuple = StrictParts<'w, S::SerializeTuple>;
    type SerializeTupleStruct = StrictParts<'w, S::SerializeTupleStruct>;
    type SerializeTupleVariant = StrictParts<'w, S::SerializeTupleVariant>;
    type SerializeMap = StrictParts<'w, S::SerializeMap>;
    type SerializeStruct = StrictParts<'w, S::SerializeStruct>;
    type SerializeStructVariant = StrictParts<'w, S::SerializeStructVariant>;

    forward! {
        serialize_bool(value: bool);
        serialize_i8(value: i8);
        serialize_i16(value: i16);
        serialize_i32(value: i32);
        serialize_i64(value: i64);
        serialize_i128(value: i128);
        serialize_u8(value: u8);
        serialize_u16(value: u16);
        serialize_u32(value: u32);
        serialize_u64(value: u64);
        serialize_u128(value: u128);
        serialize_f32(value: f32) if check_float(value.is_finite());
        serialize_f64(value: f64) if check_float(value.is_finite());
        serialize_char(value: char);
        serialize_str(text: &str) if check_text(text);
        serialize_bytes(value: &[u8]);
        serialize_none() if check_null();
        serialize_unit() if check_null();
        serialize_unit_variant(name: &'static str, index: u32, variant: &'static str)
            if check_depth();
    }

    begin! {
        serialize_seq(len: Option<usize>) -> SerializeSeq, "", counts len;
        serialize_tuple(len: usize) -> SerializeTuple, "";
        serialize_tuple_struct(name: &'static str, len: usize) -> SerializeTupleStruct, name;
        serialize_tuple_variant(
            name: &'static str, index: u32, variant: &'static str, len: usize
        ) -> SerializeTupleVariant, name;
        serialize_map(len: Option<usize>) -> SerializeMap, "", counts len;
        serialize_struct(name: &'static str, len: usize) -> SerializeStruct, name;
        serialize_struct_variant(
            name: &'static str, index: u32, variant: &'static str, len: usize
        ) -> SerializeStructVariant, variant;
    }

    /// As a unit, which is what a unit struct is for the codecs here, but for MessagePack: an empty list
    /// there, which serde's buffer behind a tag does not take for one.
    #[inline]
    fn serialize_unit_struct(self, _name: &'static str) -> Result<S::Ok, Self::Error> {
        self.serialize_unit()
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, Self::Error> {
        self.inner.serialize_some(&self.within.inside_some()?.value(value)).map_err(Fault::Codec)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, Self::Error> {
        let within = self.within.inside_newtype()?;
        self.inner.serialize_newtype_struct(name, &within.value(value)).map_err(Fault::Codec)
    }

    #[inline]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, Self::Error> {
        let within = self.within.deeper(variant)?;
        self.inner
            .serialize_newtype_variant(name, index, variant, &within.value(value))
            .map_err(|error| within.seen.failed_at(variant, error))
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> Result<S::Ok, Self::Error> {
        self.inner.collect_str(value).map_err(Fault::Codec)
    }

    #[inline]
    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

/// A value with parts that has begun.
struct StrictParts<'w, C> {
    inner: C,
    within: Within<'w>,
    /// The struct or variant, for messages.
    name: &'static str,
}

/// Forwards the parts of a compound, and reports the fields that are left out.
macro_rules! parts {
    ($(
        $compound:ident: $($method:ident($($field:ident)?) at $step:expr),+ $(=> skips $skipped:ident)?;
    )*) => {$(
        impl<C: $compound> $compound for StrictParts<'_, C> {
            type Ok = C::Ok;
            type Error = Fault<C::Error>;

            $(
                #[inline]
                fn $method<T: Serialize + ?Sized>(
                    &mut self,
                    $($field: &'static str,)?
                    value: &T,
                ) -> Result<(), Self::Error> {
                    let Self { inner, within, .. } = self;
                    inner
                        .$method($($field,)? &within.value(value))
                        .map_err(|error| within.seen.failed_at($step, error))
                }
            )+

            $(
                fn skip_field(&mut self, $skipped: &'static str) -> Result<(), Self::Error> {
                    self.within.skip(self.name, $skipped)?;
                    self.inner.skip_field($skipped).map_err(Fault::Codec)
                }
            )?

            #[inline]
            fn end(self) -> Result<C::Ok, Self::Error> {
                self.inner.end().map_err(Fault::Codec)
            }
        }
    )*};
}

parts! {
    SerializeSeq: serialize_element() at "[]";
    SerializeTuple: serialize_element() at "()";
    SerializeTupleStruct: serialize_field() at "()";
    SerializeTupleVariant: serialize_field() at "()";
    SerializeMap: serialize_key() at "{key}", serialize_value() at "{}";
    SerializeStruct: serialize_field(field) at field => skips field;
    SerializeStructVariant: serialize_field(field) at field => skips field;
}
