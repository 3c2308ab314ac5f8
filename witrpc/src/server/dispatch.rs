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

/// The services of a server, by number.
pub(super) struct Dispatcher {
    pub(super) services: Vec<Arc<dyn Service>>,
    /// Finds the others.
    pub(super) registry: Arc<dyn Service>,
    pub(super) spawn: Option<Spawn>,
}

impl Handler for Dispatcher {
    fn serve(&self, pool: &Arc<Pool>, peer: &Arc<dyn Peer>, request: &mut Request) {
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
        let payload = &mut request.payload;
        let call = ServerCall::new(&line, tag.method, payload, tag.raw);
        let dispatched = catch(|| service.dispatch(call));
        if !line.settled.get() {
            let message = dispatched.err();
            line.reply().panicked(message.as_deref().unwrap_or("the service gave no answer"));
        }
    }
}
