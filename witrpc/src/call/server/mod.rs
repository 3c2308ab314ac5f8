//! The server of a call.

pub(crate) mod arguments;
pub(crate) mod call;
pub(crate) mod call_observer;
pub(crate) mod cancel;
pub(crate) mod context;
pub(crate) mod hook_call;
pub(crate) mod job;
pub(crate) mod reply;
pub(crate) mod session;
