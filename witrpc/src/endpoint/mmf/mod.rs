//! Named shared memory, the main transport of `witrpc`.
//!
//! Only this folder names the crate `witrpc_mmf`. `errors` converts its errors to those of this crate, and
//! `names` lists the servers that there are.

pub mod errors;
pub mod limit;
pub mod names;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "dynamic")]
pub use names::{ServerInfo, dead_servers, remove_dead_servers, servers_in};
pub use names::{metrics, servers};
pub use witrpc_mmf::{Backend, forbid_inspection};

use errors::NoName;
use witrpc_mmf::{ClientOptions, Name, Place, ServerOptions};
use witrpc_transport::{ClientChannel, ResourceError, ServerPort};

use crate::error::{BindError, ConnectError};
use crate::transport::{BindConfig, ConnectConfig, Transport};

#[cfg(feature = "worker")]
pub use witrpc_mmf::{Descriptor, Origin};

/// A name in shared memory, and the limits of the server under it.
///
/// The limits of the server apply: a client learns them when it connects, and needs only the name. Three limits
/// are the client's: [`max_region_size`](Self::max_region_size), [`max_answer_size`](Self::max_answer_size) and
/// [`handshake_timeout`](Self::handshake_timeout). The [`backend`](Self::backend) must be the same on both
/// sides.
///
/// # Choosing a size
///
/// [`size`](Self::size) is the shared memory of one client, both directions together. All of it is allocated
/// when the client connects. A message of up to a quarter of it crosses in one piece. Longer ones cross in
/// segments, which takes about twice as long a byte. So:
///
/// - small calls, a few KiB: leave it at 1 MiB;
/// - messages of a known size: eight times that size, for two in flight each way;
/// - many clients: together they take up to `max_clients × size`. A client that has gone counts while its
///   memory is in use. That may be a [`Shared`](crate::Shared) that is kept, or a request that a handler reads
///   in place.
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
    /// The reason why a name could not be made.
    unnamed: Option<ResourceError>,
    place: Place,
    options: ServerOptions,
    max_region_size: usize,
    max_answer_size: usize,
}

/// The longest answer that a client accepts unless the user sets another limit: 64 MiB, which is also the
/// default of a server's longest message.
const MAX_ANSWER_SIZE: usize = 64 << 20;

/// The largest region that a client maps unless the user sets another limit: 1 GiB.
const MAX_REGION_SIZE: usize = 1 << 30;

/// The longest time that either side may take for the handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);

