//! One call that a service answers.

use std::cell::Cell;
use std::future::Future;
use std::mem;
use std::sync::Arc;
use std::time::Instant;

use witrpc_transport::{Payload, Peer, ShortAnswer, ShortRequest, Ticket};

use crate::codec::{Codec, DecodeError, Encoder, OpenBody, OwnedBody};
use crate::contract::ServiceDescriptor;
use crate::event::server::hub::EventHub;
use crate::method;
use crate::method::{Method, StreamMethod, TakenBy, UploadItem, Value};
use crate::observe::counters::{Counter, ThreadCounters};
use crate::pool::{Job, Pool, Tenant};
use crate::rt::Rare;
use crate::stream::server::ServerStreams;
use crate::stream::server::slot::HasSlot;
use crate::stream::server::stream_cancel::StreamCancel;
use crate::stream::server::stream_limits::MethodPermit;
use crate::stream::server::stream_sender::{StreamSender, StreamWriter};
use crate::stream::server::threads::UploadJob;
use crate::stream::server::upload_receiver::{UploadReceiver, UploadReceiverState};
use crate::tag::{AnswerTag, Status};

use super::arguments::{Arguments, BadArguments, OwnedArguments};
use super::call_observer::CallObserver;
use super::cancel::Deadline;
use super::context::CallContext;
use super::counted::Counted;
use super::job::{AnswerTarget, LateReply, Spawn, StreamAsked, stream_job};
use super::pending_reply::PendingReply;
use super::reply::Reply;

/// The server of a trait, made by generated code.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the server of a trait",
    label = "not made by `#[wit_service]`",
    note = "for an implementation of a trait `X`, write `XServer::new(..)`"
)]
pub trait IntoService {
    /// Returns the service, which the threads of a server share.
    fn into_service(self) -> Arc<dyn Service>;
}

/// The dispatch of a trait's calls, implemented by generated code.
pub trait Service: Send + Sync + 'static {
    /// Returns the descriptor of the service.
    fn descriptor(&self) -> &'static ServiceDescriptor;

    /// Runs one call, and answers it by one of the methods of [`ServerCall`].
    fn dispatch(&self, call: ServerCall<'_>);

    /// Returns the services that its supertraits are, of the same handler.
    fn supertraits(&self) -> Vec<Arc<dyn Service>> {
        Vec::new()
    }

    /// Returns where the service emits its events, if it has any.
    fn events(&self) -> Option<&Arc<EventHub>> {
        None
    }
}

/// One call to be answered.
pub struct ServerCall<'a> {
    line: &'a RequestContext<'a>,
    method: u16,
    body: CallBody<'a>,
    /// The additional state of a method with streams.
    streams: Rare<WithStreams>,
}

/// The body of a call, where the transport has put it.
pub enum CallBody<'a> {
    /// A short request: all of it is encoded and can be decoded in place.
    Short(&'a ShortRequest<'a>),
    /// Any other request.
    Arrived {
        payload: &'a mut Payload,
        /// Whether the body has raw sections.
        raw: bool,
    },
}

impl CallBody<'_> {
    fn len(&self) -> usize {
        match self {
            CallBody::Short(request) => request.bytes().len(),
            CallBody::Arrived { payload, .. } => payload.len(),
        }
    }

    /// Takes ownership of the body, for a call that outlives its dispatch.
    fn take(&mut self, codec: Codec) -> Result<OwnedBody, DecodeError> {
        match self {
            CallBody::Short(request) => OwnedBody::new(request.request().payload, false, codec),
            CallBody::Arrived { payload, raw } => OwnedBody::new(mem::take(payload), *raw, codec),
        }
    }
}

/// The additional state of a call with streams, once the stream it takes is open.
#[derive(Default)]
struct WithStreams {
    /// Whether the handler may block its thread, and so runs on a thread of the server.
    on_server_threads: bool,
    /// The arguments after the stream's number, and where the answer goes.
    upload: Option<(OwnedArguments, AnswerTarget)>,
}

