//! Spans of the crate `tracing`.

use tracing::field::{Empty, debug, display};
use tracing::{Level, Span, span, span_enabled};

use crate::hooks::{CallEnd, ServedEnd};
use crate::transport::Ticket;

/// What a client and a server have in common.
const TARGET: &str = "witrpc";

/// Around a call on its server. Clones are the same span.
#[derive(Clone)]
pub(crate) struct ServedSpan(Span);

/// Around a call on its client, up to its end.
pub(crate) struct MadeSpan {
    span: Span,
    has_ended: bool,
}

/// Whether any span of a call may be looked at.
#[inline]
pub(crate) fn are_wanted() -> bool {
    span_enabled!(target: TARGET, Level::DEBUG)
}

impl ServedSpan {
    #[inline]
    pub(crate) fn none() -> Self {
        Self(Span::none())
    }

    pub(crate) fn of_call(
        [service, method]: [&'static str; 2],
        client_id: u64,
        call_id: u64,
    ) -> Self {
        Self(span!(
            target: TARGET,
            Level::DEBUG,
            "serve",
            service,
            method,
            client = client_id,
            call = call_id,
            outcome = Empty,
        ))
    }

    #[inline]
    pub(crate) fn is_wanted(&self) -> bool {
        !self.0.is_none()
    }

    /// Runs a part of the call within its span.
    #[inline]
    pub(crate) fn within<R>(&self, run: impl FnOnce() -> R) -> R {
        self.0.in_scope(run)
    }

    pub(crate) fn ended(&self, end: ServedEnd) {
        self.0.record("outcome", debug(end));
    }
}

impl MadeSpan {
    #[inline]
    pub(crate) fn none() -> Self {
        Self { span: Span::none(), has_ended: true }
    }

    pub(crate) fn of_call([service, method]: [&'static str; 2]) -> Self {
        let span = span!(
            target: TARGET,
            Level::DEBUG,
            "call",
            service,
            method,
            client = Empty,
            call = Empty,
            outcome = Empty,
            error = Empty,
        );
        Self { has_ended: span.is_none(), span }
    }

    /// The call has been sent: its numbers are those that the server sees.
    #[inline]
    pub(crate) fn sent(&self, client_id: u64, ticket: Ticket) {
        if !self.span.is_none() {
            self.span.record("client", client_id).record("call", ticket.call_id());
        }
    }

    #[inline]
    pub(crate) fn ended(&mut self, end: CallEnd<'_>) {
        if self.has_ended {
            return;
        }
        self.has_ended = true;
        match end {
            CallEnd::Failed(error) => {
                self.span.record("outcome", "Failed").record("error", display(error))
            }
            end => self.span.record("outcome", debug(end)),
        };
    }
}

/// A call that is dropped before its end has been cancelled.
impl Drop for MadeSpan {
    fn drop(&mut self) {
        if !self.has_ended {
            self.span.record("outcome", "Cancelled");
        }
    }
}
