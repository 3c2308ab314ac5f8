//! Methods that run, by name.

use std::fmt;

/// A method that runs on a server, from [`ServerHandle::running`](crate::ServerHandle::running).
///
/// # Examples
///
/// ```
/// # fn show(server: &witrpc::WitServer) {
/// for running in server.running() {
///     // Prints, for example, "Renderer::render for client 3".
///     println!("{running}");
/// }
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RunningMethod {
    pub(crate) service: &'static str,
    pub(crate) method: &'static str,
    pub(crate) client_id: u64,
}

impl RunningMethod {
    /// Returns the service's name on the wire.
    pub fn service(&self) -> &'static str {
        self.service
    }

    /// Returns the method's name on the wire.
    pub fn method(&self) -> &'static str {
        self.method
    }

    /// Returns the [number](crate::ClientInfo::id) of the client that has called it.
    pub fn client_id(&self) -> u64 {
        self.client_id
    }
}

impl fmt::Display for RunningMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{} for client {}", self.service, self.method, self.client_id)
    }
}
