//! Who wants to be told what: of all clones of a client, and of the clients of further services over
//! its connection.
//!
//! # Invariants
//!
//! 1. The server is told the whole set of wanted events of a service at once, with a version that
//!    only grows, and keeps the newest. So it does not matter in which order these messages arrive,
//!    and a new server learns all by one of them.
//! 2. A subscriber is in the set before the server is told of it: no event that comes is missed.
//! 3. A server's numbers mean something over the link to that server alone ([`EventPlace`]): what is told
//!    or comes over a link concerns those subscribers who have their place there.
//! 4. There is at most one thread ([`Puller`]), and there is one when the server knows of a
//!    subscriber ([`Pulling`]). It ends when the server knows of none any more, or with the connection.
//! 5. No code of the user's runs under the lock.
//! 6. A forked child touches nothing here: it has no such thread, and cannot trust the lock.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::{fmt, ptr};

use witrpc_rt::lock;
use witrpc_transport::{Answer, ChannelError, Limit};

use crate::call::client::answer::read_pulled;
use crate::connection::connection::Connection;
use crate::connection::link_slot;
use crate::connection::link_slot::{Link, LinkRef};
use crate::connection::reconnect::Reconnector;
use crate::error::CallError;
use crate::stream::client::control::Control;
use crate::stream::client::link_streams::LinkStreams;
use crate::stream::client::request::Request;
use crate::stream::client::wait_permits::LANES_FOR_EVENTS;
use crate::tag::{Operation, RequestTag};

use super::Sink;
use super::puller::Puller;
use super::pulling::Pulling;

/// Who wants to be told what.
pub(crate) struct Subscriptions {
    state: Mutex<SubscriptionState>,
}

#[derive(Default)]
pub(crate) struct SubscriptionState {
    /// Of the set that a server was told last.
    version: u64,
    /// Numbers the subscribers.
    next: u64,
    pub(crate) subscribers: BTreeMap<u64, Subscriber>,
    pub(crate) pulling: Pulling,
}

/// What a server calls an event: the service's number and the event's.
pub(crate) type EventKey = (u8, u16);

/// Where a subscriber's event is known.
struct EventPlace {
    /// Those of the link to that server.
    streams: Weak<LinkStreams>,
    key: EventKey,
}

pub(crate) struct Subscriber {
    /// The event, as the client's descriptor numbers it.
    event: u16,
    name: &'static str,
    /// None before the server is told.
    place: Option<EventPlace>,
    /// Those of the link over which a server has been told of it last; none before the first was.
    known_over: Option<Weak<LinkStreams>>,
    /// Whoever brings the next link of its client.
    pub(crate) keeper: Option<Arc<Reconnector>>,
    pub(crate) sink: Arc<dyn Sink>,
}

impl Subscriber {
    /// What the server at the other end of these streams' channel calls the event.
    pub(crate) fn key_over(&self, streams: &Arc<LinkStreams>) -> Option<EventKey> {
        let place = self.place.as_ref()?;
        ptr::eq(place.streams.as_ptr(), Arc::as_ptr(streams)).then_some(place.key)
    }

    /// A server knows of it.
    fn is_known(&self) -> bool {
        self.known_over.is_some()
    }

    /// The server at the other end of these streams' channel has been told of it. Whether an earlier
    /// one had been, whose events may have been missed.
    pub(crate) fn go_over_to(&mut self, streams: &Arc<LinkStreams>) -> bool {
        let follows = |former: &Weak<LinkStreams>| !ptr::eq(former.as_ptr(), Arc::as_ptr(streams));
        let follows = self.known_over.as_ref().is_some_and(follows);
        if follows {
            self.known_over = Some(Arc::downgrade(streams));
        }
        follows
    }

    /// Gives it a place at the other end of a link.
    fn put_over(&mut self, link: &Link) -> Result<EventKey, CallError> {
        let (lanes, needed) = (link.channel.lanes(), LANES_FOR_EVENTS);
        if lanes < needed {
            return Err(CallError::TooFewLanes { lanes, needed });
        }
        let number = link.events[usize::from(self.event)];
        let number = number.ok_or(CallError::UnknownMethod { method: self.name })?;
        let key = (link.service, number);
        self.place = Some(EventPlace { streams: Arc::downgrade(&link.streams), key });
        Ok(key)
    }
}

/// A subscriber among the others, until it is dropped.
pub(crate) struct Subscription {
    connection: Connection,
    number: u64,
}

impl SubscriptionState {
    /// The server knows of no subscriber: whether the thread has nothing left to do, and is none any
    /// more.
    pub(crate) fn leave_if_unwanted(&mut self) -> bool {
        let is_known = self.subscribers.values().any(Subscriber::is_known);
        self.pulling.leave_unless(is_known)
    }
}