impl Mmf {
    /// Returns the endpoint of this name. A name has 1 to 64 bytes, without slashes, control characters or a
    /// leading dot. It is checked when it is bound or connected to. Each user has a separate set of names.
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
            max_answer_size: MAX_ANSWER_SIZE,
        }
    }

    /// Returns an endpoint with a name that cannot be guessed, for a worker process that is given it. If the
    /// system gives this process no random bytes, the name is empty. To bind or connect to it then fails with
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

    /// Returns the name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Sets the shared memory of one client, both directions together, in bytes. Default: 1 MiB. It is rounded
    /// up to whole pages. The minimum follows from the lanes (40 KiB for 64), and the maximum is 64 GiB.
    ///
    /// Both sides allocate their half when a client connects. That takes about a millisecond for 4 MiB, and
    /// seconds for the largest sizes. The server does it in steps of that length, so that other clients can
    /// connect meanwhile, and calls go on. A size that takes longer than
    /// [`handshake_timeout`](Self::handshake_timeout) cannot be connected to.
    pub fn size(mut self, bytes: usize) -> Self {
        self.options.size = bytes;
        self
    }

    /// Sets how many calls one client can have in flight, from 1 to 1024. Default: 64. Further calls wait until
    /// one of these ends. Streams or uploads need 2, events 3, and all of them at the same time 4: see the
    /// [guide](crate::guide::streams_and_events#how-many-there-may-be).
    pub fn lanes(mut self, lanes: u32) -> Self {
        self.options.lanes = lanes;
        self
    }

    /// Sets how many clients can be connected at once, from 1 to 4096. Default: 64.
    pub fn max_clients(mut self, clients: u32) -> Self {
        self.options.max_clients = clients;
        self
    }

    /// Sets the longest request or answer in bytes, from 64 bytes to 4 GiB - 1. Default: 64 MiB. A longer
    /// message is refused where it is made, and nothing of it is sent. A [`Shared`](crate::Shared) that is lent
    /// does not count; one that has to be copied does.
    ///
    /// It also limits the private memory that the server spends on one client, besides [`size`](Self::size).
    /// Messages that have partly arrived, and answers that the client has not fetched, count against it. Over
    /// one such message, its further requests of more than 48 bytes wait. Over four, all of its new calls wait.
    /// Handlers that already run may each add an answer, so the bound is one message for each of its
    /// [`lanes`](Self::lanes). A complete request belongs to its handler: `async` handlers can hold one a lane
    /// too.
    pub fn max_message_size(mut self, bytes: usize) -> Self {
        self.options.max_message_len = bytes;
        self
    }

    /// Sets how long a client may take for its part of the handshake. Default: 5 s. The server drops a client
    /// that takes longer.
    ///
    /// On a client's endpoint, it sets how long the server may take, from the moment that the client has found
    /// it. [`ClientBuilder::connect_timeout`](crate::ClientBuilder::connect_timeout) bounds connecting as a
    /// whole, and takes the place of this.
    pub fn handshake_timeout(mut self, timeout: Duration) -> Self {
        self.options.handshake_timeout = timeout;
        self
    }

    /// Sets, for clients, the most memory to share with a server, a direction, in bytes. Default: 1 GiB. The
    /// client refuses a server that asks for more.
    pub fn max_region_size(mut self, bytes: usize) -> Self {
        self.max_region_size = bytes;
        self
    }

    /// Sets, for clients, the longest answer to accept, in bytes. Default: 64 MiB. A limit below 1 KiB counts as
    /// 1 KiB. A longer answer is dropped before memory is allocated for it, and its call fails with
    /// [`CallError::AnswerTooLarge`](crate::CallError::AnswerTooLarge). A client of a server with a larger
    /// [`max_message_size`](Self::max_message_size) raises this too. A [`Shared`](crate::Shared) that is lent
    /// does not count.
    pub fn max_answer_size(mut self, bytes: usize) -> Self {
        self.max_answer_size = bytes;
        self
    }

    /// Sets the means that connections use. Default: [`Backend::Native`]. Server and client must choose the
    /// same. A client that finds another one refuses to connect, and its error names both. If a client followed
    /// the server's choice, a server could take it out of the protection of the native one.
    ///
    /// # Examples
    ///
    /// A server for programs that trust each other, with means that other systems have too, and the feature
    /// `portable`:
    ///
    /// ```
    /// # #[cfg(feature = "portable")] {
    /// use witrpc::{Backend, Mmf, TrustedPeer};
    ///
    /// // SAFETY: all programs of this user are ours, and open such memory only through this crate.
    /// let promise = unsafe { TrustedPeer::assume() };
    /// let endpoint = Mmf::new("calc").backend(Backend::Portable(promise));
    /// # }
    /// ```
    pub fn backend(mut self, backend: Backend) -> Self {
        self.options.backend = backend;
        self
    }

    /// Places the name in this directory instead of the user's own: for containers and for system services. If
    /// the directory is missing, a server creates it, accessible to its user only. No other user may be able to
    /// write to it. Clients of other users need [`allow_uid`](Self::allow_uid).
    pub fn in_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.place = std::mem::take(&mut self.place).moved_to(path);
        self
    }

    /// Shares the server with another user of the machine. On a server, clients that run as `uid` are let in,
    /// as those of its own user are. On a client, a server that runs as `uid` is trusted to be the right one.
    /// Both sides must call this, and name the directory with [`in_dir`](Self::in_dir). It may be called for
    /// several users. The backend must be the native one.
    ///
    /// The kernel reports a peer's user (`SO_PEERCRED`), so a peer cannot lie about it. But other users can now
    /// reach the server, which costs:
    ///
    /// - A directory that the server creates gets mode `0711` and its socket `0666`, so *every* user can try to
    ///   connect. A user that is not allowed is turned away before anything else happens, but takes one of 64
    ///   places for pending handshakes meanwhile. Its connections also have to be closed. What it leaves in
    ///   nine of them can make that take as long as it likes, and new clients wait. A directory that exists
    ///   keeps its mode and must let the other users enter. Mode `0710` with a common group keeps the rest of
    ///   the machine out.
    /// - An allowed user can do what any client can. It can take [`max_clients`](Self::max_clients) places with
    ///   their memory, keep the server's threads busy, and call every method. An access token identifies the
    ///   caller more closely.
    /// - The memory that a client makes counts against that client's limits, not the server's, though the
    ///   server has it mapped.
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
            max_answer_len: self.max_answer_size,
            // A limit of the client for connecting as a whole applies to each step too.
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

    fn servers(&self) -> Result<Vec<String>, ConnectError> {
        self.live_names()
    }

    fn report(&self) -> Result<Vec<u8>, ConnectError> {
        Ok(self.inquire()?.report)
    }
}
