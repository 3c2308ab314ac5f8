//! The options of a client, and connecting.

#[cfg(feature = "security")]
use std::error::Error;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use witrpc_transport::{TrustedPeer, WaitPolicy};

use crate::call::client::hook_call::Hook;
use crate::codec::Codec;
use crate::error::ConnectError;
use crate::observe::hooks::ClientHook;
use crate::rt::cancel_token::CancelToken;
use crate::rt::offload;
#[cfg(feature = "security")]
use crate::security::{AccessToken, TokenSource};
use crate::transport::Endpoint;

use super::connect::ConnectPlan;
use super::handle::{Client, Connection};
use super::reconnect::Reconnect;

/// The mode of a [`ClientBuilder`] whose `connect` blocks.
#[derive(Clone, Copy, Debug)]
pub enum Blocking {}

/// The mode of a [`ClientBuilder`] whose `connect` is `async`.
#[derive(Clone, Copy, Debug)]
pub enum Async {}

/// The options by which a client connects and calls. `XClient::builder(endpoint)` returns one.
///
/// The decisions, by importance: whether to [wait for the server](Self::wait_for_server), [how long
/// connecting may take](Self::connect_timeout), which [codec](Self::codec) to use, [how long a call may
/// take](Self::call_timeout), [how threads wait](Self::wait). All have defaults. `connect` ends it: a
/// plain `fn` for the builder of an `XClient`, an `async fn` for that of an `XAsyncClient`.
///
/// The methods of an `XClient` block their thread until the answer is there. In a task of an async
/// runtime, that also blocks the runtime's thread. Use an `XAsyncClient` there, whose futures run on
/// any executor, or make the call where the runtime allows blocking.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use witrpc::{Blocking, ClientBuilder, Codec, ConnectError, Endpoint, InProcess, wit_service};
///
/// #[wit_service]
/// pub trait Clock {
///     fn now(&self) -> u64;
/// }
///
/// /// How all of a program's clients of a clock call.
/// fn clock(place: impl Into<Endpoint>) -> ClientBuilder<ClockClient, Blocking> {
///     ClockClient::builder(place).codec(Codec::Postcard).call_timeout(Duration::from_secs(2))
/// }
///
/// let connected = clock(InProcess::new()).wait_for_server(Duration::from_millis(1)).connect();
/// assert!(matches!(connected, Err(ConnectError::NobodyServes { .. })));
/// ```
#[must_use = "a builder does nothing until connect"]
pub struct ClientBuilder<C, Mode> {
    plan: ConnectPlan,
    kind: PhantomData<fn() -> (C, Mode)>,
}

impl<C, Mode> fmt::Debug for ClientBuilder<C, Mode> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ClientBuilder").field(&self.plan).finish()
    }
}

impl<C: Client, Mode> ClientBuilder<C, Mode> {
    /// Starts with the defaults. For generated code.
    #[doc(hidden)]
    pub fn new(endpoint: impl Into<Endpoint>) -> Self {
        let plan = ConnectPlan::new(endpoint.into());
        Self { plan, kind: PhantomData }
    }

    /// Sets how values become bytes. The default is the quickest codec over which the server serves this
    /// service: [`Codec::Postcard`], unless a type needs another one.
    pub fn codec(mut self, codec: Codec) -> Self {
        self.plan.codec = Some(codec);
        self
    }

    /// Sets whether to connect although a part of a type could not be verified and the codec does not
    /// describe that part. By default, connecting then fails with [`ConnectError::UnverifiedType`].
    /// Equal contracts do not help there: a contract does not contain the unknown part.
    ///
    /// **The risk:** if the server was built from another version of the type, the part is read as a
    /// wrong value, without an error. So allow it only if both sides are always built together. The
    /// server must allow it too:
    /// [`WitServerBuilder::allow_unverified_types`](crate::WitServerBuilder::allow_unverified_types)
    /// says when a part is unknown, and how to fix it.
    pub fn allow_unverified_types(mut self, allow: bool) -> Self {
        self.plan.rules.allow_unverified = allow;
        self
    }