/// The target of an answer, kept by the dispatch while the user's code has the call.
pub struct RequestContext<'a> {
    pub peer: &'a Arc<dyn Peer>,
    pub ticket: Ticket,
    pub tag: u32,
    pub deadline: Option<Instant>,
    pub codec: Codec,
    pub pool: &'a Arc<Pool>,
    pub spawn: Option<&'a Spawn>,
    pub observer: &'a CallObserver,
    /// The counters of the thread that serves the call.
    pub counters: &'a ThreadCounters,
    /// Set once the call is answered, or a job has taken it over.
    pub settled: Cell<bool>,
    /// The answer, if the transport sends it.
    pub short_answer: &'a Cell<Option<ShortAnswer>>,
}

impl<'a> RequestContext<'a> {
    #[inline]
    pub fn reply(&self) -> Reply<'_> {
        let (peer, counter, observer) = (&**self.peer, Counter::Own(self.counters), self.observer);
        Reply { peer, ticket: self.ticket, codec: self.codec, observer, counter }
    }

    /// Answers with the handler's value.
    #[inline]
    pub(crate) fn value<M: Method>(&self, value: &M::Ok) {
        self.encode(Status::Ok, &M::OK, value);
    }

    /// Answers with the value or the error that the handler returned.
    #[inline]
    pub(crate) fn result<M: Method>(&self, result: &Result<M::Ok, M::Err>) {
        match result {
            Ok(value) => self.value::<M>(value),
            Err(error) => self.encode(Status::App, &method::error_of::<M>(), error),
        }
    }

    /// Answers with a value. The transport sends a short one, unless hooks or spans must learn
    /// whether the caller received it. Inlined: most answers are short, and then only the bytes go
    /// through memory.
    #[inline(always)]
    fn encode<T: 'static>(&self, status: Status, how: &Value<T>, value: &T) {
        let mut encoder = Encoder::new(self.codec);
        let encoded = how.put(value, &mut encoder);
        if encoded.is_ok()
            && let Some(body) = encoder.short()
            && self.observer.is_plain()
        {
            let tag = AnswerTag { status, raw: false }.bits();
            self.short_answer.set(Some(ShortAnswer::new(tag, body)));
            self.observer.answered(Counter::Own(self.counters), status, body.len(), true);
            // A short message has no leases and no raw sections, so there is nothing to drop.
            mem::forget(encoder);
            return;
        }
        self.reply().encoded(status, encoder, encoded);
    }

    /// Answers a call that its service has not answered.
    #[cold]
    pub fn unsettled(&self, dispatched: Result<(), String>) {
        let message = dispatched.err();
        self.reply().panicked(message.as_deref().unwrap_or("the service gave no answer"));
    }

    pub fn asked(&self) -> PendingReply {
        let (peer, observer) = (Arc::clone(self.peer), self.observer.clone());
        PendingReply { peer, ticket: self.ticket, codec: self.codec, observer }
    }

    fn context(&self, stream_cancel: Option<&Arc<StreamCancel>>) -> CallContext {
        let timer = || Arc::clone(&self.pool.timer);
        let deadline = self.deadline.map(|at| Deadline { at, timer: timer() });
        CallContext::new(self.peer, self.ticket, deadline, stream_cancel.cloned())
    }

    /// Answers. If the user's code panics while it encodes, the call stays unsettled.
    #[inline]
    fn settle(&self, answer: impl FnOnce(Reply<'_>)) {
        answer(self.reply());
        self.settled.set(true);
    }

    fn tenant(&self) -> Tenant {
        Tenant { client: self.peer.client().id, tag: self.tag }
    }

    /// Wraps a job that runs outside of the pool so that it is listed as running until it ends.
    fn enlisted(&self, job: Job) -> Job {
        let enlisted = self.pool.enlist(self.tenant());
        Box::pin(async move {
            let _enlisted = enlisted;
            job.await;
        })
    }

    fn start(&self, job: Job) {
        match self.spawn {
            Some(spawn) => spawn(self.enlisted(job)),
            None => self.pool.run_job(job, self.tenant()),
        }
    }
}

