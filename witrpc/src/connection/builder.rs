//! Connecting.

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
use crate::security::{AccessToken, TokenSource};
use crate::transport::Endpoint;

use super::connect::Dial;
use super::handle::{Client, Connection};
use super::reconnect::Reconnect;

/// Marks a [`ClientBuilder`] whose `connect` blocks.
#[derive(Clone, Copy, Debug)]
pub enum Blocking {}

/// Marks a [`ClientBuilder`] whose `connect` is `async`.
#[derive(Clone, Copy, Debug)]
pub enum Async {}

/// Decides how a client connects and calls; what `XClient::builder(endpoint)` gives.
///
/// In the order in which the decisions matter: whether to [wait for the
/// server](Self::wait_for_server), [how long connecting may take](Self::connect_timeout), which [codec](Self::codec) to use, [how long a call may
/// take](Self::call_timeout), [how threads wait](Self::wait). All have defaults. `connect` ends it:
/// a plain `fn` for the builder of an `XClient`, an `async fn` for that of an `XAsyncClient`.
///
/// The methods of an `XClient` block their thread until the answer is there. In a task of an async
/// runtime that stops the runtime's thread too: use an `XAsyncClient` there, whose futures run on
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
    dial: Dial,
    kind: PhantomData<fn() -> (C, Mode)>,
}

impl<C, Mode> fmt::Debug for ClientBuilder<C, Mode> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ClientBuilder").field(&self.dial).finish()
    }
}

impl<C: Client, Mode> ClientBuilder<C, Mode> {
    /// Starts with the defaults. For generated code.
    #[doc(hidden)]
    pub fn new(endpoint: impl Into<Endpoint>) -> Self {
        let dial = Dial::new(endpoint.into());
        Self { dial, kind: PhantomData }
    }

    /// How values become bytes; [`Codec::Postcard`] unless given.
    pub fn codec(mut self, codec: Codec) -> Self {
        self.dial.codec = codec;
        self
    }

    /// Connects also where a part of a type could not be verified, and the codec does not tell what
    /// it is; not unless given, and then connecting fails with [`ConnectError::UnverifiedType`]. The
    /// same contract on both sides does not help there: an unknown part is not in it.
    ///
    /// **What it risks:** if the server was built from another version of the type, the part is read
    /// as a wrong value, without an error. So allow it only where both sides are always built
    /// together. The server must allow it too:
    /// [`WitServerBuilder::allow_unverified_types`](crate::WitServerBuilder::allow_unverified_types)
    /// says when a part is unknown, and what mends it.
    pub fn allow_unverified_types(mut self, allow: bool) -> Self {
        self.dial.allow_unverified = allow;
        self
    }

