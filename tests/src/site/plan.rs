//! How a server is to be.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use witrpc::{
    AccessToken, Async, BindError, Blocking, ClientBuilder, Codec, Endpoint, InProcess, WaitPolicy,
    WitServer,
};

use super::address::{Address, mmf};
use crate::annex::{AnnexServer, Shed};
use crate::conveyor::{Belt, ConveyorServer};
use crate::gallery::{GalleryServer, Rooms};
use crate::newsroom::{Board, BulletinServer, Editors, NewsroomServer};
use crate::vigil::{VigilServer, Watchman};
use crate::watchdog::PATIENCE;
use crate::workshop::{Bench, WorkshopAsyncClient, WorkshopClient, WorkshopServer};

/// How client and server reach each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// In the test's own process.
    InProcess,
    /// Through shared memory, with the server in a process of its own.
    Mmf,
    /// As [`Transport::Mmf`], with a token that both sides have, and encrypted.
    Encrypted,
}

/// How a server is to be: data that a process can be told. What is not given is left at its
/// default.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Plan {
    /// Shared memory of one client, in bytes.
    pub size: Option<usize>,
    /// Calls of one client in flight.
    pub lanes: Option<u32>,
    /// Clients at once.
    pub max_clients: Option<u32>,
    /// The longest message, in bytes.
    pub max_message_size: Option<usize>,
    /// Handlers at once.
    pub max_workers: Option<u32>,
    /// Time for a handshake.
    pub handshake_timeout: Option<Duration>,
    /// Whether both sides spin as long as they can.
    pub spin: bool,
    /// Whether a hook keeps a book of the calls, and rejects some: see `vigil::Bookkeeper`.
    pub bookkeeping: bool,
    /// Whether only postcard is spoken.
    pub postcard_only: bool,
    /// Whether the annex is served too.
    pub annex: bool,
    /// The access token, in hexadecimal digits.
    pub token: Option<String>,
    /// Whether messages are encrypted.
    pub encryption: bool,
    /// Whether the conveyor is served too.
    pub conveyor: bool,
    /// Whether the newsroom is served too.
    pub newsroom: bool,
    /// Whether the bulletin is served too, in front of the newsroom.
    pub bulletin: bool,
}

impl Plan {
    /// Starts a server.
    ///
    /// # Errors
    ///
    /// As `start` of its builder.
    pub fn start(&self, address: &Address, bench: &Arc<Bench>) -> Result<WitServer, BindError> {
        let service = WorkshopServer::from_arc(Arc::clone(bench));
        let watchman = Watchman::default();
        let bookkeeper = watchman.bookkeeper();
        let vigil = VigilServer::new(watchman);
        let gallery = GalleryServer::new(Rooms::beside(bench));
        let mut builder = WitServer::builder()
            .listen(self.endpoint(address))
            .service(service)
            .service(vigil)
            .service(gallery);
        if let Some(max_workers) = self.max_workers {
            builder = builder.max_workers(max_workers);
        }
        if self.annex {
            builder = builder.service(AnnexServer::new(Shed));
        }
        if self.bookkeeping {
            builder = builder.hook(bookkeeper);
        }
        if self.conveyor {
            let belt = |events| Belt::new(bench, events);
            builder = builder.service(ConveyorServer::with_events(belt));
        }
        if self.bulletin {
            builder = builder.service(BulletinServer::with_events(Board::new));
        }
        if self.newsroom {
            let editors = |events| Editors::new(bench, events);
            builder = builder.service(NewsroomServer::with_events(editors));
        }
        if self.postcard_only {
            builder = builder.codecs([Codec::Postcard]);
        }
        if let Some(token) = self.token() {
            builder = builder.access_token(token);
        }
        builder.wait(self.wait()).encryption(self.encryption).start()
    }

    /// How both sides wait.
    pub fn wait(&self) -> WaitPolicy {
        if self.spin { WaitPolicy::Spin } else { WaitPolicy::Adaptive }
    }

    /// Has a client ask for what such a server does, and wait as it does; for an answer as long as a test
    /// does.
    pub fn client(
        &self,
        builder: ClientBuilder<WorkshopClient, Blocking>,
    ) -> ClientBuilder<WorkshopClient, Blocking> {
        let builder = builder.wait(self.wait()).encryption(self.encryption);
        let builder = builder.call_timeout(PATIENCE);
        self.token().into_iter().fold(builder, ClientBuilder::access_token)
    }

    /// [`client`](Self::client) for an async one.
    pub fn async_client(
        &self,
        builder: ClientBuilder<WorkshopAsyncClient, Async>,
    ) -> ClientBuilder<WorkshopAsyncClient, Async> {
        let builder = builder.wait(self.wait()).encryption(self.encryption);
        let builder = builder.call_timeout(PATIENCE);
        self.token().into_iter().fold(builder, ClientBuilder::access_token)
    }

    fn token(&self) -> Option<AccessToken> {
        let token = self.token.as_deref()?;
        Some(AccessToken::from_hex(token).expect("the tests give a token"))
    }

    fn endpoint(&self, address: &Address) -> Endpoint {
        match address {
            Address::Mmf { name, dir } => {
                let mut place = mmf(name, dir.clone());
                place = self.size.into_iter().fold(place, |place, size| place.size(size));
                place = self.lanes.into_iter().fold(place, |place, lanes| place.lanes(lanes));
                place =
                    self.max_clients.into_iter().fold(place, |place, most| place.max_clients(most));
                place = self
                    .max_message_size
                    .into_iter()
                    .fold(place, |place, most| place.max_message_size(most));
                place = self
                    .handshake_timeout
                    .into_iter()
                    .fold(place, |place, time| place.handshake_timeout(time));
                place.into()
            }
            Address::InProcess { name } => {
                let mut place = InProcess::named(name.clone());
                place = self.lanes.into_iter().fold(place, |place, lanes| place.lanes(lanes));
                place =
                    self.max_clients.into_iter().fold(place, |place, most| place.max_clients(most));
                place = self
                    .max_message_size
                    .into_iter()
                    .fold(place, |place, most| place.max_message_size(most));
                place.into()
            }
        }
    }
}
