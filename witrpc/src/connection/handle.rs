//! A connection, shared by all clones of a client.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use witrpc_transport::{ChannelError, ClientChannel, DisconnectReason};

use crate::call::client::hook_call::Hook;
use crate::call::client::options::{CallDeadline, CallOptions};
use crate::codec::Codec;
use crate::contract;
use crate::contract::ServiceDescriptor;
use crate::error::{CallError, ConnectError, ContractDifference};
use crate::event::client::subscriptions::Subscriptions;
use crate::rt::cancel_token::CancelToken;

use super::link_slot::{LinkRef, LinkSlot};
use super::negotiation::ContractRules;
use super::reconnect::ConnectionState;

/// A client that the macro generated.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the client of a trait",
    label = "not made by `#[wit_service]`",
    note = "for a trait `X`, write `XClient` or `XAsyncClient`"
)]
pub trait Client: Sized {
    /// The service that it calls.
    const DESCRIPTOR: &'static ServiceDescriptor;
    /// Wraps a connection.
    fn from_connection(connection: Connection) -> Self;
}

/// A connection to one service of a server, shared by all clones of a client.
///
/// Any number of threads and tasks may call at the same time. Each call in flight takes one of the
/// connection's lanes. The connection ends when the last clone is dropped, on
/// [`disconnect`](Self::disconnect), and with the server.
///
/// # Contracts
///
/// When a client connects, its version of the service is compared with the server's: the shapes of all
/// arguments, results and errors, as serde and the codec encode them. The receiving side must be able
/// to read everything that the sending side may send, with the same meaning. If not, the method or
/// event is refused, and all others work. Calling it fails with
/// [`CallError::ContractMismatch`](crate::CallError::ContractMismatch), which says what differs, and
/// nothing is sent. [`differences`](Self::differences) lists all differences right after connecting.
/// A [strict](crate::ClientBuilder::strict) client does not connect to such a server. In detail:
///
/// - Methods are matched by name, in any order. Either side may have methods that the other lacks.
///   Calling a method that the server lacks fails with
///   [`CallError::UnknownMethod`](crate::CallError::UnknownMethod).
/// - The same holds for events: subscribing to an event that the server lacks fails with
///   `UnknownMethod` too. The server sends the arguments of an event, and the client reads them. The
///   overflow rule of an event need not match.
/// - An argument or result that one side streams, the other must stream too.
/// - The arguments of a method have the same number, order, names and shapes. Whether the method is an
///   `async fn` or idempotent need not match.
/// - The names of arguments, fields and variants count, as serde has them (`#[serde(rename)]`). The
///   names of types do not, and a newtype equals the type it wraps.
/// - The side that reads an enum may know more variants than the side that writes it: the server for
///   arguments, the client for results and errors. Postcard numbers variants, so with postcard the new
///   variants must come after the old.
/// - A struct has the same fields on both sides, with postcard in the same order. With a codec that
///   names fields, such as JSON or MessagePack, either side may have more. The side that reads must have a value for
///   a field that is missing (`#[serde(default)]`, or an `Option` without `with`), and must skip a
///   field that it does not know (no `#[serde(deny_unknown_fields)]`). Both sides probe that by making
///   up values without the field, and with one more.
/// - What cannot be traced, such as an untagged enum, is not compared, and
///   [`contract`](Self::contract) shows it as `?`. Then calls report what they cannot decode.
///   Postcard's bytes do not describe themselves. So with postcard, connecting fails with
///   [`ConnectError::UnverifiedType`](crate::ConnectError::UnverifiedType), unless [both sides allow
///   it](crate::ClientBuilder::allow_unverified_types).
///
/// ```
/// use witrpc::{CallError, InProcess, WitServer, wit_service};
///
/// mod old {
///     #[witrpc::wit_service]
///     pub trait Calculator {
///         fn divide(&self, a: i64, b: i32) -> i64;
///     }
/// }
///
/// #[wit_service]
/// pub trait Calculator {
///     fn divide(&self, a: i64, b: i64) -> i64;
/// }
///
/// struct Abacus;
///
/// impl old::Calculator for Abacus {
///     fn divide(&self, a: i64, b: i32) -> i64 {
///         a / i64::from(b)
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let place = InProcess::new();
/// let service = old::CalculatorServer::new(Abacus);
/// let server = WitServer::builder().listen(place.clone()).service(service).start()?;
/// let difference = "divide: argument `b` is i64 here and i32 there".to_owned();
/// let calculator = CalculatorClient::connect(place)?;
/// assert_eq!(calculator.connection().differences()[0].to_string(), difference);
/// assert_eq!(calculator.divide(1, 2), Err(CallError::ContractMismatch { difference }));
/// # Ok(())
/// # }
/// ```
///
/// # Examples
///
/// ```
/// use witrpc::{CallError, Codec, DisconnectReason, wit_service};
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
/// let clock = ClockClient::in_process(Stopped);
/// let connection = clock.connection();
/// assert!(connection.is_connected());
/// assert_eq!(connection.codec(), Codec::Postcard);
///
/// connection.disconnect();
/// let closed = DisconnectReason::ClosedHere;
/// assert_eq!(connection.disconnect_reason(), Some(closed));
/// assert_eq!(clock.now(), Err(CallError::Disconnected(closed)));
/// ```
#[derive(Clone)]
pub struct Connection {
    inner: Arc<Inner>,
    /// The options for the calls of this view.
    options: Option<Arc<CallOptions>>,
}

