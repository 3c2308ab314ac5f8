//! The queue that a subscriber takes events from, and the subscription that fills it.

use std::marker::PhantomData;
use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

use witrpc_transport::DisconnectReason;

use crate::codec::Codec;
use crate::connection::handle::Connection;
use crate::error::{CallError, EventError};
use crate::method::EventItem;

use super::queue::{Came, Queue};
use super::read_item;
use super::subscription::Subscription;

/// The events of one subscriber, decoded.
pub struct Inbox<T> {
    queue: Arc<Queue>,
    codec: Codec,
    pub subscription: Subscription,
    /// Whether the end that a fork causes has been returned.
    is_over_here: bool,
    item: PhantomData<fn() -> T>,
}

impl<T: EventItem> Inbox<T> {
    /// Creates the inbox of a subscription that has not begun.
    pub fn new(connection: &Connection, event: u16) -> Self {
        let queue = Queue::new(connection.inner().descriptor.events[usize::from(event)].overflow);
        let subscription = Subscription::new(connection, event, Arc::clone(&queue) as _);
        let codec = connection.codec();
        Self { queue, codec, subscription, is_over_here: false, item: PhantomData }
    }

    /// Returns the next item; `None` if there is none now.
    pub fn take(&mut self) -> Option<Result<T, EventError>> {
        if self.subscription.is_forked() {
            return self.end_here();
        }
        self.queue.take().map(|came| self.read(came))
    }

    /// Blocks the thread until there is an item; returns `None` if none will come.
    pub fn wait(&mut self) -> Option<Result<T, EventError>> {
        if self.subscription.is_forked() {
            return self.end_here();
        }
        self.queue.wait().map(|came| self.read(came))
    }

    /// Completes when there is an item; with `None` if none will come.
    pub fn poll(&mut self, cx: &Context<'_>) -> Poll<Option<Result<T, EventError>>> {
        if self.subscription.is_forked() {
            return Poll::Ready(self.end_here());
        }
        self.queue.poll(cx).map(|came| came.map(|came| self.read(came)))
    }

    /// Ends the events in a forked child, which has no thread that fills the queue, and cannot trust
    /// its lock.
    #[cold]
    fn end_here(&mut self) -> Option<Result<T, EventError>> {
        let forked = CallError::Disconnected(DisconnectReason::Forked);
        let is_news = !mem::replace(&mut self.is_over_here, true);
        is_news.then_some(Err(EventError::Ended(forked)))
    }

    fn read(&self, came: Came) -> Result<T, EventError> {
        match came {
            Came::Event(emitted) => read_item(&emitted, self.codec),
            Came::Gap(gap) => Err(gap),
        }
    }
}

impl<T> Drop for Inbox<T> {
    fn drop(&mut self) {
        if !self.subscription.is_forked() {
            self.queue.close();
        }
    }
}
