//! What generated code does with the stream that a method returns.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;

use crate::method::{Made, StreamMethod};
use crate::stream::server::ServerStreams;
use crate::stream::server::server_stream::ServerStream;

use super::slice::{Slice, yield_now};
use super::{Room, StreamEnd, StreamSender};

/// The destination of a method's stream, for generated code. One of its methods consumes it.
pub struct StreamWriter<M: StreamMethod> {
    flow: Arc<StreamSender<Made<M>>>,
    /// The same sender, as pulls see it.
    pulled: Arc<dyn ServerStream>,
}

impl<M: StreamMethod> StreamWriter<M> {
    pub(crate) fn new(flow: &Arc<StreamSender<Made<M>>>) -> Self {
        Self { flow: Arc::clone(flow), pulled: Arc::clone(flow) as _ }
    }

    /// Sends the items of an iterator, in slices of time. Ends with the iterator, or when the client
    /// wants no more.
    pub async fn iterate(self, items: impl Iterator<Item = Made<M>> + Send) {
        if !self.open() {
            return;
        }
        let mut slice = Slice::new();
        for item in items {
            let room = self.flow.put(item);
            if !(room == Room::More && slice.goes_on() || self.has_room(room, &mut slice).await) {
                return;
            }
        }
        self.flow.end(StreamEnd::Finished);
    }

    /// Sends the items of a stream. Ends with that stream, or when the client wants no more.
    pub async fn forward(self, items: impl Stream<Item = Made<M>> + Send) {
        if !self.open() {
            return;
        }
        let mut items = pin!(items);
        let mut slice = Slice::new();
        while let Some(item) = poll_fn(|cx| self.poll_item(items.as_mut(), cx)).await {
            let room = self.flow.put(item);
            if !(room == Room::More && slice.goes_on() || self.has_room(room, &mut slice).await) {
                return;
            }
        }
        self.flow.end(StreamEnd::Finished);
    }

    /// Sends the items of the iterator that the method returned, or answers with its error.
    pub async fn iterate_or_refuse(
        self,
        items: Result<impl Iterator<Item = Made<M>> + Send, M::Err>,
    ) {
        match items {
            Ok(items) => self.iterate(items).await,
            Err(error) => self.refuse(&error),
        }
    }

    /// Sends the items of the stream that the method returned, or answers with its error.
    pub async fn forward_or_refuse(
        self,
        items: Result<impl Stream<Item = Made<M>> + Send, M::Err>,
    ) {
        match items {
            Ok(items) => self.forward(items).await,
            Err(error) => self.refuse(&error),
        }
    }

    /// Waits until there is room for the next item and a thread for it. Returns `false` if the client wants
    /// no more.
    async fn has_room(&self, room: Room, slice: &mut Slice) -> bool {
        *slice = Slice::new();
        match room {
            Room::More => {
                yield_now().await;
                true
            }
            Room::Full => poll_fn(|cx| self.flow.poll_room(cx)).await == Room::More,
            Room::Closed => false,
        }
    }

    /// Answers the call with the error that the method returned in place of a stream.
    fn refuse(&self, error: &M::Err) {
        self.flow.answer_call(|reply| reply.error::<M>(error));
    }

    /// Returns the next item; `None` at the end, or when the client does not want it.
    fn poll_item(
        &self,
        items: Pin<&mut impl Stream<Item = Made<M>>>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Made<M>>> {
        match items.poll_next(cx) {
            // Checked after the poll, so that a close finds the waker.
            Poll::Pending if self.flow.poll_closed(cx) => Poll::Ready(None),
            other => other,
        }
    }

    /// Tells the client that the stream is open. Returns `false` if it is not.
    fn open(&self) -> bool {
        let StreamSender { session, number, .. } = &*self.flow;
        let opened = ServerStreams::of(session).open(*number, Arc::clone(&self.pulled));
        if opened.is_ok() {
            self.flow.stream_cancel.open();
        }
        self.flow.answer_call(|reply| match opened {
            Ok(()) => reply.done(),
            Err(why) => reply.not_opened(why),
        });
        opened.is_ok()
    }
}
