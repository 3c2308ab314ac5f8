//! Pushes batches of a stream that a method takes.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use crate::__private::v1::Wire;
use crate::client::Connection;
use crate::client::answer::read_pulled;
use crate::client::options::Terms;
use crate::codec::{Batch, Codec, EncodeError};
use crate::error::CallError;
use crate::tag::Operation;
use crate::transport::{Answer, ChannelError, Limit};

use super::LinkStreams;
use super::request::{Control, Request};

/// A stream that is being fed.
pub(in crate::client) struct Target<'a> {
    pub(in crate::client) connection: &'a Connection,
    pub(in crate::client) streams: &'a Arc<LinkStreams>,
    pub(in crate::client) number: u64,
    pub(in crate::client) method: &'static str,
    /// Of the call. A deadline bounds all of it; a timeout that is the client's, what is waited for but
    /// that items are taken, which may take as long as the server lives.
    pub(in crate::client) terms: Terms,
}

impl Target<'_> {
    pub(super) fn codec(&self) -> Codec {
        self.streams.codec
    }

    /// The request that pushes the first items.
    fn control<'b, T: Wire>(
        &self,
        batch: &'b Batch<T>,
        items: usize,
        over: bool,
    ) -> Result<Control<'b>, CallError> {
        let mut control = Control::of_stream(Operation::Push, self.number, self.codec());
        control
            .add(|body| body.number("over", over.into()).and_then(|()| batch.write(items, body)))
            .map_err(not_encoded)?;
        Ok(control)
    }

    fn request(&self) -> Request {
        let mut request = Request::for_items(self.streams, self.terms.limit);
        request.set_limit(self.terms.deadline.map_or(Limit::Never, Limit::At));
        request
    }

    /// What the caller gets for a request that failed.
    pub(in crate::client) fn error(&self, error: ChannelError) -> CallError {
        self.connection.call_error(match error {
            // What was still waited for does not matter.
            ChannelError::NoFreeLane | ChannelError::NoSpace if self.terms.are_over() => {
                ChannelError::TimedOut
            }
            other => other,
        })
    }

    /// Whether the server wants more.
    fn read(&self, mut answer: Answer) -> Result<bool, CallError> {
        let body = read_pulled(&mut answer, self.codec(), self.method)?;
        Ok(body.is_some())
    }
}

#[cold]
pub(super) fn not_encoded(error: EncodeError) -> CallError {
    CallError::Encode { message: error.to_string() }
}

/// Pushes one batch after the other, each in as many messages as it takes.
pub(super) struct Pusher<'a, T> {
    target: &'a Target<'a>,
    /// What has not been taken of the batch that is on its way.
    batch: Batch<T>,
    /// No items come after it.
    is_last: bool,
    /// How many items to send at once, learnt from what was too long.
    portion: usize,
    message: Option<Message>,
}

/// A push on its way.
struct Message {
    request: Request,
    items: usize,
    /// The last of them is the stream's last.
    over: bool,
}

impl<'a, T: Wire> Pusher<'a, T> {
    pub(super) fn new(target: &'a Target<'a>) -> Self {
        let (batch, portion) = (Batch::new(), usize::MAX);
        Self { target, batch, is_last: false, portion, message: None }
    }

    /// Whether nothing is on its way.
    pub(super) fn is_idle(&self) -> bool {
        self.message.is_none()
    }

    /// Begins to push a batch. It may be empty if it is the last. In its place there is an empty one,
    /// with the memory of an earlier one.
    pub(super) fn begin(&mut self, batch: &mut Batch<T>, is_last: bool) {
        debug_assert!(self.is_idle(), "what is on its way goes first");
        std::mem::swap(&mut self.batch, batch);
        self.is_last = is_last;
        self.portion = usize::MAX;
        self.next();
    }

    fn next(&mut self) {
        let items = self.batch.sendable().min(self.portion);
        let over = self.is_last && items == self.batch.len();
        self.message = Some(Message { request: self.target.request(), items, over });
    }

    /// Completes when the batch has been taken, and there is credit for another one: with whether
    /// another one is wanted.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, CallError>> {
        loop {
            let ended = ready!(self.poll_message(cx))?;
            let Some(Message { request, items, over }) = self.message.take() else {
                return Poll::Ready(Ok(true));
            };
            match ended {
                Ok(()) => {
                    self.batch.forget(items);
                    let is_wanted = self.target.read(request.into_answer())?;
                    if over || !is_wanted {
                        return Poll::Ready(Ok(false));
                    }
                    if self.batch.is_empty() {
                        return Poll::Ready(Ok(true));
                    }
                    self.next();
                }
                // Fewer may do.
                Err(ChannelError::TooLarge { .. }) if items > 1 => {
                    self.portion = items / 2;
                    self.next();
                }
                Err(error) => return Poll::Ready(Err(self.target.error(error))),
            }
        }
    }

    /// Completes when the push that is on its way has been answered or has failed.
    fn poll_message(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Result<(), ChannelError>, CallError>> {
        let Some(Message { request, items, over }) = &mut self.message else {
            return Poll::Ready(Ok(Ok(())));
        };
        // Made anew for each attempt to send it, and not any more while it waits for its answer.
        if !request.is_sent() {
            let control = self.target.control(&self.batch, *items, *over)?;
            if let Err(error) = ready!(request.poll_send(cx, &control)) {
                return Poll::Ready(Ok(Err(error)));
            }
        }
        request.poll_answer(cx).map(Ok)
    }
}
