//! Which names are being served, and how their servers are.

use witrpc_mmf::{Place, inquire, live_names};

use crate::error::ConnectError;
use crate::server::metrics::Metrics;

use super::{Mmf, errors};

/// The names that servers of this user are serving at this moment, sorted; those in directories of
/// their own ([`Mmf::in_dir`](crate::Mmf::in_dir)) are not among them.
///
/// # Errors
///
/// [`ConnectError::Directory`]: no directory of names can be trusted or read. One that cannot is passed
/// over while another can. [`ConnectError::Resource`]: this process has no descriptor left.
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

/// What the server of this name has done since its start and is doing now: the numbers of
/// [`ServerHandle::metrics`](crate::ServerHandle::metrics), read by another process of the same user.
/// For a name in a directory of its own there is [`Mmf::metrics`].
///
/// To look is all that this can do: it is no client, needs no token, takes none of the server's places
/// and shares no memory. The server answers on the thread that lets clients in, so calls go on
/// meanwhile; whoever looks blocks until it has, for a fraction of a millisecond as a rule.
///
/// # Errors
///
/// [`ConnectError::NobodyServes`], also when the name is a dead server's;
/// [`ConnectError::NotAllowed`], to another user, even one whom the server lets in as a client;
/// [`ConnectError::HandshakeTimedOut`] when the server does not answer within five seconds: it has been
/// stopped, or the machine is overloaded.
///
/// # Examples
///
/// Who serves, and how busy it is:
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
    /// As [`witrpc::metrics`](crate::metrics), of the server of this endpoint.
    ///
    /// # Errors
    ///
    /// Those of [`witrpc::metrics`](crate::metrics). The server has to answer within
    /// [`handshake_timeout`](Self::handshake_timeout).
    pub fn metrics(&self) -> Result<Metrics, ConnectError> {
        let name = self.checked_name().map_err(|why| errors::connect_name(&self.name, why))?;
        let report = inquire(&name, &self.place, self.options.handshake_timeout);
        let report = report.map_err(errors::connect)?;
        Metrics::from_report(&report).ok_or_else(|| ConnectError::Protocol {
            problem: "its numbers make no sense; are both programs of one build?".to_owned(),
        })
    }
}
