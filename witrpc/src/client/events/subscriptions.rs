//! Who wants to be told what: of all clones of a client, and of the clients of further services over
//! its connection.
//!
//! # Invariants
//!
//! 1. The server is told the whole set of wanted events of a service at once, with a version that
//!    only grows, and keeps the newest. So it does not matter in which order these messages arrive,
//!    and a new server learns all by one of them.
//! 2. A subscriber is in the set before the server is told of it: no event that comes is missed.
//! 3. There is at most one thread ([`Puller`]). It ends when the server knows of no subscriber any
//!    more, or with the connection.
//! 4. No code of the user's runs under the lock.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Sink;
use super::puller::Puller;
use crate::client::Connection;
use crate::client::answer::read_pulled;
use crate::client::links::{self, Held, Link, Links};
use crate::client::reconnect::Keeper;
use crate::client::streams::{Control, LinkStreams, Request};
use crate::codec::Codec;
use crate::error::CallError;
use crate::tag::{Operation, RequestTag};
use crate::transport::{Answer, ChannelError, Limit};

/// Who wants to be told what.
pub(in crate::client) struct Subscriptions {
    state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    /// Of the set that a server was told last.
    version: u64,
    /// Numbers the subscribers.
    next: u64,
    pub(super) subscribers: BTreeMap<u64, Subscriber>,
    /// There is a thread.
    pub(super) is_pulling: bool,
    /// The services of which the server knows more than there is, since no lane was free.
    outdated: Vec<u8>,
}

/// What a server calls an event: the service's number and the event's.
pub(super) type Key = (u8, u16);

pub(super) struct Subscriber {
    /// The event, as the client's descriptor numbers it.
    pub(super) event: u16,
    /// What the server calls it.
    pub(super) key: Key,
    /// The server knows of it.
    pub(super) is_known: bool,
    /// Whoever brings the next link of its client.
    pub(super) keeper: Option<Arc<Keeper>>,
    pub(super) sink: Arc<dyn Sink>,
}

/// A subscriber among the others, until it is dropped.
pub(super) struct Subscription {
    connection: Connection,
    number: u64,
}

impl Subscriptions {
    pub(in crate::client) fn new() -> Arc<Self> {
        Arc::new(Self { state: Mutex::default() })
    }

    /// Whether there is a thread, which has a hold of the connection's channel.
    pub(in crate::client) fn is_pulling(&self) -> bool {
        self.lock().is_pulling
    }

    /// The request that tells a server what is wanted of a service, in a version of its own.
    pub(super) fn whole_set(&self, service: u8, codec: Codec) -> Control<'static> {
        let mut state = self.lock();
        state.version += 1;
        state.outdated.retain(|outdated| *outdated != service);
        let keys = state.subscribers.values().map(|subscriber| subscriber.key);
        let mut wanted: Vec<u16> =
            keys.filter(|key| key.0 == service).map(|(_, event)| event).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let version = state.version;
        drop(state);
        let operation = Operation::Subscribe;
        let mut control =
            Control::new(RequestTag { operation, ..RequestTag::call(service, 0) }, codec);
        control
            .add(|body| body.number("version", version).and_then(|()| body.list("events", &wanted)))
            .expect("numbers always encode");
        control
    }

    /// Tells the server what is still wanted of a service, without ever waiting. If no lane is free,
    /// the thread does it later.
    fn tell_what_is_left(&self, service: u8, streams: &LinkStreams) {
        let control = self.whole_set(service, streams.codec);
        match control.with_message(|message| streams.channel.try_send(message)) {
            Ok(Some(ticket)) => streams.channel.abandon(ticket),
            Ok(None) => self.lock().outdated.push(service),
            // The server has gone, and with it what it knew.
            Err(_) => {}
        }
    }

    /// Tells the server what it has not been told for want of a lane.
    pub(super) fn tell_the_rest(&self, streams: &LinkStreams) {
        let outdated = std::mem::take(&mut self.lock().outdated);
        outdated.into_iter().for_each(|service| self.tell_what_is_left(service, streams));
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Subscriptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subscribers = self.lock().subscribers.len();
        f.debug_struct("Subscriptions").field("subscribers", &subscribers).finish_non_exhaustive()
    }
}

