//! What a server serves, and how: decided before it starts.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use witrpc_transport::{ServerPort, TrustedPeer, WaitPolicy};

use crate::call::server::call::{IntoService, Service};
use crate::call::server::hook_call::Hooks;
use crate::call::server::job::Spawn;
use crate::codec::Codec;
use crate::connection::registry::RegistryServer;
use crate::contract::{ArgumentKind, MethodDescriptor, ServiceDescriptor};
use crate::error::BindError;
use crate::observe::counters::CounterRegistry;
use crate::observe::hooks::ServerHook;
use crate::pool::{Handler, Pool};
use crate::security::{Accepted, Guard};
#[cfg(feature = "security")]
use crate::security::{AccessToken, AccessTokens};
use crate::tag::MAX_SERVICES;
use crate::transport::{BindConfig, Endpoint};

use super::admission::ServerAdmission;
use super::dispatch::Dispatcher;
use super::handle::{ServerHandle, WitServer};
use super::metered::{LateMeter, MeteredDispatcher, MethodTable};
use super::service_codecs::ServiceCodecs;
use super::several_ports::SeveralPorts;

/// How many handlers may run at once, unless the user sets it.
const DEFAULT_MAX_WORKERS: u32 = 64;

/// The upper limit of that: more threads would only wait for each other.
const MOST_WORKERS: u32 = 1024;

/// The configuration of a server before it starts. Made by [`WitServer::builder`].
///
/// An endpoint ([`listen`](Self::listen)) and at least one service ([`service`](Self::service)) are required;
/// all else has defaults.
#[must_use = "a builder does nothing until start"]
pub struct WitServerBuilder {
    endpoint: Option<Endpoint>,
    other_endpoints: Vec<Endpoint>,
    services: Vec<Arc<dyn Service>>,
    /// `None` for all that fit.
    codecs: Option<Vec<Codec>>,
    max_workers: u32,
    wait: WaitPolicy,
    spawn: Option<Spawn>,
    accepted: Accepted,
    encryption: bool,
    hooks: Vec<Box<dyn ServerHook>>,
    method_metrics: bool,
    trusted: Option<TrustedPeer>,
    allow_unverified: bool,
}

impl WitServerBuilder {
    pub(crate) fn new() -> Self {
        Self {
            endpoint: None,
            other_endpoints: Vec::new(),
            services: Vec::new(),
            codecs: None,
            max_workers: DEFAULT_MAX_WORKERS,
            wait: WaitPolicy::default(),
            spawn: None,
            accepted: Accepted::default(),
            encryption: false,
            hooks: Vec::new(),
            method_metrics: false,
            trusted: None,
            allow_unverified: false,
        }
    }

    /// Sets where to serve: a name, an [`Mmf`](crate::Mmf) with limits, or another transport's endpoint. The
    /// last call counts.
    pub fn listen(mut self, endpoint: impl Into<Endpoint>) -> Self {
        self.endpoint = Some(endpoint.into());
        self
    }

