//! What the compiler finds of a return type behind an alias.

/// Returns which kind of `Result` a type is, if it is one: the argument of
/// [`ResultType`](crate::__private::v1::ResultType).
#[doc(hidden)]
#[macro_export]
macro_rules! __result_kind {
    ($returned:ty) => {{
        #[allow(unused_imports, reason = "what has an inherent constant needs no trait")]
        use $crate::__private::v1::{NotIoResult as _, NotResult as _};
        $crate::__private::v1::Probe::<$returned>::IS_RESULT
            + $crate::__private::v1::IoProbe::<$returned>::IS_IO
    }};
}

pub use __result_kind as result_kind;
