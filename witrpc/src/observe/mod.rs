//! What users see of each call: [`hooks`], [`spans`] of the crate `tracing`, and
//! [`counters`].

pub mod counters;
pub mod hooks;
pub mod left_behind;
pub mod spans;