    /// Serves at this endpoint too: the same services, on the same threads, behind the same tokens. Each
    /// endpoint has its own limits. It may be called for several.
    /// [`CallContext::origin`](crate::CallContext::origin) tells where a client is.
    ///
    /// [`listen`](Self::listen) gives the first endpoint, whose name is the server's. Calls over a server with
    /// several endpoints cost it a look at each.
    ///
    /// # Examples
    ///
    /// ```
    /// use witrpc::{InProcess, Mmf, WitServer, wit_service};
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
    /// let (outside, inside) = (Mmf::unguessable(), InProcess::new());
    /// let server = WitServer::builder()
    ///     .listen(outside.clone())
    ///     .also_listen(inside.clone())
    ///     .service(ClockServer::new(Stopped))
    ///     .start()?;
    ///
    /// let clients = [ClockClient::connect(outside)?, ClockClient::connect(inside)?];
    /// assert_eq!(server.clients().len(), 2);
    /// for client in clients {
    ///     assert_eq!(client.now()?, 12);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn also_listen(mut self, endpoint: impl Into<Endpoint>) -> Self {
        self.other_endpoints.push(endpoint.into());
        self
    }

    /// Adds a service: `XServer::new(..)` of a trait `X`. The supertraits that the trait
    /// [extends](macro@crate::wit_service) as services are added too, unless a service of that name was
    /// given before.
    pub fn service(self, service: impl IntoService) -> Self {
        self.serve(service.into_service())
    }

    /// Does the same as [`service`](Self::service), for a service that the caller has inspected.
    pub(crate) fn serve(mut self, service: Arc<dyn Service>) -> Self {
        let supertraits = service.supertraits();
        self.services.push(service);
        supertraits.into_iter().fold(self, |builder, service| {
            let given = builder
                .services
                .iter()
                .any(|other| other.descriptor().name == service.descriptor().name);
            if given { builder } else { builder.serve(service) }
        })
    }

    /// Returns whether this very service was given.
    pub(crate) fn serves(&self, descriptor: &'static ServiceDescriptor) -> bool {
        self.services.iter().any(|service| std::ptr::eq(service.descriptor(), descriptor))
    }

    /// Sets the codecs that clients may choose from. A type of a service that one of them does not return
    /// as it was is then an error at the start.
    ///
    /// By default, each service is served over every codec that carries all of its types. A client that
    /// asks for another one learns why it was left out.
    pub fn codecs(mut self, codecs: impl IntoIterator<Item = Codec>) -> Self {
        let chosen = self.codecs.insert(Vec::new());
        for codec in codecs {
            if !chosen.contains(&codec) {
                chosen.push(codec);
            }
        }
        self
    }

    /// Serves types over postcard that could not be verified completely. Default: `false`. Then postcard is
    /// left out for a service with such a type, or [`start`](Self::start) fails with
    /// [`BindError::UnverifiedType`] if [`codecs`](Self::codecs) names postcard.
    ///
    /// Before it starts, a server makes up values of each type, to learn which fields the type has and of which
    /// kind they are. A part stays unknown if its `Deserialize` accepts none of these values; the fields behind
    /// it cannot be reached. [`register_sample`](crate::register_sample) solves that: the program gives a value
    /// that the type accepts.
    ///
    /// **Risk:** the bytes of postcard do not describe themselves. If the client was built from another version
    /// of the type, an unknown part is read as a wrong value, without an error. For example, 5 arrives as -3.
    /// So allow it only where both sides are always built together. The client must allow it too, with
    /// [`ClientBuilder::allow_unverified_types`](crate::ClientBuilder::allow_unverified_types). A codec that
    /// describes itself, such as MessagePack or JSON, does not need this: there the call fails with an error.
    pub fn allow_unverified_types(mut self, allow: bool) -> Self {
        self.allow_unverified = allow;
        self
    }

    /// Sets how many handlers may run at once, from 1 to 1024. Default: 64. A handler that waits for a lock, a
    /// file or a call of its own counts. An `async fn` handler that waits does not.
    ///
    /// The server starts with two threads. It adds one whenever a handler takes long, up to `max_workers + 1`.
    /// Threads that are idle for some seconds end. When `max_workers` handlers are stuck, further calls wait.
    /// So handlers that call their own server need room here. Meanwhile cancels and events are still delivered,
    /// and items that streams have ready are fetched.
    ///
    /// Clients share the workers. While more than an eighth are free, any client gets one. Of the last eighth,
    /// a client gets one only while it has fewer than `max_workers / connected clients` (at least one), and
    /// fewer than are free. So calls of one client that never end leave workers for the others. A call counts
    /// until its handler returns, even after its caller has given up. A client that makes calls from within its
    /// own calls needs room for the eighth that it does not get.
    ///
    /// With fewer than eight workers there is no such eighth. While several clients are connected, the last
    /// worker goes to a client that has none. A client that is alone gets all workers. A client that connects
    /// later waits until a handler returns, or the first client leaves. With one worker, any client waits like
    /// this for any other. So use eight workers or more if the clients do not trust each other.
    ///
    /// If a client leaves while its handler keeps a thread, that handler does not count any more. The server
    /// starts another thread in its place, for up to `max_workers` of them, or 8 if that is more. So it has at
    /// most twice as many threads as this, and nine more. While that many are left behind, it lets no new
    /// client in ([`ConnectError::TooManyLeftBehind`](crate::ConnectError::TooManyLeftBehind)), whose handlers
    /// might join them. Connected clients are still served. Surplus threads end when handlers return.
    ///
    /// Methods that take an `impl Iterator` do not count: they wait for their client, so each has a thread of
    /// its own. Eight of them run at once for one client; further ones wait for these to end. Once their client
    /// has gone, these threads are left behind too, but the server starts none in their place. It lets no new
    /// client in while the threads of both kinds together reach the bound above. Methods that take an `impl
    /// Stream` need no thread while they wait.
    pub fn max_workers(mut self, max_workers: u32) -> Self {
        self.max_workers = max_workers;
        self
    }

    /// Sets how a thread that looks for requests waits.
    pub fn wait(mut self, policy: WaitPolicy) -> Self {
        self.wait = policy;
        self
    }

    /// Runs `async fn` handlers elsewhere than on the server's own threads. `spawn` hands each one to a
    /// runtime, as in `.spawn_with(move |job| drop(runtime.spawn(job)))`. Use it when handlers await what only
    /// works inside that runtime, such as its timers and sockets. Methods that take an `impl Iterator` still
    /// run on threads of their own: they would block that runtime.
    ///
    /// A job answers its call when it ends, and catches a panic of the handler. If a job is dropped before
    /// that, its caller gets an error.
    pub fn spawn_with(
        mut self,
        spawn: impl Fn(Pin<Box<dyn Future<Output = ()> + Send>>) + Send + Sync + 'static,
    ) -> Self {
        self.spawn = Some(Box::new(spawn));
        self
    }

    /// Lets in only clients that have this token. The server checks a client before it does anything else for
    /// it, and proves to the client that it has the token too. Of this method and the next two, the last call
    /// counts. Without any of them, the server lets in every client that can reach it.
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
    #[cfg(feature = "security")]
    pub fn access_token(self, token: AccessToken) -> Self {
        self.access_tokens(token.into())
    }

    /// Lets in only clients that have one of these tokens. Methods see which one in
    /// [`CallContext::identity`](crate::CallContext::identity).
    #[cfg(feature = "security")]
    pub fn access_tokens(mut self, tokens: AccessTokens) -> Self {
        self.accepted = Accepted::Fixed(tokens);
        self
    }

    /// Lets in only clients that have one of the tokens that `provider` returns at that moment. So tokens can
    /// come and go while the server runs. Connected clients stay.
    ///
    /// The server calls `provider` once for each client, on the thread that lets clients in: it should answer
    /// from memory. If it panics, that client is turned away. It does not see the client's token, since no
    /// token ever crosses to the server: both sides prove that they have the same one.
    #[cfg(feature = "security")]
    pub fn access_tokens_from(
        mut self,
        provider: impl Fn() -> AccessTokens + Send + Sync + 'static,
    ) -> Self {
        self.accepted = Accepted::Provider(Box::new(provider));
        self
    }

    /// Encrypts all that crosses, with separate keys for each connection. Default: `false`. A client must ask
    /// for it too, with [`ClientBuilder::encryption`](crate::ClientBuilder::encryption), which also describes
    /// the effect on a [`Shared`](crate::Shared).
    #[cfg(feature = "security")]
    pub fn encryption(mut self, encryption: bool) -> Self {
        self.encryption = encryption;
        self
    }

    /// Runs this hook around every call, inside the hooks added before it: for audits, limits and measurements.
    pub fn hook(mut self, hook: impl ServerHook) -> Self {
        self.hooks.push(Box::new(hook));
        self
    }

    /// Counts calls, errors and latencies by method. Default: `false`. The server reads them by
    /// [`ServerHandle::method_metrics`](crate::ServerHandle::method_metrics), and clients that have been let in
    /// by `DynamicClient::method_metrics` (feature `dynamic`), as the command `witrpc stats` does. Every other
    /// call of a method is timed, so a call reads the clock once on average.
    pub fn method_metrics(mut self, method_metrics: bool) -> Self {
        self.method_metrics = method_metrics;
        self
    }

    /// Lets methods read what clients send in shared memory, without a copy. A `&[T]` argument refers to it,
    /// and [`Shared::as_slice`](crate::Shared::as_slice) returns it. This requires the promise that no client
    /// writes to what it has sent, which [`TrustedPeer`] states.
    pub fn trust_clients(mut self, promise: TrustedPeer) -> Self {
        self.trusted = Some(promise);
        self
    }

    /// Binds the endpoint, starts the threads and accepts clients. Needs no runtime.
    ///
    /// # Errors
    ///
    /// [`BindError`] says what is missing, which limit is out of bounds, which type a codec cannot carry, or
    /// why the endpoint cannot be bound. A name that is in use fails at once.
    pub fn start(mut self) -> Result<WitServer, BindError> {
        let endpoint = self.endpoint.as_ref().ok_or(BindError::NoEndpoint)?;
        check_limit("max_workers", self.max_workers.into(), 1, MOST_WORKERS.into())?;
        let codecs = self.codecs.as_deref();
        let all = Codec::all().count() as u64;
        check_limit("the number of codecs", codecs.map_or(all, |it| it.len() as u64), 1, all)?;
        let descriptors: Vec<_> =
            self.services.iter().map(|service| service.descriptor()).collect();
        check_services(&descriptors)?;
        let codecs = descriptors
            .iter()
            .map(|service| ServiceCodecs::of(service, codecs, self.allow_unverified))
            .collect::<Result<Vec<_>, _>>()?;
        check_unwinding(&descriptors, cfg!(panic = "unwind"))?;

        let guard = Arc::new(Guard::new(self.accepted, self.encryption));
        let counter_registry = Arc::<CounterRegistry>::default();
        let ledger_too = Arc::clone(&counter_registry);
        let has_hooks = !self.hooks.is_empty();
        let table = self.method_metrics.then(|| Arc::new(MethodTable::new(&descriptors)));
        self.hooks.extend(table.clone().filter(|_| has_hooks).map(|table| {
            let registry = Arc::clone(&counter_registry);
            Box::new(LateMeter { table, registry }) as Box<dyn ServerHook>
        }));
        let hooks = Hooks::new(self.hooks);
        let door = ServerAdmission::new(
            descriptors,
            codecs,
            Arc::clone(&guard),
            hooks.clone(),
            ledger_too,
            table.clone(),
        );
        let door = Arc::new(door);
        let bind = |endpoint: &Endpoint| {
            let (admission, guard) = (Arc::clone(&door) as _, Arc::clone(&guard));
            let config = BindConfig { admission, wait: self.wait, guard, trusted: self.trusted };
            endpoint.transport().bind(config)
        };
        let port = bind_all(endpoint, &self.other_endpoints, bind)?;
        let registry = RegistryServer::from_arc(Arc::clone(&door)).into_service();
        let late = Dispatcher::new(
            self.services.clone(),
            Arc::clone(&registry),
            self.spawn,
            hooks.clone(),
        );
        let handler: Box<dyn Handler> = match table {
            None => Box::new(late),
            Some(table) => {
                let at_once = Dispatcher::new(self.services, registry, None, hooks);
                let counted = Arc::clone(&counter_registry);
                Box::new(MeteredDispatcher::new(table, counted, [at_once, late], has_hooks))
            }
        };
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

/// Binds all endpoints of a server, as one port.
fn bind_all(
    first: &Endpoint,
    others: &[Endpoint],
    bind: impl Fn(&Endpoint) -> Result<Arc<dyn ServerPort>, BindError>,
) -> Result<Arc<dyn ServerPort>, BindError> {
    let first = bind(first)?;
    if others.is_empty() {
        return Ok(first);
    }
    let others = others.iter().map(bind).collect::<Result<_, _>>()?;
    let ports = SeveralPorts::start(first, others).map_err(|source| BindError::Io {
        doing: "start a thread for a further endpoint".to_owned(),
        source,
    })?;
    Ok(ports)
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

/// Refuses methods that take an iterator where a panic ends the process. Such a method learns by unwinding that
/// its client has gone. Without that, it would take part of the items for all of them.
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
