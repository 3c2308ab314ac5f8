//! A client that uses all that there is, where one of the two sides breaks every rule: whatever comes
//! of its calls, they come to an end.

use std::any::Any;
use std::collections::VecDeque;
use std::time::Duration;

use fastrand::Rng;
use futures_util::{FutureExt, stream};
use witrpc::{CallError, ConnectError};

use crate::conveyor::{ConveyorAsyncClient, ConveyorClient};
use crate::gallery::GalleryClient;
use crate::newsroom::NewsroomClient;
use crate::site::{Address, Plan};
use crate::workshop::{WorkshopClient, bytes_of};

/// How long is waited for what may never come.
const MOMENT: Duration = Duration::from_millis(2);

/// How many streams, subscriptions and leases it holds on to.
const MOST_HELD: usize = 8;

/// One connection, and what it holds.
pub struct Guest {
    workshop: WorkshopClient,
    gallery: Option<GalleryClient>,
    conveyor: Option<ConveyorClient>,
    conveyor_later: Option<ConveyorAsyncClient>,
    newsroom: Option<NewsroomClient>,
    held: VecDeque<Box<dyn Any>>,
}

impl Guest {
    /// A client of a server that is as planned.
    ///
    /// # Errors
    ///
    /// As `connect` of its builder.
    pub fn connect(address: &Address, plan: &Plan) -> Result<Self, ConnectError> {
        let builder = plan.client(WorkshopClient::builder(address.endpoint()));
        let workshop = builder.call_timeout(MOMENT).connect()?;
        let connection = workshop.connection();
        Ok(Self {
            gallery: connection.client().ok(),
            conveyor: connection.client().ok(),
            conveyor_later: connection.client().ok(),
            newsroom: connection.client().ok(),
            held: VecDeque::new(),
            workshop,
        })
    }

    /// Whether it has not been thrown out.
    pub fn is_connected(&self) -> bool {
        self.workshop.connection().is_connected()
    }

    /// Makes a call of which anything may come.
    pub fn call(&mut self, rng: &mut Rng) {
        let _: Result<(), CallError> = match rng.u8(..12) {
            0 | 1 => self.workshop.add(1, 2).map(drop),
            2 => self.workshop.echo(bytes_of(rng.usize(..3_000), 1)).map(drop),
            3 => self.workshop.digest(&bytes_of(rng.usize(..100_000), 2)).map(drop),
            4 => self.workshop.make(rng.u64(..100_000), 3).map(drop),
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
        let Some(gallery) = &self.gallery else { return Ok(()) };
        if let Ok(mut frame) = gallery.connection().try_alloc::<u8>(len) {
            frame.fill(7);
            let back = gallery.echo(frame.freeze())?;
            let _: Vec<u8> = back.to_vec();
            self.hold(back);
        }
        Ok(())
    }

    /// Borrows a frame.
    fn borrow(&mut self, len: u64) -> Result<(), CallError> {
        let Some(gallery) = &self.gallery else { return Ok(()) };
        let frame = gallery.render(len, 3)?;
        self.hold(frame);
        Ok(())
    }

    fn stream(&mut self, rng: &mut Rng) -> Result<(), CallError> {
        let Some(conveyor) = &self.conveyor else { return Ok(()) };
        let mut items = conveyor.blocks(rng.u64(..2_000), 1_000)?.item_timeout(MOMENT);
        let _: usize = items.by_ref().take(rng.usize(..100)).filter(Result::is_ok).count();
        self.hold(items);
        Ok(())
    }

    /// Feeds for a while, then gives up.
    fn feed(&self) -> Result<(), CallError> {
        let Some(conveyor) = &self.conveyor_later else { return Ok(()) };
        let mut fed = Box::pin(conveyor.follow_later(stream::iter(0..1_000)));
        (0..100).find_map(|_| fed.as_mut().now_or_never()).unwrap_or(Ok(0)).map(drop)
    }

    fn subscribe(&mut self) -> Result<(), CallError> {
        let Some(newsroom) = &self.newsroom else { return Ok(()) };
        let guard = newsroom.on_ticked(drop)?;
        let ticked = newsroom.tick(0, 3, false).map(drop);
        self.hold(guard);
        ticked
    }
}
