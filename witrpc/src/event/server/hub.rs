//! Emits events: from the service to the queues of the clients that want them.

use std::fmt;
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use witrpc_rt::lock;

use crate::codec::{Codec, EncodeError, Encoder};
use crate::error::EmitError;
use crate::event::backlog::Offer;
use crate::event::delivery::Emitted;
use crate::method::{ArgumentList, LentTo, Message};

use super::client::ClientEvents;

/// The hub of one service's events, for generated code.
#[derive(Default)]
pub struct EventHub {
    /// The clients that are subscribed to some event, or were.
    clients: Mutex<Vec<Listener>>,
}

#[derive(Clone)]
struct Listener {
    client_id: u64,
    /// The service's number on the client's server.
    service: u8,
    events: Weak<ClientEvents>,
}

impl EventHub {
    /// Creates a hub without subscribers.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Returns an emitter for this hub, which works while the hub exists.
    pub fn emitter(self: &Arc<Self>) -> Emitter {
        Emitter { hub: Arc::downgrade(self), only: None }
    }

    /// Adds a client that wants an event of this service.
    pub(crate) fn add(&self, client_id: u64, service: u8, events: &Arc<ClientEvents>) {
        let events = Arc::downgrade(events);
        let mut clients = lock(&self.clients);
        // Remove disconnected clients: a service may emit seldom, and clients come and go often.
        clients.retain(|known| known.events.strong_count() > 0);
        let is_new = !clients.iter().any(|known| known.events.ptr_eq(&events));
        if is_new {
            clients.push(Listener { client_id, service, events });
        }
    }

    /// Returns the clients that want the event, and removes those that have gone.
    fn listeners(&self, event: u16, only: Option<u64>) -> Vec<(u8, Arc<ClientEvents>)> {
        let (mut listeners, mut others) = (Vec::new(), Vec::new());
        lock(&self.clients).retain(|client| {
            let Some(events) = client.events.upgrade() else { return false };
            let has_left = events.has_left();
            let is_meant = only.is_none_or(|only| only == client.client_id);
            if !has_left && is_meant && events.wants((client.service, event)) {
                listeners.push((client.service, events));
            } else {
                others.push(events);
            }
            !has_left
        });
        // Dropped without the lock, because they may be the last owners of a connection.
        drop(others);
        listeners
    }
}

impl fmt::Debug for EventHub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventHub")
            .field("clients", &lock(&self.clients).len())
            .finish_non_exhaustive()
    }
}

/// An emitter of one service's events, for generated code.
#[derive(Clone, Debug)]
pub struct Emitter {
    hub: Weak<EventHub>,
    /// The only client that receives them, if one was chosen.
    only: Option<u64>,
}

impl Emitter {
    /// Returns an emitter for one client.
    #[must_use]
    pub fn to(&self, client_id: u64) -> Self {
        Self { hub: Weak::clone(&self.hub), only: Some(client_id) }
    }

    /// Emits an event with these arguments.
    ///
    /// # Errors
    ///
    /// The event could not be encoded, or a client had no room in time. Those clients learn that they
    /// have missed one; it has been queued for all others.
    pub fn emit<M: Message>(&self, arguments: LentTo<'_, M>) -> Result<usize, EmitError> {
        self.emit_with(M::NUMBER, &|encoder| M::ARGS.put(arguments, encoder))
    }

    fn emit_with<'a>(&self, event: u16, write: &Write<'_, 'a>) -> Result<usize, EmitError> {
        let Some(hub) = self.hub.upgrade() else { return Ok(0) };
        let mut emission = Emission::default();
        for (service, client) in hub.listeners(event, self.only) {
            emission.put((service, event), client, write);
        }
        emission.finish()
    }
}

/// A function that encodes the arguments of an event, for one codec.
type Write<'w, 'a> = dyn Fn(&mut Encoder<'a>) -> Result<(), EncodeError> + 'w;

/// One event that is being emitted.
#[derive(Default)]
struct Emission {
    /// The body for each codec that some client uses, or why there is none.
    bodies: Vec<(Codec, Result<Arc<Emitted>, String>)>,
    /// For how many clients the event has been queued.
    reached: usize,
    /// The clients that have no room, and must be waited for.
    full: Vec<Full>,
}

struct Full {
    key: (u8, u16),
    client: Arc<ClientEvents>,
    body: Arc<Emitted>,
    time: Duration,
}

impl Emission {
    fn put<'a>(&mut self, key: (u8, u16), client: Arc<ClientEvents>, write: &Write<'_, 'a>) {
        let Ok(body) = self.body(client.codec, write) else { return client.lose(key) };
        match client.offer(key, &body) {
            Some(Offer::Taken) => self.reached += 1,
            Some(Offer::Full((), time)) => self.full.push(Full { key, client, body, time }),
            Some(Offer::Dropped) | None => {}
        }
    }

    fn body<'a>(&mut self, codec: Codec, write: &Write<'_, 'a>) -> Result<Arc<Emitted>, String> {
        if let Some((_, body)) = self.bodies.iter().find(|(known, _)| *known == codec) {
            return body.clone();
        }
        let mut encoder = Encoder::new(codec);
        let body = match write(&mut encoder) {
            Err(fault) => Err(fault.to_string()),
            Ok(()) => {
                let (raw, bytes) = encoder.to_bytes();
                Ok(Arc::new(Emitted { raw, bytes }))
            }
        };
        self.bodies.push((codec, body.clone()));
        body
    }

    /// Waits for the clients that have no room, and returns the outcome.
    fn finish(mut self) -> Result<usize, EmitError> {
        // Read the clock only if there is a client to wait for.
        let started = (!self.full.is_empty()).then(Instant::now);
        let mut missed = 0;
        let mut longest = Duration::ZERO;
        for Full { key, client, body, time } in self.full {
            longest = longest.max(time);
            let deadline = started.and_then(|started| started.checked_add(time));
            match client.offer_until(key, &body, deadline) {
                Some(Offer::Taken) => self.reached += 1,
                Some(_) => missed += 1,
                None => {}
            }
        }
        let failed = self.bodies.into_iter().find_map(|(_, body)| body.err());
        if let Some(message) = failed {
            return Err(EmitError::NotEncoded { message });
        }
        if missed > 0 {
            return Err(EmitError::NoRoom { clients: missed, waited: longest });
        }
        Ok(self.reached)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(hub: &EventHub) -> Vec<u64> {
        lock(&hub.clients).iter().map(|known| known.client_id).collect()
    }

    #[test]
    fn a_new_client_removes_disconnected_ones_without_an_event() {
        let hub = EventHub::new();
        let stays = ClientEvents::new(Codec::Postcard);
        hub.add(0, 0, &stays);
        for client_id in 1..1_000 {
            let comes = ClientEvents::new(Codec::Postcard);
            hub.add(client_id, 0, &comes);
            assert_eq!(known(&hub), [0, client_id]);
        }
    }

    #[test]
    fn a_client_that_is_added_twice_is_listed_once() {
        let hub = EventHub::new();
        let [one, other] = [(); 2].map(|()| ClientEvents::new(Codec::Postcard));
        for _ in 0..3 {
            hub.add(1, 0, &one);
            hub.add(2, 0, &other);
        }
        assert_eq!(known(&hub), [1, 2]);
    }
}
