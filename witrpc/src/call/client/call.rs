//! One call: it takes the arguments, [exchanges](super::exchange) them for the answer, and decodes that.

use std::time::Instant;

use witrpc_transport::{Answer, ChannelError, Outgoing, Ticket};

use crate::codec::{EncodeError, Encoder};
use crate::connection::handle::Connection;
use crate::connection::link::Link;
use crate::error::CallError;
use crate::method::{ArgumentList, LentTo, Message};
use crate::observe::hooks::CallEnd;
use crate::observe::spans;
use crate::observe::spans::MadeSpan;
use crate::stream::client::call::CallStream;
use crate::tag;

use super::answer::{AnswerValue, Answered};
use super::failed_attempt::Failed;
use super::hook_call::{ClientHookCall, Observed};
use super::options::CallDeadline;
use super::short::Unfinished;

/// One call. Generated code creates it with `call_async` and ends it with one of the functions that
/// send it. Those functions report an argument that could not be encoded; the call is then not
/// sent.
#[must_use = "a call that is not finished is not sent"]
pub struct ClientCall<'a> {
    pub(crate) connection: &'a Connection,
    /// The method's number in the client's own descriptor.
    pub(crate) method: u16,
    arguments: Encoder<'a>,
    /// The buffer in which the answer arrives and is decoded.
    pub(crate) answer: Answer,
    extras: Option<Box<Extras>>,
}

/// The state that few calls need. It is boxed, so that other calls pay for one check.
#[derive(Default)]
struct Extras {
    /// The first argument that could not be encoded.
    fault: Option<EncodeError>,
    /// The hook and the span that are around the call, until it has ended.
    observed: Observed,
    /// The stream that the method takes or returns.
    stream: Option<CallStream>,
    /// Whether the method takes that stream: it is then answered after the stream, not when that
    /// opens.
    uploads: bool,
}

impl<'a> ClientCall<'a> {
    /// Starts a call of a method with these arguments.
    #[inline]
    pub fn of<M: Message>(connection: &'a Connection, arguments: LentTo<'a, M>) -> Self {
        let mut call = Self::new(connection, M::NUMBER);
        call.note(|encoder| M::ARGS.put(arguments, encoder));
        call
    }

    /// Starts a call of the method with that number in the client's own descriptor.
    #[inline]
    pub(crate) fn new(connection: &'a Connection, method: u16) -> Self {
        let arguments = Encoder::new(connection.inner().codec);
        Self { connection, method, arguments, answer: Answer::default(), extras: None }
    }

    /// Starts a call with the outcome of encoding its arguments.
    pub(super) fn with(
        connection: &'a Connection,
        method: u16,
        arguments: Encoder<'a>,
        encoded: Result<(), EncodeError>,
    ) -> Self {
        let mut call =
            Self { connection, method, arguments, answer: Answer::default(), extras: None };
        if let Err(fault) = encoded {
            call.note_fault(fault);
        }
        call
    }

