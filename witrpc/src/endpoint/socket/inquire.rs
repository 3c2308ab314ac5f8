//! What a process learns of servers without being their client: their names, and their metrics.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::error::ConnectError;
use crate::server::metrics::Metrics;

use super::Socket;
use super::claim::live_names;
use super::connect::{broken, find, refused};
use super::frame::{FrameBuilder, FrameKind, MAX_GREETING_LEN};
use super::interrupt::ConnectInterrupt;
use super::stream::{FrameReader, send_all};

impl Socket {
    /// Returns the names that are served in the directory of this endpoint at this moment, sorted.
    ///
    /// # Errors
    ///
    /// [`ConnectError::Io`] if the directory cannot be read.
    pub fn servers(&self) -> Result<Vec<String>, ConnectError> {
        let directory = self.place.directory();
        live_names(&directory).map_err(|source| {
            let doing = format!("read {}", directory.display());
            ConnectError::Io { doing, source }
        })
    }

    /// Returns what the server of this endpoint has done since its start and is doing now: as
    /// [`ServerHandle::metrics`](crate::ServerHandle::metrics), read by another process of the same user. It is
    /// read-only, needs no token and takes none of the server's places for clients.
    ///
    /// # Errors
    ///
    /// [`ConnectError::NobodyServes`] without a live server. [`ConnectError::NotAllowed`] for another user, even
    /// one that the server lets in as a client. [`ConnectError::HandshakeTimedOut`] if it does not answer within
    /// [`handshake_timeout`](Self::handshake_timeout).
    pub fn metrics(&self) -> Result<Metrics, ConnectError> {
        let until = Instant::now().checked_add(self.handshake_timeout);
        let until = until.unwrap_or_else(|| Instant::now() + Duration::from_secs(86_400));
        let path = self.place.path()?;
        let socket = Arc::new(find(&self.place, &path, until, &ConnectInterrupt::default())?);
        let lost = |error: io::Error| match error.kind() {
            io::ErrorKind::TimedOut => {
                ConnectError::HandshakeTimedOut { after: self.handshake_timeout }
            }
            _ => ConnectError::HungUp,
        };
        let inquiry = FrameBuilder::new(FrameKind::Inquiry, 0).finish();
        send_all(&socket, &inquiry, until).map_err(lost)?;
        let content = FrameReader::new(socket, MAX_GREETING_LEN, until).read().map_err(lost)?;
        match FrameKind::split(&content) {
            Some((FrameKind::Report, report)) => {
                Metrics::from_report(report).ok_or_else(|| broken("its metrics are malformed"))
            }
            other => Err(refused(other)),
        }
    }
}
