//! Spans without the feature `tracing`: nothing.

use witrpc_transport::Ticket;

use crate::observe::hooks::{CallEnd, ServedEnd};

#[derive(Clone)]
pub struct ServedSpan;

pub struct MadeSpan;

const _: () = assert!(size_of::<ServedSpan>() == 0 && size_of::<MadeSpan>() == 0);
const _: () = assert!(!std::mem::needs_drop::<ServedSpan>() && !std::mem::needs_drop::<MadeSpan>());

/// Returns whether any span of a call may be observed.
#[inline]
pub const fn are_wanted() -> bool {
    false
}

impl ServedSpan {
    #[inline]
    pub const fn none() -> Self {
        Self
    }

    #[inline]
    pub fn of_call(_names: [&'static str; 2], _client_id: u64, _call_id: u64) -> Self {
        Self
    }

    #[inline]
    pub const fn is_wanted(&self) -> bool {
        false
    }

    #[inline]
    pub fn within<R>(&self, run: impl FnOnce() -> R) -> R {
        run()
    }

    #[inline]
    pub fn ended(&self, _end: ServedEnd) {}
}

impl MadeSpan {
    #[inline]
    pub const fn none() -> Self {
        Self
    }

    #[inline]
    pub fn of_call(_names: [&'static str; 2]) -> Self {
        Self
    }

    #[inline]
    pub fn sent(&self, _client_id: u64, _ticket: Ticket) {}

    #[inline]
    pub fn ended(&mut self, _end: CallEnd<'_>) {}
}
