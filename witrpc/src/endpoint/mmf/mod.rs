//! Named shared memory: the transport that `witrpc` exists for.
//!
//! Only this folder names the crate `witrpc_mmf`: `errors`
//! says in the words of this crate why binding or connecting has failed, `names` lists which servers
//! there are.

pub mod errors;
pub mod limit;
pub mod names;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use names::{metrics, servers};
pub use witrpc_mmf::Backend;

use errors::NoName;
use witrpc_mmf::{ClientOptions, Name, Place, ServerOptions};
use witrpc_transport::{ClientChannel, ResourceError, ServerPort};

use crate::error::{BindError, ConnectError};
use crate::transport::{BindConfig, ConnectConfig, Transport};

pub use witrpc_mmf::{Descriptor, Origin};

/// A name in shared memory, and the limits of what is served under it.
///
/// Only the server's limits count: a client learns them when it connects, and needs no more than
/// the name. The limits of a client's own are [`max_region_size`](Self::max_region_size) and
/// [`handshake_timeout`](Self::handshake_timeout). Only the [`backend`](Self::backend) must be the
/// same on both sides.
///
/// # Choosing a size
///
/// [`size`](Self::size) is what one client costs in shared memory, both directions together, all of
/// it allocated when the client connects. A quarter of it is the longest message that crosses in
/// one piece; longer ones cross in segments, which takes about twice as long a byte. So:
///
/// - small calls, a few KiB: leave it at 1 MiB;
/// - messages of a known size: eight times that size, for two in flight each way;
/// - many clients: `max_clients × size` is what they can cost together. A client that has gone counts
///   while something in its memory is in use: a [`Shared`](crate::Shared) that is kept, a request
///   that a handler reads in place.
///
/// # Examples
///
/// ```
/// use witrpc::Mmf;
///
/// let endpoint = Mmf::new("calc").size(4 << 20).max_clients(8);
/// assert_eq!(endpoint.name(), "calc");
/// ```
#[derive(Clone, Debug)]
pub struct Mmf {
    name: String,
    /// Why there is no name, where one was to be made.
    unnamed: Option<ResourceError>,
    place: Place,
    options: ServerOptions,
    max_region_size: usize,
}

/// The largest region that a client maps unless it is told otherwise: 1 GiB.
const MAX_REGION_SIZE: usize = 1 << 30;

/// How long either side may take over the handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);

