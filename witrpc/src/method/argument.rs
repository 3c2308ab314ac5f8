//! The form in which one value crosses: an argument, a result or an error.
//!
//! An [`Argument`] holds the functions for one type. The functions that make one ask for the bounds.

use std::borrow::Cow;
use std::ffi::{CStr, CString, OsStr};
use std::marker::PhantomData;
use std::ops::Deref;

use crate::codec;
use crate::codec::{
    DecodeError, DecodeFault, Decoder, EncodeError, Encoder, RawElement, Transfer, Wire,
};
use crate::contract::{
    ArgumentDescriptor, ArgumentKind, Trace, trace, trace_path, trace_raw, trace_str,
};

use super::{UploadItem, UploadMethod};

/// The form of an argument on either side. It asks nothing of the types in it.
pub trait TransferKind {
    /// What the sender lends.
    type Lent<'a>: Copy;
    /// What the receiver has.
    type Taken<'a>;
}

/// The functions by which a value of one kind crosses.
pub struct Argument<K: TransferKind> {
    name: &'static str,
    kind: ArgumentKind,
    put: for<'a> fn(K::Lent<'a>, &'static str, &mut Encoder<'a>) -> Result<(), EncodeError>,
    take: for<'a> fn(&'static str, &mut Decoder<'a>) -> Result<K::Taken<'a>, DecodeError>,
    trace: Trace,
}

impl<K: TransferKind> Argument<K> {
    /// Adds it to a message.
    #[inline(always)]
    pub(crate) fn put<'a>(
        &self,
        lent: K::Lent<'a>,
        to: &mut Encoder<'a>,
    ) -> Result<(), EncodeError> {
        (self.put)(lent, self.name, to)
    }

    /// Reads it from a message.
    #[inline(always)]
    pub(crate) fn take<'a>(&self, from: &mut Decoder<'a>) -> Result<K::Taken<'a>, DecodeError> {
        (self.take)(self.name, from)
    }

    /// Returns the same under a name.
    pub(super) const fn named(self, name: &'static str) -> Self {
        Self { name, kind: self.kind, put: self.put, take: self.take, trace: self.trace }
    }

    /// Returns one that crosses as a value does, by these functions.
    pub(super) const fn of_value(
        name: &'static str,
        put: for<'a> fn(K::Lent<'a>, &'static str, &mut Encoder<'a>) -> Result<(), EncodeError>,
        take: for<'a> fn(&'static str, &mut Decoder<'a>) -> Result<K::Taken<'a>, DecodeError>,
        trace: Trace,
    ) -> Self {
        Self { name, kind: ArgumentKind::Value, put, take, trace }
    }

    /// Describes it.
    pub(super) const fn descriptor(&self) -> ArgumentDescriptor {
        ArgumentDescriptor { name: self.name, kind: self.kind, shape: self.trace }
    }

    /// Returns what reports its shape.
    pub(super) const fn trace(&self) -> Trace {
        self.trace
    }
}

/// `T`, or `&T` on the sender's side.
pub struct ValueKind<T>(PhantomData<fn() -> T>);

impl<T: 'static> TransferKind for ValueKind<T> {
    type Lent<'a> = &'a T;
    type Taken<'a> = T;
}

/// `&str`.
pub struct StrKind;

impl TransferKind for StrKind {
    type Lent<'a> = &'a str;
    type Taken<'a> = Cow<'a, str>;
}

/// `&Path`.
pub struct PathKind;

impl TransferKind for PathKind {
    type Lent<'a> = &'a std::path::Path;
    type Taken<'a> = Cow<'a, std::path::Path>;
}

/// `&OsStr`.
pub struct OsStrKind;

impl TransferKind for OsStrKind {
    type Lent<'a> = &'a OsStr;
    type Taken<'a> = Cow<'a, OsStr>;
}

/// `&CStr`.
pub struct CStrKind;

impl TransferKind for CStrKind {
    type Lent<'a> = &'a CStr;
    type Taken<'a> = Cow<'a, CStr>;
}

/// `&[T]`.
pub struct RawKind<T>(PhantomData<fn() -> T>);

impl<T: 'static> TransferKind for RawKind<T> {
    type Lent<'a> = &'a [T];
    type Taken<'a> = RawElements<'a, T>;
}

/// `impl Iterator` or `impl Stream`, whose items follow the message.
pub struct UploadKind<T>(PhantomData<fn() -> T>);

impl<T> TransferKind for UploadKind<T> {
    type Lent<'a> = ();
    type Taken<'a> = ();
}