    /// Sets whether one method or event that differs refuses the whole service. By default, it is
    /// refused alone, by [`CallError::ContractMismatch`](crate::CallError::ContractMismatch) when it
    /// is called or subscribed to, and [`Connection::differences`] lists it. A strict client does not
    /// connect: the error is [`ConnectError::ContractMismatch`]. It also ends a client that
    /// [reconnects](Self::reconnect) to a server of another version. The rules are those of
    /// [`Connection`](crate::Connection#contracts).
    ///
    /// # Examples
    ///
    /// ```
    /// use witrpc::{CallError, ConnectError, InProcess, WitServer, wit_service};
    ///
    /// mod old {
    ///     #[witrpc::wit_service]
    ///     pub trait Scale {
    ///         fn weigh(&self, parcel: u64) -> u32;
    ///         fn label(&self, parcel: u64) -> String;
    ///     }
    /// }
    ///
    /// #[wit_service]
    /// pub trait Scale {
    ///     fn weigh(&self, parcel: u64) -> u32;
    ///     fn label(&self, parcel: u32) -> String;
    /// }
    ///
    /// struct Balance;
    ///
    /// impl old::Scale for Balance {
    ///     fn weigh(&self, parcel: u64) -> u32 {
    ///         (parcel % 1000) as u32
    ///     }
    ///
    ///     fn label(&self, parcel: u64) -> String {
    ///         format!("no. {parcel}")
    ///     }
    /// }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let place = InProcess::new();
    /// let service = old::ScaleServer::new(Balance);
    /// let _server = WitServer::builder().listen(place.clone()).service(service).start()?;
    ///
    /// let scale = ScaleClient::connect(place.clone())?;
    /// assert_eq!(scale.weigh(7042)?, 42);
    /// assert!(matches!(scale.label(1), Err(CallError::ContractMismatch { difference })
    ///     if difference == "label: argument `parcel` is u32 here and u64 there"));
    ///
    /// let strict = ScaleClient::builder(place).strict(true).connect();
    /// assert!(matches!(strict, Err(ConnectError::ContractMismatch { .. })));
    /// # Ok(())
    /// # }
    /// ```
    pub fn strict(mut self, strict: bool) -> Self {
        self.plan.rules.strict = strict;
        self
    }

    /// Sets how long a call may take, from the call to its answer. The default is 30 s; `None` waits as
    /// long as the server lives. The handler does not learn of the timeout: it may go on after the caller
    /// has received [`CallError::TimedOut`](crate::CallError::TimedOut).
    ///
    /// For a call with a stream, this bounds the opening. For an upload, it also bounds two more times.
    /// The first is from the opening until the method takes an item, including the wait for a thread
    /// ([`CallError::UploadStalled`](crate::CallError::UploadStalled)). The second is from the last
    /// item to the answer. If the method has begun by then and no item was sent, the first time begins
    /// again with the first item. How long later items take is not bounded, on either side. Use
    /// [`CallOptions`](crate::CallOptions) to bound an upload as a whole.
    pub fn call_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.plan.call_timeout = timeout.into();
        self
    }

    /// Sets how long to wait for a server that does not serve yet; by default not at all. The client
    /// does not wait for a server that refuses it. Once there is a server,
    /// [`connect_timeout`](Self::connect_timeout) bounds how long it may take.
    pub fn wait_for_server(mut self, time: Duration) -> Self {
        self.plan.wait_for_server = time;
        self
    }

    /// Sets how long connecting may take as a whole: the wait for a server, the handshake with it, and
    /// each attempt of a client that [reconnects](Self::reconnect). By default, a server that is there
    /// has 5 s for the handshake ([`Mmf::handshake_timeout`](crate::Mmf::handshake_timeout) of the
    /// client's endpoint), after up to [`wait_for_server`](Self::wait_for_server).
    ///
    /// If a server was there and is stopped or overloaded, the error is [`ConnectError::TimedOut`]. If
    /// no server was found, [`ConnectError::NobodyServes`] says how long the client waited. The time
    /// that a [provider of tokens](Self::access_token_from) takes counts, but cannot be cut short.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use witrpc::{ConnectError, InProcess, wit_service};
    ///
    /// #[wit_service]
    /// pub trait Clock {
    ///     fn now(&self) -> u64;
    /// }
    ///
    /// let connected = ClockClient::builder(InProcess::new())
    ///     .wait_for_server(Duration::from_secs(60))
    ///     .connect_timeout(Duration::from_millis(5))
    ///     .connect();
    /// assert!(matches!(connected, Err(ConnectError::NobodyServes { waited, .. })
    ///     if waited < Duration::from_secs(60)));
    /// ```
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.plan.connect_timeout = Some(timeout);
        self
    }

    /// Sets the token that the client proves to the server, which must prove in turn that it has it. By
    /// default there is none. The last call of this method or the next counts.
    #[cfg(feature = "security")]
    pub fn access_token(mut self, token: AccessToken) -> Self {
        self.plan.token = TokenSource::Fixed(token);
        self
    }

    /// Sets a provider of the token of [`access_token`](Self::access_token). It is called at each
    /// connect, on the thread that connects. If it fails, [`ConnectError::NoToken`] carries its error.
    #[cfg(feature = "security")]
    pub fn access_token_from(
        mut self,
        provider: impl Fn() -> Result<AccessToken, Box<dyn Error + Send + Sync>> + Send + Sync + 'static,
    ) -> Self {
        self.plan.token = TokenSource::Provider(Arc::new(provider));
        self
    }

    /// Sets whether to encrypt everything that crosses, with keys of this connection; by default not.
    /// The server must ask for it too, with
    /// [`WitServerBuilder::encryption`](crate::WitServerBuilder::encryption).
    ///
    /// An encrypted connection shares nothing in place: a [`Shared`](crate::Shared) is copied and
    /// encrypted, and [`Connection::alloc`](crate::Connection::alloc) returns
    /// [`AllocError::Encrypted`](crate::AllocError::Encrypted).
    #[cfg(feature = "security")]
    pub fn encryption(mut self, encryption: bool) -> Self {
        self.plan.encryption = encryption;
        self
    }

    /// Reconnects after the server was lost; by default the client does not.
    pub fn reconnect(mut self, reconnect: Reconnect) -> Self {
        self.plan.reconnect = Some(reconnect);
        self
    }

    /// Sets a hook around every call of the client, and of the clients that share its connection. The
    /// last one given counts.
    pub fn hook(mut self, hook: impl ClientHook) -> Self {
        self.plan.hook = Some(Arc::new(Hook::new(hook)));
        self
    }

    /// Makes [`Shared::as_slice`](crate::Shared::as_slice) return what the server has sent in place, in
    /// shared memory. This requires the promise that the server does not write to what it has sent,
    /// which a [`TrustedPeer`] states.
    pub fn trust_server(mut self, promise: TrustedPeer) -> Self {
        self.plan.trusted = Some(promise);
        self
    }

    /// Sets how callers wait for answers; the default is [`WaitPolicy::Adaptive`].
    pub fn wait(mut self, policy: WaitPolicy) -> Self {
        self.plan.wait = policy;
        self
    }
}

