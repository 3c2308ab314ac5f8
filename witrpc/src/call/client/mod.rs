//! The client of a call.

pub(crate) mod answer;
pub(crate) mod call;
pub(crate) mod hook_call;
pub(crate) mod options;
pub(crate) mod pending_call;