impl Subscriptions {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { state: Mutex::default() })
    }

    /// Whether there is a thread, which has a hold of the connection's channel.
    pub(crate) fn is_pulling(&self) -> bool {
        self.lock().pulling.is_running()
    }

    /// The request that tells the server at the other end of these streams' channel what is wanted of
    /// a service, in a version of its own.
    pub(crate) fn whole_set(&self, service: u8, streams: &Arc<LinkStreams>) -> Control<'static> {
        let mut state = self.lock();
        state.version += 1;
        state.pulling.settle(service);
        let keys = state.subscribers.values().filter_map(|subscriber| subscriber.key_over(streams));
        let mut wanted: Vec<u16> =
            keys.filter(|key| key.0 == service).map(|(_, event)| event).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let version = state.version;
        drop(state);
        let operation = Operation::Subscribe;
        let mut control =
            Control::new(RequestTag { operation, ..RequestTag::call(service, 0) }, streams.codec);
        control
            .add(|body| body.number("version", version).and_then(|()| body.list("events", &wanted)))
            .expect("numbers always encode");
        control
    }

    /// Gives a subscriber a place at the other end of a link, and tells what the event is called
    /// there; nothing if it has gone.
    pub(crate) fn put_over(&self, number: u64, link: &Link) -> Result<Option<EventKey>, CallError> {
        let mut state = self.lock();
        state.subscribers.get_mut(&number).map(|subscriber| subscriber.put_over(link)).transpose()
    }

    /// The connection has ended, and with it the thread: all who are still to be told so.
    pub(crate) fn end(&self) -> BTreeMap<u64, Subscriber> {
        let mut state = self.lock();
        state.pulling.end();
        std::mem::take(&mut state.subscribers)
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, SubscriptionState> {
        lock(&self.state)
    }
}

impl fmt::Debug for Subscriptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subscribers = self.lock().subscribers.len();
        f.debug_struct("Subscriptions").field("subscribers", &subscribers).finish_non_exhaustive()
    }
}

impl Subscription {
    /// Adds a subscriber of whom the server has yet to be told.
    pub(crate) fn new(connection: &Connection, event: u16, sink: Arc<dyn Sink>) -> Self {
        let inner = connection.inner();
        let keeper = inner.links.keeper().cloned();
        let name = inner.descriptor.events[usize::from(event)].name;
        let subscriber = Subscriber { event, name, place: None, known_over: None, keeper, sink };
        let mut state = inner.subscriptions.lock();
        state.next += 1;
        let number = state.next;
        state.subscribers.insert(number, subscriber);
        drop(state);
        Self { connection: connection.clone(), number }
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Whether this process is a fork of the one that has subscribed.
    pub(crate) fn is_forked(&self) -> bool {
        self.connection.inner().is_forked()
    }

    /// Tells the server, over the next link if one is lost, and sees to it that somebody pulls.
    pub(crate) async fn begin(&self) -> Result<(), CallError> {
        let inner = self.connection.inner();
        let mut limit = self.connection.terms()?.limit;
        let mut link = inner.link();
        loop {
            inner.subscriptions.put_over(self.number, &link)?;
            let error = match self.tell(&link, limit).await {
                Ok(answer) => return self.told(&link, answer),
                Err(error) => error,
            };
            let keeper = link_slot::lost_for(&error).and_then(|it| inner.links.keeper_after(it));
            let Some(keeper) = keeper else { return Err(self.connection.call_error(error)) };
            let next = {
                let mut next = keeper.next(&link);
                poll_fn(|cx| next.poll(cx, &mut limit)).await?
            };
            link = LinkRef::Kept(next);
        }
    }

    async fn tell(&self, link: &Link, limit: Limit) -> Result<Answer, ChannelError> {
        let control = self.connection.inner().subscriptions.whole_set(link.service, &link.streams);
        let mut request = Request::plain(&link.streams, limit);
        poll_fn(|cx| request.poll(cx, &control)).await?;
        Ok(request.into_answer())
    }

    /// The server has answered.
    fn told(&self, link: &Link, mut answer: Answer) -> Result<(), CallError> {
        let inner = self.connection.inner();
        read_pulled(&mut answer, inner.codec, "subscribe")?;
        let mut state = inner.subscriptions.lock();
        if let Some(subscriber) = state.subscribers.get_mut(&self.number) {
            subscriber.known_over = Some(Arc::downgrade(&link.streams));
        }
        self.see_to_a_thread(&mut state, &link.streams)
    }

    /// Starts the thread, if there is none.
    fn see_to_a_thread(
        &self,
        state: &mut SubscriptionState,
        streams: &Arc<LinkStreams>,
    ) -> Result<(), CallError> {
        if state.pulling.begin() {
            let keeper = self.connection.root().inner().links.keeper().cloned();
            let subscriptions = Arc::clone(&self.connection.inner().subscriptions);
            Puller::start(subscriptions, streams, keeper).inspect_err(|_| state.pulling.end())?;
        }
        Ok(())
    }

    /// Tells the server what is still wanted of a service, without ever waiting. If no lane is free,
    /// the thread does it, before it pulls again.
    fn tell_what_is_left(&self, service: u8, streams: &Arc<LinkStreams>) {
        let subscriptions = &self.connection.inner().subscriptions;
        let control = subscriptions.whole_set(service, streams);
        match control.with_message(|message| streams.channel.try_send(message)) {
            Ok(Some(ticket)) => streams.channel.abandon(ticket),
            Ok(None) => {
                let mut state = subscriptions.lock();
                state.pulling.owe(service);
                // If the machine has no thread, the next subscription tells it.
                let _ = self.see_to_a_thread(&mut state, streams);
            }
            // The server has gone, and with it what it knew.
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
