//! One call on its way through a service.

use std::cell::Cell;
use std::future::Future;
use std::mem;
use std::sync::Arc;
use std::time::Instant;

use crate::__private::v1::{Travels, Wire};
use crate::codec::{Codec, OpenBody, OwnedBody};
use crate::contract::ServiceDescriptor;
use crate::transport::{Payload, Peer, Ticket};

use super::arguments::{Arguments, BadArguments, OwnedArguments};
use super::cancel::Deadline;
use super::context::CallContext;
use super::job::{LateReply, Spawn};
use super::pool::{Job, Pool};
use super::reply::Reply;

/// What the server of a trait does with calls; implemented by generated code.
pub trait Service: Send + Sync + 'static {
    /// What it looks like.
    fn descriptor(&self) -> &'static ServiceDescriptor;

    /// Runs one call, and answers it by one of the methods of [`ServerCall`].
    fn dispatch(&self, call: ServerCall<'_>);

    /// Itself, for the threads of a server to share; what only passes calls on to another service
    /// gives that one, and is out of the way of every call.
    fn into_shared(self) -> Arc<dyn Service>
    where
        Self: Sized,
    {
        Arc::new(self)
    }
}

/// One call to be answered.
pub struct ServerCall<'a> {
    pub(super) line: &'a Line<'a>,
    pub(super) method: u16,
    /// Where the transport has put it: a short one is decoded there.
    pub(super) payload: &'a mut Payload,
    /// Whether the payload has raw sections.
    pub(super) raw: bool,
}

/// Where an answer goes, kept by the dispatch while the call is in the user's hands.
pub(super) struct Line<'a> {
    pub(super) peer: &'a Arc<dyn Peer>,
    pub(super) ticket: Ticket,
    pub(super) deadline: Option<Instant>,
    pub(super) codec: Codec,
    pub(super) pool: &'a Arc<Pool>,
    pub(super) spawn: Option<&'a Spawn>,
    /// Set once the call is answered, or a job has taken it over.
    pub(super) settled: Cell<bool>,
}

impl<'a> Line<'a> {
    pub(super) fn reply(&self) -> Reply<'a> {
        Reply { peer: &**self.peer, ticket: self.ticket, codec: self.codec }
    }

    fn context(&self) -> CallContext {
        let timer = || Arc::clone(self.pool.timer());
        let deadline = self.deadline.map(|at| Deadline { at, timer: timer() });
        CallContext::new(self.peer, self.ticket, deadline)
    }

    /// Answers. A panic of the user's code while it encodes leaves the call unsettled.
    #[inline]
    fn settle(&self, answer: impl FnOnce(Reply<'_>)) {
        answer(self.reply());
        self.settled.set(true);
    }

    fn start(&self, job: Job) {
        match self.spawn {
            Some(spawn) => spawn(job),
            None => self.pool.run_job(job),
        }
    }
}

/// Who makes a call: what a context is made of for a method that asks for one.
pub struct Caller<'a>(&'a Line<'a>);

impl Caller<'_> {
    /// The context of the call.
    pub fn context(&self) -> CallContext {
        self.0.context()
    }
}

impl ServerCall<'_> {
    /// The number of the method, in the order of the descriptor.
    #[inline]
    pub fn method(&self) -> u16 {
        self.method
    }

    /// Answers that there is no such method.
    pub fn unknown_method(self) {
        self.line.settle(|reply| reply.unknown_method());
    }

    /// Answers with the value that `run` makes of the arguments.
    #[inline]
    pub fn reply<T: Travels>(
        self,
        run: impl FnOnce(&mut Arguments<'_>, &Caller<'_>) -> Result<T, BadArguments>,
    ) {
        self.run(run, |reply, value| reply.value(value));
    }

    /// Answers with the value or the service's error that `run` makes of the arguments.
    #[inline]
    pub fn reply_result<T: Travels, E: Wire>(
        self,
        run: impl FnOnce(&mut Arguments<'_>, &Caller<'_>) -> Result<Result<T, E>, BadArguments>,
    ) {
        self.run(run, |reply, result| reply.result(result));
    }

    /// Answers with the value of the future that `run` makes of the arguments, when it is ready.
    pub fn reply_async<T: Travels, F>(self, run: impl FnOnce(OwnedArguments, CallContext) -> F)
    where
        F: Future<Output = Result<T, BadArguments>> + Send + 'static,
    {
        self.run_async(run, |reply, value| reply.value(value));
    }

    /// Answers with the value or the service's error of the future, when it is ready.
    pub fn reply_async_result<T: Travels, E: Wire, F>(
        self,
        run: impl FnOnce(OwnedArguments, CallContext) -> F,
    ) where
        F: Future<Output = Result<Result<T, E>, BadArguments>> + Send + 'static,
    {
        self.run_async(run, |reply, result| reply.result(result));
    }

    #[inline]
    fn run<R>(
        self,
        run: impl FnOnce(&mut Arguments<'_>, &Caller<'_>) -> Result<R, BadArguments>,
        answer: impl FnOnce(Reply<'_>, &R),
    ) {
        let line = self.line;
        let outcome = OpenBody::new(self.payload, self.raw, line.codec)
            .map_err(BadArguments::from)
            .and_then(|body| run(&mut Arguments::new(body.decoder()), &Caller(line)));
        line.settle(|reply| answer_or_refuse(reply, &outcome, answer));
    }

    fn run_async<R: Send + 'static, F>(
        self,
        run: impl FnOnce(OwnedArguments, CallContext) -> F,
        answer: impl FnOnce(Reply<'_>, &R) + Send + 'static,
    ) where
        F: Future<Output = Result<R, BadArguments>> + Send + 'static,
    {
        let line = self.line;
        let body = match OwnedBody::new(mem::take(self.payload), self.raw, line.codec) {
            Ok(body) => body,
            Err(error) => return line.settle(|reply| reply.bad_request(&error.to_string())),
        };
        let handler = run(OwnedArguments::new(body), line.context());
        let late = LateReply::new(line.peer, line.ticket, line.codec, line.pool);
        line.settled.set(true);
        line.start(late.job(handler, |reply, outcome| answer_or_refuse(reply, outcome, answer)));
    }
}

#[inline]
fn answer_or_refuse<R>(
    reply: Reply<'_>,
    outcome: &Result<R, BadArguments>,
    answer: impl FnOnce(Reply<'_>, &R),
) {
    match outcome {
        Ok(value) => answer(reply, value),
        Err(bad) => reply.bad_request(bad.message()),
    }
}
