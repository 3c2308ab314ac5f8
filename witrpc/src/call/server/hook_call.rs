//! A call that hooks stand around.

use std::sync::Arc;
use std::time::Instant;

use witrpc_transport::{ClientInfo, Peer, Request, Ticket};

use crate::observe::hooks::{Rejection, ServedCall, ServedEnd, ServerHook};
use crate::rt::panics::catch;

/// The hooks of a server, in the order in which they were given.
pub struct Hooks {
    hooks: Box<[Box<dyn ServerHook>]>,
    want_durations: bool,
}

impl Hooks {
    /// `None` when there are none, so that calls need not look.
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

    /// Runs code of the user's whose outcome matters to nobody.
    fn tell(&self, tell: impl Fn(&dyn ServerHook)) {
        for hook in &self.hooks {
            let _ = catch(|| tell(&**hook));
        }
    }
}

/// Why a call is not begun.
pub enum NotBegun {
    /// A hook rejected it.
    Rejected(Rejection),
    /// A hook panicked: the message.
    Panicked(String),
}

/// One call, from before its handler until it has been answered, whoever does that.
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
    /// Of a method by the names of its service and its own.
    pub fn new(
        hooks: &Arc<Hooks>,
        peer: &Arc<dyn Peer>,
        request: &Request,
        [service, method]: [&'static str; 2],
    ) -> Arc<Self> {
        Arc::new(Self {
            peer: Arc::clone(peer),
            hooks: Arc::clone(hooks),
            ticket: request.ticket,
            service,
            method,
            request_len: request.payload.len(),
            deadline: request.deadline,
            began: hooks.want_durations.then(Instant::now),
        })
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

    /// Tells the hooks how it ended.
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
