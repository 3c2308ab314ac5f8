//! What users see of calls: hooks and spans.

pub(crate) mod counters;
pub(crate) mod hooks;
pub(crate) mod left_behind;
pub(crate) mod spans;
