//! Where a server is.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use witrpc::{Endpoint, InProcess, Mmf};

/// Where a server is: data that a process can be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Address {
    /// Under a name in shared memory.
    Mmf {
        /// The name.
        name: String,
        /// The directory of the name, if it is not the user's own.
        dir: Option<PathBuf>,
    },
    /// Under a name in the same process.
    InProcess {
        /// The name.
        name: String,
    },
}

impl Address {
    /// A new one in shared memory that nobody else knows.
    pub fn unguessable() -> Self {
        Self::Mmf { name: Mmf::unguessable().name().to_owned(), dir: None }
    }

    /// One in shared memory, in a directory.
    pub fn in_dir(dir: impl Into<PathBuf>, name: impl Into<String>) -> Self {
        Self::Mmf { name: name.into(), dir: Some(dir.into()) }
    }

    /// Where to connect.
    pub fn endpoint(&self) -> Endpoint {
        match self {
            Self::Mmf { name, dir } => mmf(name, dir.clone()).into(),
            Self::InProcess { name } => InProcess::named(name.clone()).into(),
        }
    }
}

/// The endpoint of a name, to be given limits.
pub(super) fn mmf(name: &str, dir: Option<PathBuf>) -> Mmf {
    match dir {
        Some(dir) => Mmf::new(name).in_dir(dir),
        None => Mmf::new(name),
    }
}
