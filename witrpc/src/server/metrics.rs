//! What a server has done and is doing, as numbers.

use serde::{Deserialize, Serialize};
use witrpc_transport::Usage;

use crate::pool::Pool;

use super::admission::ServerAdmission;

/// The numbers of what a server has done since its start, and is doing now. [`ServerHandle::metrics`] returns
/// them in its own process, and [`witrpc::metrics`](crate::metrics) in any other of the same user.
///
/// They are read while the server goes on. Each is right, but they need not all be of one instant. Counting
/// costs a call a few instructions and no clock, lock or shared word.
///
/// [`ServerHandle::metrics`]: crate::ServerHandle::metrics
///
/// # Examples
///
/// ```
/// use witrpc::{InProcess, WitServer, wit_service};
///
/// #[wit_service]
/// pub trait Clock {
///     fn now(&self) -> u64;
///     fn set(&self, hour: u64) -> Result<(), String>;
/// }
///
/// struct Stopped;
///
/// impl Clock for Stopped {
///     fn now(&self) -> u64 {
///         12
///     }
///
///     fn set(&self, _hour: u64) -> Result<(), String> {
///         Err("it has stopped".to_owned())
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let place = InProcess::new();
/// let server =
///     WitServer::builder().listen(place.clone()).service(ClockServer::new(Stopped)).start()?;
/// let clock = ClockClient::connect(place)?;
/// clock.now()?;
/// clock.set(3).unwrap_err();
///
/// let metrics = server.metrics();
/// assert_eq!((metrics.calls, metrics.connected_clients), (2, 1));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Metrics {
    /// Calls that were taken, whether or not they were begun.
    pub calls: u64,
    /// Answers that were an error instead of a value: the service's own, a panic, a refusal.
    pub errors: u64,
    /// Encoded arguments, items and requests received, in bytes. Lent values are not counted.
    pub bytes_in: u64,
    /// Encoded results, items, events and errors sent, in bytes. Lent values are not counted.
    pub bytes_out: u64,
    /// Calls that were taken and are not answered yet.
    pub in_flight: u64,
    /// Threads that run handlers, or can.
    pub workers: u32,
    /// Free threads among them, which sleep until something rings.
    pub parked_workers: u32,
    /// How often a free thread has taken over from a thread in a slow handler.
    pub promoted_workers: u64,
    /// Memory that is reserved for clients, shared and private, in bytes. A client that has gone counts for as
    /// long as its handlers run or [`Shared`](crate::Shared) values of its connection are kept.
    pub reserved_memory: u64,
    /// Clients that are connected.
    pub connected_clients: u32,
    /// Connections that ended because the client broke the protocol.
    pub broken_connections: u64,
    /// Clients that were turned away when they connected.
    pub refused_handshakes: u64,
}

impl Metrics {
    pub(crate) fn of(pool: &Pool, door: &ServerAdmission) -> Self {
        let (load, port) = (pool.load(), pool.port());
        let Usage { reserved_memory, broken_connections, refused_handshakes, .. } = port.usage();
        Self {
            calls: load.counts.calls,
            errors: load.counts.errors,
            bytes_in: load.counts.bytes_in,
            bytes_out: load.counts.bytes_out,
            // The two are read one after the other, so their difference could be negative.
            in_flight: load.counts.calls.saturating_sub(load.counts.answered),
            workers: load.threads,
            parked_workers: load.standbys,
            promoted_workers: load.counts.promotions,
            reserved_memory,
            connected_clients: u32::try_from(port.clients().len()).unwrap_or(u32::MAX),
            broken_connections,
            refused_handshakes: refused_handshakes + door.refused(),
        }
    }

    /// Encodes the numbers for [`Admission::report`](witrpc_transport::Admission::report).
    pub(crate) fn to_report(self) -> Vec<u8> {
        postcard::to_allocvec(&self).expect("numbers always encode")
    }

    /// Reads what a server has reported, or returns `None` if it is malformed. A server that has not started
    /// its threads has done nothing yet.
    pub(crate) fn from_report(report: &[u8]) -> Option<Self> {
        if report.is_empty() {
            return Some(Self::default());
        }
        let (metrics, rest) = postcard::take_from_bytes(report).ok()?;
        rest.is_empty().then_some(metrics)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_survive_the_way_and_are_short_enough() {
        let most = Metrics {
            calls: u64::MAX,
            errors: u64::MAX,
            bytes_in: u64::MAX,
            bytes_out: u64::MAX,
            in_flight: u64::MAX,
            workers: u32::MAX,
            parked_workers: u32::MAX,
            promoted_workers: u64::MAX,
            reserved_memory: u64::MAX,
            connected_clients: u32::MAX,
            broken_connections: u64::MAX,
            refused_handshakes: u64::MAX,
        };
        let report = most.to_report();
        assert!(report.len() <= 240, "{}", report.len());
        assert_eq!(Metrics::from_report(&report), Some(most));
        assert_eq!(Metrics::from_report(&[]), Some(Metrics::default()));
    }

    #[test]
    fn what_is_no_report_is_refused() {
        let report = Metrics { calls: 3, ..Metrics::default() }.to_report();
        assert_eq!(Metrics::from_report(&report[..5]), None);
        assert_eq!(Metrics::from_report(&[&report[..], &[0]].concat()), None);
    }
}
