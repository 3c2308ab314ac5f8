//! Code of the user's around every call: for audits, limits and measurements.
//!
//! A [`ServerHook`] stands around the handlers of a server, a [`ClientHook`] around the calls of a
//! client. Without one, a call costs a comparison more; with one, an allocation, and a look at two
//! clocks only if the hook asks for durations.

mod client;
mod server;

use std::borrow::Cow;

pub use client::{CallEnd, ClientHook, MadeCall};
pub use server::{ServedCall, ServedEnd, ServerHook};

/// Why a hook does not let a call through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    pub(crate) reason: Cow<'static, str>,
    pub(crate) is_retryable: bool,
}

impl Rejection {
    /// The caller gets [`CallError::Rejected`](crate::CallError::Rejected) with this reason.
    pub fn new(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { reason: reason.into(), is_retryable: false }
    }

    /// The same call may well be let through later: what
    /// [`CallError::is_retryable`](crate::CallError::is_retryable) tells the caller.
    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.is_retryable = true;
        self
    }
}
