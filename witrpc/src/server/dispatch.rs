//! The way from a request to its service.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Instant;

use witrpc_transport::{Payload, Peer, Request, ShortAnswer, ShortRequest, Ticket};

use crate::call::server::call::{CallBody, RequestContext, ServerCall, Service};
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
    services: Vec<Arc<dyn Service>>,
    /// The service that lists the others.
    registry: Arc<dyn Service>,
    spawn: Option<Spawn>,
    hooks: Option<Arc<Hooks>>,
    /// The observer of a call without hooks and spans.
    plain: CallObserver,
}

impl Handler for Dispatcher {
    fn names(&self, tag: u32) -> Option<[&'static str; 2]> {
        let tag = RequestTag::from_bits(tag)?;
        if tag.operation == Operation::Call { self.names(tag) } else { None }
    }

    fn serve(
        &self,
        pool: &Arc<Pool>,
        counters: &ThreadCounters,
        peer: &Arc<dyn Peer>,
        request: &mut Request,
        answer: &mut Option<ShortAnswer>,
    ) {
        self.serve_metered(None, (pool, counters), peer, request, answer);
    }

    fn serve_short(
        &self,
        pool: &Arc<Pool>,
        counters: &ThreadCounters,
        peer: &Arc<dyn Peer>,
        request: &ShortRequest<'_>,
        answer: &mut Option<ShortAnswer>,
    ) {
        self.serve_short_metered(None, (pool, counters), peer, request, answer);
    }
}

impl Dispatcher {
    /// Serves a request. `metered` counts it by method once it is answered, if it is a call and no hook does.
    #[inline]
    pub fn serve_metered(
        &self,
        metered: Option<&CallObserver>,
        (pool, counters): (&Arc<Pool>, &ThreadCounters),
        peer: &Arc<dyn Peer>,
        request: &mut Request,
        answer: &mut Option<ShortAnswer>,
    ) {
        let tag = RequestTag::from_bits(request.tag);
        let call = tag.filter(|tag| tag.operation == Operation::Call);
        counters.request(call.is_some(), request.payload.len());
        let observer = match (call, metered) {
            (Some(call), _) if self.is_looked_at() => self.observer(metered, call, peer, request),
            (Some(_), Some(metered)) => metered.clone(),
            _ => CallObserver::plain(call.is_some()),
        };
        let (ticket, note) = (request.ticket, peer.session().note());
        let threads = (pool, counters);
        let context = self.context(threads, (peer, note), (ticket, request.tag), &observer, answer);
        let context = RequestContext { deadline: request.deadline, ..context };
        self.dispatch(&context, tag, &mut request.payload);
    }

    /// Serves a short request. Most are calls to a user's service, without hooks and spans, while the server
    /// goes on. Any other request takes the general path.
    #[inline(always)]
    pub fn serve_short_metered(
        &self,
        metered: Option<&CallObserver>,
        (pool, counters): (&Arc<Pool>, &ThreadCounters),
        peer: &Arc<dyn Peer>,
        request: &ShortRequest<'_>,
        answer: &mut Option<ShortAnswer>,
    ) {
        let called = RequestTag::plain_call_of_bits(request.tag)
            .and_then(|(service, method)| Some((self.services.get(usize::from(service))?, method)))
            .filter(|_| !self.is_looked_at() && !pool.life.refuses());
        let Some((service, method)) = called else {
            return self.serve_as_any(metered, (pool, counters), peer, request, answer);
        };
        counters.request(true, request.bytes().len());
        let (asked, from) = ((request.ticket, request.tag), (peer, request.note));
        let observer = metered.unwrap_or(&self.plain);
        let context = self.context((pool, counters), from, asked, observer, answer);
        run(&context, service, method, CallBody::Short(request));
    }

    /// Serves a short request by the general path, out of the way of those that have one of their own.
    #[inline(never)]
    fn serve_as_any(
        &self,
        metered: Option<&CallObserver>,
        threads: (&Arc<Pool>, &ThreadCounters),
        peer: &Arc<dyn Peer>,
        request: &ShortRequest<'_>,
        answer: &mut Option<ShortAnswer>,
    ) {
        self.serve_metered(metered, threads, peer, &mut request.request(), answer);
    }