/// The state that the clones of a connection share.
pub struct Inner {
    pub links: LinkSlot,
    pub descriptor: &'static ServiceDescriptor,
    pub codec: Codec,
    pub rules: ContractRules,
    pub call_timeout: Option<Duration>,
    pub hook: Option<Arc<Hook>>,
    /// The subscriptions of all clones, and of the clients of further services.
    pub subscriptions: Arc<Subscriptions>,
    /// The in-process server of this connection, if it has its own; it lives as long as the
    /// connection.
    pub server: Option<Box<dyn Any + Send + Sync>>,
    /// The connection that this one goes over, if it is for a further service.
    pub root: Option<Connection>,
}

impl Drop for Inner {
    /// The thread that pulls events holds the channel, and must not keep the connection alive.
    fn drop(&mut self) {
        if self.root.is_none() && !self.is_forked() && self.subscriptions.is_pulling() {
            self.links.disconnect();
        }
    }
}

impl Inner {
    /// Returns the current link. Each call takes it once, and uses that link throughout.
    #[inline]
    pub fn link(&self) -> LinkRef<'_> {
        self.links.current()
    }

    /// Returns whether this process is a fork of the one that connected. If so, no lock can be trusted.
    pub fn is_forked(&self) -> bool {
        self.link().lost() == Some(DisconnectReason::Forked)
    }

    pub fn is_idempotent(&self, method: u16) -> bool {
        self.descriptor.methods[usize::from(method)].idempotent
    }

    pub fn method_name(&self, method: u16) -> &'static str {
        self.descriptor.methods[usize::from(method)].name
    }
}

impl Connection {
    pub(crate) fn new(inner: Inner) -> Self {
        Self { inner: Arc::new(inner), options: None }
    }

    #[inline]
    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    /// Returns a view of this connection for calls with these options. For generated code:
    /// `XClient::with`.
    #[doc(hidden)]
    #[must_use]
    pub fn with(&self, options: CallOptions) -> Self {
        let options = options.or(self.options.as_deref());
        Self { inner: Arc::clone(&self.inner), options: Some(Arc::new(options)) }
    }

    /// Returns the limit of a call that starts now.
    ///
    /// # Errors
    ///
    /// [`CallError::Expired`]: the deadline has passed.
    #[inline]
    pub(crate) fn call_deadline(&self) -> Result<CallDeadline, CallError> {
        let call_deadline = self.terms_from_now();
        if call_deadline.are_over() { Err(CallError::Expired) } else { Ok(call_deadline) }
    }

    /// Returns the limit of a call that starts now, even if that has passed.
    #[inline]
    pub(crate) fn terms_from_now(&self) -> CallDeadline {
        CallDeadline::new(self.options.as_deref(), self.inner.call_timeout)
    }

    /// Returns the options for the calls of this view.
    pub(crate) fn options(&self) -> Option<&CallOptions> {
        self.options.as_deref()
    }

