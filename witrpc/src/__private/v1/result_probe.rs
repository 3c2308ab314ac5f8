//! Tells a `Result` from any other type, behind whatever alias.
//!
//! `ResultProbe::<T>::IS_RESULT` is the inherent constant where there is one, which is for a
//! `Result`, and else that of the trait, which generated code has in scope.

use std::marker::PhantomData;

/// Stands for a return type.
pub struct ResultProbe<T>(PhantomData<T>);

impl<T, E> ResultProbe<Result<T, E>> {
    /// Yes.
    pub const IS_RESULT: bool = true;
}

/// What is not a `Result`.
pub trait NotResult {
    /// No.
    const IS_RESULT: bool = false;
}

impl<T> NotResult for ResultProbe<T> {}