/// The form in which a `T` or `&T` crosses.
pub type Value<T> = Argument<ValueKind<T>>;
/// The form in which a method's own error crosses, if it has one.
pub type Error<E> = Option<Value<E>>;
/// The form in which a `&str` crosses.
pub type Str = Argument<StrKind>;
/// The form in which a `&[T]` crosses.
pub type Raw<T> = Argument<RawKind<T>>;
/// The form of a stream of `T`: the message says nothing of it.
pub type Uploaded<T> = Argument<UploadKind<T>>;

/// Elements that arrived as raw memory: in place if aligned, otherwise copied.
pub enum RawElements<'a, T> {
    /// In the message.
    Here(&'a [T]),
    /// Copied.
    Copied(Vec<T>),
}

impl<T> RawElements<'_, T> {
    /// Returns elements that no message has to outlive.
    pub fn into_owned(self) -> Vec<T>
    where
        T: Clone,
    {
        match self {
            RawElements::Here(elements) => elements.to_vec(),
            RawElements::Copied(elements) => elements,
        }
    }
}

impl<T> Deref for RawElements<'_, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            RawElements::Here(elements) => elements,
            RawElements::Copied(elements) => elements,
        }
    }
}

/// Returns how an argument `T`, or the value of an answer, crosses.
#[must_use]
pub const fn value<T: Transfer>(name: &'static str) -> Value<T> {
    codec::assert_transfer::<T>();
    Argument { name, kind: ArgumentKind::Value, put: T::put, take: T::take, trace: trace::<T> }
}

/// Returns how a method's own error crosses.
#[must_use]
pub const fn error<E: Wire>() -> Error<E> {
    Some(value("error"))
}

/// Returns how an argument `&str` crosses.
#[must_use]
pub const fn str(name: &'static str) -> Str {
    Argument {
        name,
        kind: ArgumentKind::Str,
        put: |text, name, to| to.str(name, text),
        take: |name, from| from.str(name),
        trace: trace_str,
    }
}

/// Returns how an argument `&Path` crosses.
#[must_use]
pub const fn path(name: &'static str) -> Argument<PathKind> {
    Argument {
        name,
        kind: ArgumentKind::Path,
        put: |path, name, to| to.path(name, path),
        take: |name, from| from.path(name),
        trace: trace_path,
    }
}

/// Returns how an argument `&OsStr` crosses: as a path does.
#[must_use]
pub const fn os_str(name: &'static str) -> Argument<OsStrKind> {
    Argument {
        name,
        kind: ArgumentKind::Path,
        put: |text, name, to| to.path(name, text.as_ref()),
        take: |name, from| {
            Ok(match from.path(name)? {
                Cow::Borrowed(path) => Cow::Borrowed(path.as_os_str()),
                Cow::Owned(path) => Cow::Owned(path.into_os_string()),
            })
        },
        trace: trace_path,
    }
}

/// Returns how an argument `&CStr` crosses: as its bytes do, without the one that ends it.
#[must_use]
pub const fn c_str(name: &'static str) -> Argument<CStrKind> {
    Argument {
        name,
        kind: ArgumentKind::Raw,
        put: |text, name, to| to.raw(name, text.to_bytes()),
        take: |name, from| {
            let codec = from.codec;
            let text = CString::new(from.raw::<u8>(name)?);
            text.map(Cow::Owned).map_err(|error| DecodeError::Value {
                value: name,
                fault: DecodeFault::Codec { codec, message: error.to_string() },
            })
        },
        trace: trace_raw::<u8>,
    }
}

/// Returns how an argument `&[T]` crosses.
#[must_use]
pub const fn raw<T: RawElement>(name: &'static str) -> Raw<T> {
    codec::assert_raw::<T>();
    Argument {
        name,
        kind: ArgumentKind::Raw,
        put: |elements, name, to| to.raw(name, elements),
        take: |name, from| {
            Ok(match from.raw(name)? {
                Cow::Borrowed(elements) => RawElements::Here(elements),
                Cow::Owned(elements) => RawElements::Copied(elements),
            })
        },
        trace: trace_raw::<T>,
    }
}

/// Returns how the argument `impl Iterator` of a method crosses.
#[must_use]
pub const fn iterator<M: UploadMethod>(name: &'static str) -> Uploaded<M::Item> {
    upload(name, ArgumentKind::Iterator, M::Item::TRACE)
}

/// Returns how the argument `impl Stream` of a method crosses.
#[must_use]
pub const fn stream<M: UploadMethod>(name: &'static str) -> Uploaded<M::Item> {
    upload(name, ArgumentKind::Stream, M::Item::TRACE)
}

const fn upload<T>(name: &'static str, kind: ArgumentKind, trace: Trace) -> Uploaded<T> {
    Argument { name, kind, put: |(), _, _| Ok(()), take: |_, _| Ok(()), trace }
}
