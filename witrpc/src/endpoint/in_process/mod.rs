//! Client and server in one process: the transport interface over private memory.
//!
//! A call passes all steps that it passes between two processes. Values are encoded and decoded, calls in
//! flight and message sizes are limited, and waiting ends at its limit. The end of either side ends what is
//! pending. Only the copies through shared memory, and the attacks of a hostile peer on it, are missing. A wait
//! always parks the thread; [`WaitPolicy`](crate::WaitPolicy) changes nothing here.
//!
//! `place` is where client and server meet; the engine between them is the kit of [`crate::queue`]. `served` is
//! a client with its own server.

mod joined;
mod place;
pub mod served;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use place::InProcessPlace;
use witrpc_transport::{ClientChannel, ServerPort};

use crate::error::{BindError, ConnectError};
use crate::queue::limits::Limits;
use crate::transport::{BindConfig, ConnectConfig, Transport};

/// A place inside this process where a server and its clients meet, without a name that other processes can
/// reach. For tests, and for programs whose service may later move to another process.
///
/// Clones lead to the same place; so does the same name given to [`InProcess::named`]. The limits of the value
/// that the server listens on apply.
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
    place: Arc<InProcessPlace>,
    limits: Limits,
}

impl InProcess {
    /// Returns a new place, to which only clones of this value lead.
    #[must_use]
    pub fn new() -> Self {
        Self { place: InProcessPlace::anonymous(), limits: Limits::DEFAULT }
    }

    /// Returns the place of this name in this process. Any name is valid, and no other process sees it.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self { place: InProcessPlace::named(name.into()), limits: Limits::DEFAULT }
    }

    /// Returns the name, if the place has one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.place.name()
    }

    /// Sets how many calls of one client may be in flight, from 1 to 1024. Default: 64. Further calls wait,
    /// until their time is over. Streams or uploads need 2, events 3, and all of them at the same time 4: see
    /// the [guide](crate::guide::streams_and_events#how-many-there-may-be).
    #[must_use]
    pub fn lanes(mut self, lanes: u32) -> Self {
        self.limits.lanes = lanes;
        self
    }

    /// Sets how many clients may be connected at once, from 1 to 65,536. Default: 1,024.
    #[must_use]
    pub fn max_clients(mut self, max_clients: u32) -> Self {
        self.limits.max_clients = max_clients;
        self
    }

    /// Sets the largest encoded request or answer in bytes, at least 64. Default: 64 MiB.
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

    fn servers(&self) -> Result<Vec<String>, ConnectError> {
        Ok(place::served_names())
    }

    fn report(&self) -> Result<Vec<u8>, ConnectError> {
        self.place.report()
    }
}
