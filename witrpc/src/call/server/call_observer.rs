//! What is recorded about a request when it is answered: for the counters, the hooks and the spans.

use std::sync::Arc;

use crate::observe::counters::Counter;
use crate::observe::hooks::ServedEnd;
use crate::observe::spans::ServedSpan;
use crate::tag::Status;

use super::hook_call::ServerHookCall;

/// The observer of one request, kept from when it was taken until it is answered.
#[derive(Clone)]
pub struct CallObserver {
    /// Whether the request runs a method.
    is_call: bool,
    /// The hooks around the call.
    hook_call: Option<Arc<ServerHookCall>>,
    span: ServedSpan,
}

impl CallObserver {
    /// Creates the observer of a request that is only counted.
    #[inline]
    pub fn plain(is_call: bool) -> Self {
        Self { is_call, hook_call: None, span: ServedSpan::none() }
    }

    /// Creates the observer of a call with hooks or a span.
    pub fn of_call(hook_call: Option<Arc<ServerHookCall>>, span: ServedSpan) -> Self {
        Self { is_call: true, hook_call, span }
    }

    #[inline]
    pub fn hook_call(&self) -> Option<&ServerHookCall> {
        self.hook_call.as_deref()
    }

    #[inline]
    pub fn span(&self) -> &ServedSpan {
        &self.span
    }

    /// Returns whether the request is only counted.
    #[inline]
    pub fn is_plain(&self) -> bool {
        self.hook_call.is_none() && !self.span.is_wanted()
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
        if let Some(hook_call) = &self.hook_call {
            hook_call.after(end, len);
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