    /// Returns the token that cancels the calls of this view.
    #[inline]
    pub(crate) fn token(&self) -> Option<&CancelToken> {
        self.options.as_ref()?.token()
    }

    /// Turns the error of a transport into that of a call.
    #[cold]
    pub(crate) fn call_error(&self, error: ChannelError) -> CallError {
        let default = self.inner.call_timeout;
        let options = self.options.as_ref();
        let after = options.map_or(default, |it| it.time_allowed(default));
        CallError::from_channel(error, after, || CallError::no_free_lane(&*self.channel()))
    }

    /// Returns the channel of the current link.
    pub(crate) fn channel(&self) -> Arc<dyn ClientChannel> {
        Arc::clone(&self.inner.link().channel)
    }

    /// Disconnects from the server, for all clones of the client and all [other clients](Self::client)
    /// over this connection. Pending and later calls end with
    /// [`CallError::Disconnected`](crate::CallError::Disconnected). Dropping the last clone does the
    /// same. Afterwards, a client that [reconnects](crate::Reconnect) does not reconnect any more.
    pub fn disconnect(&self) {
        if let Some(root) = &self.inner.root {
            root.disconnect();
        }
        self.inner.links.disconnect();
    }

    /// Returns the state of the connection, as far as this side knows.
    #[must_use]
    pub fn state(&self) -> ConnectionState {
        self.inner.links.state()
    }

    /// Returns whether a server is there, as far as this side knows.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.state() == ConnectionState::Connected
    }

    /// Returns why no call can succeed any more. Returns `None` while the connection stands, and while
    /// a client that [reconnects](crate::Reconnect) tries to reconnect.
    #[must_use]
    pub fn disconnect_reason(&self) -> Option<DisconnectReason> {
        match self.state() {
            ConnectionState::Connected | ConnectionState::Reconnecting => None,
            ConnectionState::Disconnected(reason) => Some(reason),
        }
    }

    /// Returns why reconnecting failed for good, after [`DisconnectReason::ReconnectFailed`]. Returns
    /// `None` also if code of the user's panicked while connecting.
    #[must_use]
    pub fn reconnect_error(&self) -> Option<Arc<ConnectError>> {
        self.inner.links.reconnect_error()
    }

    /// Returns how values become bytes on this connection.
    #[must_use]
    pub fn codec(&self) -> Codec {
        self.inner.codec
    }

    /// Returns what is compared with the server's service, in words: one line for each method. A part
    /// that cannot be traced, and so is not compared, is a `?` behind the name of its field.
    ///
    /// # Examples
    ///
    /// ```
    /// #[witrpc::wit_service]
    /// pub trait Clock {
    ///     fn set(&self, hour: u8, zone: Option<String>) -> Result<(), String>;
    /// }
    ///
    /// struct Stopped;
    ///
    /// impl Clock for Stopped {
    ///     fn set(&self, _: u8, _: Option<String>) -> Result<(), String> {
    ///         Err("it is stopped".to_owned())
    ///     }
    /// }
    ///
    /// let clock = ClockClient::in_process(Stopped);
    /// let contract = clock.connection().contract();
    /// assert_eq!(contract, "set(hour: u8, zone: Option<str>) -> () or str");
    /// ```
    #[must_use]
    pub fn contract(&self) -> String {
        contract::traced(self.inner.descriptor, self.inner.codec).contract.to_string()
    }

    /// Returns what differs between this client's version of the service and the server's. Methods and
    /// events that are listed here are refused by
    /// [`CallError::ContractMismatch`](crate::CallError::ContractMismatch); all others work. The list
    /// is that of the present server, for a client that [reconnects](crate::Reconnect).
    #[must_use]
    pub fn differences(&self) -> Vec<ContractDifference> {
        self.inner.link().differences.all().cloned().collect()
    }

    /// Returns how long a call without [`CallOptions`] may take; `None` for as long as the server
    /// lives.
    #[must_use]
    pub fn call_timeout(&self) -> Option<Duration> {
        self.inner.call_timeout
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("service", &self.inner.descriptor.name)
            .field("codec", &self.inner.codec)
            .field("connected", &self.is_connected())
            .finish_non_exhaustive()
    }
}
