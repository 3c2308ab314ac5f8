//! The events of a blocking client.

use std::fmt;
use std::iter::FusedIterator;

use crate::error::EventError;
use crate::method::EventItem;

use super::inbox::Inbox;

/// The events that a blocking client has subscribed to: an iterator over `Result<T, EventError>`
/// that blocks until the next one.
///
/// It has all that the service emits from the moment when the subscribing call has returned, in the
/// order in which one thread of the service emits it, until this is dropped. (Where another
/// subscription of this connection to the same event has just been dropped, what was on its way to
/// that one may come first.) What this client does not take in time is dropped, as the event's
/// `overflow` says (up to 1024 events or 1 MiB of each kind wait, at the server and here; where it
/// says `"wait .."`, the other subscriptions of the connection wait for this one), and
/// [`EventError::Lagged`] stands in its place. After a [reconnection](crate::Reconnect) it goes on,
/// behind one [`EventError::MayHaveMissed`]. The last item is [`EventError::Ended`], when the
/// connection ends. While this lives, the connection does.
///
/// All subscriptions of a connection take one of its lanes, and it must have three:
/// with fewer, subscribing is [`CallError::TooFewLanes`](crate::CallError::TooFewLanes).
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
///             // Nobody may be listening; a client that could not be told learns so itself.
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

    /// The next event if it is there; never blocks. `None` says nothing of the end.
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
