//! Tells a `Result` from any other type, behind whatever alias, and finds its two types.
//!
//! `ResultProbe::<T>::IS_RESULT` is the inherent constant where there is one, which is for a
//! `Result`, and else that of the trait, which `is_result` has in scope. As the argument of
//! [`ResultType`] it picks the one implementation that there is.

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

/// Whether a type is a `Result`.
#[doc(hidden)]
#[macro_export]
macro_rules! __is_result {
    ($ty:ty) => {{
        #[allow(unused_imports)]
        use $crate::__private::v1::NotResult as _;
        $crate::__private::v1::ResultProbe::<$ty>::IS_RESULT
    }};
}

pub use __is_result as is_result;

/// The two types of a return type that should be a `Result`. One that is not has them too: otherwise
/// the compiler would repeat at each use what generated code asserts once.
pub trait ResultType<const IS_RESULT: bool>: Sized + 'static {
    /// The type of the value.
    type Ok;
    /// The type of the error.
    type Err;

    /// Returns the `Result` itself.
    fn into_result(self) -> Result<Self::Ok, Self::Err>;

    /// Returns the `Result` itself, lent.
    fn as_result(&self) -> Result<&Self::Ok, &Self::Err>;
}

impl<T: 'static, E: 'static> ResultType<true> for Result<T, E> {
    type Ok = T;
    type Err = E;

    fn into_result(self) -> Self {
        self
    }

    fn as_result(&self) -> Result<&T, &E> {
        self.as_ref()
    }
}

impl<T: 'static> ResultType<false> for T {
    type Ok = T;
    type Err = ();

    fn into_result(self) -> Result<T, ()> {
        Ok(self)
    }

    fn as_result(&self) -> Result<&T, &()> {
        Ok(self)
    }
}
