//! Tells a `Result` from any other type, behind whatever alias, and finds its two types.
//!
//! `Probe::<T>::IS_RESULT` is the inherent constant where there is one, which is for a
//! `Result`, and else that of the trait, which generated code has in scope. As the argument of
//! [`ResultType`] it picks the one implementation that there is.

use std::marker::PhantomData;

use crate::error::NoAppError;

/// Stands for a return type.
pub struct Probe<T>(PhantomData<T>);

impl<T, E> Probe<Result<T, E>> {
    /// Yes.
    pub const IS_RESULT: bool = true;
}

/// What is not a `Result`.
pub trait NotResult {
    /// No.
    const IS_RESULT: bool = false;
}

impl<T> NotResult for Probe<T> {}

/// Returns what a method returned as the `Result` that it stands for.
pub fn result<const IS_RESULT: bool, R: ResultType<IS_RESULT>>(
    returned: R,
) -> Result<R::Ok, R::Err> {
    returned.into_result()
}

/// The value's and the error's type of a return type. One that is no `Result` is a value without an
/// error.
pub trait ResultType<const IS_RESULT: bool>: Sized + 'static {
    /// The type of the value.
    type Ok;
    /// The type of the error.
    type Err;

    /// Returns the value or the error.
    fn into_result(self) -> Result<Self::Ok, Self::Err>;
}

impl<T: 'static, E: 'static> ResultType<true> for Result<T, E> {
    type Ok = T;
    type Err = E;

    fn into_result(self) -> Self {
        self
    }
}

impl<T: 'static> ResultType<false> for T {
    type Ok = T;
    type Err = NoAppError;

    fn into_result(self) -> Result<T, NoAppError> {
        Ok(self)
    }
}
