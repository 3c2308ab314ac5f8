//! The form in which the answer of a method crosses.

use crate::codec::{Transfer, Wire};
use crate::error::NoAppError;

use super::argument::{Error, Value, error, value};
use super::{Method, ResultType};

/// The form in which a value `T` crosses, and an error `E` if there is one.
pub struct Answer<T: 'static, E: 'static> {
    pub(super) ok: Value<T>,
    pub(super) err: Error<E>,
}

/// The form in which the answer of the method `M` crosses.
pub type AnswerOf<M> = Answer<<M as Method>::Ok, <M as Method>::Err>;

/// Returns how the answer of a method crosses that returns a value.
#[must_use]
pub const fn answer<T: Transfer>() -> Answer<T, NoAppError> {
    Answer { ok: value("result"), err: None }
}

/// Returns how the answer of a method crosses that returns a `Result`.
#[must_use]
pub const fn answer_or_error<T: Transfer, E: AppError>() -> Answer<T, E> {
    Answer { ok: value("result"), err: E::HOW }
}

/// The error of a method, if it has one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel between processes",
    label = "not `Serialize + DeserializeOwned + Send + 'static`",
    note = "derive `serde::Serialize` and `serde::Deserialize` for it and for every type in it, and have it own its data: no `Rc`, no reference",
    note = "a type of another crate may have them behind a feature, often called `serde`; or send what you need of it in a type of your own",
    note = "a `Shared` is an argument, a result or its `Ok`, and part of nothing else; its elements also derive `bytemuck::Pod` and `bytemuck::Zeroable` (with `#[repr(C)]`), or write a `Vec` instead",
    note = "if clients only report the error, return `Result<.., witrpc::RemoteError>`: `?` turns every error into one, and `RemoteError::new` an `anyhow::Error`"
)]
pub trait AppError: Sized + 'static {
    /// The form in which it crosses.
    #[doc(hidden)]
    const HOW: Error<Self>;
}

#[diagnostic::do_not_recommend]
impl<E: Wire> AppError for E {
    const HOW: Error<E> = error();
}

#[diagnostic::do_not_recommend]
impl AppError for NoAppError {
    const HOW: Error<Self> = None;
}

/// Returns how the answer of a method crosses whose return type may be a `Result` under another name.
#[must_use]
pub const fn alias<R, const KIND: u8>() -> Answer<R::Ok, R::Err>
where
    R: ResultType<KIND, Ok: Transfer, Err: AppError>,
{
    Answer { ok: value("result"), err: R::Err::HOW }
}
