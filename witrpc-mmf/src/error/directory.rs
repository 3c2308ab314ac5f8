//! What is wrong with a directory that names live in.

use std::path::PathBuf;
use std::{fmt, io};

use witrpc_transport::ResourceError;

use crate::sys::resource::lacked_by_process;

/// What is wrong with a directory that names live in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// There is a file, or a symbolic link, where the directory should be.
    #[error("{path:?} is {found}, not a directory; remove it, or choose another directory")]
    NotADirectory {
        /// Where.
        path: PathBuf,
        /// What stands there.
        found: &'static str,
    },
    /// It belongs to another user.
    #[error(
        "{path:?} belongs to user {owner}, not to {expected}; have its owner remove it, choose another directory, or, if that user is to serve there, allow it with allow_uid"
    )]
    WrongOwner {
        /// Where.
        path: PathBuf,
        /// The user id of its owner.
        owner: u32,
        /// The user id it must belong to.
        expected: u32,
    },
    /// Others may do too much there.
    #[error(
        "{path:?} has mode {mode:04o}, which lets others at it; take away {excess:04o} (chmod) if they have done no harm"
    )]
    WrongMode {
        /// Where.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// The bits that must not be set.
        excess: u32,
    },
    /// It is to let other users reach the server, and does not.
    #[error(
        "{path:?} has mode {mode:04o}, which keeps the users out that are allowed; let others enter it (chmod 0711)"
    )]
    KeepsOthersOut {
        /// Where.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The user that owns it may not use it himself.
    #[error(
        "{path:?} has mode {mode:04o}, which keeps its own user out; start a server, which widens a \
         directory that it made, or do so by hand (chmod u+rwx)"
    )]
    TooNarrow {
        /// Where.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is missing, and nothing creates it.
    #[error("{path:?} is missing; name a directory that exists, or can be made, with in_dir")]
    Missing {
        /// Where.
        path: PathBuf,
    },
    /// The directory that it would be in belongs to another user than this one or root.
    #[error(
        "{path:?}, where a directory of names would be, belongs to user {owner}, neither to {expected} \
         nor to root (a user namespace shows so the users that it does not map); name a directory of \
         your own with in_dir"
    )]
    ParentOwner {
        /// Where.
        path: PathBuf,
        /// The user id of its owner.
        owner: u32,
        /// The user id of this process.
        expected: u32,
    },
    /// Others may rename what is in the directory that it would be in.
    #[error(
        "{path:?}, where a directory of names would be, has mode {mode:04o}, so that other users can \
         rename what is in it; set its sticky bit (chmod +t), or name a directory of your own with in_dir"
    )]
    ParentOpen {
        /// Where.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The directories of a user are for him alone.
    #[error(
        "other users are allowed, and the directories of a user's names are his alone; name a directory to share with in_dir"
    )]
    NotShared,
    /// No directory can hold names on this machine.
    #[error("there is no place for names: {}", list(.reasons))]
    NonePossible {
        /// Why, for each that could be one.
        reasons: Vec<DirectoryError>,
    },
    /// The process has no descriptor to look at it.
    #[error(transparent)]
    Resource(ResourceError),
    /// The system refused an operation on it.
    #[error("could not {doing} {path:?}: {source}; see to it, or choose another directory")]
    System {
        /// What was tried, as in `lock`.
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl DirectoryError {
    /// Returns why something could not be done, which may be the process's own limit.
    pub(crate) fn system(doing: &'static str, path: PathBuf, error: impl Into<io::Error>) -> Self {
        let source = error.into();
        match lacked_by_process(&source) {
            Some(lacked) => Self::Resource(lacked),
            None => Self::System { doing, path, source },
        }
    }

    /// Whether it passes when a server is started, or the system makes a directory.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(self, Self::TooNarrow { .. } | Self::Missing { .. })
    }

    /// Returns the one reason, or all of them.
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

/// A place in which a server was looked for.
#[derive(Debug)]
#[non_exhaustive]
pub enum LookedIn {
    /// There is no live server.
    Nothing {
        /// Where its socket would be.
        path: PathBuf,
    },
    /// The place was passed over.
    PassedOver(
        /// Why.
        DirectoryError,
    ),
}

impl fmt::Display for LookedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing { path } => write!(f, "not at {path:?}"),
            Self::PassedOver(why) => write!(f, "passed over: {why}"),
        }
    }
}
