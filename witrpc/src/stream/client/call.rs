//! Calls of methods that take or return a stream.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Poll, ready};

use futures_core::Stream;
use witrpc_transport::{Answer, ChannelError};

use crate::call::client::answer::Answered;
use crate::call::client::call::ClientCall;
use crate::call::client::options::CallDeadline;
use crate::connection::handle::Connection;
use crate::connection::link::Link;
use crate::error::CallError;
use crate::method::{
    ArgumentList, ItemErr, ItemOk, LentTo, Message, ReadItems, StreamMethod, UploadItem,
    UploadMethod,
};
use crate::rt::block_on;

use super::asynchronous::AsyncStream;
use super::blocking::BlockingStream;
use super::link_streams::LinkStreams;
use super::notices::Registration;
use super::pickup::AnswerPickup;
use super::push::Target;
use super::stream_receiver::StreamReceiver;
use super::upload_future::UploadFuture;
use super::upload_thread::{SentUpload, upload};

/// The stream of a call. Dropping the call closes the stream, if it may be open.
pub struct CallStream {
    number: u64,
    /// The streams of the link that the call was last made over.
    streams: Option<Arc<LinkStreams>>,
    /// The registration of an upload. The server may send notices before it answers that the upload
    /// is open.
    notices: Option<Registration>,
    /// Set from the first attempt to send the call. Cleared when the stream has an owner, or when the
    /// server has reported that there is no stream.
    pub may_be_open: bool,
}

impl CallStream {
    /// Prepares for an attempt over this link.
    pub fn opens_over(&mut self, link: &Link, is_uploaded: bool) {
        self.streams = Some(Arc::clone(&link.streams));
        // An earlier attempt may have registered it over the same link.
        self.notices = None;
        self.notices = is_uploaded.then(|| link.streams.register(self.number));
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

/// The stream of a method's items, for a blocking client.
pub type BlockingStreamOf<M> = BlockingStream<ItemOk<M>, ItemErr<M>>;
/// The stream of a method's items, for an async client.
pub type AsyncStreamOf<M> = AsyncStream<ItemOk<M>, ItemErr<M>>;

/// Calls a method that returns a stream, and blocks the thread until that is open.
///
/// # Errors
///
/// The method's own error, or why there is no stream.
pub fn open_blocking<'a, M: StreamMethod>(
    connection: &'a Connection,
    arguments: LentTo<'a, M>,
) -> Result<BlockingStreamOf<M>, CallError<M::Err>> {
    let mut call = ClientCall::opening::<M>(connection, arguments);
    call.block().outcome::<M>()?;
    Ok(BlockingStream::new(call.take_stream(M::ITEMS.read)))
}

/// Calls a method that returns a stream, and completes when that is open.
///
/// # Errors
///
/// The method's own error, or why there is no stream.
pub fn open_async<'a, M: StreamMethod>(
    connection: &'a Connection,
    arguments: LentTo<'a, M>,
) -> impl Future<Output = Result<AsyncStreamOf<M>, CallError<M::Err>>> {
    let mut call = ClientCall::opening::<M>(connection, arguments);
    async move {
        call.send().await.outcome::<M>()?;
        Ok(AsyncStream::new(call.take_stream(M::ITEMS.read)))
    }
}

/// Calls a method and sends the stream that it takes. Blocks the thread until the answer is there.
///
/// # Errors
///
/// The method's own error, or why there is no answer.
pub fn upload_blocking<'a, M: UploadMethod>(
    connection: &'a Connection,
    arguments: LentTo<'a, M>,
    items: impl Iterator<Item = M::Item>,
) -> Result<M::Ok, CallError<M::Err>> {
    ClientCall::opening::<M>(connection, arguments).block_uploading(items).outcome::<M>()
}

/// Calls a method and sends the stream that it takes. Completes when the answer is there.
///
/// # Errors
///
/// The method's own error, or why there is no answer.
pub fn upload_async<'a, M: UploadMethod>(
    connection: &'a Connection,
    arguments: LentTo<'a, M>,
    items: impl Stream<Item = M::Item> + Send,
) -> impl Future<Output = Result<M::Ok, CallError<M::Err>>> {
    let mut call = ClientCall::opening::<M>(connection, arguments);
    async move { call.send_uploading(items).await.outcome::<M>() }
}

impl<'a> ClientCall<'a> {
    /// Starts a call of a method that takes or returns a stream, with these arguments.
    fn opening<M: Message>(connection: &'a Connection, arguments: LentTo<'a, M>) -> Self {
        let mut call = Self::new_opening(connection, M::NUMBER);
        call.note(|encoder| M::ARGS.put(arguments, encoder));
        call
    }

    /// Starts a call of the method with that number, which takes or returns a stream. The arguments follow.
    pub(crate) fn new_opening(connection: &'a Connection, method: u16) -> Self {
        let mut call = Self::new(connection, method);
        call.opens();
        call
    }

    /// Notes that the method takes or returns a stream. Must be called before the arguments are added.
    fn opens(&mut self) {
        let number = LinkStreams::next_number();
        self.note(|arguments| arguments.number("stream", number));
        self.set_stream(CallStream { number, streams: None, notices: None, may_be_open: false });
    }

    pub(crate) fn take_stream<T, E>(&mut self, read: ReadItems<T, E>) -> StreamReceiver<T, E> {
        let (number, streams) = self.take_open_stream();
        let method = self.connection.inner().method_name(self.method);
        StreamReceiver::new(self.connection, &streams, number, method, read)
    }

