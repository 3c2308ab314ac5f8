//! Client and server in one process: the seam with private memory behind it.
//!
//! Everything that a call goes through between two processes it goes through here too: values are
//! encoded and decoded, calls in flight and message sizes are limited, waiting ends at its limit,
//! and the end of either side ends what is pending. Only the copies through shared memory, and
//! what a hostile peer could do there, are missing. Waiting always parks the thread;
//! [`WaitPolicy`](crate::WaitPolicy) changes nothing here.
//!
//! `place` is where client and server meet; the engine between them is the kit of [`crate::queue`].
//! `served` is a client with a server of its own.

mod joined;
mod place;
pub mod served;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use place::Place;
use witrpc_transport::{ClientChannel, ServerPort};

use crate::error::{BindError, ConnectError};
use crate::queue::limits::Limits;
use crate::transport::{BindConfig, ConnectConfig, Transport};

/// A place inside this process where a server and its clients meet, instead of a name that other
/// processes can reach: for tests, and for programs that run a service in the same process today
/// and in another one tomorrow.
///
/// Clones lead to the same place; so does the same name given to [`InProcess::named`]. The limits
/// are those of the value that the server listens on.
///
/// # Examples
///
/// ```
/// use witrpc::InProcess;
///
/// let place = InProcess::new().lanes(8);
/// assert_eq!(place.name(), None);
/// assert_eq!(InProcess::named("calc").name(), Some("calc"));
/// ```
#[derive(Clone)]
pub struct InProcess {
    place: Arc<Place>,
    limits: Limits,
}

impl InProcess {
    /// A new place, to which only clones of this value lead.
    #[must_use]
    pub fn new() -> Self {
        Self { place: Place::anonymous(), limits: Limits::DEFAULT }
    }

    /// The place of this name in this process. Any name will do; no other process sees it.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self { place: Place::named(name.into()), limits: Limits::DEFAULT }
    }

    /// The name, if the place has one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.place.name()
    }

    /// How many calls of one client may be in flight: 1 to 1024, 64 unless given. Further ones
    /// wait, until their time is over. Streams or uploads need 2, events 3, and all of them at the same
    /// time 4: see the [guide](crate::guide::streams_and_events#how-many-there-may-be).
    #[must_use]
    pub fn lanes(mut self, lanes: u32) -> Self {
        self.limits.lanes = lanes;
        self
    }

    /// How many clients may be connected at once: 1 to 65,536, 1,024 unless given.
    #[must_use]
    pub fn max_clients(mut self, max_clients: u32) -> Self {
        self.limits.max_clients = max_clients;
        self
    }

    /// The largest request or answer in bytes, encoded: 64 at least, 64 MiB unless given.
    #[must_use]
    pub fn max_message_size(mut self, max_message_size: usize) -> Self {
        self.limits.max_message_size = max_message_size;
        self
    }
}

impl Default for InProcess {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcess")
            .field("name", &self.place.name())
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl Transport for InProcess {
    fn bind(&self, config: BindConfig) -> Result<Arc<dyn ServerPort>, BindError> {
        Ok(self.place.bind(config, self.limits)?)
    }

    fn connect(&self, config: ConnectConfig) -> Result<Arc<dyn ClientChannel>, ConnectError> {
        Ok(self.place.connect(&config)?)
    }
}
