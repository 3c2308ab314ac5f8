//! One call: takes the arguments, sends them, brings the answer back.

use std::future::{Future, poll_fn};
use std::path::Path;
use std::pin::pin;
use std::task::Poll;
use std::time::Instant;

use super::answer::{Answered, Reply};
use super::cancel_token::CancelToken;
use super::flight::{Flight, block_on};
use super::options::Terms;
use super::{Connection, Inner};
use crate::__private::v1::{RawElement, Wire};
use crate::codec::{EncodeError, Encoder};
use crate::error::CallError;
use crate::tag;
use crate::transport::{Answer, ChannelError, Outgoing};

/// One call. Generated code makes one with [`new`](Self::new), gives it the arguments in order,
/// and ends with one of the two that call. What goes wrong with an argument is reported by
/// those; nothing is sent then.
#[must_use = "a call that is not finished is not sent"]
pub struct ClientCall<'a> {
    connection: &'a Connection,
    /// The number in the client's own descriptor.
    method: u16,
    arguments: Encoder<'a>,
    /// The first argument that could not be encoded.
    fault: Option<EncodeError>,
    /// Where the answer goes, and is decoded.
    answer: Answer,
}

impl<'a> ClientCall<'a> {
    /// Starts a call of the method of that number in the client's own descriptor.
    #[inline]
    pub fn new(connection: &'a Connection, method: u16) -> Self {
        let arguments = Encoder::new(connection.inner().codec);
        Self { connection, method, arguments, fault: None, answer: Answer::default() }
    }

    /// The next argument, declared as `T` or `&T`.
    #[inline]
    pub fn value<T: Wire>(&mut self, name: &'static str, value: &'a T) {
        self.note(|arguments| arguments.value(name, value));
    }

    /// The next argument, declared as `&str`.
    pub fn str(&mut self, name: &'static str, value: &'a str) {
        self.note(|arguments| arguments.str(name, value));
    }

    /// The next argument, declared as `&Path`.
    pub fn path(&mut self, name: &'static str, value: &'a Path) {
        self.note(|arguments| arguments.path(name, value));
    }

    /// The next argument, declared as `&[T]`.
    pub fn raw<T: RawElement>(&mut self, name: &'static str, value: &'a [T]) {
        self.note(|arguments| arguments.raw(name, value));
    }

    /// Calls, and blocks the thread until the answer is there.
    #[inline]
    pub fn block(&mut self) -> Answered<'_> {
        Answered(self.exchange_blocking())
    }

    /// Calls, and completes when the answer is there.
    ///
    /// The future knows nothing of the answer's type. Were that a parameter, a type without the
    /// bounds would be reported here once more, in the middle of generated code.
    #[inline]
    pub async fn send(&mut self) -> Answered<'_> {
        Answered(self.exchange().await)
    }

    #[inline]
    fn note(&mut self, add: impl FnOnce(&mut Encoder<'a>) -> Result<(), EncodeError>) {
        if self.fault.is_none() {
            self.fault = add(&mut self.arguments).err();
        }
    }

    fn exchange_blocking(&mut self) -> Result<Reply<'_>, CallError> {
        if self.connection.token().is_some() {
            return self.exchange_as_task();
        }
        let (inner, tag) = self.prepare()?;
        let Terms { mut limit, deadline } = self.connection.terms()?;
        let channel = &*inner.link.channel;
        let sent = self.with_message(tag, deadline, |message| channel.try_send(message));
        let ended = match sent {
            Ok(Some(ticket)) => channel.wait_answer(ticket, &mut limit, &mut self.answer),
            Ok(None) => self.exchange_slowly(tag, Terms { limit, deadline }),
            Err(error) => Err(error),
        };
        self.reply(ended)
    }

    /// For a request that has to wait for a lane or for space, or goes in segments.
    #[cold]
    fn exchange_slowly(&mut self, tag: u32, terms: Terms) -> Result<(), ChannelError> {
        let Terms { limit, deadline } = terms;
        let mut flight = Flight::new(&*self.connection.inner().link.channel, limit);
        block_on(|cx| self.with_message(tag, deadline, |message| flight.poll_send(cx, message)))?;
        flight.wait_answer(&mut self.answer)
    }

    /// For a call that can be cancelled: whoever does so wakes a task, and this thread waits as one.
    #[cold]
    fn exchange_as_task(&mut self) -> Result<Reply<'_>, CallError> {
        let mut exchange = pin!(self.exchange());
        block_on(|cx| exchange.as_mut().poll(cx))
    }

    async fn exchange(&mut self) -> Result<Reply<'_>, CallError> {
        let (inner, tag) = self.prepare()?;
        let Terms { limit, deadline } = self.connection.terms()?;
        let mut cancelled = self.connection.token().map(CancelToken::watch);
        let ended = {
            let mut exchange = pin!(async {
                let mut flight = Flight::new(&*inner.link.channel, limit);
                poll_fn(|cx| {
                    self.with_message(tag, deadline, |message| flight.poll_try_send(cx, message))
                })
                .await?;
                poll_fn(|cx| flight.poll_answer(cx, &mut self.answer)).await
            });
            poll_fn(|cx| {
                if cancelled.as_mut().is_some_and(|cancelled| cancelled.poll(cx).is_ready()) {
                    return Poll::Ready(Err(CallError::Cancelled));
                }
                exchange.as_mut().poll(cx).map(Ok)
            })
            .await?
        };
        self.reply(ended)
    }

    /// The tag of the request, or why there is nothing to send.
    #[inline]
    fn prepare(&self) -> Result<(&'a Inner, u32), CallError> {
        let inner = self.connection.inner();
        if let Some(fault) = &self.fault {
            return Err(CallError::Encode { message: fault.to_string() });
        }
        match inner.link.tags[usize::from(self.method)] {
            Some(tag) => Ok((inner, tag)),
            None => Err(CallError::UnknownMethod { method: inner.method_name(self.method) }),
        }
    }

    #[inline]
    fn with_message<R>(
        &self,
        tag: u32,
        deadline: Option<Instant>,
        send: impl FnOnce(Outgoing<'_>) -> R,
    ) -> R {
        self.arguments.with_body(|raw, body| {
            let tag = if raw { tag | tag::RAW } else { tag };
            send(Outgoing { tag, body, deadline })
        })
    }

    #[inline]
    fn reply(&mut self, ended: Result<(), ChannelError>) -> Result<Reply<'_>, CallError> {
        let inner = self.connection.inner();
        match ended {
            Ok(()) => Reply::open(&mut self.answer, inner.codec, inner.method_name(self.method)),
            Err(error) => Err(self.connection.call_error(error)),
        }
    }
}
