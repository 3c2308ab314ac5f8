//! The call of an async client.

/// Calls a method within a future, and waits there for the answer.
///
/// This is a macro because a function would have its own future, into which the call would be
/// copied.
#[doc(hidden)]
#[macro_export]
macro_rules! __call_async {
    ($method:ty, $connection:expr, $arguments:expr) => {{
        let call = $crate::__private::v1::AsyncCall::of::<$method>($connection, $arguments);
        match call.short().await.and_then(|answer| call.value::<$method>(&answer)) {
            ::core::result::Result::Ok(value) => ::core::result::Result::Ok(value),
            ::core::result::Result::Err(how_far) => {
                call.into_general().send_from(how_far).await.outcome::<$method>()
            }
        }
    }};
}

pub use __call_async as call_async;
