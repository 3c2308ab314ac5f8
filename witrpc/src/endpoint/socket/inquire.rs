//! What a process learns of servers without being their client: their names, and their metrics.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::error::ConnectError;

use super::Socket;
use super::claim::{is_dead, live_names};
use super::connect::{find, refused};
use super::frame::{FrameBuilder, MAX_GREETING_LEN, SocketFrame};
use super::interrupt::ConnectInterrupt;
use super::stream::{FrameReader, send_all};

impl Socket {
    /// Returns the names that are served in the directory of this endpoint. Of a path, there is only itself: its
    /// directory may have sockets of any program.
    pub(super) fn live_names(&self) -> Result<Vec<String>, ConnectError> {
        let failed = |path: &Path, source| {
            let doing = format!("look for servers at {}", path.display());
            ConnectError::Io { doing, source }
        };
        if !self.place.is_named() {
            let path = self.place.path()?;
            let is_dead = is_dead(&path).map_err(|source| failed(&path, source))?;
            return Ok(if is_dead { Vec::new() } else { vec![self.name()] });
        }
        let directory = self.place.directory();
        live_names(&directory).map_err(|source| failed(&directory, source))
    }

    /// Returns the encoded metrics of the server of this endpoint.
    pub(super) fn inquire(&self) -> Result<Vec<u8>, ConnectError> {
        let until = Instant::now().checked_add(self.handshake_timeout);
        // A time too long for the clock is as good as a day.
        let until = until.unwrap_or_else(|| Instant::now() + Duration::from_secs(86_400));
        let path = self.place.path()?;
        let socket = Arc::new(find(&self.place, &path, until, &ConnectInterrupt::default())?);
        let lost = |error: io::Error| match error.kind() {
            io::ErrorKind::TimedOut => {
                ConnectError::HandshakeTimedOut { after: self.handshake_timeout }
            }
            _ => ConnectError::HungUp,
        };
        let inquiry = FrameBuilder::new(SocketFrame::Inquiry, 0).finish();
        // A server that refused and closed has said why, so what it sent counts.
        let _ = send_all(&socket, &inquiry, until);
        let content = FrameReader::new(socket, MAX_GREETING_LEN, until).read().map_err(lost)?;
        match SocketFrame::split(&content) {
            Some((SocketFrame::Report, report)) => Ok(report.to_vec()),
            other => Err(refused(other)),
        }
    }
}
