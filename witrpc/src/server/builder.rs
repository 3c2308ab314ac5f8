//! What a server serves, and how: decided before it starts.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use witrpc_transport::{TrustedPeer, WaitPolicy};

use crate::call::server::call::{IntoService, Service};
use crate::call::server::hook_call::Hooks;
use crate::call::server::job::Spawn;
use crate::codec::Codec;
use crate::connection::registry::RegistryServer;
use crate::contract;
use crate::contract::{
    ArgumentKind, MAX_CONTRACT_LEN, MethodDescriptor, ServiceDescriptor, UnverifiedPart,
};
use crate::error::BindError;
use crate::observe::counters::CounterRegistry;
use crate::observe::hooks::ServerHook;
use crate::pool::Pool;
use crate::security::{Accepted, AccessToken, AccessTokens, Guard};
use crate::tag::MAX_SERVICES;
use crate::transport::{BindConfig, Endpoint};

use super::admission::ServerAdmission;
use super::dispatch::Dispatcher;
use super::handle::{ServerHandle, WitServer};

/// Handlers at once, unless the user says otherwise.
const DEFAULT_MAX_WORKERS: u32 = 64;

/// The most that may be asked for: threads beyond this only wait for each other.
const MOST_WORKERS: u32 = 1024;

/// Decides what a server serves, and how. Made by [`WitServer::builder`].
///
/// Needed are a place ([`listen`](Self::listen)) and at least one service
/// ([`service`](Self::service)); all else has defaults.
#[must_use = "a builder does nothing until start"]
pub struct WitServerBuilder {
    endpoint: Option<Endpoint>,
    services: Vec<Arc<dyn Service>>,
    codecs: Vec<Codec>,
    max_workers: u32,
    wait: WaitPolicy,
    spawn: Option<Spawn>,
    accepted: Accepted,
    encryption: bool,
    hooks: Vec<Box<dyn ServerHook>>,
    trusted: Option<TrustedPeer>,
    allow_unverified: bool,
}

impl WitServerBuilder {
    pub(crate) fn new() -> Self {
        Self {
            endpoint: None,
            services: Vec::new(),
            codecs: Codec::all().collect(),
            max_workers: DEFAULT_MAX_WORKERS,
            wait: WaitPolicy::default(),
            spawn: None,
            accepted: Accepted::default(),
            encryption: false,
            hooks: Vec::new(),
            trusted: None,
            allow_unverified: false,
        }
    }

    /// Where to serve: a name, an [`Mmf`](crate::Mmf) with limits, or another transport's endpoint.
    /// The last one given counts.
    pub fn listen(mut self, endpoint: impl Into<Endpoint>) -> Self {
        self.endpoint = Some(endpoint.into());
        self
    }

    /// Serves one more service, beside those given before: `XServer::new(..)` of a trait `X`.
    pub fn service(self, service: impl IntoService) -> Self {
        self.serve(service.into_service())
    }

    /// As [`service`](Self::service), for one that the caller has looked at.
    pub(crate) fn serve(mut self, service: Arc<dyn Service>) -> Self {
        self.services.push(service);
        self
    }

    /// The codecs that clients may choose from; all of them unless given. A type of a service that
    /// one of them does not give back as it was is refused at the start.
    pub fn codecs(mut self, codecs: impl IntoIterator<Item = Codec>) -> Self {
        self.codecs.clear();
        for codec in codecs {
            if !self.codecs.contains(&codec) {
                self.codecs.push(codec);
            }
        }
        self
    }

    /// Serves a type of which a part could not be verified also over postcard; not unless given,
    /// and then [`start`](Self::start) fails with [`BindError::UnverifiedType`].
    ///
    /// Before it starts, a server makes up values of each type, to learn which fields the type has
    /// and of which kind they are. A part stays unknown where a `Deserialize` takes none of the
    /// values, and the fields behind it cannot be reached. [`register_sample`](crate::register_sample)
    /// mends that: the program gives a value that the type takes.
    ///
    /// **What it risks:** postcard's bytes do not say what they are. If the client was built from
    /// another version of the type, an unknown part is read as a wrong value, without an error: 5
    /// arrives as -3. So allow it only where both sides are always built together. The client must
    /// allow it too, with
    /// [`ClientBuilder::allow_unverified_types`](crate::ClientBuilder::allow_unverified_types). A
    /// codec that describes itself, such as JSON, needs none of this: there the call fails with an
    /// error.
    pub fn allow_unverified_types(mut self, allow: bool) -> Self {
        self.allow_unverified = allow;
        self
    }

