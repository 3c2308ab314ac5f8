//! The names that are served, and the state of their servers.

#[cfg(feature = "dynamic")]
use std::path::{Path, PathBuf};
#[cfg(feature = "dynamic")]
use std::time::{Duration, SystemTime};

#[cfg(feature = "dynamic")]
use witrpc_mmf::{DeadName, DirectoryError};
use witrpc_mmf::{Inquired, Place, inquire, live_names};

use crate::error::ConnectError;
use crate::server::metrics::Metrics;

use super::super::inquire::read;
use super::{Mmf, errors};

/// Returns the names that servers of this user serve at this moment, sorted. Names in other directories
/// ([`Mmf::in_dir`](crate::Mmf::in_dir)) are not included.
///
/// # Errors
///
/// [`ConnectError::Directory`] if no directory of names can be trusted or read. One that cannot is skipped
/// while another can. [`ConnectError::Resource`] if this process has no descriptor left.
///
/// # Examples
///
/// ```
/// for name in witrpc::servers()? {
///     println!("{name}");
/// }
/// # Ok::<(), witrpc::ConnectError>(())
/// ```
pub fn servers() -> Result<Vec<String>, ConnectError> {
    live_names(&Place::default()).map_err(|error| errors::connect(error.into()))
}

/// Returns what the server of this name has done since its start and is doing now. These are the numbers of
/// [`ServerHandle::metrics`](crate::ServerHandle::metrics), read by another process of the same user. For a
/// name in another directory use [`Mmf::metrics`].
///
/// This is read-only: it is not a client, needs no token, takes none of the server's places and shares no
/// memory. The server answers on the thread that lets clients in, so calls go on meanwhile. The caller blocks
/// until then, usually for a fraction of a millisecond.
///
/// # Errors
///
/// [`ConnectError::NobodyServes`], also when the server of the name is dead. [`ConnectError::NotAllowed`] for
/// another user, even one that the server lets in as a client. [`ConnectError::HandshakeTimedOut`] when the
/// server does not answer within five seconds: it has been stopped, or the machine is overloaded.
///
/// # Examples
///
/// Lists the servers, and how busy they are:
///
/// ```
/// for name in witrpc::servers()? {
///     // It may end in between.
///     if let Ok(metrics) = witrpc::metrics(&name) {
///         println!("{name}: {} calls, {} of them now", metrics.calls, metrics.in_flight);
///     }
/// }
/// # Ok::<(), witrpc::ConnectError>(())
/// ```
pub fn metrics(name: &str) -> Result<Metrics, ConnectError> {
    Mmf::new(name).metrics()
}

impl Mmf {
    /// Does the same as [`witrpc::metrics`](crate::metrics), for the server of this endpoint.
    ///
    /// # Errors
    ///
    /// Those of [`witrpc::metrics`](crate::metrics). The server has to answer within
    /// [`handshake_timeout`](Self::handshake_timeout).
    pub fn metrics(&self) -> Result<Metrics, ConnectError> {
        read(&self.inquire()?.report)
    }

    pub(super) fn inquire(&self) -> Result<Inquired, ConnectError> {
        let name = self.checked_name().map_err(|why| errors::connect_name(&self.name, why))?;
        inquire(&name, &self.place, self.options.handshake_timeout).map_err(errors::connect)
    }

    pub(super) fn live_names(&self) -> Result<Vec<String>, ConnectError> {
        live_names(&self.place).map_err(|error| errors::connect(error.into()))
    }

    /// Returns which process the server of this endpoint is, and its metrics: as
    /// [`metrics`](Self::metrics), without being its client.
    ///
    /// # Errors
    ///
    /// Those of [`metrics`](Self::metrics).
    #[cfg(feature = "dynamic")]
    pub fn server_info(&self) -> Result<ServerInfo, ConnectError> {
        let Inquired { report, pid, uid, socket } = self.inquire()?;
        let since = socket.symlink_metadata().and_then(|socket| socket.modified()).ok();
        Ok(ServerInfo { pid, uid, socket, since, metrics: read(&report)? })
    }
}

/// A server, as every process of its user sees it.
#[cfg(feature = "dynamic")]
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerInfo {
    /// Its process; 0 if this pid namespace does not show it.
    pub pid: u32,
    /// The user that it runs as.
    pub uid: u32,
    /// Its socket.
    pub socket: PathBuf,
    /// Since when it serves under this name.
    pub since: Option<SystemTime>,
    /// Its totals.
    pub metrics: Metrics,
}

/// Returns the names that are served in a directory, as [`servers`] does for those of this user.
///
/// # Errors
///
/// As [`servers`].
#[cfg(feature = "dynamic")]
pub fn servers_in(directory: impl Into<PathBuf>) -> Result<Vec<String>, ConnectError> {
    live_names(&Place::in_dir(directory)).map_err(|error| errors::connect(error.into()))
}

/// Returns the lock files of dead servers of this user that are older than `age`, and their names: in a
/// directory, or in those of the user.
///
/// # Errors
///
/// As [`servers`].
#[cfg(feature = "dynamic")]
pub fn dead_servers(
    directory: Option<&Path>,
    age: Duration,
) -> Result<Vec<(String, PathBuf)>, ConnectError> {
    dead(witrpc_mmf::dead_names(&place(directory), age))
}

/// Removes what [`dead_servers`] lists, sockets included, and returns what is gone. A server that takes such a
/// name meanwhile keeps it.
///
/// # Errors
///
/// As [`servers`].
#[cfg(feature = "dynamic")]
pub fn remove_dead_servers(
    directory: Option<&Path>,
    age: Duration,
) -> Result<Vec<(String, PathBuf)>, ConnectError> {
    dead(witrpc_mmf::remove_dead_names(&place(directory), age))
}

#[cfg(feature = "dynamic")]
fn place(directory: Option<&Path>) -> Place {
    directory.map_or_else(Place::default, Place::in_dir)
}

#[cfg(feature = "dynamic")]
fn dead(
    found: Result<Vec<DeadName>, DirectoryError>,
) -> Result<Vec<(String, PathBuf)>, ConnectError> {
    let found = found.map_err(|error| errors::connect(error.into()))?;
    Ok(found.into_iter().map(|DeadName { name, lock }| (name, lock)).collect())
}
