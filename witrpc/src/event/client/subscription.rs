//! One subscriber: it reports its beginning and its end to the server.

use std::future::poll_fn;
use std::sync::Arc;

use witrpc_transport::{Answer, ChannelError, Limit};

use crate::call::client::answer::read_pulled;
use crate::connection::handle::Connection;
use crate::connection::link::Link;
use crate::error::CallError;
use crate::stream::client::link_streams::LinkStreams;
use crate::stream::client::request::Request;

use super::Sink;
use super::puller::Puller;
use super::subscriptions::{Subscriber, SubscriptionState};

/// A subscriber of a client. Dropping it ends the subscription.
pub struct Subscription {
    pub connection: Connection,
    number: u64,
}

impl Subscription {
    /// Adds a subscriber that the server does not know yet.
    pub fn new(connection: &Connection, event: u16, sink: Arc<dyn Sink>) -> Self {
        let inner = connection.inner();
        let reconnector = inner.links.reconnector().cloned();
        let name = inner.descriptor.events[usize::from(event)].name;
        let subscriber =
            Subscriber { event, name, place: None, known_over: None, reconnector, sink };
        let mut state = inner.subscriptions.lock();
        state.next += 1;
        let number = state.next;
        state.subscribers.insert(number, subscriber);
        drop(state);
        Self { connection: connection.clone(), number }
    }

    /// Returns whether this process is a fork of the one that has subscribed.
    pub fn is_forked(&self) -> bool {
        self.connection.inner().is_forked()
    }

    /// Sends the subscription to the server, over the next link if one is lost, and ensures that a
    /// thread pulls.
    pub async fn begin(&self) -> Result<(), CallError> {
        let inner = self.connection.inner();
        let mut limit = self.connection.call_deadline()?.limit;
        let mut link = inner.link();
        loop {
            inner.subscriptions.put_over(self.number, &link)?;
            let error = match self.tell(&link, limit).await {
                Ok(answer) => return self.told(&link, answer),
                Err(error) => error,
            };
            let next = inner.links.after(&error, &link, &mut limit).await;
            link = next.ok_or_else(|| self.connection.call_error(error))??;
        }
    }

    async fn tell(&self, link: &Link, limit: Limit) -> Result<Answer, ChannelError> {
        let control = self.connection.inner().subscriptions.whole_set(link.service, &link.streams);
        let mut request = Request::plain(&link.streams.lanes, limit);
        poll_fn(|cx| request.poll(cx, &control)).await?;
        Ok(request.answer)
    }

    /// Handles the server's answer.
    fn told(&self, link: &Link, mut answer: Answer) -> Result<(), CallError> {
        let inner = self.connection.inner();
        read_pulled(&mut answer, inner.codec, "subscribe")?;
        let mut state = inner.subscriptions.lock();
        if let Some(subscriber) = state.subscribers.get_mut(&self.number) {
            subscriber.known_over = Some(Arc::downgrade(&link.streams));
        }
        self.see_to_a_thread(&mut state, &link.streams)
    }

    /// Starts the pulling thread, if there is none.
    fn see_to_a_thread(
        &self,
        state: &mut SubscriptionState,
        streams: &Arc<LinkStreams>,
    ) -> Result<(), CallError> {
        if state.pulling.begin() {
            let reconnector = self.connection.root().inner().links.reconnector().cloned();
            let subscriptions = Arc::clone(&self.connection.inner().subscriptions);
            Puller::start(subscriptions, streams, reconnector)
                .inspect_err(|_| state.pulling.end())?;
        }
        Ok(())
    }

    /// Sends the server the remaining subscriptions of a service, without ever blocking. If no lane
    /// is free, the pulling thread sends them before it pulls again.
    fn tell_what_is_left(&self, service: u8, streams: &Arc<LinkStreams>) {
        let subscriptions = &self.connection.inner().subscriptions;
        let control = subscriptions.whole_set(service, streams);
        match control.with_message(|message| streams.lanes.channel.try_send(message)) {
            Ok(Some(ticket)) => streams.lanes.channel.abandon(ticket),
            Ok(None) => {
                let mut state = subscriptions.lock();
                state.pulling.owe(service);
                // If the system has no thread, the next subscription sends the set.
                let _ = self.see_to_a_thread(&mut state, streams);
            }
            // The server has gone, and its state with it.
            Err(_) => {}
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if self.is_forked() {
            return;
        }
        let subscriptions = &self.connection.inner().subscriptions;
        let gone = subscriptions.lock().subscribers.remove(&self.number);
        let place = gone.as_ref().and_then(|subscriber| subscriber.place.as_ref());
        if let Some(place) = place
            && let Some(streams) = place.streams.upgrade()
        {
            self.tell_what_is_left(place.key.0, &streams);
        }
        drop(gone);
    }
}
