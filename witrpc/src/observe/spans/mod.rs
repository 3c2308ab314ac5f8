//! Spans of the crate `tracing` around calls, on both sides, if the feature `tracing` is on.
//!
//! Without it, `absent` takes their place: types without a size whose methods do nothing, so that
//! not one instruction of a call is left of them.

#[cfg(not(feature = "tracing"))]
pub mod absent;
#[cfg(feature = "tracing")]
pub mod present;

#[cfg(not(feature = "tracing"))]
pub use absent::{MadeSpan, ServedSpan, are_wanted};
#[cfg(feature = "tracing")]
pub use present::{MadeSpan, ServedSpan, are_wanted};
