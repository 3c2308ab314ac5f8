//! The events of a blocking client.

use std::fmt;
use std::iter::FusedIterator;

use crate::error::EventError;
use crate::method::EventItem;

use super::inbox::Inbox;

/// The events that a blocking client has subscribed to: an iterator over `Result<T, EventError>` that
/// blocks until the next one.
///
/// It receives every event that the service emits after the subscribing call has returned, until it is
/// dropped. Events that one thread of the service emits arrive in that order. (If another subscription
/// of this connection to the same event has just been dropped, events in flight to that one may come
/// first.)
///
/// Up to 1024 events or 1 MiB of each kind wait, at the server and at the client. Events that the
/// client does not take in time are dropped by the event's `overflow` rule, and [`EventError::Lagged`]
/// stands in their place. With the rule `"wait .."`, the other subscriptions of the connection wait for
/// this one. After a [reconnection](crate::Reconnect) the events continue, behind one
/// [`EventError::MayHaveMissed`]. The last item is [`EventError::Ended`], when the connection ends. A
/// subscription keeps its connection alive.
///
/// All subscriptions of a connection share one of its lanes, and the connection must have three. With
/// fewer, subscribing fails with [`CallError::TooFewLanes`](crate::CallError::TooFewLanes).
///
/// # Examples
///
/// ```
/// use witrpc::{EventError, InProcess, WitServer, wit_service};
///
/// #[wit_service]
/// pub trait Jobs {
///     fn run(&self, steps: u32);
///     #[wit(event)]
///     fn progress(&self, step: u32, what: &str);
/// }
///
/// struct Worker {
///     events: JobsEvents,
/// }
///
/// impl Jobs for Worker {
///     fn run(&self, steps: u32) {
///         for step in 1..=steps {
///             // There may be no subscriber. A client that could not be reached learns so itself.
///             let _ = self.events.progress(step, "working");
///         }
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let place = InProcess::new();
/// let service = JobsServer::with_events(|events| Worker { events });
/// let _server = WitServer::builder().listen(place.clone()).service(service).start()?;
///
/// let jobs = JobsClient::connect(place)?;
/// let mut progress = jobs.progress()?;
/// jobs.run(2)?;
/// for step in [1, 2] {
///     match progress.next() {
///         Some(Ok(JobsProgress { step: reached, .. })) => assert_eq!(reached, step),
///         Some(Err(EventError::Lagged(missed))) => println!("missed {missed}"),
///         other => panic!("{other:?}"),
///     }
/// }
/// assert!(progress.try_next().is_none(), "there were two");
/// # Ok(())
/// # }
/// ```
#[must_use = "the subscription ends when this is dropped"]
pub struct Events<T>(Inbox<T>);

impl<T: EventItem> Events<T> {
    pub(crate) fn new(inbox: Inbox<T>) -> Self {
        Self(inbox)
    }

    /// Returns the next event if it has arrived. Never blocks. `None` does not mean that the events
    /// have ended.
    pub fn try_next(&mut self) -> Option<Result<T, EventError>> {
        self.0.take()
    }
}

impl<T: EventItem> Iterator for Events<T> {
    type Item = Result<T, EventError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.wait()
    }
}

impl<T: EventItem> FusedIterator for Events<T> {}

impl<T> fmt::Debug for Events<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}
