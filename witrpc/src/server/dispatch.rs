//! From a request to the service it is for.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Instant;

use witrpc_transport::{Payload, Peer, Request, ShortAnswer};

use crate::call::server::call::{RequestContext, ServerCall, Service};
use crate::call::server::call_observer::CallObserver;
use crate::call::server::hook_call::{Hooks, NotBegun, ServerHookCall};
use crate::call::server::job::Spawn;
use crate::call::server::session::ClientSession;
use crate::observe::counters::ThreadCounters;
use crate::observe::spans;
use crate::observe::spans::ServedSpan;
use crate::pool::{Handler, Pool};
use crate::rt::panics::catch;
use crate::tag::{Operation, REGISTRY, RequestTag};

use super::control;

/// The services of a server, by number.
pub struct Dispatcher {
    pub services: Vec<Arc<dyn Service>>,
    /// Finds the others.
    pub registry: Arc<dyn Service>,
    pub spawn: Option<Spawn>,
    pub hooks: Option<Arc<Hooks>>,
}

impl Handler for Dispatcher {
    fn names(&self, tag: u32) -> Option<[&'static str; 2]> {
        let tag = RequestTag::from_bits(tag)?;
        if tag.operation == Operation::Call { self.names(tag) } else { None }
    }

    #[inline]
    fn serve(
        &self,
        pool: &Arc<Pool>,
        counters: &ThreadCounters,
        peer: &Arc<dyn Peer>,
        request: &mut Request,
        answer: &mut Option<ShortAnswer>,
    ) {
        let tag = RequestTag::from_bits(request.tag);
        let call = tag.filter(|tag| tag.operation == Operation::Call);
        counters.request(call.is_some(), request.payload.len());
        let observer = match call {
            Some(call) if self.hooks.is_some() || spans::are_wanted() => {
                self.observer(call, peer, request)
            }
            _ => CallObserver::plain(call.is_some()),
        };
        let line = RequestContext {
            peer,
            ticket: request.ticket,
            tag: request.tag,
            deadline: request.deadline,
            codec: ClientSession::of(peer.session()).codec(),
            pool,
            spawn: self.spawn.as_ref(),
            observer,
            counters,
            settled: Cell::new(false),
            short_answer: Cell::from_mut(answer),
        };
        self.dispatch(&line, tag, &mut request.payload);
    }
}

impl Dispatcher {
    #[inline]
    fn dispatch(&self, line: &RequestContext<'_>, tag: Option<RequestTag>, payload: &mut Payload) {
        let continues = tag.is_some_and(|tag| tag.operation.continues_a_call());
        if line.pool.life().refuses() && !continues {
            return line.reply().shutting_down();
        }
        if line.deadline.is_some_and(|at| at <= Instant::now()) {
            return line.reply().expired();
        }
        match tag {
            Some(tag) if tag.operation == Operation::Call => self.call(line, tag, payload),
            Some(tag) => control::serve(line, tag, &self.services, payload),
            None => {
                let message = format!("the tag {:#x} has no meaning here", line.tag);
                line.reply().bad_request(&message);
            }
        }
    }

    /// What goes with a call that somebody looks at. One that names no method of the user's services
    /// is only counted.
    #[cold]
    fn observer(&self, tag: RequestTag, peer: &Arc<dyn Peer>, request: &Request) -> CallObserver {
        let Some(names) = self.names(tag) else { return CallObserver::plain(true) };
        let watched =
            self.hooks.as_ref().map(|hooks| ServerHookCall::new(hooks, peer, request, names));
        let span = ServedSpan::of_call(names, peer.client().id, request.ticket.call_id());
        CallObserver::of_call(watched, span)
    }

    /// The names of the service and the method that a tag means.
    fn names(&self, tag: RequestTag) -> Option<[&'static str; 2]> {
        let service = self.services.get(usize::from(tag.service))?.descriptor();
        Some([service.name, service.methods.get(usize::from(tag.method))?.name])
    }

    /// Brings a call to its service, unless a hook stops it.
    #[inline]
    fn call(&self, line: &RequestContext<'_>, tag: RequestTag, payload: &mut Payload) {
        let service = match self.services.get(usize::from(tag.service)) {
            Some(service) => service,
            None if tag.service == REGISTRY => &self.registry,
            None => return line.reply().unknown_method(),
        };
        match line.observer.watched().map_or(Ok(()), ServerHookCall::before) {
            Ok(()) => {}
            Err(NotBegun::Rejected(rejection)) => return line.reply().rejected(&rejection),
            Err(NotBegun::Panicked(message)) => return line.reply().panicked(&message),
        }
        let call = ServerCall::new(line, tag.method, payload, tag.raw);
        let dispatched = catch(|| line.observer.span().within(|| service.dispatch(call)));
        if !line.settled.get() {
            let message = dispatched.err();
            line.reply().panicked(message.as_deref().unwrap_or("the service gave no answer"));
        }
    }
}
