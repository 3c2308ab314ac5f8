//! What users see of each call: [`hooks`], [`spans`] of the crate `tracing`, and
//! [`counters`].

pub(crate) mod counters;
pub(crate) mod hooks;
pub(crate) mod left_behind;
pub(crate) mod spans;
