//! The thread that pulls events and distributes them.

use std::collections::BTreeSet;
use std::sync::Arc;

use witrpc_transport::{ChannelError, Limit};

use crate::call::client::answer::{pulled_bytes, read_pulled};
use crate::connection::link;
use crate::connection::link::Link;
use crate::connection::reconnect::Reconnector;
use crate::error::CallError;
use crate::event::delivery;
use crate::event::delivery::Delivery;
use crate::rt::spawn;
use crate::stream::client::control::Control;
use crate::stream::client::link_streams::LinkStreams;
use crate::tag::{Operation, RequestTag};

use super::lane::EventLane;
use super::subscriptions::{EventKey, Subscriber, Subscriptions};

/// The state of the thread that pulls the events of one connection.
pub struct Puller {
    subscriptions: Arc<Subscriptions>,
    /// The lane of the link that carries the events now.
    lane: EventLane,
    /// The source of the connection's next link.
    reconnector: Option<Arc<Reconnector>>,
}

/// The reason why no more events come over a link.
enum PullEnd {
    /// There is no subscriber.
    NotWanted,
    /// The connection has failed.
    Failed(ChannelError),
    /// The server broke the protocol.
    Broken(CallError),
}

impl From<CallError> for PullEnd {
    /// Maps the error that a server answered.
    fn from(error: CallError) -> Self {
        match error {
            CallError::ShuttingDown => Self::Failed(ChannelError::ShuttingDown),
            other => Self::Broken(other),
        }
    }
}

impl Puller {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// The system has no thread left.
    pub fn start(
        subscriptions: Arc<Subscriptions>,
        streams: &Arc<LinkStreams>,
        reconnector: Option<Arc<Reconnector>>,
    ) -> Result<(), CallError> {
        let streams = Arc::clone(streams);
        let run = move || {
            let lane = EventLane::new(&streams);
            Self { subscriptions, lane, reconnector }.run();
        };
        match spawn("witrpc-events", run) {
            Ok(_) => Ok(()),
            Err(error) => Err(CallError::NoThread { message: error.to_string() }),
        }
    }

    fn run(mut self) {
        let mut stopped = self.pull_until_stopped();
        loop {
            let followed = match stopped {
                PullEnd::NotWanted => return,
                PullEnd::Failed(error) => self.follow(error),
                PullEnd::Broken(error) => Err(error),
            };
            if let Err(error) = followed {
                return self.end(&error);
            }
            stopped = match self.renew() {
                Ok(()) => self.pull_until_stopped(),
                Err(stopped) => stopped,
            };
        }
    }

    fn pull_until_stopped(&mut self) -> PullEnd {
        loop {
            match self.tell_the_rest().and_then(|()| self.pull()) {
                Ok(Some(deliveries)) => deliveries.into_iter().for_each(|it| self.deal_out(it)),
                Ok(None) => {
                    // A subscriber that was added meanwhile is known to the server, or will start
                    // another thread.
                    if self.subscriptions.lock().leave_if_unwanted() {
                        return PullEnd::NotWanted;
                    }
                }
                Err(stopped) => return stopped,
            }
        }
    }

    /// Sends the server the sets that could not be sent because no lane was free.
    fn tell_the_rest(&mut self) -> Result<(), PullEnd> {
        let owed = self.subscriptions.lock().pulling.take_owed();
        owed.into_iter().try_for_each(|service| self.tell(service))
    }

    /// Sends the server the set of wanted events of a service.
    fn tell(&mut self, service: u8) -> Result<(), PullEnd> {
        let control = self.subscriptions.whole_set(service, &self.lane.streams);
        let mut answer = self.lane.ask(&control).map_err(PullEnd::Failed)?;
        read_pulled(&mut answer, self.lane.streams.codec, "subscribe")?;
        Ok(())
    }

    /// Waits for the next events; returns `None` if the server knows of no subscription.
    fn pull(&mut self) -> Result<Option<Vec<Delivery>>, PullEnd> {
        let codec = self.lane.streams.codec;
        let control = Control::new(RequestTag::of(Operation::PullEvents), codec);
        let mut answer = self.lane.ask(&control).map_err(PullEnd::Failed)?;
        // The events in it are encoded by a codec.
        let Some(message) = pulled_bytes(&mut answer, "events")? else { return Ok(None) };
        let broken = || CallError::Protocol { message: "its events make no sense".to_owned() };
        Ok(Some(delivery::read(&message).ok_or_else(broken)?))
    }

