//! The events that wait for one client.
//!
//! # Invariants
//!
//! 1. Answers are given without the lock: within one process, an answer wakes its receiver, which is
//!    code of the user's. Meanwhile the next deliveries are *out*, with the one thread that answers.
//! 2. While they are out, events that come and a pull that comes wait in the state. The thread that
//!    answers puts back what it could not send, and answers that pull. So events stay in order, and
//!    none waits while a pull waits.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use witrpc_rt::{lock, wait};
use witrpc_transport::{ChannelError, Session};

use crate::call::server::pending_reply::PendingReply;
use crate::call::server::reply::Reply;
use crate::call::server::session::ClientSession;
use crate::codec::Codec;
use crate::contract::Overflow;
use crate::event::backlog::{Backlog, Offer};
use crate::event::delivery::{ANSWER_LEN, Delivery, Emitted};

/// A service's number and the number of one of its events.
type ServedEventKey = (u8, u16);

/// The subscriptions of a client, and the events that wait for it.
pub struct ClientEvents {
    pub codec: Codec,
    state: Mutex<ClientEventsState>,
    /// Signalled when an event was taken, or none will be.
    changed: Condvar,
}

#[derive(Default)]
struct ClientEventsState {
    /// The version of the client's subscriptions, by service.
    versions: BTreeMap<u8, u64>,
    /// All events that the client wants.
    kinds: BTreeMap<ServedEventKey, Backlog<EventWaiter>>,
    /// Counts the events of all kinds, to send them in order.
    emitted: u64,
    /// Deliveries that did not fit into the last answer.
    next: VecDeque<Delivery>,
    /// A thread has taken the next deliveries, to answer a pull.
    is_out: bool,
    /// The pull that came when there was no event, or while the deliveries are out.
    waiting: Option<PendingReply>,
    /// The client has gone.
    left: bool,
}

struct EventWaiter {
    /// Its position among the events of all kinds.
    place: u64,
    emitted: Arc<Emitted>,
}

impl ClientEvents {
    pub fn new(codec: Codec) -> Arc<Self> {
        Arc::new(Self { codec, state: Mutex::default(), changed: Condvar::new() })
    }

    /// Returns the events of the client that has this session.
    pub fn of(session: &Session) -> &Arc<Self> {
        ClientSession::of(session).part()
    }

    /// Replaces what the client wanted of a service in earlier versions.
    pub fn subscribe(
        &self,
        service: u8,
        version: u64,
        wanted: &[u16],
        overflow: impl Fn(u16) -> Overflow,
    ) {
        let mut state = lock(&self.state);
        if state.left || state.versions.get(&service).is_some_and(|known| *known >= version) {
            return;
        }
        state.versions.insert(service, version);
        state.kinds.retain(|(of, event), _| *of != service || wanted.contains(event));
        for event in wanted {
            let kind = state.kinds.entry((service, *event));
            kind.or_insert_with(|| Backlog::new(overflow(*event)));
        }
        let ClientEventsState { kinds, next, .. } = &mut *state;
        next.retain(|delivery| kinds.contains_key(&(delivery.service, delivery.event)));
        if state.kinds.is_empty() {
            let waiting = state.waiting.take();
            drop(state);
            waiting.inspect(|asked| asked.reply().end());
        }
        self.changed.notify_all();
    }

    /// Answers with the next events, once there are some.
    pub fn pull(&self, asked: PendingReply) {
        let mut state = lock(&self.state);
        if state.left {
            return;
        }
        if state.kinds.is_empty() {
            drop(state);
            return asked.reply().end();
        }
        if state.waiting.is_some() {
            drop(state);
            return asked.reply().bad_request("a pull of events is still unanswered");
        }
        state.waiting = Some(asked);
        self.tell(state);
    }

    /// Answers the pull that waits, if there is an event, and pulls that come meanwhile.
    fn tell<'a>(&'a self, mut state: MutexGuard<'a, ClientEventsState>) {
        while !state.is_out && state.waiting.is_some() {
            let mut next = state.next();
            let Some(asked) = state.waiting.take_if(|_| !next.is_empty()) else { break };
            state.is_out = true;
            drop(state);
            deliver(&asked.reply(), &mut next);
            drop(asked);
            self.changed.notify_all();
            state = lock(&self.state);
            state.is_out = false;
            state.put_back(next);
        }
    }

    /// Removes everything, because the client has gone.
    pub fn leave(&self) {
        let mut state = lock(&self.state);
        let former = std::mem::take(&mut *state);
        state.left = true;
        drop(state);
        drop(former);
        self.changed.notify_all();
    }

    pub fn has_left(&self) -> bool {
        lock(&self.state).left
    }

    pub fn wants(&self, key: ServedEventKey) -> bool {
        lock(&self.state).kinds.contains_key(&key)
    }

    /// Queues an event, or applies the overflow rule of its kind; returns `None` if it is not wanted.
    pub fn offer(&self, key: ServedEventKey, emitted: &Arc<Emitted>) -> Option<Offer<()>> {
        let mut state = lock(&self.state);
        let offer = state.offer(key, emitted)?;
        self.tell(state);
        Some(offer)
    }

    /// Waits for room and offers again, until this instant.
    pub fn offer_until(
        &self,
        key: ServedEventKey,
        emitted: &Arc<Emitted>,
        deadline: Option<Instant>,
    ) -> Option<Offer<()>> {
        let mut state = lock(&self.state);
        loop {
            let offer = state.offer(key, emitted)?;
            if !matches!(offer, Offer::Full(..)) {
                self.tell(state);
                return Some(offer);
            }
            let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                let kind = state.kinds.get_mut(&key)?;
                kind.give_up_waiting();
                kind.lose(1);
                return Some(Offer::Dropped);
            }
            state = wait(&self.changed, state, left);
        }
    }

    /// Counts an event that could not be queued.
    pub fn lose(&self, key: ServedEventKey) {
        let mut state = lock(&self.state);
        if let Some(kind) = state.kinds.get_mut(&key) {
            kind.lose(1);
            self.tell(state);
        }
    }
}

