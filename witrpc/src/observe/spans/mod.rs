//! Spans of the crate `tracing` around calls, on both sides, if the feature `tracing` is on.
//!
//! Without it, `absent` replaces them by types of size zero whose methods do nothing. So a call has no
//! instruction for them.

#[cfg(not(feature = "tracing"))]
pub mod absent;
#[cfg(feature = "tracing")]
pub mod present;

#[cfg(not(feature = "tracing"))]
pub use absent::{MadeSpan, ServedSpan, are_wanted};
#[cfg(feature = "tracing")]
pub use present::{MadeSpan, ServedSpan, are_wanted};
