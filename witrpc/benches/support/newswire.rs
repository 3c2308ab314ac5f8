//! A service whose events are timed.

use witrpc::{Events, wit_service};

use super::race::Contender;
use super::service::Serving;

/// How many events are emitted before the subscribers take them: fewer than wait for a slow one.
const PART: usize = 1_000;

/// Emits when it is told to.
#[wit_service]
pub(crate) trait Newswire {
    /// Emits `events` events. Returns how many were sent to a subscriber.
    fn emit(&self, events: u64) -> u64;

    #[wit(event)]
    fn told(&self, number: u64);
}

/// The emitter.
pub(crate) struct Desk {
    events: NewswireEvents,
}

impl Desk {
    pub(crate) fn new(events: NewswireEvents) -> Self {
        Self { events }
    }
}

impl Newswire for Desk {
    fn emit(&self, events: u64) -> u64 {
        (0..events).map(|number| self.events.told(number).expect("a number") as u64).sum()
    }
}

/// Clients that are all told; a call is an event that has come to each.
pub(crate) struct Crowd {
    clients: Vec<NewswireClient>,
    told: Vec<Events<NewswireTold>>,
    part: usize,
}

impl Crowd {
    pub(crate) fn new(serving: &Serving, clients: usize) -> Self {
        let connect = || {
            let builder = NewswireClient::builder(serving.name.as_str()).wait(serving.wait);
            builder.connect().expect("the peer serves")
        };
        let clients = (0..clients).map(|_| connect()).collect();
        Self { clients, told: Vec::new(), part: PART }
    }

    /// One client that takes each event before it asks for the next.
    pub(crate) fn one_by_one(serving: &Serving) -> Self {
        Self { part: 1, ..Self::new(serving, 1) }
    }
}

impl Contender for Crowd {
    fn begin(&mut self) {
        let subscribe = |client: &NewswireClient| client.told().expect("a subscription");
        self.told = self.clients.iter().map(subscribe).collect();
    }

    fn run(&mut self, calls: usize) {
        let mut left = calls;
        while left > 0 {
            let part = left.min(self.part);
            let reached = self.clients[0].emit(part as u64).expect("an answer");
            assert_eq!(reached, (part * self.clients.len()) as u64);
            for told in &mut self.told {
                let numbers = told.take(part).map(|event| event.expect("none is lost").number);
                assert!(numbers.eq(0..part as u64));
            }
            left -= part;
        }
    }

    fn end(&mut self) {
        self.told.clear();
        while self.clients[0].emit(1).expect("an answer") > 0 {
            std::thread::yield_now();
        }
    }
}