impl ClientEventsState {
    fn offer(&mut self, key: ServedEventKey, emitted: &Arc<Emitted>) -> Option<Offer<()>> {
        let kind = self.kinds.get_mut(&key)?;
        let waiting = EventWaiter { place: self.emitted, emitted: Arc::clone(emitted) };
        self.emitted += 1;
        Some(match kind.offer(waiting, emitted.bytes.len()) {
            Offer::Taken => Offer::Taken,
            Offer::Dropped => Offer::Dropped,
            Offer::Full(_, time) => Offer::Full((), time),
        })
    }

    /// Takes out what one answer must carry.
    fn next(&mut self) -> VecDeque<Delivery> {
        let mut next = std::mem::take(&mut self.next);
        let mut len: usize = next.iter().map(Delivery::len).sum();
        while len < ANSWER_LEN {
            let Some(delivery) = self.take() else { break };
            len += delivery.len();
            next.push_back(delivery);
        }
        next
    }

    /// Puts back what was not sent, unless it is not wanted any more.
    fn put_back(&mut self, mut next: VecDeque<Delivery>) {
        next.retain(|delivery| self.kinds.contains_key(&(delivery.service, delivery.event)));
        self.next = next;
    }

    /// Takes the event that was emitted first among all that wait.
    fn take(&mut self) -> Option<Delivery> {
        let first =
            self.kinds.iter().filter(|(_, kind)| !kind.is_empty()).min_by_key(|(_, kind)| {
                // A count alone comes last: no event has come after it.
                kind.first().map_or(u64::MAX, |waiting| waiting.place)
            });
        let (service, event) = *first?.0;
        let next = self.kinds.get_mut(&(service, event))?.take()?;
        let emitted = next.item.map(|waiting| waiting.emitted);
        Some(Delivery { service, event, lost: next.gap.lost, emitted })
    }
}

/// Answers with as many of the next deliveries as one answer carries, and removes those.
fn deliver(reply: &Reply<'_>, next: &mut VecDeque<Delivery>) {
    let len = next.iter().map(Delivery::len).sum();
    let mut count = next.len();
    while count > 0 {
        let mut message = Vec::with_capacity(len);
        next.iter().take(count).for_each(|delivery| delivery.write(&mut message));
        match reply.events(&message) {
            Err(ChannelError::TooLarge { .. }) if count > 1 => count /= 2,
            Err(ChannelError::TooLarge { .. }) if next[0].emitted.is_some() => {
                // No message can carry the event. The client learns that it is missing.
                next[0].emitted = None;
                next[0].lost = next[0].lost.saturating_add(1);
            }
            _ => {
                next.drain(..count);
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;

    use crate::server::tests::eavesdropper::Eavesdropper;

    use super::*;

    #[test]
    fn no_answer_is_given_under_the_lock() {
        let looked = Arc::new(OnceLock::<Arc<ClientEvents>>::new());
        let at = Arc::clone(&looked);
        let peer = Eavesdropper::new(move || {
            drop(at.get().unwrap().state.try_lock().expect("no thread holds it"));
        });
        let events = looked.get_or_init(|| ClientEvents::new(Codec::Postcard));
        events.subscribe(0, 1, &[0], |_| Overflow::DropOldest);
        let emitted = Arc::new(Emitted { raw: false, bytes: vec![1] });
        events.pull(peer.asks(1));
        assert_eq!(events.offer((0, 0), &emitted), Some(Offer::Taken), "it waits for one");
        assert_eq!(events.offer((0, 0), &emitted), Some(Offer::Taken));
        events.pull(peer.asks(2));
        events.pull(peer.asks(3));
        events.subscribe(0, 2, &[], |_| Overflow::DropOldest);
        assert_eq!(peer.answers(), [1, 2, 3]);
    }
}
