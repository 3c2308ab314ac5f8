//! The requests of all clients that wait for a thread, in the order in which they are taken.
//!
//! # Invariants
//!
//! 1. A client is in `order` exactly once while it has requests in `queues`, and otherwise not.
//! 2. A client whose request was taken goes to the end of `order`. A client whose requests are all
//!    refused keeps its place.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use witrpc_transport::{Only, Peer, Request};

/// A request and where its answer goes.
type Arrival = (Arc<dyn Peer>, Request);

/// All requests that wait.
#[derive(Default)]
pub struct Waiting {
    /// Each client's requests, the oldest first, by the client's id.
    queues: HashMap<u64, VecDeque<Arrival>>,
    /// The clients, the next first.
    order: VecDeque<u64>,
    /// How many requests there are.
    len: usize,
    /// An empty queue for the next client, so that most calls need not allocate one.
    spare: VecDeque<Arrival>,
}

impl Waiting {
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn push(&mut self, peer: Arc<dyn Peer>, request: Request) {
        let client = peer.client().id;
        let queue = self.queues.entry(client).or_insert_with(|| {
            self.order.push_back(client);
            std::mem::take(&mut self.spare)
        });
        queue.push_back((peer, request));
        self.len += 1;
    }

    /// Takes the next request that `only` does not refuse. Requests of clients that have gone are moved
    /// to `gone`.
    pub fn take(
        &mut self,
        only: Option<Only<'_>>,
        gone: &mut Vec<VecDeque<Arrival>>,
    ) -> Option<Arrival> {
        let mut place = 0;
        while let Some(&client) = self.order.get(place) {
            let Some(queue) = self.queues.get_mut(&client) else { break };
            if queue.front().is_some_and(|(peer, _)| !peer.is_connected()) {
                self.len -= queue.len();
                gone.extend(self.queues.remove(&client));
                self.order.remove(place);
                continue;
            }
            let found = queue.iter().position(|arrival| may_take(only, client, arrival));
            let Some(arrival) = found.and_then(|found| queue.remove(found)) else {
                place += 1;
                continue;
            };
            self.len -= 1;
            self.order.remove(place);
            if queue.is_empty() {
                self.spare = self.queues.remove(&client).unwrap_or_default();
            } else {
                self.order.push_back(client);
            }
            return Some(arrival);
        }
        None
    }

    /// Takes out the requests of one client.
    pub fn remove(&mut self, client: u64) -> Option<VecDeque<Arrival>> {
        let queue = self.queues.remove(&client)?;
        self.len -= queue.len();
        self.order.retain(|each| *each != client);
        Some(queue)
    }

    /// Returns whether there is a request that `only` does not refuse.
    pub fn any(&self, only: Option<Only<'_>>) -> bool {
        let all =
            || self.queues.iter().flat_map(|(client, queue)| queue.iter().map(|a| (*client, a)));
        match only {
            None => self.len > 0,
            Some(_) => all().any(|(client, arrival)| may_take(only, client, arrival)),
        }
    }
}

fn may_take(only: Option<Only<'_>>, client: u64, (_, request): &Arrival) -> bool {
    only.is_none_or(|only| only(client, request.tag))
}