impl<C: Client> ClientBuilder<C, Blocking> {
    /// Connects, and blocks the thread meanwhile.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says whether no server was found, the server refused, or the system did.
    pub fn connect(self) -> Result<C, ConnectError> {
        self.connection().map(C::from_connection)
    }

    /// Connects, and returns the connection alone.
    pub(crate) fn connection(self) -> Result<Connection, ConnectError> {
        self.plan.connect(C::DESCRIPTOR).map(Connection::new)
    }
}

impl<C: Client> ClientBuilder<C, Async> {
    /// Connects on a short-lived thread. Any executor can poll the future. Dropping the future ends the
    /// attempt and the thread.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says whether no server was found, the server refused, or the system did.
    ///
    /// # Panics
    ///
    /// Panics in the task that polls, if a [provider of tokens](Self::access_token_from) panics.
    pub async fn connect(self) -> Result<C, ConnectError> {
        let cancel = CancelToken::new();
        let plan = ConnectPlan { cancel: Some(cancel.clone()), ..self.plan };
        let _given_up = CancelIfDropped(cancel);
        let connected = offload("witrpc-connect", move || plan.connect(C::DESCRIPTOR)).await;
        let refused =
            |source| ConnectError::Io { doing: "start a thread that connects".to_owned(), source };
        let inner = connected.map_err(refused)??;
        Ok(C::from_connection(Connection::new(inner)))
    }
}

/// A guard that cancels the connecting that a future waits for, when the future is dropped. Harmless
/// once it is done.
struct CancelIfDropped(CancelToken);

impl Drop for CancelIfDropped {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Implements `XClient::connect`.
pub fn connect_blocking<C: Client>(endpoint: Endpoint) -> Result<C, ConnectError> {
    ClientBuilder::<C, Blocking>::new(endpoint).connect()
}

/// Implements `XAsyncClient::connect`.
pub async fn connect_async<C: Client>(endpoint: Endpoint) -> Result<C, ConnectError> {
    ClientBuilder::<C, Async>::new(endpoint).connect().await
}
