//! Named shared memory.

use std::path::PathBuf;
use std::sync::Arc;

use super::{BindConfig, ClientChannel, ConnectConfig, ServerPort, Transport};
use crate::error::{BindError, ConnectError};

/// A name in shared memory, with the limits of the connections made under it.
#[derive(Clone, Debug)]
pub struct Mmf {
    name: String,
    size: Option<usize>,
    lanes: Option<u32>,
    max_clients: Option<u32>,
    max_message_size: Option<usize>,
    dir: Option<PathBuf>,
}

impl Mmf {
    /// The endpoint of this name.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            size: None,
            lanes: None,
            max_clients: None,
            max_message_size: None,
            dir: None,
        }
    }

    /// An endpoint of a name that cannot be guessed.
    pub fn unguessable() -> Self {
        use std::hash::{BuildHasher, RandomState};
        let random = || RandomState::new().hash_one(0);
        Self::new(format!("{:016x}{:016x}", random(), random()))
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The memory of one client's connection in bytes.
    pub fn size(mut self, size: usize) -> Self {
        self.size = Some(size);
        self
    }

    /// How many calls one client may have in flight.
    pub fn lanes(mut self, lanes: u32) -> Self {
        self.lanes = Some(lanes);
        self
    }

    /// How many clients may be connected at once.
    pub fn max_clients(mut self, max_clients: u32) -> Self {
        self.max_clients = Some(max_clients);
        self
    }

    /// The largest message in bytes.
    pub fn max_message_size(mut self, max_message_size: usize) -> Self {
        self.max_message_size = Some(max_message_size);
        self
    }

    /// Another directory for the name than the user's own.
    pub fn in_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.dir = Some(path.into());
        self
    }
}

impl Transport for Mmf {
    fn bind(&self, _config: BindConfig) -> Result<Arc<dyn ServerPort>, BindError> {
        Err(BindError::Unsupported { problem: "shared memory is not built in".to_owned() })
    }

    fn connect(&self, _config: ConnectConfig) -> Result<Arc<dyn ClientChannel>, ConnectError> {
        Err(ConnectError::Unsupported { problem: "shared memory is not built in".to_owned() })
    }
}
