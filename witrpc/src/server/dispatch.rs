//! From a request to the service it is for.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Instant;

use crate::tag::{Operation, REGISTRY, RequestTag};
use crate::transport::{Peer, Request};

use super::call::{Line, ServerCall, Service};
use super::control;
use super::job::Spawn;
use super::panics::catch;
use super::pool::{Handler, Pool};
use super::watched::{Hooks, Stopped, WatchedCall};

/// The services of a server, by number.
pub(super) struct Dispatcher {
    pub(super) services: Vec<Arc<dyn Service>>,
    /// Finds the others.
    pub(super) registry: Arc<dyn Service>,
    pub(super) spawn: Option<Spawn>,
    pub(super) hooks: Option<Arc<Hooks>>,
}

impl Handler for Dispatcher {
    #[inline]
    fn serve(&self, pool: &Arc<Pool>, peer: &Arc<dyn Peer>, request: &mut Request) {
        match &self.hooks {
            None => self.run(pool, peer, request, || Ok(())),
            Some(hooks) => self.run_watched(hooks, pool, peer, request),
        }
    }
}

impl Dispatcher {
    /// Runs a call that hooks stand around. What names no method of the user's services is none.
    fn run_watched(
        &self,
        hooks: &Arc<Hooks>,
        pool: &Arc<Pool>,
        peer: &Arc<dyn Peer>,
        request: &mut Request,
    ) {
        match RequestTag::from_bits(request.tag).and_then(|tag| self.names(tag)) {
            None => self.run(pool, peer, request, || Ok(())),
            Some(names) => {
                let call = WatchedCall::new(hooks, peer, request, names);
                let peer: Arc<dyn Peer> = Arc::clone(&call) as _;
                self.run(pool, &peer, request, || call.before());
            }
        }
    }

    /// The names of the service and the method that a tag means.
    fn names(&self, tag: RequestTag) -> Option<[&'static str; 2]> {
        let service = self.services.get(usize::from(tag.service))?.descriptor();
        Some([service.name, service.methods.get(usize::from(tag.method))?.name])
    }

    /// Brings a request to its service, unless `admit` stops it.
    #[inline]
    fn run(
        &self,
        pool: &Arc<Pool>,
        peer: &Arc<dyn Peer>,
        request: &mut Request,
        admit: impl FnOnce() -> Result<(), Stopped>,
    ) {
        let line = Line {
            peer,
            ticket: request.ticket,
            deadline: request.deadline,
            codec: peer.session().codec(),
            pool,
            spawn: self.spawn.as_ref(),
            settled: Cell::new(false),
        };
        if pool.life().refuses() {
            return line.reply().shutting_down();
        }
        if line.deadline.is_some_and(|at| at <= Instant::now()) {
            return line.reply().expired();
        }
        let Some(tag) = RequestTag::from_bits(request.tag) else {
            let message = format!("the tag {:#x} has no meaning here", request.tag);
            return line.reply().bad_request(&message);
        };
        if tag.operation != Operation::Call {
            return control::serve(&line, tag, &self.services, &mut request.payload);
        }
        let service = match self.services.get(usize::from(tag.service)) {
            Some(service) => service,
            None if tag.service == REGISTRY => &self.registry,
            None => return line.reply().unknown_method(),
        };
        match admit() {
            Ok(()) => {}
            Err(Stopped::Rejected(rejection)) => return line.reply().rejected(&rejection),
            Err(Stopped::Panicked(message)) => return line.reply().panicked(&message),
        }
        let payload = &mut request.payload;
        let call = ServerCall::new(&line, tag.method, payload, tag.raw);
        let dispatched = catch(|| service.dispatch(call));
        if !line.settled.get() {
            let message = dispatched.err();
            line.reply().panicked(message.as_deref().unwrap_or("the service gave no answer"));
        }
    }
}
