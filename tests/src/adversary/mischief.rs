//! A client that uses every feature, where one of the two sides breaks every rule. Its calls may
//! end in any way, but they do end.

use std::any::Any;
use std::collections::VecDeque;
use std::time::Duration;

use fastrand::Rng;
use futures_util::{FutureExt, stream};
use witrpc::{CallError, ConnectError};

use crate::basic::{BasicClient, bytes_of};
use crate::event_service::EventServiceClient;
use crate::fixture::{Address, FixtureConfig};
use crate::shared_memory::SharedMemoryClient;
use crate::streams::{StreamsAsyncClient, StreamsClient};

/// How long the client waits for something that may never come.
const MOMENT: Duration = Duration::from_millis(2);

/// The most streams, subscriptions and leases that the client keeps.
const MOST_HELD: usize = 8;

/// A connection, and what it keeps.
pub struct Guest {
    basic: BasicClient,
    shared_memory: Option<SharedMemoryClient>,
    streams: Option<StreamsClient>,
    streams_later: Option<StreamsAsyncClient>,
    event_service: Option<EventServiceClient>,
    held: VecDeque<Box<dyn Any>>,
}

impl Guest {
    /// Connects to a server of this configuration.
    ///
    /// # Errors
    ///
    /// As `connect` of the client's builder.
    pub fn connect(address: &Address, plan: &FixtureConfig) -> Result<Self, ConnectError> {
        let builder = plan.client(BasicClient::builder(address.endpoint()));
        let basic = builder.call_timeout(MOMENT).connect()?;
        let connection = basic.connection();
        Ok(Self {
            shared_memory: connection.client().ok(),
            streams: connection.client().ok(),
            streams_later: connection.client().ok(),
            event_service: connection.client().ok(),
            held: VecDeque::new(),
            basic,
        })
    }

    /// Returns whether the server has not ended the connection.
    pub fn is_connected(&self) -> bool {
        self.basic.connection().is_connected()
    }

    /// Makes a call that may end in any way.
    pub fn call(&mut self, rng: &mut Rng) {
        let _: Result<(), CallError> = match rng.u8(..12) {
            0 | 1 => self.basic.add(1, 2).map(drop),
            2 => self.basic.echo(bytes_of(rng.usize(..3_000), 1)).map(drop),
            3 => self.basic.digest(&bytes_of(rng.usize(..100_000), 2)).map(drop),
            4 => self.basic.make(rng.u64(..100_000), 3).map(drop),
            5 => self.share(rng.usize(..8_000)),
            6 => self.borrow(rng.u64(..8_000)),
            7 => self.stream(rng),
            8 => self.feed(),
            9 => self.subscribe(),
            _ => {
                self.held.pop_front();
                Ok(())
            }
        };
    }

    fn hold(&mut self, thing: impl Any) {
        self.held.push_back(Box::new(thing));
        self.held.truncate(MOST_HELD);
    }

    /// Lends a frame, and gets it back.
    fn share(&mut self, len: usize) -> Result<(), CallError> {
        let Some(shared_memory) = &self.shared_memory else { return Ok(()) };
        if let Ok(mut frame) = shared_memory.connection().try_alloc::<u8>(len) {
            frame.fill(7);
            let back = shared_memory.echo(frame.freeze())?;
            let _: Vec<u8> = back.to_vec();
            self.hold(back);
        }
        Ok(())
    }

    /// Borrows a frame.
    fn borrow(&mut self, len: u64) -> Result<(), CallError> {
        let Some(shared_memory) = &self.shared_memory else { return Ok(()) };
        let frame = shared_memory.render(len, 3)?;
        self.hold(frame);
        Ok(())
    }

    fn stream(&mut self, rng: &mut Rng) -> Result<(), CallError> {
        let Some(streams) = &self.streams else { return Ok(()) };
        let mut items = streams.blocks(rng.u64(..2_000), 1_000)?.item_timeout(MOMENT);
        let _: usize = items.by_ref().take(rng.usize(..100)).filter(Result::is_ok).count();
        self.hold(items);
        Ok(())
    }

    /// Uploads for a while, then gives up.
    fn feed(&self) -> Result<(), CallError> {
        let Some(streams) = &self.streams_later else { return Ok(()) };
        let mut fed = Box::pin(streams.follow_later(stream::iter(0..1_000)));
        (0..100).find_map(|_| fed.as_mut().now_or_never()).unwrap_or(Ok(0)).map(drop)
    }

    fn subscribe(&mut self) -> Result<(), CallError> {
        let Some(event_service) = &self.event_service else { return Ok(()) };
        let guard = event_service.on_ticked(drop)?;
        let ticked = event_service.tick(0, 3, false).map(drop);
        self.hold(guard);
        ticked
    }
}
