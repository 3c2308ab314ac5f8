//! The limits that a server sets for each client.

use witrpc_transport::MIN_MESSAGE_LEN;

use crate::error::BindError;

/// The limits that a server sets for each client. [`ServerQueue::new`](super::ServerQueue::new) checks the
/// bounds.
///
/// # Examples
///
/// ```
/// use witrpc::queue::Limits;
///
/// let limits = Limits::default().with_lanes(8).with_max_message_size(1 << 20);
/// assert_eq!((limits.lanes, limits.max_clients), (8, 1024));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// How many calls may be in flight, from 1 to 1024. Default: 64.
    pub lanes: u32,
    /// How many clients may be connected at once, from 1 to 65,536. Default: 1,024.
    pub max_clients: u32,
    /// The largest encoded request or answer in bytes, at least 64. Default: 64 MiB.
    pub max_message_size: usize,
}

impl Limits {
    const MAX_LANES: u32 = 1024;
    const MAX_CLIENTS: u32 = 65_536;

    pub(crate) const DEFAULT: Self =
        Self { lanes: 64, max_clients: 1024, max_message_size: 64 << 20 };

    /// Returns the same limits with another number of calls in flight.
    #[must_use]
    pub const fn with_lanes(self, lanes: u32) -> Self {
        Self { lanes, ..self }
    }

    /// Returns the same limits with another number of clients at once.
    #[must_use]
    pub const fn with_max_clients(self, max_clients: u32) -> Self {
        Self { max_clients, ..self }
    }

    /// Returns the same limits with another size of requests and answers, in bytes.
    #[must_use]
    pub const fn with_max_message_size(self, max_message_size: usize) -> Self {
        Self { max_message_size, ..self }
    }

    pub(crate) fn check(&self) -> Result<(), BindError> {
        let within = |limit, value, min, max| match value {
            value if (min..=max).contains(&value) => Ok(()),
            value => Err(BindError::LimitOutOfRange { limit, value, min, max }),
        };
        within("lanes", self.lanes.into(), 1, Self::MAX_LANES.into())?;
        within("max_clients", self.max_clients.into(), 1, Self::MAX_CLIENTS.into())?;
        let least = MIN_MESSAGE_LEN as u64;
        within("max_message_size", self.max_message_size as u64, least, usize::MAX as u64)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