    /// How many handlers may run at once, 1 to 1024; 64 unless given. A handler that waits, for a
    /// lock, a file or a call of its own, counts; an `async fn` handler that waits does not.
    ///
    /// The server starts with two threads and adds one whenever a handler takes long, up to one
    /// more than this; those that have nothing to do for some seconds end. When so many handlers
    /// are stuck, further calls wait, so handlers that call the server they run in need room here.
    /// Meanwhile cancels are told, events come, and what streams have ready is fetched.
    ///
    /// Clients share the workers. While more than an eighth are free, any client gets one. Of the last
    /// eighth, a client gets one only while it has fewer than `max_workers / connected clients` (at least
    /// one), and fewer than are free. So calls of one client that never end leave workers for the others.
    /// A call counts until its handler returns, also when its caller has given it up. A client that makes
    /// calls from within its own calls needs room for the eighth that it does not get.
    ///
    /// With fewer than eight workers there is no such eighth. While several clients are connected, the
    /// last worker goes to a client that has none. A client that is alone gets all workers, and one that
    /// connects later waits until a handler returns, or the first client goes. With one worker, any client
    /// waits like this for any other. So a server whose clients do not trust each other has eight workers
    /// or more.
    ///
    /// A handler whose client has gone does not count any more if it keeps its thread: the server starts
    /// another one in its place, for up to `max_workers` of them, or 8 if that is more. So it has at most twice
    /// as many threads as this and nine more. While as many are left behind, it lets no new client in
    /// ([`ConnectError::TooManyLeftBehind`](crate::ConnectError::TooManyLeftBehind)), whose handlers might
    /// join them; those that are connected are served. The threads that were too many end when handlers
    /// return.
    ///
    /// Methods that take an `impl Iterator` do not count: they wait for their client, so each has a
    /// thread of its own. Eight of one client's run at once, more of them wait for these to end. Once
    /// their client has gone, these threads are left behind too: the server starts none in their place,
    /// and lets no new client in while the threads of both kinds together reach the bound above.
    /// Methods that take an `impl Stream` need no thread while they wait.
    pub fn max_workers(mut self, max_workers: u32) -> Self {
        self.max_workers = max_workers;
        self
    }

    /// How a thread that looks for requests waits.
    pub fn wait(mut self, policy: WaitPolicy) -> Self {
        self.wait = policy;
        self
    }

    /// Runs `async fn` handlers elsewhere than on the server's own threads: `spawn` hands each one
    /// to a runtime, as in `.spawn_with(move |job| drop(runtime.spawn(job)))`. Needed when handlers
    /// await what only works inside that runtime, such as its timers and sockets. Methods that take an
    /// `impl Iterator` run on threads of their own all the same: they would block that runtime.
    ///
    /// A job answers its call when it ends; a panic of the handler is caught inside. The caller of
    /// a job that is dropped before gets an error.
    pub fn spawn_with(
        mut self,
        spawn: impl Fn(Pin<Box<dyn Future<Output = ()> + Send>>) + Send + Sync + 'static,
    ) -> Self {
        self.spawn = Some(Box::new(spawn));
        self
    }

