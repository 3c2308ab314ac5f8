//! A call that a hook or a span observes.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use witrpc_transport::Ticket;

use crate::error::CallError;
use crate::observe::hooks::{CallEnd, ClientHook, MadeCall};
use crate::observe::spans::MadeSpan;

/// The hook of a client.
pub struct Hook {
    hook: Box<dyn ClientHook>,
    wants_durations: bool,
}

impl Hook {
    pub fn new(hook: impl ClientHook) -> Self {
        let wants_durations = hook.wants_durations();
        Self { hook: Box::new(hook), wants_durations }
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hook").finish_non_exhaustive()
    }
}

/// One observed call, from before it is sent until it has ended. A call that is dropped earlier
/// counts as cancelled.
pub struct ClientHookCall {
    hook: Arc<Hook>,
    call: MadeCall,
    began: Option<Instant>,
    has_ended: bool,
}

impl ClientHookCall {
    /// Runs the hook.
    ///
    /// # Errors
    ///
    /// The hook rejects the call. It has already learned that the call ended so.
    pub fn begin(
        hook: &Arc<Hook>,
        [service, method]: [&'static str; 2],
        request_len: usize,
    ) -> Result<Box<Self>, CallError> {
        let call = MadeCall { service, method, request_len, sent_as: None, duration: None };
        let began = hook.wants_durations.then(Instant::now);
        let mut hook_call =
            Box::new(Self { hook: Arc::clone(hook), call, began, has_ended: false });
        match hook_call.hook.hook.before(&hook_call.call) {
            Ok(()) => Ok(hook_call),
            Err(rejection) => {
                let error = CallError::rejected(rejection);
                hook_call.end(CallEnd::Failed(&error), 0);
                Err(error)
            }
        }
    }

    /// Records that the call was sent, on a link where the server knows the client by this number.
    fn sent(&mut self, client_id: u64, ticket: Ticket) {
        self.call.sent_as = Some((client_id, ticket.call_id()));
    }

    /// Reports that the call has ended.
    fn end(&mut self, end: CallEnd<'_>, answer_len: usize) {
        self.has_ended = true;
        self.call.duration = self.began.map(|began| began.elapsed());
        self.hook.hook.after(&self.call, end, answer_len);
    }
}

impl Drop for ClientHookCall {
    fn drop(&mut self) {
        if !self.has_ended {
            self.end(CallEnd::Failed(&CallError::Cancelled), 0);
        }
    }
}

/// The hook and the span around a call, if there are any.
pub struct Observed {
    pub hook_call: Option<Box<ClientHookCall>>,
    pub span: MadeSpan,
}

impl Default for Observed {
    fn default() -> Self {
        Self { hook_call: None, span: MadeSpan::none() }
    }
}

impl Observed {
    /// Records that the call was sent, on a link where the server knows the client by this number.
    #[inline]
    pub fn sent(&mut self, client_id: u64, ticket: Ticket) {
        self.span.sent(client_id, ticket);
        if let Some(hook_call) = &mut self.hook_call {
            hook_call.sent(client_id, ticket);
        }
    }

    pub fn end(mut self, end: CallEnd<'_>, answer_len: usize) {
        self.span.ended(end);
        if let Some(mut hook_call) = self.hook_call {
            hook_call.end(end, answer_len);
        }
    }
}
