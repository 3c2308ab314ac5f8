//! Why a directory for names cannot be used.

use std::path::PathBuf;
use std::{fmt, io};

use witrpc_transport::ResourceError;

use crate::sys::resource::lacked_by_process;

/// Why a directory for names cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// The path is a file or a symbolic link.
    #[error("{path:?} is {found}, not a directory; remove it, or choose another directory")]
    NotADirectory {
        /// The path.
        path: PathBuf,
        /// What was found there.
        found: &'static str,
    },
    /// The directory belongs to another user.
    #[error(
        "{path:?} belongs to user {owner}, not to {expected}; have its owner remove it, choose another directory, or, if that user is to serve there, allow it with allow_uid"
    )]
    WrongOwner {
        /// The path.
        path: PathBuf,
        /// The user id of its owner.
        owner: u32,
        /// The user id that it must belong to.
        expected: u32,
    },
    /// Other users have permissions that they must not have.
    #[error(
        "{path:?} has mode {mode:04o}, which gives other users access; check what they have changed, and remove {excess:04o} (chmod)"
    )]
    WrongMode {
        /// The path.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// The bits that must not be set.
        excess: u32,
    },
    /// The directory is meant to let other users reach the server, and its mode does not.
    #[error(
        "{path:?} has mode {mode:04o}, which keeps out the users that are allowed; let others enter it (chmod 0711)"
    )]
    KeepsOthersOut {
        /// The path.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The mode keeps out the owner of the directory.
    #[error(
        "{path:?} has mode {mode:04o}, which keeps its own user out; start a server, which widens a \
         directory that it made, or do so by hand (chmod u+rwx)"
    )]
    TooNarrow {
        /// The path.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The directory is missing, and is not created.
    #[error("{path:?} is missing; name a directory that exists, or can be made, with in_dir")]
    Missing {
        /// The path.
        path: PathBuf,
    },
    /// The parent directory belongs to a user other than this one or root.
    #[error(
        "{path:?}, where a directory of names would be, belongs to user {owner}, neither to {expected} \
         nor to root (in a user namespace, unmapped users have such an id); name a directory of \
         your own with in_dir"
    )]
    ParentOwner {
        /// The path.
        path: PathBuf,
        /// The user id of its owner.
        owner: u32,
        /// The user id of this process.
        expected: u32,
    },
    /// Other users may rename what is in the parent directory.
    #[error(
        "{path:?}, where a directory of names would be, has mode {mode:04o}, so that other users can \
         rename what is in it; set its sticky bit (chmod +t), or name a directory of your own with in_dir"
    )]
    ParentOpen {
        /// The path.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The directories of a user are private to that user.
    #[error(
        "other users are allowed, but the directories of a user's names are private; name a directory to share with in_dir"
    )]
    NotShared,
    /// No directory on this machine can hold names.
    #[error("no directory can hold names: {}", list(.reasons))]
    NonePossible {
        /// The reason for each directory that was tried.
        reasons: Vec<DirectoryError>,
    },
    /// The process lacks a descriptor to open the directory.
    #[error(transparent)]
    Resource(ResourceError),
    /// The system refused an operation on the directory.
    #[error("could not {doing} {path:?}: {source}; resolve that, or choose another directory")]
    System {
        /// The operation, as in `lock`.
        doing: &'static str,
        /// The path that it was done with.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
}

impl DirectoryError {
    /// Returns the error of a failed operation: [`Resource`](Self::Resource) if a limit of this
    /// process was reached.
    pub(crate) fn system(doing: &'static str, path: PathBuf, error: impl Into<io::Error>) -> Self {
        let source = error.into();
        match lacked_by_process(&source) {
            Some(lacked) => Self::Resource(lacked),
            None => Self::System { doing, path, source },
        }
    }

    /// Returns whether the obstacle passes when a server is started, or when the system creates a
    /// directory.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(self, Self::TooNarrow { .. } | Self::Missing { .. })
    }

    /// Returns the reason if there is one, and otherwise an error with all of them.
    pub(crate) fn all_of(mut reasons: Vec<Self>) -> Self {
        match reasons.pop() {
            Some(only) if reasons.is_empty() => only,
            last => {
                reasons.extend(last);
                Self::NonePossible { reasons }
            }
        }
    }
}

pub fn list(reasons: &[impl ToString]) -> String {
    let each: Vec<_> = reasons.iter().map(ToString::to_string).collect();
    each.join("; ")
}

/// A place in which a client looked for a server.
#[derive(Debug)]
#[non_exhaustive]
pub enum LookedIn {
    /// There is no live server.
    Nothing {
        /// Where its socket would be.
        path: PathBuf,
    },
    /// The place was skipped.
    PassedOver(
        /// Why it was skipped.
        DirectoryError,
    ),
}

impl fmt::Display for LookedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing { path } => write!(f, "not at {path:?}"),
            Self::PassedOver(why) => write!(f, "skipped: {why}"),
        }
    }
}