    /// Returns a dispatcher that finds services by their place in that list.
    pub fn new(
        services: Vec<Arc<dyn Service>>,
        registry: Arc<dyn Service>,
        spawn: Option<Spawn>,
        hooks: Option<Arc<Hooks>>,
    ) -> Self {
        Self { services, registry, spawn, hooks, plain: CallObserver::plain(true) }
    }

    /// Returns whether hooks or spans observe calls.
    #[inline]
    fn is_looked_at(&self) -> bool {
        self.hooks.is_some() || spans::are_wanted()
    }

    /// Returns the context of a request without a deadline. `from` is the client, and the server's note in
    /// its session.
    #[inline]
    fn context<'a>(
        &'a self,
        (pool, counters): (&'a Arc<Pool>, &'a ThreadCounters),
        (peer, note): (&'a Arc<dyn Peer>, u32),
        (ticket, tag): (Ticket, u32),
        observer: &'a CallObserver,
        answer: &'a mut Option<ShortAnswer>,
    ) -> RequestContext<'a> {
        RequestContext {
            peer,
            ticket,
            tag,
            deadline: None,
            codec: ClientSession::codec_noted(note),
            pool,
            spawn: self.spawn.as_ref(),
            observer,
            counters,
            settled: Cell::new(false),
            short_answer: Cell::from_mut(answer),
        }
    }

    fn dispatch(
        &self,
        context: &RequestContext<'_>,
        tag: Option<RequestTag>,
        payload: &mut Payload,
    ) {
        let continues = tag.is_some_and(|tag| tag.operation.continues_a_call());
        if context.pool.life.refuses() && !continues {
            return context.reply().shutting_down();
        }
        if context.deadline.is_some_and(|at| at <= Instant::now()) {
            return context.reply().expired();
        }
        match tag {
            Some(tag) if tag.operation == Operation::Call => self.call(context, tag, payload),
            Some(tag) => control::serve(context, tag, &self.services, payload),
            None => {
                let message = format!("the tag {:#x} has no meaning here", context.tag);
                context.reply().bad_request(&message);
            }
        }
    }

    /// Returns the observer of a call if hooks or spans are in use. A call that names no method of the user's
    /// services is only counted.
    #[cold]
    fn observer(
        &self,
        metered: Option<&CallObserver>,
        tag: RequestTag,
        peer: &Arc<dyn Peer>,
        request: &Request,
    ) -> CallObserver {
        let Some(names) = self.names(tag) else { return CallObserver::plain(true) };
        let observer = match (&self.hooks, metered) {
            (Some(hooks), _) => {
                CallObserver::hooked(ServerHookCall::new(hooks, peer, request, names))
            }
            (None, Some(metered)) => metered.clone(),
            (None, None) => CallObserver::plain(true),
        };
        let span = ServedSpan::of_call(names, peer.client().id, request.ticket.call_id());
        observer.with_span(span)
    }

    /// Returns the names of the service and the method that a tag means.
    fn names(&self, tag: RequestTag) -> Option<[&'static str; 2]> {
        let service = self.services.get(usize::from(tag.service))?.descriptor();
        Some([service.name, service.methods.get(usize::from(tag.method))?.name])
    }

    /// Brings a call to its service, unless a hook stops it.
    fn call(&self, context: &RequestContext<'_>, tag: RequestTag, payload: &mut Payload) {
        let service = match self.services.get(usize::from(tag.service)) {
            Some(service) => service,
            None if tag.service == REGISTRY => &self.registry,
            None => return context.reply().unknown_method(),
        };
        match context.observer.hook_call().map_or(Ok(()), ServerHookCall::before) {
            Ok(()) => {}
            Err(NotBegun::Rejected(rejection)) => return context.reply().rejected(&rejection),
            Err(NotBegun::Panicked(message)) => return context.reply().panicked(&message),
        }
        let body = CallBody::Arrived { payload, raw: tag.raw };
        run(context, service, tag.method, body);
    }
}

/// Runs a call, and answers it if the service has not.
#[inline]
fn run(context: &RequestContext<'_>, service: &Arc<dyn Service>, method: u16, body: CallBody<'_>) {
    let call = ServerCall::new(context, method, body);
    let dispatched = catch(|| context.observer.span().within(|| service.dispatch(call)));
    if !context.settled.get() {
        context.unsettled(dispatched);
    }
}