    /// Lets in only clients that have this token. A client is checked before anything is done for
    /// it, and the server proves to the client that it has the token too. Of this method and the
    /// next two, the last one called counts; without any of them, whoever can reach the server gets
    /// in.
    ///
    /// # Examples
    ///
    /// ```
    /// use witrpc::{AccessToken, ConnectError, InProcess, WitServer, wit_service};
    ///
    /// #[wit_service]
    /// pub trait Clock {
    ///     fn now(&self) -> u64;
    /// }
    ///
    /// struct Stopped;
    ///
    /// impl Clock for Stopped {
    ///     fn now(&self) -> u64 {
    ///         12
    ///     }
    /// }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (place, token) = (InProcess::new(), AccessToken::random());
    /// let _server = WitServer::builder()
    ///     .listen(place.clone())
    ///     .service(ClockServer::new(Stopped))
    ///     .access_token(token.clone())
    ///     .start()?;
    ///
    /// let clock = ClockClient::builder(place.clone()).access_token(token).connect()?;
    /// assert_eq!(clock.now()?, 12);
    /// assert!(matches!(ClockClient::connect(place), Err(ConnectError::TokenRequired)));
    /// # Ok(())
    /// # }
    /// ```
    pub fn access_token(self, token: AccessToken) -> Self {
        self.access_tokens(token.into())
    }

    /// Lets in only clients that have one of these tokens. Whose it is, methods see in
    /// [`CallContext::identity`](crate::CallContext::identity).
    pub fn access_tokens(mut self, tokens: AccessTokens) -> Self {
        self.accepted = Accepted::Fixed(tokens);
        self
    }

    /// Lets in only clients that have one of the tokens that `provider` gives at that moment, so that
    /// tokens can come and go while the server runs. Connected clients stay.
    ///
    /// It is asked once for each client that comes, on the thread that lets clients in: it should
    /// answer from memory. When it panics, that client is turned away. It cannot be shown what the
    /// client has brought, as no token ever crosses to the server: both sides prove that they have
    /// the same one.
    pub fn access_tokens_from(
        mut self,
        provider: impl Fn() -> AccessTokens + Send + Sync + 'static,
    ) -> Self {
        self.accepted = Accepted::Provider(Box::new(provider));
        self
    }

    /// Encrypts all that crosses, with keys of each connection's own; not unless given. A client must
    /// ask for it too, with [`ClientBuilder::encryption`](crate::ClientBuilder::encryption), which also
    /// says what becomes of a [`Shared`](crate::Shared).
    pub fn encryption(mut self, encryption: bool) -> Self {
        self.encryption = encryption;
        self
    }

    /// Has this hook stand around every call, behind those given before: for audits, limits and
    /// measurements.
    pub fn hook(mut self, hook: impl ServerHook) -> Self {
        self.hooks.push(Box::new(hook));
        self
    }

    /// Has methods see what clients send where it lies in shared memory, without a copy: a `&[T]`
    /// argument refers to it, and [`Shared::as_slice`](crate::Shared::as_slice) gives it. To be had
    /// only by the promise that no client writes to what it has sent, which [`TrustedPeer`] states.
    pub fn trust_clients(mut self, promise: TrustedPeer) -> Self {
        self.trusted = Some(promise);
        self
    }

    /// Claims the place, starts the threads and accepts clients. Needs no runtime.
    ///
    /// # Errors
    ///
    /// [`BindError`] says what is missing, which limit is out of bounds, which type a codec
    /// cannot carry, or why the place cannot be had: a name that is in use fails at once.
    pub fn start(self) -> Result<WitServer, BindError> {
        let endpoint = self.endpoint.as_ref().ok_or(BindError::NoEndpoint)?;
        check_limit("max_workers", self.max_workers.into(), 1, MOST_WORKERS.into())?;
        check_limit(
            "the number of codecs",
            self.codecs.len() as u64,
            1,
            Codec::all().count() as u64,
        )?;
        let descriptors: Vec<_> =
            self.services.iter().map(|service| service.descriptor()).collect();
        check_services(&descriptors)?;
        check_codecs(&descriptors, &self.codecs, self.allow_unverified)?;
        check_unwinding(&descriptors, cfg!(panic = "unwind"))?;

        let guard = Arc::new(Guard::new(self.accepted, self.encryption));
        let hooks = Hooks::new(self.hooks);
        let counter_registry = Arc::<CounterRegistry>::default();
        let (codecs, ledger_too) = (self.codecs, Arc::clone(&counter_registry));
        let door = ServerAdmission::new(
            descriptors,
            codecs,
            Arc::clone(&guard),
            hooks.clone(),
            ledger_too,
        );
        let door = Arc::new(door);
        let admission = Arc::clone(&door) as _;
        let config = BindConfig { admission, wait: self.wait, guard, trusted: self.trusted };
        let port = endpoint.transport().bind(config)?;
        let registry = RegistryServer::from_arc(Arc::clone(&door)).into_service();
        let handler = Box::new(Dispatcher::new(self.services, registry, self.spawn, hooks));
        let clients = Arc::clone(&door) as _;
        let pool =
            Pool::start(port, handler, self.wait, self.max_workers, clients, counter_registry)
                .map_err(|source| {
                    door.farewell().close();
                    BindError::Io { doing: "start the server's threads".to_owned(), source }
                })?;
        door.leads_to(&pool);
        Ok(WitServer::new(ServerHandle::new(pool, door)))
    }
}