    /// Takes the open stream out of the call. The new owner must close it.
    fn take_open_stream(&mut self) -> (u64, Arc<LinkStreams>) {
        let mut stream = self.take_stream_out().expect("generated code has asked for a stream");
        stream.may_be_open = false;
        let streams = stream.streams.take().expect("the call has been answered");
        (stream.number, streams)
    }

    /// Makes the call and sends the stream that the method takes. Blocks the thread until the answer is
    /// there.
    pub(crate) fn block_uploading<T: UploadItem>(
        &mut self,
        items: impl Iterator<Item = T>,
    ) -> Answered<'_> {
        self.set_uploads();
        let sent = self.upload_blocking(items);
        self.uploaded(sent)
    }

    fn upload_blocking<T: UploadItem>(
        &mut self,
        items: impl Iterator<Item = T>,
    ) -> Result<Answer, CallError> {
        let call_deadline = self.connection.terms_from_now();
        let SentUpload { target, ended } = upload(items, || {
            self.block().opened()?;
            Ok(self.target(call_deadline))
        })?;
        let answered = ended.and_then(|()| target.wait_answer());
        answered.and_then(|answer| target.in_time(answer)).map_err(once_open)
    }

    /// Makes the call and sends the stream that the method takes. Completes when the answer is there.
    ///
    /// The future's type does not mention the items. So an item type that lacks a bound is an error
    /// once, and not again wherever the future is awaited.
    fn send_uploading<'c, T: UploadItem>(
        &'c mut self,
        items: impl Stream<Item = T> + Send + 'c,
    ) -> Pin<Box<dyn Future<Output = Answered<'c>> + Send + 'c>> {
        Box::pin(async move {
            self.set_uploads();
            let sent = self.upload_async(items).await;
            self.uploaded(sent)
        })
    }

    async fn upload_async<T: UploadItem>(
        &mut self,
        items: impl Stream<Item = T>,
    ) -> Result<Answer, CallError> {
        let call_deadline = self.connection.terms_from_now();
        self.send().await.opened()?;
        let target = self.target(call_deadline);
        // The method may answer before it has taken all items.
        let mut pickup = AnswerPickup::new(&target);
        let mut uploading = Some(UploadFuture::new(&target));
        let mut items = pin!(items);
        let mut cancelled = target.watch_token();
        poll_fn(|cx| {
            if cancelled.as_mut().is_some_and(|cancelled| cancelled.poll(cx).is_ready()) {
                return Poll::Ready(Err(CallError::Cancelled));
            }
            ready!(target.poll_clock(cx))?;
            if let Some(upload) = &mut uploading {
                match upload.poll(cx, items.as_mut()) {
                    Poll::Ready(Ok(())) => {
                        uploading = None;
                        target.note_uploaded();
                    }
                    // An answer that has arrived counts, whatever happened to further items.
                    Poll::Ready(Err(error)) => {
                        return match pickup.poll(cx) {
                            Poll::Ready(Ok(answer)) => Poll::Ready(Ok(answer)),
                            _ => Poll::Ready(Err(error)),
                        };
                    }
                    Poll::Pending => {}
                }
                // The time limit for the answer may have begun to run.
                ready!(target.poll_clock(cx))?;
            }
            pickup.poll(cx)
        })
        .await
        .and_then(|answer| target.in_time(answer))
        .map_err(once_open)
    }

    /// Ends the call. If the method has answered, its stream has ended, even if it was only partly
    /// sent.
    fn uploaded(&mut self, sent: Result<Answer, CallError>) -> Answered<'_> {
        match sent {
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

    /// Returns the upload that receives the items.
    fn target(&mut self, call_deadline: CallDeadline) -> Target {
        let method = self.connection.inner().method_name(self.method);
        let connection = self.connection;
        let stream = self.stream_mut().expect("generated code has asked for a stream");
        let streams = stream.streams.as_ref().expect("the call has been answered");
        let notices = stream.notices.take().expect("the stream is sent");
        Target::new(connection, streams, stream.number, notices, method, call_deadline)
    }
}

/// Returns the error of an upload that was open. From then on, only the server can report that its
/// method did not run.
#[cold]
fn once_open(error: CallError) -> CallError {
    match error {
        CallError::UploadStalled { .. } => error,
        other => other.once_begun(),
    }
}

impl Target {
    /// Blocks the thread until the call is answered or cancelled, or its time is over.
    fn wait_answer(&self) -> Result<Answer, CallError> {
        let mut cancelled = self.watch_token();
        let mut pickup = AnswerPickup::new(self);
        self.note_uploaded();
        if cancelled.is_none() && self.waits_plainly() && pickup.is_sendable() {
            return pickup.wait();
        }
        block_on(|cx| {
            if cancelled.as_mut().is_some_and(|cancelled| cancelled.poll(cx).is_ready()) {
                return Poll::Ready(Err(CallError::Cancelled));
            }
            ready!(self.poll_clock(cx))?;
            pickup.poll(cx)
        })
    }

    /// Returns the answer, if it came within the deadline, as for any other call.
    fn in_time(&self, answer: Answer) -> Result<Answer, CallError> {
        if self.call_deadline.are_over() {
            Err(self.error(ChannelError::TimedOut))
        } else {
            Ok(answer)
        }
    }
}
