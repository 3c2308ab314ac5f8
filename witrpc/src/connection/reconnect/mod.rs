//! Reconnecting: clients that return to a server that was lost.
//!
//! [`Reconnect`] holds the user's decisions, and [`state`] what users see of the connection. A
//! [`reconnector`] replaces a lost link by one from its [`source`]. [`next`] is a call's wait for the
//! next link.

pub mod next;
pub mod reconnector;
pub mod source;
pub mod state;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use witrpc_transport::DisconnectReason;

use crate::backoff::Backoff;

pub use reconnector::Reconnector;
pub use source::LinkSource;
pub use state::ConnectionState;

/// The rules by which a client reconnects after its server was lost. Give it to
/// [`ClientBuilder::reconnect`](crate::ClientBuilder::reconnect).
///
/// A server is lost when its process dies. The client then tries to connect again, with growing pauses
/// (back-off), until a server is there under the same endpoint or
/// [`give_up_after`](Self::give_up_after) is over. Each attempt repeats what happens when a client
/// connects: it asks for the access token, and compares the contracts. If a server refuses the client,
/// the client stops trying for good.
///
/// # Calls
///
/// A call that is made in the meantime waits for the next server, until its time is over. Then it ends
/// with [`CallError::NotConnected`](crate::CallError::NotConnected), and has certainly not run.
///
/// A call that was in flight is made again automatically if that is safe: if it had not been fully
/// sent, or if its method is `#[wit(idempotent)]`. Any other ends with
/// [`CallError::PeerDied`](crate::CallError::PeerDied), as without reconnecting. It may have run, and
/// only the caller can decide what to do then.
///
/// # Events
///
/// Subscriptions are renewed at the next server automatically. Each subscriber gets one
/// [`EventError::MayHaveMissed`](crate::EventError::MayHaveMissed) where events may be missing. Only
/// subscriptions whose service or event the next server lacks end.
///
/// # When the client does not reconnect
///
/// A connection that was ended on purpose stays ended. So a client does not reconnect after its own
/// [`disconnect`](crate::Connection::disconnect), after a server's
/// [`disconnect`](crate::ServerHandle::disconnect) of this client, or after a server that broke the
/// protocol. After a graceful shutdown or drop of the server, it reconnects only [if
/// asked](Self::after_shutdown).
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use witrpc::{Backoff, ConnectionState, InProcess, Reconnect, WitServer, wit_service};
///
/// #[wit_service]
/// pub trait Clock {
///     #[wit(idempotent)]
///     fn now(&self) -> u64;
/// }
///
/// struct Stopped(u64);
///
/// impl Clock for Stopped {
///     fn now(&self) -> u64 {
///         self.0
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let place = InProcess::new();
/// let serve = |time| {
///     let service = ClockServer::new(Stopped(time));
///     WitServer::builder().listen(place.clone()).service(service).start()
/// };
/// let first = serve(12)?;
/// let (states, changes) = std::sync::mpsc::channel();
/// let reconnect = Reconnect::new()
///     .backoff(Backoff::new(Duration::from_millis(1), Duration::from_millis(100)))
///     .after_shutdown(true) // as for a server that is replaced by a newer one
///     .on_change(move |state| states.send(state).expect("we listen"));
/// let clock = ClockClient::builder(place.clone()).reconnect(reconnect).connect()?;
/// assert_eq!(clock.now()?, 12);
///
/// drop(first);
/// let second = serve(13)?;
/// assert_eq!(clock.now()?, 13);
/// assert_eq!(changes.recv()?, ConnectionState::Reconnecting);
/// assert_eq!(changes.recv()?, ConnectionState::Connected);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "it does nothing until a builder is given it"]
pub struct Reconnect {
    backoff: Backoff,
    give_up_after: Option<Duration>,
    after_shutdown: bool,
    on_change: Option<Arc<OnChange>>,
}

type OnChange = dyn Fn(ConnectionState) + Send + Sync;

/// The pauses between attempts, by default.
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(10), Duration::from_secs(1));

impl Reconnect {
    /// Creates the default rules.
    pub fn new() -> Self {
        Self { backoff: BACKOFF, give_up_after: None, after_shutdown: false, on_change: None }
    }

    /// Sets the pauses between attempts. The default is from 10 ms to 1 s, each shortened by up to a
    /// half at random.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Sets how long to try, from the loss of a server; by default for ever.
    pub fn give_up_after(mut self, time: impl Into<Option<Duration>>) -> Self {
        self.give_up_after = time.into();
        self
    }

    /// Sets whether to reconnect after a graceful shutdown or drop of the server too, as when a newer
    /// server replaces it. The default is `false`. If set, calls that the server refuses while it shuts
    /// down also wait for the next server.
    pub fn after_shutdown(mut self, follow: bool) -> Self {
        self.after_shutdown = follow;
        self
    }

    /// Sets a closure that is called with each state after the first connection, in order, on the
    /// thread that reconnects. A closure that blocks delays the reconnecting. A panic in it is caught,
    /// and changes nothing.
    pub fn on_change(mut self, tell: impl Fn(ConnectionState) + Send + Sync + 'static) -> Self {
        self.on_change = Some(Arc::new(tell));
        self
    }

    /// Returns the rules for a further service over a connection. The connection's first client
    /// reports the states and decides when to give up.
    fn quiet(&self) -> Self {
        Self { give_up_after: None, on_change: None, ..self.clone() }
    }

    /// Returns whether to reconnect after the loss of a connection for this reason.
    fn follows(&self, reason: DisconnectReason) -> bool {
        match reason {
            DisconnectReason::PeerDied | DisconnectReason::Unreachable => true,
            DisconnectReason::ServerShutDown => self.after_shutdown,
            _ => false,
        }
    }
}

impl Default for Reconnect {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Reconnect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reconnect")
            .field("backoff", &self.backoff)
            .field("give_up_after", &self.give_up_after)
            .field("after_shutdown", &self.after_shutdown)
            .field("tells", &self.on_change.is_some())
            .finish()
    }
}
