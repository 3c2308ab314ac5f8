//! The ways to observe calls: [`hooks`], [`spans`] of the crate `tracing`, and [`counters`], by method in
//! [`method_meter`] and [`metered_call`].

pub mod counters;
pub mod hooks;
pub mod left_behind;
pub mod metered_call;
pub mod method_meter;
pub mod spans;
