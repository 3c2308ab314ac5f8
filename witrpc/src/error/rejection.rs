//! The rejection of a call by a hook.

use std::borrow::Cow;

/// The reason why a hook rejects a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    pub(crate) reason: Cow<'static, str>,
    pub(crate) is_retryable: bool,
}

impl Rejection {
    /// Creates a rejection. The caller gets [`CallError::Rejected`](crate::CallError::Rejected) with
    /// this reason.
    pub fn new(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { reason: reason.into(), is_retryable: false }
    }

    /// Marks that the same call may succeed later. The caller reads this from
    /// [`CallError::is_retryable`](crate::CallError::is_retryable).
    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.is_retryable = true;
        self
    }
}