/// What the server at the other end of a link calls an event.
pub(super) fn key_over(link: &Link, event: u16) -> Option<Key> {
    Some((link.service, link.events[usize::from(event)]?))
}

impl Subscription {
    /// Adds a subscriber of whom the server has yet to be told.
    pub(super) fn new(
        connection: &Connection,
        event: u16,
        sink: Arc<dyn Sink>,
    ) -> Result<Self, CallError> {
        let inner = connection.inner();
        let link = inner.link();
        let unknown = || CallError::UnknownMethod {
            method: inner.descriptor.events[usize::from(event)].name,
        };
        let key = key_over(&link, event).ok_or_else(unknown)?;
        if link.channel.lanes() < 2 {
            // The pull of the events would leave none for calls.
            return Err(CallError::NoFreeLane);
        }
        let keeper = match &inner.links {
            Links::One(_) => None,
            Links::Kept(keeper) => Some(Arc::clone(keeper)),
        };
        let subscriber = Subscriber { event, key, is_known: false, keeper, sink };
        let mut state = inner.subscriptions.lock();
        state.next += 1;
        let number = state.next;
        state.subscribers.insert(number, subscriber);
        drop(state);
        Ok(Self { connection: connection.clone(), number })
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Tells the server, over the next link if one is lost, and sees to it that somebody pulls.
    pub(super) async fn begin(&self) -> Result<(), CallError> {
        let inner = self.connection.inner();
        let mut limit = self.connection.terms()?.limit;
        let mut link = inner.link();
        loop {
            let ended = self.tell(&link, limit).await;
            let error = match ended {
                Ok(answer) => return self.told(&link, answer),
                Err(error) => error,
            };
            let keeper = links::lost_for(&error).and_then(|it| inner.links.keeper_after(it));
            let Some(keeper) = keeper else { return Err(self.connection.call_error(error)) };
            let next = {
                let mut next = keeper.next(&link);
                std::future::poll_fn(|cx| next.poll(cx, &mut limit)).await?
            };
            link = Held::Kept(next);
            let mut state = inner.subscriptions.lock();
            if let Some(subscriber) = state.subscribers.get_mut(&self.number)
                && let Some(key) = key_over(&link, subscriber.event)
            {
                subscriber.key = key;
            }
        }
    }

    async fn tell(&self, link: &Link, limit: Limit) -> Result<Answer, ChannelError> {
        let subscriptions = &self.connection.inner().subscriptions;
        let control = subscriptions.whole_set(link.service, link.streams.codec);
        let mut request = Request::plain(&link.streams, limit);
        std::future::poll_fn(|cx| request.poll(cx, &control)).await?;
        Ok(request.into_answer())
    }

    /// The server has answered.
    fn told(&self, link: &Link, mut answer: Answer) -> Result<(), CallError> {
        let inner = self.connection.inner();
        read_pulled(&mut answer, inner.codec, "subscribe")?;
        let subscriptions = &inner.subscriptions;
        let mut state = subscriptions.lock();
        if let Some(subscriber) = state.subscribers.get_mut(&self.number) {
            subscriber.is_known = true;
        }
        if !state.is_pulling {
            let keeper = match &self.connection.root().inner().links {
                Links::One(_) => None,
                Links::Kept(keeper) => Some(Arc::clone(keeper)),
            };
            Puller::start(Arc::clone(subscriptions), &link.streams, keeper)?;
            state.is_pulling = true;
        }
        Ok(())
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let inner = self.connection.inner();
        let gone = inner.subscriptions.lock().subscribers.remove(&self.number);
        if let Some(gone) = &gone {
            let link = inner.link();
            inner.subscriptions.tell_what_is_left(gone.key.0, &link.streams);
        }
        drop(gone);
    }
}
