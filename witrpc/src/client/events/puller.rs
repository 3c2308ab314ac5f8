//! The thread that pulls events and deals them out.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread;

use super::subscriptions::{Key, Subscriber, Subscriptions, key_over};
use crate::client::answer::read_pulled;
use crate::client::flight::block_on;
use crate::client::links::{self, Link};
use crate::client::reconnect::Keeper;
use crate::client::streams::{Control, LinkStreams, Request};
use crate::codec::Codec;
use crate::error::CallError;
use crate::events::{self, Delivery};
use crate::tag::{Operation, RequestTag};
use crate::transport::{Answer, ChannelError, Limit};

/// Pulls the events of one connection.
pub(super) struct Puller {
    subscriptions: Arc<Subscriptions>,
    streams: Arc<LinkStreams>,
    /// Whoever brings the next link of the connection.
    keeper: Option<Arc<Keeper>>,
}

/// Why no more events come over a link.
enum Stopped {
    /// Nobody is subscribed.
    NotWanted,
    /// The connection does not work.
    Failed(ChannelError),
    /// What came makes no sense.
    Broken(CallError),
}

impl Puller {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// The machine has none.
    pub(super) fn start(
        subscriptions: Arc<Subscriptions>,
        streams: &Arc<LinkStreams>,
        keeper: Option<Arc<Keeper>>,
    ) -> Result<(), CallError> {
        let puller = Self { subscriptions, streams: Arc::clone(streams), keeper };
        let thread = thread::Builder::new().name("witrpc-events".to_owned());
        match thread.spawn(move || puller.run()) {
            Ok(_) => Ok(()),
            Err(error) => {
                let message = format!("no thread can be started for events: {error}");
                Err(CallError::Decode { message })
            }
        }
    }

    fn run(mut self) {
        loop {
            let error = match self.pull_until_stopped() {
                Stopped::NotWanted => return,
                Stopped::Failed(error) => error,
                Stopped::Broken(error) => return self.end(&error),
            };
            if let Err(error) = self.follow(error) {
                return self.end(&error);
            }
        }
    }

    fn pull_until_stopped(&self) -> Stopped {
        loop {
            self.subscriptions.tell_the_rest(&self.streams);
            let control = Control::new(RequestTag::of(Operation::PullEvents), self.streams.codec);
            let pulled = Request::for_items(&self.streams, Limit::Never).wait(&control);
            match pulled.map_err(Stopped::Failed).and_then(read) {
                Ok(Some(deliveries)) => deliveries.into_iter().for_each(|it| self.deal_out(it)),
                Ok(None) => {
                    let mut state = self.subscriptions.lock();
                    // Who comes meanwhile is known to the server, or will start another thread.
                    if !state.subscribers.values().any(|subscriber| subscriber.is_known) {
                        state.is_pulling = false;
                        return Stopped::NotWanted;
                    }
                }
                Err(stopped) => return stopped,
            }
        }
    }

    fn deal_out(&self, delivery: Delivery) {
        let key: Key = (delivery.service, delivery.event);
        let state = self.subscriptions.lock();
        let wanting = state.subscribers.values().filter(|subscriber| subscriber.key == key);
        let sinks: Vec<_> = wanting.map(|subscriber| Arc::clone(&subscriber.sink)).collect();
        drop(state);
        for sink in sinks {
            sink.deliver(delivery.lost, delivery.emitted.clone());
        }
    }

    /// Goes on over the next link, if there will be one, and renews all subscriptions there.
    ///
    /// # Errors
    ///
    /// Why there is none.
    fn follow(&mut self, mut lost_by: ChannelError) -> Result<(), CallError> {
        loop {
            let reason = links::lost_for(&lost_by);
            let keeper = self.keeper.as_ref().zip(reason);
            let keeper = keeper.filter(|(keeper, reason)| keeper.follows(*reason));
            let Some((keeper, _)) = keeper else {
                return Err(CallError::from_channel(lost_by, None));
            };
            let link = next_link(keeper, &self.streams)?;
            self.streams = Arc::clone(&link.streams);
            match self.renew() {
                Ok(()) => return Ok(()),
                Err(error) => lost_by = error,
            }
        }
    }

