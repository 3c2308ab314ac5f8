//! A call that runs hooks before and after it.

use std::sync::Arc;
use std::time::Instant;

use witrpc_transport::{ClientInfo, NameChange, Peer, Request, Ticket};

use crate::observe::hooks::{Rejection, ServedCall, ServedEnd, ServerHook};
use crate::rt::panics::catch;

/// The hooks of a server, in the order in which they were given.
pub struct Hooks {
    hooks: Box<[Box<dyn ServerHook>]>,
    want_durations: bool,
}

impl Hooks {
    /// Returns `None` when there are no hooks, so that calls skip the check.
    pub fn new(hooks: Vec<Box<dyn ServerHook>>) -> Option<Arc<Self>> {
        let want_durations = hooks.iter().any(|hook| hook.wants_durations());
        let hooks = hooks.into_boxed_slice();
        (!hooks.is_empty()).then(|| Arc::new(Self { hooks, want_durations }))
    }

    pub fn joined(&self, client: &ClientInfo) {
        self.tell(|hook| hook.joined(client));
    }

    pub fn left(&self, client: &ClientInfo) {
        self.tell(|hook| hook.left(client));
    }

    pub fn name_changed(&self, change: &NameChange) {
        self.tell(|hook| hook.name_changed(change));
    }

    /// Runs a hook of the user; a panic in it is dropped, since it changes no outcome.
    fn tell(&self, tell: impl Fn(&dyn ServerHook)) {
        for hook in &self.hooks {
            let _ = catch(|| tell(&**hook));
        }
    }
}

/// The reason why a call is not begun.
pub enum NotBegun {
    /// A hook rejected it.
    Rejected(Rejection),
    /// A hook panicked: the message.
    Panicked(String),
}

/// One call with hooks, from before its handler until it is answered, on any thread.
pub struct ServerHookCall {
    peer: Arc<dyn Peer>,
    hooks: Arc<Hooks>,
    ticket: Ticket,
    service: &'static str,
    method: &'static str,
    request_len: usize,
    deadline: Option<Instant>,
    began: Option<Instant>,
}

impl ServerHookCall {
    /// Creates the state for a call of the method with these names.
    pub fn new(
        hooks: &Arc<Hooks>,
        peer: &Arc<dyn Peer>,
        request: &Request,
        [service, method]: [&'static str; 2],
    ) -> Self {
        Self {
            peer: Arc::clone(peer),
            hooks: Arc::clone(hooks),
            ticket: request.ticket,
            service,
            method,
            request_len: request.payload.len(),
            deadline: request.deadline,
            began: hooks.want_durations.then(Instant::now),
        }
    }

    /// Asks the hooks, until one of them stops the call.
    pub fn before(&self) -> Result<(), NotBegun> {
        let call = self.call();
        for hook in &self.hooks.hooks {
            catch(|| hook.before(&call))
                .map_err(NotBegun::Panicked)?
                .map_err(NotBegun::Rejected)?;
        }
        Ok(())
    }

    /// Reports to the hooks how the call ended.
    pub fn after(&self, end: ServedEnd, answer_len: usize) {
        let duration = self.began.map(|began| began.elapsed());
        let call = ServedCall { duration, ..self.call() };
        self.hooks.tell(|hook| hook.after(&call, end, answer_len));
    }

    fn call(&self) -> ServedCall<'_> {
        ServedCall {
            service: self.service,
            method: self.method,
            client: self.peer.client(),
            call_id: self.ticket.call_id(),
            request_len: self.request_len,
            deadline: self.deadline,
            duration: None,
        }
    }
}
