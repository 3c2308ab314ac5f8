//! Services of events.

use std::path::Path;
use std::sync::Arc;

use futures_executor::block_on;
use witrpc::{CallContext, Codec, EmitError, EventError, wit_service};

use crate::basic::{Bench, Parcel, bytes_of};
use crate::fixture::{Fixture, FixtureConfig, Transport};

/// Starts a server with the event service and the bulletin.
pub fn fixture(transport: Transport) -> Fixture {
    with(transport, FixtureConfig::default())
}

/// Starts one with another configuration.
pub fn with(transport: Transport, plan: FixtureConfig) -> Fixture {
    Fixture::with(transport, FixtureConfig { event_service: true, bulletin: true, ..plan })
}

/// Connects a client of the event service, on its own connection.
///
/// # Panics
///
/// When it cannot connect.
pub fn connect(fixture: &Fixture) -> EventServiceClient {
    fixture.client().connection().client().expect("it is served")
}

/// Connects an async client with this codec.
///
/// # Panics
///
/// When it cannot connect.
pub fn connect_later(fixture: &Fixture, codec: Codec) -> EventServiceAsyncClient {
    let client = block_on(fixture.async_builder().codec(codec).connect()).expect("it connects");
    block_on(client.connection().client_async()).expect("it is served")
}

/// Returns the number of the next tick.
///
/// # Panics
///
/// When another event comes.
pub fn next_tick(ticks: &mut impl Iterator<Item = Result<EventServiceTicked, EventError>>) -> u64 {
    ticks.next().expect("the connection stands").expect("none is lost").checked()
}

/// Returns the number of the next tick that is not zero. Zeros that were in flight when a
/// subscription ended may come to the next one of that connection.
///
/// # Panics
///
/// When another event comes.
pub fn next_but_zeros(
    ticks: &mut impl Iterator<Item = Result<EventServiceTicked, EventError>>,
) -> u64 {
    loop {
        let number = next_tick(ticks);
        if number != 0 {
            return number;
        }
    }
}

/// Emits events with every kind of overflow. Its gates are those of the basic service beside it.
#[wit_service]
pub trait EventService {
    /// Emits `count` ticks, to all or to the caller only. Returns how many were sent.
    fn tick(&self, first: u64, count: u64, to_caller: bool, #[wit(ctx)] cx: &CallContext) -> u64;
    /// Emits `count` beats.
    fn beat(&self, count: u64);
    /// Emits `count` knocks. Returns how many a client had no room for.
    fn knock(&self, count: u64) -> u64;
    /// Emits `count` ticks and `count` beats in turn.
    fn alternate(&self, count: u64);
    /// Emits a tick for each gate, and waits at the gate.
    fn announce(&self, gates: Vec<u64>);
    /// Emits a weight, and returns the outcome.
    fn weigh(&self, grams: f64) -> Result<u64, String>;
    /// Emits a parcel of at least `len` bytes.
    fn ship(&self, len: u64, seed: u64) -> u64;

    /// Time goes by.
    #[wit(event)]
    fn ticked(&self, number: u64, text: &str, path: &Path, bytes: &[u8]);
    /// The same, where the newest events are dropped.
    #[wit(event, overflow = "newest")]
    fn beaten(&self, number: u64);
    /// The same, where the emitter waits.
    #[wit(event, overflow = "wait 5ms")]
    fn knocked(&self, number: u64);
    /// Something that JSON cannot always write.
    #[wit(event)]
    fn weighed(&self, grams: f64);
    /// Something that may be large.
    #[wit(event)]
    fn shipped(&self, parcel: &Parcel, padding: Vec<u8>);
}

/// The service.
#[derive(Debug)]
pub struct Editors {
    bench: Arc<Bench>,
    events: EventServiceEvents,
}

impl Editors {
    /// Creates the service beside this basic service.
    pub fn new(bench: &Arc<Bench>, events: EventServiceEvents) -> Self {
        Self { bench: Arc::clone(bench), events }
    }
}

/// Emits a tick. Returns to how many clients it was sent.
fn tick(events: &EventServiceEvents, number: u64) -> u64 {
    let (text, path) = (format!("tick {number}"), format!("/{number}"));
    let emitted = events.ticked(number, &text, Path::new(&path), &number.to_le_bytes());
    emitted.expect("it can be encoded") as u64
}

impl EventServiceTicked {
    /// Returns the number, after a check that the rest is as it was emitted.
    ///
    /// # Panics
    ///
    /// When it is not.
    pub fn checked(self) -> u64 {
        let Self { number, text, path, bytes } = self;
        assert_eq!(text, format!("tick {number}"));
        assert_eq!(path, Path::new(&format!("/{number}")));
        assert_eq!(bytes, number.to_le_bytes());
        number
    }
}

impl EventService for Editors {
    fn tick(&self, first: u64, count: u64, to_caller: bool, cx: &CallContext) -> u64 {
        let events = if to_caller { self.events.to(cx.client_id()) } else { self.events.clone() };
        (first..first + count).map(|number| tick(&events, number)).sum()
    }

    fn beat(&self, count: u64) {
        (0..count).for_each(|number| _ = self.events.beaten(number).expect("it can be encoded"));
    }

    fn knock(&self, count: u64) -> u64 {
        let knock = |number| match self.events.knocked(number) {
            Ok(_) => 0,
            Err(EmitError::NoRoom { clients, .. }) => clients as u64,
            Err(other) => panic!("{other}"),
        };
        (0..count).map(knock).sum()
    }

    fn alternate(&self, count: u64) {
        for number in 0..count {
            tick(&self.events, number);
            self.events.beaten(number).expect("it can be encoded");
        }
    }

    fn announce(&self, gates: Vec<u64>) {
        for gate in gates {
            tick(&self.events, gate);
            self.bench.gates().block_at(gate);
        }
    }

    fn weigh(&self, grams: f64) -> Result<u64, String> {
        let emitted = self.events.weighed(grams);
        emitted.map(|clients| clients as u64).map_err(|error| error.to_string())
    }

    fn ship(&self, len: u64, seed: u64) -> u64 {
        let parcel = Parcel::random(&mut fastrand::Rng::with_seed(seed), 300);
        let emitted = self.events.shipped(&parcel, bytes_of(len as usize, seed));
        emitted.expect("it can be encoded") as u64
    }
}

/// A second service with events, which have the numbers of the first service's.
#[wit_service]
pub trait Bulletin {
    /// Posts a text, and takes it down. Returns how many clients were sent the post.
    fn post(&self, text: &str) -> u64;

    /// A text has been posted.
    #[wit(event)]
    fn posted(&self, text: &str);
    /// It has been taken down.
    #[wit(event)]
    fn taken_down(&self);
}

/// The bulletin board.
#[derive(Debug)]
pub struct Board {
    events: BulletinEvents,
}

impl Board {
    /// Creates an empty board.
    pub fn new(events: BulletinEvents) -> Self {
        Self { events }
    }
}

impl Bulletin for Board {
    fn post(&self, text: &str) -> u64 {
        let told = self.events.posted(text).expect("it can be encoded");
        self.events.taken_down().expect("it can be encoded");
        told as u64
    }
}