    /// How long a call may take, from the call to its answer; 30 s unless given, `None` for as
    /// long as the server lives. The handler is not told: it may go on after the caller has got
    /// [`CallError::TimedOut`](crate::CallError::TimedOut).
    ///
    /// Of a call with a stream it bounds the opening. Of one that is fed, it also bounds the time from
    /// the opening until the method takes an item, waiting for a thread included
    /// ([`CallError::UploadStalled`](crate::CallError::UploadStalled)), and from the last item to the
    /// answer. If the method has begun by then and no item was sent, the first of these times begins anew
    /// with the first item. It does not bound how long later items may take, on either side.
    /// [`CallOptions`](crate::CallOptions) bound a call that is fed as a whole.
    pub fn call_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.dial.call_timeout = timeout.into();
        self
    }

    /// How long to wait for a server that does not serve yet; not at all unless given. A server
    /// that refuses this client is not waited for. Once there is one,
    /// [`connect_timeout`](Self::connect_timeout) says how long it may take.
    pub fn wait_for_server(mut self, time: Duration) -> Self {
        self.dial.wait_for_server = time;
        self
    }

    /// How long connecting may take as a whole: waiting for a server, the handshake with it, and each
    /// attempt of a client that [reconnects](Self::reconnect). Unless given, a server that is there
    /// has 5 s for the handshake ([`Mmf::handshake_timeout`](crate::Mmf::handshake_timeout) of the
    /// client's endpoint), after up to [`wait_for_server`](Self::wait_for_server).
    ///
    /// A server that is stopped or overloaded by then is [`ConnectError::TimedOut`]; where none has
    /// come, [`ConnectError::NobodyServes`] says how long it was waited for. The time that a
    /// [provider of tokens](Self::access_token_from) takes counts, but cannot be cut short.
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
    /// let nobody = ClockClient::builder(InProcess::new())
    ///     .wait_for_server(Duration::from_secs(60))
    ///     .connect_timeout(Duration::from_millis(5))
    ///     .connect();
    /// assert!(matches!(nobody, Err(ConnectError::NobodyServes { waited, .. })
    ///     if waited < Duration::from_secs(60)));
    /// ```
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.dial.connect_timeout = Some(timeout);
        self
    }

    /// The token to prove to the server, which must prove that it has it too; none unless given. Of
    /// this method and the next, the last one called counts.
    pub fn access_token(mut self, token: AccessToken) -> Self {
        self.dial.token = TokenSource::Fixed(token);
        self
    }

    /// As [`access_token`](Self::access_token), with the token that `provider` gives. It is asked at
    /// each connect, on the thread that connects; what it fails with is in
    /// [`ConnectError::NoToken`].
    pub fn access_token_from(
        mut self,
        provider: impl Fn() -> Result<AccessToken, Box<dyn Error + Send + Sync>> + Send + Sync + 'static,
    ) -> Self {
        self.dial.token = TokenSource::Provider(Arc::new(provider));
        self
    }

    /// Encrypts all that crosses, with keys of this connection's own; not unless given. The server
    /// must ask for it too, with
    /// [`WitServerBuilder::encryption`](crate::WitServerBuilder::encryption).
    ///
    /// Nothing is shared in place then: a [`Shared`](crate::Shared) is copied and encrypted, and
    /// [`Connection::alloc`](crate::Connection::alloc) says
    /// [`AllocError::Encrypted`](crate::AllocError::Encrypted).
    pub fn encryption(mut self, encryption: bool) -> Self {
        self.dial.encryption = encryption;
        self
    }

    /// Comes back to a server that was lost; not unless given.
    pub fn reconnect(mut self, reconnect: Reconnect) -> Self {
        self.dial.reconnect = Some(reconnect);
        self
    }

    /// Has this hook stand around every call of the client, and of those that go over its connection;
    /// the last one given counts.
    pub fn hook(mut self, hook: impl ClientHook) -> Self {
        self.dial.hook = Some(Arc::new(Hook::new(hook)));
        self
    }

    /// Has [`Shared::as_slice`](crate::Shared::as_slice) give what the server has sent where it lies in
    /// shared memory. To be had only by the promise that the server does not write to what it has
    /// sent, which [`TrustedPeer`] states.
    pub fn trust_server(mut self, promise: TrustedPeer) -> Self {
        self.dial.trusted = Some(promise);
        self
    }

    /// How callers wait for answers; [`WaitPolicy::Adaptive`] unless given.
    pub fn wait(mut self, policy: WaitPolicy) -> Self {
        self.dial.wait = policy;
        self
    }
}

impl<C: Client> ClientBuilder<C, Blocking> {
    /// Connects, and blocks the thread meanwhile.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says whether nobody serves, the server refused, or the machine did.
    pub fn connect(self) -> Result<C, ConnectError> {
        self.connection().map(C::from_connection)
    }

    /// The connection alone.
    pub(crate) fn connection(self) -> Result<Connection, ConnectError> {
        self.dial.connect(C::DESCRIPTOR).map(Connection::new)
    }
}

impl<C: Client> ClientBuilder<C, Async> {
    /// Connects on a short-lived thread of its own; the future can be polled by any executor. One that
    /// is dropped ends the attempt and the thread.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says whether nobody serves, the server refused, or the machine did.
    ///
    /// # Panics
    ///
    /// In the task that polls, where a [provider of tokens](Self::access_token_from) panics.
    pub async fn connect(self) -> Result<C, ConnectError> {
        let cancel = CancelToken::new();
        let dial = Dial { cancel: Some(cancel.clone()), ..self.dial };
        let _given_up = CancelIfDropped(cancel);
        let connected = offload("witrpc-connect", move || dial.connect(C::DESCRIPTOR)).await;
        let refused =
            |source| ConnectError::Io { doing: "start a thread that connects".to_owned(), source };
        let inner = connected.map_err(refused)??;
        Ok(C::from_connection(Connection::new(inner)))
    }
}

/// Cancels what a future waits for, when that is dropped. Harmless once the future has it.
struct CancelIfDropped(CancelToken);

impl Drop for CancelIfDropped {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// `XClient::connect`.
pub fn connect_blocking<C: Client>(endpoint: Endpoint) -> Result<C, ConnectError> {
    ClientBuilder::<C, Blocking>::new(endpoint).connect()
}

/// `XAsyncClient::connect`.
pub async fn connect_async<C: Client>(endpoint: Endpoint) -> Result<C, ConnectError> {
    ClientBuilder::<C, Async>::new(endpoint).connect().await
}