    /// Sends the call, and blocks the thread until the answer arrives.
    #[inline]
    pub fn block(&mut self) -> Answered<'_> {
        Answered(self.exchange_blocking(None))
    }

    /// Continues a call that may have been sent, and blocks the thread until the answer arrives.
    pub(super) fn block_from(&mut self, unfinished: Option<Unfinished<'a>>) -> Answered<'_> {
        Answered(self.exchange_blocking(unfinished))
    }

    /// Sends the call, and completes when the answer arrives.
    ///
    /// The future does not depend on the answer's type. Otherwise the compiler would report a type
    /// without the bounds a second time, within generated code.
    #[inline]
    pub async fn send(&mut self) -> Answered<'_> {
        Answered(self.exchange(None).await)
    }

    /// Goes on with a call that may have been sent, and completes when the answer is there.
    pub async fn send_from(&mut self, unfinished: Option<Box<Unfinished<'a>>>) -> Answered<'_> {
        Answered(self.exchange(unfinished.map(|unfinished| *unfinished)).await)
    }

    /// Encodes an argument, unless an earlier one failed: the call is then not sent.
    #[inline]
    pub(crate) fn note(&mut self, add: impl FnOnce(&mut Encoder<'a>) -> Result<(), EncodeError>) {
        if let Err(fault) = add(&mut self.arguments) {
            self.note_fault(fault);
        }
    }

    #[cold]
    fn note_fault(&mut self, fault: EncodeError) {
        self.extras().fault.get_or_insert(fault);
    }

    fn extras(&mut self) -> &mut Extras {
        self.extras.get_or_insert_default()
    }

    /// Sets the stream that the method takes or returns.
    pub(crate) fn set_stream(&mut self, stream: CallStream) {
        self.extras().stream = Some(stream);
    }

    /// Marks the stream as one that the method takes.
    pub(crate) fn set_uploads(&mut self) {
        self.extras().uploads = true;
    }

    /// Returns the stream that the method takes or returns.
    pub(crate) fn stream_mut(&mut self) -> Option<&mut CallStream> {
        self.extras.as_mut()?.stream.as_mut()
    }

    /// Takes the stream out of the call.
    pub(crate) fn take_stream_out(&mut self) -> Option<CallStream> {
        self.extras.as_mut()?.stream.take()
    }

    /// Returns how long the call may take, or why it cannot be sent.
    #[inline]
    pub(super) fn prepare(&mut self) -> Result<CallDeadline, CallError> {
        let inner = self.connection.inner();
        if inner.hook.is_some() || self.extras.is_some() || spans::are_wanted() {
            return self.prepare_extras();
        }
        self.connection.call_deadline()
    }

    /// Does the same as [`prepare`](Self::prepare) for a call with options, a hook or a span.
    #[cold]
    fn prepare_extras(&mut self) -> Result<CallDeadline, CallError> {
        let inner = self.connection.inner();
        if inner.hook.is_none() && !spans::are_wanted() {
            return self.check();
        }
        let names = [inner.descriptor.name, inner.method_name(self.method)];
        self.extras().observed.span = MadeSpan::of_call(names);
        let prepared = match &inner.hook {
            Some(hook) => {
                ClientHookCall::begin(hook, names, self.request_len()).and_then(|hook_call| {
                    self.extras().observed.hook_call = Some(hook_call);
                    self.check()
                })
            }
            None => self.check(),
        };
        if let Err(error) = &prepared {
            self.conclude(error);
        }
        prepared
    }

    /// Returns the length of the request's body, which is known once its leases are settled. It is
    /// 0 for a request that cannot be sent.
    fn request_len(&mut self) -> usize {
        let link = self.connection.inner().link();
        self.decide_leases(&link).map_or(0, |()| self.arguments.with_body(|_, body| body.len()))
    }

    /// Settles which leases the request carries over this link.
    #[inline]
    pub(super) fn decide_leases(&mut self, link: &Link) -> Result<(), Failed> {
        self.arguments.decide_leases(|| link.channel.lessor()).map_err(|fault| {
            self.note_fault(fault);
            Failed::Unencoded
        })
    }

    /// Records that the call has ended without an answer.
    pub(crate) fn conclude(&mut self, error: &CallError) {
        if let Some(extras) = &mut self.extras {
            std::mem::take(&mut extras.observed).end(CallEnd::Failed(error), 0);
        }
    }

    fn check(&self) -> Result<CallDeadline, CallError> {
        match self.fault() {
            Some(fault) => Err(fault),
            None => self.connection.call_deadline(),
        }
    }

    /// Returns why the request cannot be sent, if it cannot.
    fn fault(&self) -> Option<CallError> {
        let fault = self.extras.as_ref()?.fault.as_ref()?;
        Some(CallError::Encode { message: fault.to_string() })
    }

    #[inline]
    pub(super) fn note_sent(&mut self, link: &Link, ticket: Option<Ticket>) {
        if let Some(extras) = &mut self.extras
            && let Some(ticket) = ticket
        {
            extras.observed.sent(link.client_id, ticket);
        }
    }

    /// Returns the tag of the request, if the server at the other end of this link has the method.
    #[inline]
    pub(super) fn tag(&mut self, link: &Link) -> Result<u32, Failed> {
        let tag = link.tags[usize::from(self.method)].ok_or_else(|| self.no_method(link))?;
        if let Some(extras) = &mut self.extras
            && let Some(stream) = &mut extras.stream
        {
            stream.opens_over(link, extras.uploads);
        }
        Ok(tag)
    }

    #[cold]
    fn no_method(&self, link: &Link) -> Failed {
        let name = self.connection.inner().method_name(self.method);
        Failed::NoMethod(Box::new(link.without_method(self.method, name)))
    }

    /// Returns the caller's error for a failed attempt.
    pub(super) fn error(&self, failed: Failed) -> CallError {
        match failed {
            Failed::NoMethod(error) => *error,
            Failed::Unencoded => self.fault().expect("it was noted"),
            Failed::Unsent(error) | Failed::Unanswered(error) => self.connection.call_error(error),
            Failed::Cancelled => CallError::Cancelled,
        }
    }

    #[inline]
    pub(super) fn with_message<R>(
        &self,
        tag: u32,
        deadline: Option<Instant>,
        send: impl FnOnce(Outgoing<'_>) -> R,
    ) -> R {
        self.arguments.with_body(|raw, body| {
            let tag = if raw { tag | tag::RAW } else { tag };
            send(Outgoing::new(tag, body).with_deadline(deadline))
        })
    }

    #[inline]
    pub(super) fn reply(
        &mut self,
        ended: Result<(), CallError>,
        call_deadline: CallDeadline,
    ) -> Result<AnswerValue<'_>, CallError> {
        match &self.extras {
            Some(extras) if !extras.uploads => self.finish(|call| call.open(ended, call_deadline)),
            _ => self.open(ended, call_deadline),
        }
    }

    /// Opens the answer of a call that hooks or spans may observe.
    #[cold]
    pub(crate) fn finish(
        &mut self,
        open: impl for<'r> FnOnce(&'r mut Self) -> Result<AnswerValue<'r>, CallError>,
    ) -> Result<AnswerValue<'_>, CallError> {
        let observed = std::mem::take(&mut self.extras().observed);
        let len = self.answer.payload.len();
        let reply = open(self);
        observed.end(
            match &reply {
                Ok(reply) if reply.is_error() => CallEnd::AppError,
                Ok(_) => CallEnd::Ok,
                Err(error) => CallEnd::Failed(error),
            },
            len,
        );
        reply
    }

    #[inline]
    fn open(
        &mut self,
        ended: Result<(), CallError>,
        call_deadline: CallDeadline,
    ) -> Result<AnswerValue<'_>, CallError> {
        ended?;
        if call_deadline.are_over() {
            // A handler that sees its deadline pass may answer anything, so the answer is not used.
            return Err(self.connection.call_error(ChannelError::TimedOut));
        }
        self.open_answer()
    }

    /// Inspects the answer that has arrived.
    #[inline]
    pub(crate) fn open_answer(&mut self) -> Result<AnswerValue<'_>, CallError> {
        let inner = self.connection.inner();
        let reply =
            AnswerValue::open(&mut self.answer, inner.codec, inner.method_name(self.method));
        if let Some(extras) = &mut self.extras
            && let Some(stream) = &mut extras.stream
        {
            // A server that has not opened the stream has nothing to close.
            stream.may_be_open = reply.as_ref().is_ok_and(|reply| !reply.is_error());
        }
        reply
    }
}
