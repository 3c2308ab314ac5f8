//! What a server allows each of its clients.

use witrpc_transport::MIN_MESSAGE_LEN;

use crate::error::BindError;

/// What a server allows each of its clients.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) lanes: u32,
    pub(crate) max_clients: u32,
    pub(crate) max_message_size: usize,
}

impl Limits {
    const MAX_LANES: u32 = 1024;
    const MAX_CLIENTS: u32 = 65_536;

    pub(crate) const DEFAULT: Self =
        Self { lanes: 64, max_clients: 1024, max_message_size: 64 << 20 };

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
