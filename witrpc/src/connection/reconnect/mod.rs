//! Clients that come back to a server that was lost.
//!
//! [`Reconnect`] is what the user decides, [`state`] what they see of it. A [`reconnector`] replaces the link
//! whenever it is lost, from its [`source`]; [`next`] is a call's wait for that.

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

/// Decides how a client comes back to a server that was lost: what is given to
/// [`ClientBuilder::reconnect`](crate::ClientBuilder::reconnect).
///
/// A server is lost when its process dies. The client then tries to connect again, with growing
/// pauses, until a server is there under the same endpoint or [`give_up_after`](Self::give_up_after)
/// is over. Everything that is settled when a client connects is settled again: the access token is
/// asked for, and the contracts are compared. A server that does not let the client in ends it for
/// good.
///
/// # Calls
///
/// A call that is made in the meantime waits for the next server, until its time is over; then it
/// ends with [`CallError::NotConnected`](crate::CallError::NotConnected), and has certainly not run.
///
/// A call that was in flight is made again by itself if that is safe: if it had not been sent to
/// its end, or if its method is `#[wit(idempotent)]`. Any other ends with
/// [`CallError::PeerDied`](crate::CallError::PeerDied), as it does without reconnecting: it may have
/// run, and only the caller knows what to do about that.
///
/// # Events
///
/// Subscriptions are renewed at the next server by themselves. Each subscriber gets one
/// [`EventError::MayHaveMissed`](crate::EventError::MayHaveMissed) where events may be missing; only
/// those whose service or event the next server lacks end.
///
/// # What is not followed
///
/// Whoever ends a connection on purpose wants it ended. So a client does not reconnect after its own
/// [`disconnect`](crate::Connection::disconnect), after a server's
/// [`disconnect`](crate::ServerHandle::disconnect) of this client, nor after one that broke the
/// protocol. A server that was shut down or dropped in good order is followed only
/// [if asked](Self::after_shutdown).
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

/// The pauses between attempts, unless the user says otherwise.
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(10), Duration::from_secs(1));

impl Reconnect {
    /// With the defaults.
    pub fn new() -> Self {
        Self { backoff: BACKOFF, give_up_after: None, after_shutdown: false, on_change: None }
    }

    /// The pauses between attempts: from 10 ms to 1 s unless given, each up to a half shorter by
    /// chance.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// How long to try, from the loss of a server; for ever unless given.
    pub fn give_up_after(mut self, time: impl Into<Option<Duration>>) -> Self {
        self.give_up_after = time.into();
        self
    }

    /// Whether to reconnect also when the server was shut down or dropped in good order, as a server
    /// is that gives way to a newer one: `false` unless given. Calls that the server turns away
    /// while it shuts down wait for the next one too.
    pub fn after_shutdown(mut self, follow: bool) -> Self {
        self.after_shutdown = follow;
        self
    }

    /// Called with each state that follows the first connection, one after the other, on the thread
    /// that reconnects: a closure that waits holds that up. A panic in it is caught, and changes
    /// nothing.
    pub fn on_change(mut self, tell: impl Fn(ConnectionState) + Send + Sync + 'static) -> Self {
        self.on_change = Some(Arc::new(tell));
        self
    }

    /// The same for a further service over a connection, whose first client tells the states and
    /// decides when to give up.
    fn quiet(&self) -> Self {
        Self { give_up_after: None, on_change: None, ..self.clone() }
    }

    /// Whether to reconnect after the loss of a connection for this reason.
    fn follows(&self, reason: DisconnectReason) -> bool {
        match reason {
            DisconnectReason::PeerDied => true,
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
