//! What is recorded about a request when it is answered: for the counters, the hooks and the spans.

use std::sync::Arc;

use crate::observe::counters::Counter;
use crate::observe::hooks::ServedEnd;
use crate::observe::metered_call::MeteredCall;
use crate::observe::spans::ServedSpan;
use crate::tag::Status;

use super::hook_call::ServerHookCall;

/// The observer of one request, kept from when it was taken until it is answered.
#[derive(Clone)]
pub struct CallObserver {
    /// Whether the request runs a method.
    is_call: bool,
    /// Behind one pointer, which a call that is only counted does not have.
    watch: Option<Arc<CallWatch>>,
    span: ServedSpan,
}

/// What looks at a call beside its span.
enum CallWatch {
    Hooks(ServerHookCall),
    Meter(MeteredCall),
}

impl CallObserver {
    /// Creates the observer of a request that is only counted.
    #[inline]
    pub fn plain(is_call: bool) -> Self {
        Self { is_call, watch: None, span: ServedSpan::none() }
    }

    /// Creates the observer of a call with hooks.
    pub fn hooked(hook_call: ServerHookCall) -> Self {
        Self { watch: Some(Arc::new(CallWatch::Hooks(hook_call))), ..Self::plain(true) }
    }

    /// Creates the observer of a call that is counted by method when it is answered.
    pub fn metered(call: MeteredCall) -> Self {
        Self { watch: Some(Arc::new(CallWatch::Meter(call))), ..Self::plain(true) }
    }

    /// Adds a span.
    pub fn with_span(self, span: ServedSpan) -> Self {
        Self { span, ..self }
    }

    #[inline]
    pub fn hook_call(&self) -> Option<&ServerHookCall> {
        match self.watch.as_deref()? {
            CallWatch::Hooks(hook_call) => Some(hook_call),
            CallWatch::Meter(_) => None,
        }
    }

    #[inline]
    pub fn span(&self) -> &ServedSpan {
        &self.span
    }

    /// Returns whether the request is only counted.
    #[inline]
    pub fn is_plain(&self) -> bool {
        self.watch.is_none() && !self.span.is_wanted()
    }

    /// Records that the request is answered; `is_heard` says whether the caller was still waiting.
    #[inline]
    pub fn answered(&self, counter: Counter<'_>, status: Status, len: usize, is_heard: bool) {
        let is_error = !matches!(status, Status::Ok | Status::End);
        counter.answer(self.is_call, is_error, if is_heard { len } else { 0 });
        if !self.is_plain() {
            self.tell(if is_heard { end(status) } else { ServedEnd::Unheard }, len);
        }
    }

    /// Records that the caller left or gave the call up before there was an answer.
    pub fn unheard(&self, counter: Counter<'_>) {
        counter.answer(self.is_call, false, 0);
        self.tell(ServedEnd::Unheard, 0);
    }

    #[cold]
    fn tell(&self, end: ServedEnd, len: usize) {
        self.span.ended(end);
        match self.watch.as_deref() {
            Some(CallWatch::Hooks(hook_call)) => hook_call.after(end, len),
            Some(CallWatch::Meter(call)) => call.ended(end),
            None => {}
        }
    }
}

/// Returns how a call with an answer of that status ended.
fn end(status: Status) -> ServedEnd {
    match status {
        Status::Ok | Status::End => ServedEnd::Ok,
        Status::App => ServedEnd::AppError,
        Status::Panicked => ServedEnd::Panicked,
        Status::BadRequest | Status::UnknownMethod => ServedEnd::BadRequest,
        Status::AnswerTooLarge | Status::EncodeFailed => ServedEnd::AnswerFailed,
        Status::ShuttingDown => ServedEnd::ShuttingDown,
        Status::Expired => ServedEnd::Expired,
        Status::Rejected => ServedEnd::Rejected,
        Status::TooManyStreams => ServedEnd::TooManyStreams,
        Status::NoThread => ServedEnd::NoThread,
    }
}