/// The caller's identity, from which a method's context is made if it asks for one.
pub struct Caller<'a>(&'a RequestContext<'a>);

impl Caller<'_> {
    /// Returns the context of the call.
    pub fn context(&self) -> CallContext {
        self.0.context(None)
    }
}

impl<'a> ServerCall<'a> {
    #[inline]
    pub(crate) fn new(line: &'a RequestContext<'a>, method: u16, body: CallBody<'a>) -> Self {
        Self { line, method, body, streams: Rare::default() }
    }
}

impl ServerCall<'_> {
    /// Returns the number of the method, in the order of the descriptor.
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
    pub fn reply<M: Method>(self, run: impl for<'t> FnOnce(TakenBy<'t, M>, &Caller<'_>) -> M::Ok) {
        self.run(
            |arguments, caller| Ok(run(arguments.read::<M>()?, caller)),
            |line, value| line.value::<M>(value),
        );
    }

    /// Answers with the value or the method's own error that `run` makes of the arguments.
    #[inline]
    pub fn reply_result<M: Method>(
        self,
        run: impl for<'t> FnOnce(TakenBy<'t, M>, &Caller<'_>) -> Result<M::Ok, M::Err>,
    ) {
        self.run(
            |arguments, caller| Ok(run(arguments.read::<M>()?, caller)),
            |line, result| line.result::<M>(result),
        );
    }

    #[inline]
    pub(crate) fn run<R>(
        self,
        run: impl FnOnce(&mut Arguments<'_>, &Caller<'_>) -> Result<R, BadArguments>,
        answer: impl FnOnce(&RequestContext<'_>, &R),
    ) {
        let line = self.line;
        let opened = match self.body {
            CallBody::Short(request) => Ok(OpenBody::short(request.bytes(), line.codec)),
            CallBody::Arrived { payload, raw } => OpenBody::new(payload, raw, line.codec),
        };
        let outcome = opened
            .map_err(BadArguments::from)
            .and_then(|body| run(&mut Arguments::new(body.decoder()), &Caller(line)));
        match &outcome {
            Ok(value) => answer(line, value),
            Err(bad) => line.reply().bad_request(bad.message()),
        }
        line.settled.set(true);
    }

    /// Marks the handler as one that may block its thread. It runs on a thread of the server; if it
    /// waits for its client, on a thread outside of the pool.
    pub(super) fn runs_on_server_threads(&mut self) {
        self.streams.get_or_insert_default().on_server_threads = true;
    }

    /// Opens the stream that the method takes. Returns `None` if that fails; the call is then
    /// answered.
    pub(super) fn open_upload<T: UploadItem>(mut self) -> Option<(Self, UploadReceiver<T>)> {
        let line = self.line;
        let (arguments, number, permit) = self.take_stream_arguments()?;
        let session = line.peer.session();
        let server_streams = ServerStreams::of(session);
        let state = UploadReceiverState::new(server_streams, number);
        if let Err(why) = server_streams.open(number, Arc::clone(&state) as _) {
            line.settle(|reply| reply.not_opened(why));
            return None;
        }
        let upload = Arc::clone(&state) as _;
        let (session, observer) = (session.clone(), line.observer.clone());
        let place = AnswerTarget::Slot { upload, session, number, observer, permit };
        self.streams.get_or_insert_default().upload = Some((arguments, place));
        line.settle(|reply| reply.opened());
        Some((self, UploadReceiver::new(&state)))
    }

    /// Runs the future that `run` makes of the arguments, and answers that the stream is open once
    /// the future says so. The future then sends the items.
    pub(super) fn stream<M: StreamMethod, F>(
        mut self,
        run: impl FnOnce(OwnedArguments, CallContext, StreamWriter<M>) -> F,
    ) where
        F: Future<Output = Result<(), BadArguments>> + Send + 'static,
    {
        let line = self.line;
        let Some((arguments, number, permit)) = self.take_stream_arguments() else { return };
        let counted = Counted::new(line.pool);
        let flow =
            StreamSender::new(line.peer.session(), number, M::ITEMS.encode, line.asked(), counted);
        let context = line.context(Some(&flow.stream_cancel));
        let handler = run(arguments, context, StreamWriter::new(&flow));
        line.settled.set(true);
        let (session, span) = (line.peer.session().clone(), line.observer.span().clone());
        let (drops, pool) = (M::DROP_ON_DISCONNECT, Arc::downgrade(line.pool));
        let asked = StreamAsked { session, span, drops, pool };
        self.start(stream_job(flow, permit, asked, handler), None);
    }

    /// Opens the arguments of a method with a stream, whose number comes first. Returns `None` if
    /// the method does not begin; the call is then answered.
    fn take_stream_arguments(&mut self) -> Option<(OwnedArguments, u64, MethodPermit)> {
        let permit = ServerStreams::of(self.line.peer.session()).load.begin(self.body.len());
        let permit = match permit {
            Ok(permit) => permit,
            Err(why) => {
                self.line.settle(|reply| reply.not_opened(why));
                return None;
            }
        };
        let opened = self
            .body
            .take(self.line.codec)
            .map_err(BadArguments::from)
            .and_then(OwnedArguments::behind_number);
        match opened {
            Ok((arguments, number)) => Some((arguments, number, permit)),
            Err(bad) => {
                self.line.settle(|reply| reply.bad_request(bad.message()));
                None
            }
        }
    }

    fn start(&self, job: Job, upload: Option<(u64, Arc<dyn HasSlot>)>) {
        let on_server_threads = self.streams.as_ref().is_some_and(|with| with.on_server_threads);
        match upload {
            _ if !on_server_threads => self.line.start(job),
            None => self.line.pool.run_job(job, self.line.tenant()),
            // This handler waits for its client, and must not delay other clients in the pool.
            Some((number, upload)) => {
                let RequestContext { peer, pool, .. } = self.line;
                let job = self.line.enlisted(job);
                let threads = &ServerStreams::of(peer.session()).threads;
                threads.run(UploadJob { number, tenant: self.line.tenant(), job, upload }, pool);
            }
        }
    }

    pub(crate) fn run_async<M: Method, R: Send + 'static, F>(
        mut self,
        run: impl FnOnce(OwnedArguments, CallContext) -> F,
        answer: impl FnOnce(Reply<'_>, &R) + Send + 'static,
    ) where
        F: Future<Output = Result<R, BadArguments>> + Send + 'static,
    {
        let line = self.line;
        let upload = self.streams.as_mut().and_then(|with| with.upload.take());
        // The body of a method with a stream has been taken, and its permit knows the length.
        let request_len = upload.as_ref().map_or(self.body.len(), |(_, place)| place.request_len());
        let (arguments, place) = match upload {
            Some(upload) => upload,
            None => match self.body.take(line.codec) {
                Ok(body) => (OwnedArguments::new(body), AnswerTarget::Caller(line.asked())),
                Err(error) => return line.settle(|reply| reply.bad_request(&error.to_string())),
            },
        };
        let upload = match &place {
            AnswerTarget::Slot { number, upload, .. } => Some((*number, Arc::clone(upload))),
            AnswerTarget::Caller(_) => None,
        };
        let stream_cancel = upload.as_ref().map(|(_, upload)| upload.stream_cancel());
        let handler = run(arguments, line.context(stream_cancel));
        let late = LateReply::new(place, request_len, M::DROP_ON_DISCONNECT, line.pool);
        line.settled.set(true);
        let job = late.job(handler, |reply, outcome| answer_or_refuse(reply, outcome, answer));
        self.start(job, upload);
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
