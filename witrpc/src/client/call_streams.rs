//! Calls of methods that take or return a stream.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use futures_core::Stream;

use super::answer::Answered;
use super::call::ClientCall;
use super::cancel_token::CancelToken;
use super::flight::block_on;
use super::links::Link;
use super::streams::{
    AsyncStream, BlockingStream, Control, Feeding, LinkStreams, ReadItems, Request, Source, Target,
    feed, read_results, read_values,
};
use crate::__private::v1::Wire;
use crate::error::CallError;
use crate::tag::Operation;
use crate::transport::{Answer, Limit};

/// The stream of a call. Whoever drops the call while it may be open closes it.
pub(super) struct CallStream {
    number: u64,
    /// Of the link that the call was made over last.
    streams: Option<Arc<LinkStreams>>,
    /// From the first attempt to send the call until the stream has an owner or the server has said
    /// that there is none.
    pub(super) may_be_open: bool,
}

impl CallStream {
    /// The call is about to be made over this link.
    pub(super) fn opens_over(&mut self, link: &Link) {
        self.streams = Some(Arc::clone(&link.streams));
        self.may_be_open = true;
    }
}

impl Drop for CallStream {
    fn drop(&mut self) {
        if let Some(streams) = &self.streams
            && self.may_be_open
        {
            streams.close(self.number);
        }
    }
}

impl<'a> ClientCall<'a> {
    /// The method takes or returns a stream. Comes before the arguments.
    pub fn opens(&mut self) {
        let number = LinkStreams::next_number();
        self.note(|arguments| arguments.number("stream", number));
        self.set_stream(CallStream { number, streams: None, may_be_open: false });
    }

    /// The stream that the call has opened, of values.
    pub fn blocking_values<T: Wire>(&mut self) -> BlockingStream<T> {
        BlockingStream::new(self.take_stream(read_values))
    }

    /// The stream that the call has opened, of `Result`s.
    pub fn blocking_results<T: Wire, E: Wire>(&mut self) -> BlockingStream<T, E> {
        BlockingStream::new(self.take_stream(read_results))
    }

    /// The stream that the call has opened, of values.
    pub fn async_values<T: Wire>(&mut self) -> AsyncStream<T> {
        AsyncStream::new(self.take_stream(read_values))
    }

    /// The stream that the call has opened, of `Result`s.
    pub fn async_results<T: Wire, E: Wire>(&mut self) -> AsyncStream<T, E> {
        AsyncStream::new(self.take_stream(read_results))
    }

    fn take_stream<T, E>(&mut self, read: ReadItems<T, E>) -> Source<T, E> {
        let (number, streams) = self.take_open_stream();
        let method = self.connection.inner().method_name(self.method);
        Source::new(self.connection, &streams, number, method, read)
    }

    /// The stream that the call has opened, which is another's to close from now on.
    fn take_open_stream(&mut self) -> (u64, Arc<LinkStreams>) {
        let mut stream = self.take_stream_out().expect("generated code has asked for a stream");
        stream.may_be_open = false;
        let streams = stream.streams.take().expect("the call has been answered");
        (stream.number, streams)
    }

    /// Calls, feeds the stream that the method takes, and blocks the thread until the answer is
    /// there.
    pub fn block_feeding<T: Wire>(&mut self, items: impl Iterator<Item = T>) -> Answered<'_> {
        self.set_feeds();
        let fed = self.feed_blocking(items);
        self.fed(fed)
    }

    fn feed_blocking<T: Wire>(
        &mut self,
        items: impl Iterator<Item = T>,
    ) -> Result<Answer, CallError> {
        self.block().value::<()>()?;
        let target = self.target();
        feed(&target, items)?;
        let request = Request::plain(target.streams, self.connection.terms()?.limit);
        self.wait_unless_cancelled(request, &target.control_of_answer())
    }

    fn wait_unless_cancelled(
        &self,
        mut request: Request,
        control: &Control<'_>,
    ) -> Result<Answer, CallError> {
        let failed = |error| self.connection.call_error(error);
        let Some(token) = self.connection.token() else {
            return request.wait(control).map_err(failed);
        };
        let mut cancelled = token.watch();
        block_on(|cx| {
            if cancelled.poll(cx).is_ready() {
                return Poll::Ready(Err(CallError::Cancelled));
            }
            request.poll(cx, control).map_err(failed)
        })?;
        Ok(request.into_answer())
    }

    /// Calls, feeds the stream that the method takes, and completes when the answer is there.
    pub async fn send_feeding<T: Wire>(&mut self, items: impl Stream<Item = T>) -> Answered<'_> {
        self.set_feeds();
        let fed = self.feed_async(items).await;
        self.fed(fed)
    }

    async fn feed_async<T: Wire>(
        &mut self,
        items: impl Stream<Item = T>,
    ) -> Result<Answer, CallError> {
        self.send().await.value::<()>()?;
        let target = self.target();
        let control = target.control_of_answer();
        // The method may answer before it has taken all.
        let mut request = Request::plain(target.streams, Limit::Never);
        let mut feeding = Some(Feeding::new(&target));
        let mut items = pin!(items);
        let mut cancelled = self.connection.token().map(CancelToken::watch);
        poll_fn(|cx| {
            if cancelled.as_mut().is_some_and(|cancelled| cancelled.poll(cx).is_ready()) {
                return Poll::Ready(Err(CallError::Cancelled));
            }
            if let Some(fed) = &mut feeding
                && fed.poll(cx, items.as_mut())?.is_ready()
            {
                feeding = None;
                request.set_limit(self.connection.terms()?.limit);
            }
            let answered = request.poll(cx, &control);
            answered.map_err(|error| self.connection.call_error(error))
        })
        .await?;
        Ok(request.into_answer())
    }

    /// The call has ended. If the method has answered, its stream is over, whatever of it was fed.
    fn fed(&mut self, fed: Result<Answer, CallError>) -> Answered<'_> {
        match fed {
            Ok(answer) => {
                drop(self.take_open_stream());
                self.answer = answer;
                Answered(self.finish(Self::open_answer))
            }
            Err(error) => {
                self.conclude(&error);
                Answered(Err(error))
            }
        }
    }

    /// Whom the items of the stream go to.
    fn target(&self) -> Target<'_> {
        let stream = self.stream().expect("generated code has asked for a stream");
        Target {
            connection: self.connection,
            streams: stream.streams.as_ref().expect("the call has been answered"),
            number: stream.number,
            method: self.connection.inner().method_name(self.method),
        }
    }
}

impl Target<'_> {
    /// The request for the answer to the call.
    fn control_of_answer(&self) -> Control<'static> {
        Control::of_stream(Operation::Pull, self.number, self.streams.codec)
    }
}
