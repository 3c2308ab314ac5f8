//! Spans of the crate `tracing`.
//!
//! Each step of a span runs code of a user's subscriber: making, cloning, entering, leaving and dropping it. If
//! a subscriber panics, it loses that step, and nothing else. The call goes on, and is answered once.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use tracing::field::{Empty, debug, display};
use tracing::{Level, Span, span, span_enabled};
use witrpc_transport::Ticket;

use crate::observe::hooks::{CallEnd, ServedEnd};

/// The target of both a client's and a server's spans.
const TARGET: &str = "witrpc";

/// Runs a subscriber's code. Returns `None` if it panicked.
fn guarded<R>(run: impl FnOnce() -> R) -> Option<R> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(value) => Some(value),
        Err(panic) => {
            // Dropping it could panic again.
            mem::forget(panic);
            None
        }
    }
}

/// The span around a call on its server. Clones are the same span.
pub struct ServedSpan(Span);

impl Clone for ServedSpan {
    fn clone(&self) -> Self {
        if self.0.is_none() {
            return Self::none();
        }
        guarded(|| self.0.clone()).map_or_else(Self::none, Self)
    }
}

impl Drop for ServedSpan {
    fn drop(&mut self) {
        end_of(&mut self.0);
    }
}

/// Drops a span.
fn end_of(span: &mut Span) {
    if !span.is_none() {
        let span = mem::replace(span, Span::none());
        let _ = guarded(|| drop(span));
    }
}

/// The span around a call on its client, up to its end.
pub struct MadeSpan {
    span: Span,
    has_ended: bool,
}

/// Returns whether any span of a call may be observed.
#[inline]
pub fn are_wanted() -> bool {
    guarded(|| span_enabled!(target: TARGET, Level::DEBUG)).unwrap_or(false)
}

impl ServedSpan {
    #[inline]
    pub fn none() -> Self {
        Self(Span::none())
    }

    pub fn of_call([service, method]: [&'static str; 2], client_id: u64, call_id: u64) -> Self {
        let span = guarded(|| {
            span!(
                target: TARGET,
                Level::DEBUG,
                "serve",
                service,
                method,
                client = client_id,
                call = call_id,
                outcome = Empty,
            )
        });
        span.map_or_else(Self::none, Self)
    }

    #[inline]
    pub fn is_wanted(&self) -> bool {
        !self.0.is_none()
    }

    /// Runs a part of the call within its span, and passes its panic on.
    #[inline]
    pub fn within<R>(&self, run: impl FnOnce() -> R) -> R {
        if self.0.is_none() {
            return run();
        }
        let entered = guarded(|| self.0.enter());
        // Left outside of an unwinding, in which a second panic would abort the process.
        let outcome = catch_unwind(AssertUnwindSafe(run));
        let _ = guarded(|| drop(entered));
        outcome.unwrap_or_else(|panic| resume_unwind(panic))
    }

    pub fn ended(&self, end: ServedEnd) {
        let _ = guarded(|| _ = self.0.record("outcome", debug(end)));
    }
}

impl MadeSpan {
    #[inline]
    pub fn none() -> Self {
        Self { span: Span::none(), has_ended: true }
    }

    pub fn of_call([service, method]: [&'static str; 2]) -> Self {
        let span = guarded(|| {
            span!(
                target: TARGET,
                Level::DEBUG,
                "call",
                service,
                method,
                client = Empty,
                call = Empty,
                outcome = Empty,
                error = Empty,
            )
        });
        let span = span.unwrap_or_else(Span::none);
        Self { has_ended: span.is_none(), span }
    }

    /// Records that the call has been sent, with the numbers that the server sees.
    #[inline]
    pub fn sent(&self, client_id: u64, ticket: Ticket) {
        if !self.span.is_none() {
            let _ = guarded(|| {
                self.span.record("client", client_id).record("call", ticket.call_id());
            });
        }
    }

    #[inline]
    pub fn ended(&mut self, end: CallEnd<'_>) {
        if self.has_ended {
            return;
        }
        self.has_ended = true;
        let _ = guarded(|| {
            match end {
                CallEnd::Failed(error) => {
                    self.span.record("outcome", "Failed").record("error", display(error));
                }
                end => _ = self.span.record("outcome", debug(end)),
            };
        });
    }
}

/// A call that is dropped before its end has been cancelled.
impl Drop for MadeSpan {
    fn drop(&mut self) {
        if !self.has_ended {
            let _ = guarded(|| _ = self.span.record("outcome", "Cancelled"));
        }
        end_of(&mut self.span);
    }
}
