//! The `T` of an argument `&T`: a value, or one of the types that are only ever lent.
//!
//! The compiler picks by the type itself. So an alias of `Path` is a path, and a type of the user's that
//! is called `Path` is a value.

use std::borrow::{Borrow, Cow};
use std::ffi::{CStr, CString, OsStr, OsString};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::codec::{Lent, RawElement, Transfer, Wire};
use crate::contract::trace;

use super::argument::{
    Argument, CStrKind, OsStrKind, PathKind, RawKind, StrKind, TransferKind, ValueKind, c_str,
    os_str, path, raw, str, value,
};

/// The form of `&T` as an argument. It asks nothing of the type.
pub trait LentType: 'static {
    /// The form.
    type Kind: TransferKind;
    /// The owned type in its place in an event.
    type Owned;

    /// Makes the owned value from the received one.
    #[doc(hidden)]
    fn own(taken: <Self::Kind as TransferKind>::Taken<'_>) -> Self::Owned;
}

/// The form in which a `&T` crosses.
pub type Borrowed<T> = Argument<<T as LentType>::Kind>;
/// The owned type of a `&T` in an event.
pub type Owned<T> = <T as LentType>::Owned;

/// A type whose values a method can be lent.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel between processes",
    label = "not `Serialize + DeserializeOwned + Send + 'static`",
    note = "derive `serde::Serialize` and `serde::Deserialize` for it and for every type in it, and have it own its data: no `Rc`, no reference",
    note = "a type of another crate may have them behind a feature, often called `serde`; or send what you need of it in a type of your own",
    note = "a `Shared` is an argument, a result or its `Ok`, and part of nothing else; its elements also derive `bytemuck::Pod` and `bytemuck::Zeroable` (with `#[repr(C)]`), or write a `Vec` instead"
)]
pub trait Lendable: LentType {
    /// Whether it is a `Shared`.
    #[doc(hidden)]
    const IS_SHARED: bool = false;

    /// The form in which it crosses, but for its name, or the reason why it does not.
    #[doc(hidden)]
    const HOW: Result<Borrowed<Self>, &'static str>;
}

impl<T: 'static> LentType for T {
    type Kind = ValueKind<T>;
    type Owned = T;

    fn own(taken: T) -> T {
        taken
    }
}

#[diagnostic::do_not_recommend]
impl<T: Transfer> Lendable for T {
    const IS_SHARED: bool = T::ELEMENT.is_some();
    const HOW: Result<Borrowed<T>, &'static str> = Ok(value(""));
}

impl<T: 'static> LentType for [T]
where
    [T]: ToOwned<Owned = Vec<T>>,
{
    type Kind = RawKind<T>;
    type Owned = Vec<T>;

    fn own(taken: <RawKind<T> as TransferKind>::Taken<'_>) -> Vec<T> {
        (*taken).to_owned()
    }
}

#[diagnostic::do_not_recommend]
impl<T: RawElement> Lendable for [T] {
    const HOW: Result<Borrowed<[T]>, &'static str> = Ok(raw(""));
}

macro_rules! only_lent {
    ($($lent:ty, $owned:ty, $kind:ty, $how:expr;)*) => {$(
        impl LentType for $lent {
            type Kind = $kind;
            type Owned = $owned;

            fn own(taken: Cow<'_, $lent>) -> $owned {
                taken.into_owned()
            }
        }

        #[diagnostic::do_not_recommend]
        impl Lendable for $lent {
            const HOW: Result<Borrowed<$lent>, &'static str> = Ok($how);
        }
    )*};
}

only_lent! {
    str, String, StrKind, str("");
    Path, PathBuf, PathKind, path("");
    OsStr, OsString, OsStrKind, os_str("");
    CStr, CString, CStrKind, c_str("");
}

/// Returns how an argument `&T` crosses.
#[must_use]
#[track_caller]
pub const fn lent<T: Lendable + Lent + ?Sized>(name: &'static str) -> Borrowed<T> {
    match T::HOW {
        Ok(how) => how.named(name),
        Err(why) => panic!("{}", why),
    }
}

/// Returns how an argument `&T` of an event crosses: to many clients, so it is not shared.
#[must_use]
#[track_caller]
pub const fn emitted_lent<T: Lendable + Lent + ?Sized>(name: &'static str) -> Borrowed<T> {
    assert!(!T::IS_SHARED, "{}", EVENT_SHARED);
    lent::<T>(name)
}

/// Returns how an argument `T` of an event crosses: to many clients, so it is not shared.
#[must_use]
#[track_caller]
pub const fn emitted<T: Transfer>(name: &'static str) -> Borrowed<T> {
    assert!(T::ELEMENT.is_none(), "{}", EVENT_SHARED);
    value(name)
}

/// The form of an argument `Option<&T>`.
pub struct OptionalKind<T: ?Sized>(PhantomData<fn() -> T>);

impl<T: LentType + ?Sized> TransferKind for OptionalKind<T> {
    type Lent<'a> = Option<&'a T>;
    type Taken<'a> = Option<T::Owned>;
}

/// The form in which an `Option<&T>` crosses.
pub type Optional<T> = Argument<OptionalKind<T>>;

/// A type that a method can be lent in an `Option`: it crosses as the owned type does.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel between processes",
    label = "not `Serialize + DeserializeOwned + Send + 'static`",
    note = "derive `serde::Serialize` and `serde::Deserialize` for it and for every type in it, and have it own its data: no `Rc`, no reference",
    note = "a type of another crate may have them behind a feature, often called `serde`; or send what you need of it in a type of your own",
    note = "a `Shared` is no part of an `Option`: make a method that takes it, and one that does not"
)]
pub trait OptionallyLent: Serialize + LentType<Owned: Wire + Borrow<Self>> {}

#[diagnostic::do_not_recommend]
impl<T: LentType<Owned: Wire + Borrow<T>> + Serialize + ?Sized> OptionallyLent for T {}

/// Returns how an argument `Option<&T>` crosses.
#[must_use]
pub const fn optional<T: OptionallyLent + Lent + ?Sized>(name: &'static str) -> Optional<T> {
    Argument::of_value(
        name,
        |value, name, to| to.optional(name, value),
        |name, from| from.value(name),
        trace::<Option<T::Owned>>,
    )
}

/// Returns an argument `Option<&T>` that has come, as a method takes it.
pub fn lend<T: LentType<Owned: Borrow<T>> + ?Sized>(taken: &Option<T::Owned>) -> Option<&T> {
    taken.as_ref().map(Borrow::borrow)
}

const EVENT_SHARED: &str = "a `Shared` is lent to one process by one call, so an event cannot carry it to its \
     subscribers; write a `Vec`, or send what names it and have a method return the `Shared`";
