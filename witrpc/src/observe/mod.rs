//! The ways to observe calls: [`hooks`], [`spans`] of the crate `tracing`, and [`counters`].

pub mod counters;
pub mod hooks;
pub mod left_behind;
pub mod spans;