impl Mmf {
    /// The endpoint of this name: 1 to 64 bytes without slashes, control characters or a leading
    /// dot, which is checked when it is bound or connected to. Names are one user's own.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            unnamed: None,
            place: Place::default(),
            options: ServerOptions {
                backend: Backend::default(),
                size: 1 << 20,
                lanes: 64,
                max_clients: 64,
                max_message_len: 64 << 20,
                handshake_timeout: HANDSHAKE_TIMEOUT,
                trusted: None,
            },
            max_region_size: MAX_REGION_SIZE,
        }
    }

    /// An endpoint whose name nobody can guess: for a worker process that is told it. Where the system
    /// gives this process no random bytes, the name is empty, and to bind or to connect to it is
    /// [`BindError::Resource`] or [`ConnectError::Resource`].
    pub fn unguessable() -> Self {
        match Name::unguessable() {
            Ok(name) => Self::new(name.as_str()),
            Err(why) => Self { unnamed: Some(why), ..Self::new("") },
        }
    }

    fn checked_name(&self) -> Result<Name, NoName> {
        match &self.unnamed {
            Some(why) => Err(NoName::Resource(why.clone())),
            None => Name::new(&self.name).map_err(NoName::Invalid),
        }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The shared memory of one client, both directions together, in bytes: 1 MiB unless given. It
    /// is rounded up to whole pages; the minimum follows from the lanes (40 KiB for 64), the
    /// maximum is 64 GiB.
    ///
    /// Both sides allocate their half when a client connects: about a millisecond for 4 MiB, seconds
    /// for the largest sizes. The server does it in steps of that length, so that others are brought
    /// in meanwhile, and calls go on. A size that takes longer than
    /// [`handshake_timeout`](Self::handshake_timeout) cannot be connected to.
    pub fn size(mut self, bytes: usize) -> Self {
        self.options.size = bytes;
        self
    }

    /// How many calls one client can have in flight: 64 unless given, 1 to 1024. More calls than
    /// that wait for one of these to end. Streams or uploads need 2, events 3, and all of them at the same
    /// time 4: see the [guide](crate::guide::streams_and_events#how-many-there-may-be).
    pub fn lanes(mut self, lanes: u32) -> Self {
        self.options.lanes = lanes;
        self
    }

    /// How many clients can be connected at once: 64 unless given, 1 to 4096.
    pub fn max_clients(mut self, clients: u32) -> Self {
        self.options.max_clients = clients;
        self
    }

    /// The longest request or answer in bytes: 64 MiB unless given, 64 bytes to 4 GiB - 1. A longer
    /// one is refused where it is made; nothing of it is sent. A [`Shared`](crate::Shared) that is lent
    /// does not count, one that has to be copied does.
    ///
    /// It also decides how much private memory the server spends on one client, besides
    /// [`size`](Self::size). Messages that have come in part, and answers that the client has not
    /// fetched, count against it: over one such message, its further requests of more than 48 bytes
    /// wait, over four, all of its new calls do. Handlers that run by then may each add an answer,
    /// so the bound is a message for each of its [`lanes`](Self::lanes). A request that has come
    /// whole is its handler's: `async` handlers can hold one a lane too.
    pub fn max_message_size(mut self, bytes: usize) -> Self {
        self.options.max_message_len = bytes;
        self
    }

    /// How long a client may take to introduce itself: 5 s unless given. The server drops one that
    /// takes longer.
    ///
    /// On a client's endpoint: how long the server may take over the same, from the moment that the
    /// client has found it. [`ClientBuilder::connect_timeout`](crate::ClientBuilder::connect_timeout)
    /// bounds connecting as a whole, and takes the place of this.
    pub fn handshake_timeout(mut self, timeout: Duration) -> Self {
        self.options.handshake_timeout = timeout;
        self
    }

    /// For clients: the most memory to share with a server, a direction, in bytes: 1 GiB unless
    /// given. A server that asks for more is refused.
    pub fn max_region_size(mut self, bytes: usize) -> Self {
        self.max_region_size = bytes;
        self
    }

    /// What connections stand on: [`Backend::Native`] unless given. Server and client must choose the
    /// same; a client that finds another refuses to connect, and its error names both. (A client that
    /// followed the server's choice could be talked out of the protection of the native one.)
    ///
    /// # Examples
    ///
    /// A server for programs that trust each other, over the means that other systems have too, with
    /// the feature `portable`:
    ///
    /// ```
    /// # #[cfg(feature = "portable")] {
    /// use witrpc::{Backend, Mmf};
    ///
    /// let endpoint = Mmf::new("calc").backend(Backend::Portable);
    /// # }
    /// ```
    pub fn backend(mut self, backend: Backend) -> Self {
        self.options.backend = backend;
        self
    }

    /// Has the name stand in this directory instead of the user's own: for containers and for
    /// services of the system. A server creates it, for its user alone, if it is missing; nobody else
    /// may be able to write to it. Clients of other users need [`allow_uid`](Self::allow_uid).
    pub fn in_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.place = std::mem::take(&mut self.place).moved_to(path);
        self
    }

    /// Shares the server with another user of the machine. On a server, clients that run as `uid` get
    /// in beside those of its own user; on a client, a server that runs as `uid` is trusted to be the
    /// right one. Both sides must say so, and name the directory with [`in_dir`](Self::in_dir); may be
    /// called for several users. The backend must be the native one.
    ///
    /// Who somebody is, is the kernel's word (`SO_PEERCRED`), not the peer's. But the wall around the
    /// server has a door then, and that costs:
    ///
    /// - a directory that the server creates gets mode `0711` and its socket `0666`, so that *every*
    ///   user can knock. Who is not allowed is told so before anything else happens, and costs one of
    ///   64 places for pending handshakes meanwhile. And his connections have to be closed: what he
    ///   leaves in nine of them can make that take as long as he likes, and new clients wait. A
    ///   directory that exists keeps its mode and must let the others enter; mode `0710` with a group
    ///   of theirs keeps the rest of the machine out;
    /// - an allowed user can do what any client can: take [`max_clients`](Self::max_clients)
    ///   places and the memory that comes with them, keep the server's threads busy, and call every
    ///   method. An access token says more about who calls;
    /// - the memory that a client makes counts against that client's limits, not the server's, though
    ///   the server has it mapped.
    ///
    /// # Examples
    ///
    /// A server that runs as user 990, and a client of user 1000:
    ///
    /// ```
    /// use witrpc::Mmf;
    ///
    /// let at_the_server = Mmf::new("spooler").in_dir("/run/spooler").allow_uid(1000);
    /// let at_the_client = Mmf::new("spooler").in_dir("/run/spooler").allow_uid(990);
    /// # drop((at_the_server, at_the_client));
    /// ```
    pub fn allow_uid(mut self, uid: u32) -> Self {
        self.place = self.place.allow_uid(uid);
        self
    }
}

impl Transport for Mmf {
    fn bind(&self, config: BindConfig) -> Result<Arc<dyn ServerPort>, BindError> {
        let name = self.checked_name().map_err(|why| errors::bind_name(&self.name, why))?;
        let options = ServerOptions { trusted: config.trusted, ..self.options };
        witrpc_mmf::bind(name, &self.place, &options, config.admission, config.guard)
            .map_err(errors::bind)
    }

    fn connect(&self, config: ConnectConfig) -> Result<Arc<dyn ClientChannel>, ConnectError> {
        let name = self.checked_name().map_err(|why| errors::connect_name(&self.name, why))?;
        let options = ClientOptions {
            backend: self.options.backend,
            wait_for_server: config.wait_for_server,
            hello: config.hello,
            wait: config.wait,
            max_region_len: self.max_region_size,
            // What the client says of connecting as a whole counts for its steps too.
            handshake_timeout: match config.until {
                Some(_) => Duration::MAX,
                None => self.options.handshake_timeout,
            },
            trusted: config.trusted,
        };
        limit::within(config.until, config.cancel.as_ref(), |limit| {
            witrpc_mmf::connect(&name, &self.place, &options, &config.credentials, limit)
                .map_err(errors::connect)
        })
    }
}