fn check_limit(limit: &'static str, value: u64, min: u64, max: u64) -> Result<(), BindError> {
    if (min..=max).contains(&value) {
        Ok(())
    } else {
        Err(BindError::LimitOutOfRange { limit, value, min, max })
    }
}

fn check_services(services: &[&'static ServiceDescriptor]) -> Result<(), BindError> {
    if services.is_empty() {
        return Err(BindError::NoService);
    }
    if services.len() > MAX_SERVICES {
        return Err(BindError::TooManyServices { services: services.len(), max: MAX_SERVICES });
    }
    for (index, service) in services.iter().enumerate() {
        if services[..index].iter().any(|earlier| earlier.name == service.name) {
            return Err(BindError::DuplicateService { service: service.name });
        }
    }
    Ok(())
}

fn check_codecs(
    services: &[&'static ServiceDescriptor],
    codecs: &[Codec],
    allow_unverified: bool,
) -> Result<(), BindError> {
    for service in services {
        for &codec in codecs {
            let traced = contract::traced(service, codec);
            let (service, len) = (service.name, traced.bytes.len());
            if let Some((method, problem)) = traced.refusal() {
                return Err(BindError::CodecRefused { codec, service, method, problem });
            }
            if let Some(UnverifiedPart { method, part, reason }) =
                traced.unverified().filter(|_| !allow_unverified)
            {
                return Err(BindError::UnverifiedType { codec, service, method, part, reason });
            }
            if len > MAX_CONTRACT_LEN {
                return Err(BindError::ContractTooLarge { service, len, max: MAX_CONTRACT_LEN });
            }
        }
    }
    Ok(())
}

/// Refuses methods that take an iterator where a panic ends the process: such a method learns that its
/// client has gone by unwinding, and would else take a part of the items for all of them.
pub fn check_unwinding(
    services: &[&'static ServiceDescriptor],
    unwinds: bool,
) -> Result<(), BindError> {
    let iterates = |method: &&MethodDescriptor| {
        method.arguments.iter().any(|argument| argument.kind == ArgumentKind::Iterator)
    };
    for service in services.iter().filter(|_| !unwinds) {
        if let Some(method) = service.methods.iter().find(iterates) {
            return Err(BindError::NeedsUnwinding { service: service.name, method: method.name });
        }
    }
    Ok(())
}

impl fmt::Debug for WitServerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let services: Vec<_> =
            self.services.iter().map(|service| service.descriptor().name).collect();
        f.debug_struct("WitServerBuilder")
            .field("endpoint", &self.endpoint)
            .field("services", &services)
            .field("codecs", &self.codecs)
            .field("max_workers", &self.max_workers)
            .field("wait", &self.wait)
            .field("tokens", &self.accepted)
            .field("encryption", &self.encryption)
            .field("spawns_elsewhere", &self.spawn.is_some())
            .field("hooks", &self.hooks.len())
            .field("allow_unverified_types", &self.allow_unverified)
            .finish()
    }
}
