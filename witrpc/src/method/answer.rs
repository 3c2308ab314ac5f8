//! How the answer of a method crosses.

use crate::codec::{Transfer, Wire};
use crate::error::NoAppError;

use super::argument::{Error, Value, error, value};
use super::{Method, ResultType};

/// How a value `T` crosses, and an error `E` if there is one.
pub struct Answer<T: 'static, E: 'static> {
    pub(super) ok: Value<T>,
    pub(super) err: Error<E>,
}

/// How the answer of the method `M` crosses.
pub type AnswerOf<M> = Answer<<M as Method>::Ok, <M as Method>::Err>;

/// Returns how the answer of a method crosses that returns a value.
#[must_use]
pub const fn answer<T: Transfer>() -> Answer<T, NoAppError> {
    Answer { ok: value("result"), err: None }
}

/// Returns how the answer of a method crosses that returns a `Result`.
#[must_use]
pub const fn answer_or_error<T: Transfer, E: Wire>() -> Answer<T, E> {
    Answer { ok: value("result"), err: error() }
}

/// How the answer of a method crosses whose return type may be a `Result` under another name.
pub trait AliasAnswer<const IS_RESULT: bool>: ResultType<IS_RESULT> {
    /// How it crosses.
    #[doc(hidden)]
    const ANSWER: Answer<Self::Ok, Self::Err>;
}

impl<T: Transfer, E: Wire> AliasAnswer<true> for Result<T, E> {
    const ANSWER: Answer<T, E> = answer_or_error();
}

impl<T: Transfer> AliasAnswer<false> for T {
    const ANSWER: Answer<T, NoAppError> = answer();
}

/// Returns how the answer of a method crosses whose return type may be a `Result` under another name.
#[must_use]
pub const fn alias<R: AliasAnswer<IS_RESULT>, const IS_RESULT: bool>() -> Answer<R::Ok, R::Err> {
    R::ANSWER
}
