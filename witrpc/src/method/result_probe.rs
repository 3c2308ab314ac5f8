//! Tells a `Result` from any other type, behind whatever alias, and finds its two types.
//!
//! `Probe::<T>::IS_RESULT` is the inherent constant where there is one, which is for a
//! `Result`, and else that of the trait, which generated code has in scope. `IoProbe` tells in the same way
//! whether its error is that of `std::io`. The sum is the argument of [`ResultType`], and picks the one
//! implementation that there is.

use std::io;
use std::marker::PhantomData;

use crate::error::{NoAppError, RemoteError};

/// Stands for a return type.
pub struct Probe<T>(PhantomData<T>);

impl<T, E> Probe<Result<T, E>> {
    /// Yes.
    pub const IS_RESULT: u8 = 1;
}

/// Stands for a return type too.
pub struct IoProbe<T>(PhantomData<T>);

impl<T> IoProbe<io::Result<T>> {
    /// Yes.
    pub const IS_IO: u8 = 1;
}

/// What is not an `io::Result`.
pub trait NotIoResult {
    /// No.
    const IS_IO: u8 = 0;
}

impl<T> NotIoResult for IoProbe<T> {}

/// What is not a `Result`.
pub trait NotResult {
    /// No.
    const IS_RESULT: u8 = 0;
}

impl<T> NotResult for Probe<T> {}

/// Returns what a method returned as the `Result` that it stands for.
pub fn result<const KIND: u8, R: ResultType<KIND>>(returned: R) -> Result<R::Ok, R::Err> {
    returned.into_result()
}

/// The value's and the error's type of a return type. One that is no `Result` is a value without an
/// error.
pub trait ResultType<const KIND: u8>: Sized + 'static {
    /// The type of the value.
    type Ok;
    /// The type of the error.
    type Err;

    /// Returns the value or the error.
    fn into_result(self) -> Result<Self::Ok, Self::Err>;
}

impl<T: 'static, E: 'static> ResultType<1> for Result<T, E> {
    type Ok = T;
    type Err = E;

    fn into_result(self) -> Self {
        self
    }
}

impl<T: 'static> ResultType<0> for T {
    type Ok = T;
    type Err = NoAppError;

    fn into_result(self) -> Result<T, NoAppError> {
        Ok(self)
    }
}

/// An error of `std::io` reaches the client in words, with its kind.
impl<T: 'static> ResultType<2> for io::Result<T> {
    type Ok = T;
    type Err = RemoteError;

    fn into_result(self) -> Result<T, RemoteError> {
        self.map_err(RemoteError::from)
    }
}