    fn deal_out(&self, delivery: Delivery) {
        let key: EventKey = (delivery.service, delivery.event);
        let state = self.subscriptions.lock();
        let all = state.subscribers.values();
        let wanting = all.filter(|subscriber| subscriber.key_over(&self.lane.streams) == Some(key));
        let sinks: Vec<_> = wanting.map(|subscriber| Arc::clone(&subscriber.sink)).collect();
        drop(state);
        for sink in sinks {
            sink.deliver(delivery.lost, delivery.emitted.clone());
        }
    }

    /// Moves to the next link, if the connection gets one.
    ///
    /// # Errors
    ///
    /// The reason why there is no next link.
    fn follow(&mut self, lost_by: ChannelError) -> Result<(), CallError> {
        let reason = link::lost_for(&lost_by);
        let reconnector = self.reconnector.as_ref().zip(reason);
        let Some((reconnector, _)) =
            reconnector.filter(|(reconnector, reason)| reconnector.follows(*reason))
        else {
            let lost = reason.map(CallError::Disconnected);
            let channel = &*self.lane.streams.lanes.channel;
            return Err(lost.unwrap_or_else(|| {
                CallError::from_channel(lost_by, None, || CallError::no_free_lane(channel))
            }));
        };
        let former = &self.lane.streams;
        let next = link_that(reconnector, |link| !Arc::ptr_eq(&link.streams, former))?;
        self.lane = EventLane::new(&next.streams);
        Ok(())
    }

    /// Sends the subscriptions to the server at the other end of a new link. Reports possibly
    /// missed events to the subscribers that the former server knew.
    fn renew(&mut self) -> Result<(), PullEnd> {
        let mut services = BTreeSet::new();
        for (number, reconnector) in self.all() {
            let streams = &self.lane.streams;
            let is_over_it = |link: &Link| {
                Arc::ptr_eq(&link.streams, streams) || streams.lanes.channel.lost().is_some()
            };
            let placed = link_that(&reconnector, is_over_it)
                .and_then(|link| self.subscriptions.put_over(number, &link));
            match placed {
                Ok(key) => services.extend(key.map(|key| key.0)),
                Err(error) => self.end_one(number, error),
            }
        }
        // The sets owed to the former server do not matter to this one.
        drop(self.subscriptions.lock().pulling.take_owed());
        services.into_iter().try_for_each(|service| self.tell(service))?;
        let mut state = self.subscriptions.lock();
        let all = state.subscribers.values_mut();
        // Skips the subscriptions that began over this link.
        let streams = &self.lane.streams;
        let followed = all.filter_map(|it| it.go_over_to(streams).then_some(&it.sink));
        let sinks: Vec<_> = followed.cloned().collect();
        drop(state);
        sinks.iter().for_each(|sink| sink.may_have_missed());
        Ok(())
    }

    /// Returns all subscribers, with the sources of their clients' next links.
    fn all(&self) -> Vec<(u64, Arc<Reconnector>)> {
        let state = self.subscriptions.lock();
        // A client whose connection is replaced has a reconnector.
        let kept = |(number, it): (&u64, &Subscriber)| Some((*number, it.reconnector.clone()?));
        state.subscribers.iter().filter_map(kept).collect()
    }

    fn end_one(&self, number: u64, error: CallError) {
        let gone = self.subscriptions.lock().subscribers.remove(&number);
        gone.into_iter().for_each(|subscriber| subscriber.sink.end(error.clone()));
    }

    /// Ends all subscriptions, because the connection has ended.
    fn end(&self, error: &CallError) {
        for subscriber in self.subscriptions.end().into_values() {
            subscriber.sink.end(error.clone());
        }
    }
}

/// Returns the first suitable link: the current one, or one that comes.
fn link_that(
    reconnector: &Reconnector,
    is_meant: impl Fn(&Link) -> bool,
) -> Result<Arc<Link>, CallError> {
    let mut link = Arc::clone(&reconnector.link());
    while !is_meant(&link) {
        link = Arc::clone(&*reconnector.wait_next(&link, &mut Limit::Never)?);
    }
    Ok(link)
}
