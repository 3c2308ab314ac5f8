//! What a hook says to a call that it does not let through.

use std::borrow::Cow;

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
