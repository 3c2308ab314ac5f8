//! What every endpoint tells of servers, whichever transport it has.

use crate::error::ConnectError;
use crate::server::metrics::Metrics;
use crate::transport::Endpoint;

impl Endpoint {
    /// Returns the names that are served at this moment where this endpoint looks, sorted. It connects to none.
    ///
    /// # Errors
    ///
    /// [`ConnectError::Unsupported`] if the transport cannot find servers. Otherwise what is wrong with the place.
    ///
    /// # Examples
    ///
    /// ```
    /// use witrpc::{Endpoint, InProcess};
    ///
    /// assert!(Endpoint::from(InProcess::new()).servers()?.is_empty());
    /// # Ok::<(), witrpc::ConnectError>(())
    /// ```
    pub fn servers(&self) -> Result<Vec<String>, ConnectError> {
        self.transport().servers()
    }

    /// Returns what the server of this endpoint has done since its start and is doing now: the numbers of
    /// [`ServerHandle::metrics`](crate::ServerHandle::metrics), for another process of the same user. It is
    /// read-only, needs no token, and takes none of the server's places for clients.
    ///
    /// # Errors
    ///
    /// [`ConnectError::Unsupported`] if the transport cannot ask. [`ConnectError::NobodyServes`] without a live
    /// server. [`ConnectError::NotAllowed`] for another user.
    pub fn metrics(&self) -> Result<Metrics, ConnectError> {
        read(&self.transport().report()?)
    }

    /// Checks that the server of this endpoint is there and answers, without being its client.
    ///
    /// # Errors
    ///
    /// Those of [`metrics`](Self::metrics).
    pub fn check_health(&self) -> Result<(), ConnectError> {
        self.transport().check_health()
    }
}

/// Decodes the metrics that a server has reported.
pub fn read(report: &[u8]) -> Result<Metrics, ConnectError> {
    Metrics::from_report(report).ok_or_else(|| ConnectError::Protocol {
        problem: "the server's metrics are malformed: build both programs from one version"
            .to_owned(),
    })
}