    /// Tells the server at the other end of the new link of all subscribers, and these that they may
    /// have missed something.
    fn renew(&self) -> Result<(), ChannelError> {
        let mut services = BTreeSet::new();
        for (number, event, keeper) in self.all() {
            let link = keeper.map(|keeper| link_over(&keeper, &self.streams));
            let key = match link {
                Some(Ok(link)) => key_over(&link, event),
                Some(Err(error)) => {
                    self.end_one(number, error);
                    continue;
                }
                None => None,
            };
            match key {
                Some(key) => {
                    if let Some(it) = self.subscriptions.lock().subscribers.get_mut(&number) {
                        it.key = key;
                    }
                    services.insert(key.0);
                }
                None => self.end_one(number, CallError::NotConnected),
            }
        }
        for service in services {
            let control = self.subscriptions.whole_set(service, self.streams.codec);
            Request::plain(&self.streams, Limit::Never).wait(&control)?;
        }
        let state = self.subscriptions.lock();
        let sinks: Vec<_> = state.subscribers.values().map(|it| Arc::clone(&it.sink)).collect();
        drop(state);
        sinks.iter().for_each(|sink| sink.may_have_missed());
        Ok(())
    }

    fn all(&self) -> Vec<(u64, u16, Option<Arc<Keeper>>)> {
        let state = self.subscriptions.lock();
        let all = state.subscribers.iter();
        all.map(|(number, it)| (*number, it.event, it.keeper.clone())).collect()
    }

    fn end_one(&self, number: u64, error: CallError) {
        let gone = self.subscriptions.lock().subscribers.remove(&number);
        gone.into_iter().for_each(|subscriber: Subscriber| subscriber.sink.end(error.clone()));
    }

    /// The connection has ended: so have all subscriptions.
    fn end(&self, error: &CallError) {
        let mut state = self.subscriptions.lock();
        state.is_pulling = false;
        let subscribers = std::mem::take(&mut state.subscribers);
        drop(state);
        for subscriber in subscribers.into_values() {
            subscriber.sink.end(error.clone());
        }
    }
}

/// The first link of a connection that goes over another channel than these streams do.
fn next_link(keeper: &Keeper, former: &Arc<LinkStreams>) -> Result<Arc<Link>, CallError> {
    let mut link = Arc::clone(&keeper.link());
    while Arc::ptr_eq(&link.streams, former) {
        let next = {
            let mut next = keeper.next(&link);
            block_on(|cx| next.poll(cx, &mut Limit::Never))?
        };
        link = Arc::clone(&next);
    }
    Ok(link)
}

/// The link of a client, of whatever service, over these streams' channel.
fn link_over(keeper: &Keeper, streams: &Arc<LinkStreams>) -> Result<Arc<Link>, CallError> {
    let mut link = Arc::clone(&keeper.link());
    while !Arc::ptr_eq(&link.streams, streams) && streams.channel.lost().is_none() {
        let next = {
            let mut next = keeper.next(&link);
            block_on(|cx| next.poll(cx, &mut Limit::Never))?
        };
        link = Arc::clone(&next);
    }
    Ok(link)
}

/// Reads what a pull of events has brought; `None` when the server knows of no subscription.
fn read(mut answer: Answer) -> Result<Option<Vec<Delivery>>, Stopped> {
    // Not encoded by a codec: the events in it are.
    let opened = read_pulled(&mut answer, Codec::default(), "events").map_err(Stopped::Broken)?;
    if opened.is_none() {
        return Ok(None);
    }
    let mut message = vec![0; answer.payload.len()];
    answer.payload.copy_to(0, &mut message);
    let broken = || CallError::Protocol { message: "its events make no sense".to_owned() };
    events::read(&message).map(Some).ok_or_else(|| Stopped::Broken(broken()))
}
