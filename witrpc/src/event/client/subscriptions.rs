//! The subscriptions of all clones of a client, and of the clients of further services over its
//! connection.
//!
//! # Invariants
//!
//! 1. The server receives the whole set of a service's wanted events at once, and keeps the set with the
//!    highest version. Versions only grow. So the order in which these messages arrive does not matter,
//!    and one message tells a new server everything.
//! 2. A subscriber is in the set before the set is sent to the server, so it misses no event that comes.
//! 3. A server's numbers have a meaning only over the link to that server ([`EventPlace`]). A message
//!    over a link concerns only the subscribers that have their place there.
//! 4. There is at most one pulling thread ([`Puller`](super::puller::Puller)), and there is one while the
//!    server knows of a subscriber ([`Pulling`]). The thread ends when the server knows of no subscriber,
//!    or with the connection.
//! 5. No user code runs under the lock.
//! 6. A forked child touches nothing here: it has no such thread, and cannot trust the lock.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::{fmt, ptr};

use witrpc_rt::lock;

use crate::connection::link::Link;
use crate::connection::reconnect::Reconnector;
use crate::error::CallError;
use crate::stream::client::control::Control;
use crate::stream::client::link_streams::LinkStreams;
use crate::stream::client::wait_permits::LANES_FOR_EVENTS;
use crate::tag::{Operation, RequestTag};

use super::Sink;
use super::pulling::Pulling;

/// The subscribers of a connection.
pub struct Subscriptions {
    state: Mutex<SubscriptionState>,
}

#[derive(Default)]
pub struct SubscriptionState {
    /// The version of the set that was last sent to a server.
    version: u64,
    /// The number of the next subscriber.
    pub next: u64,
    pub subscribers: BTreeMap<u64, Subscriber>,
    pub pulling: Pulling,
}

/// A server's name for an event: the service's number and the event's.
pub type EventKey = (u8, u16);

/// The identity of a subscriber's event at one server.
pub struct EventPlace {
    /// The streams of the link to that server.
    pub streams: Weak<LinkStreams>,
    pub key: EventKey,
}

pub struct Subscriber {
    /// The event's number in the client's descriptor.
    pub event: u16,
    pub name: &'static str,
    /// `None` until the subscription is sent to the server.
    pub place: Option<EventPlace>,
    /// The streams of the link over which a server last received it; `None` before the first.
    pub known_over: Option<Weak<LinkStreams>>,
    /// The source of its client's next link.
    pub reconnector: Option<Arc<Reconnector>>,
    pub sink: Arc<dyn Sink>,
}

impl Subscriber {
    /// Returns how the server at the other end of these streams' channel names the event.
    pub fn key_over(&self, streams: &Arc<LinkStreams>) -> Option<EventKey> {
        let place = self.place.as_ref()?;
        ptr::eq(place.streams.as_ptr(), Arc::as_ptr(streams)).then_some(place.key)
    }

    /// Returns whether a server knows of it.
    fn is_known(&self) -> bool {
        self.known_over.is_some()
    }

    /// Notes that the server at the other end of these streams' channel knows it. Returns whether an
    /// earlier server knew it, whose events may have been missed.
    pub fn go_over_to(&mut self, streams: &Arc<LinkStreams>) -> bool {
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
        let number = number.ok_or_else(|| link.without_event(self.event, self.name))?;
        let key = (link.service, number);
        self.place = Some(EventPlace { streams: Arc::downgrade(&link.streams), key });
        Ok(key)
    }
}

impl SubscriptionState {
    /// Ends the thread, if it has nothing left to do, when the server knows of no subscriber. Returns
    /// whether it ends.
    pub fn leave_if_unwanted(&mut self) -> bool {
        let is_known = self.subscribers.values().any(Subscriber::is_known);
        self.pulling.leave_unless(is_known)
    }
}

impl Subscriptions {
    pub fn new() -> Arc<Self> {
        Arc::new(Self { state: Mutex::default() })
    }

    /// Returns whether there is a thread, which keeps the connection's channel alive.
    pub fn is_pulling(&self) -> bool {
        self.lock().pulling.is_running()
    }

    /// Returns the request that tells the server at the other end of these streams' channel what is
    /// wanted of a service, with a new version.
    pub fn whole_set(&self, service: u8, streams: &Arc<LinkStreams>) -> Control<'static> {
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

    /// Gives a subscriber a place at the other end of a link. Returns how the event is named there;
    /// `None` if the subscriber has gone.
    pub fn put_over(&self, number: u64, link: &Link) -> Result<Option<EventKey>, CallError> {
        let mut state = self.lock();
        state.subscribers.get_mut(&number).map(|subscriber| subscriber.put_over(link)).transpose()
    }

    /// Ends the connection's subscriptions and the thread. Returns the subscribers that must learn of
    /// the end.
    pub fn end(&self) -> BTreeMap<u64, Subscriber> {
        let mut state = self.lock();
        state.pulling.end();
        std::mem::take(&mut state.subscribers)
    }

    pub fn lock(&self) -> MutexGuard<'_, SubscriptionState> {
        lock(&self.state)
    }
}

impl fmt::Debug for Subscriptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subscribers = self.lock().subscribers.len();
        f.debug_struct("Subscriptions").field("subscribers", &subscribers).finish_non_exhaustive()
    }
}
