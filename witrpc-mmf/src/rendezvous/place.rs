//! Where the names of a user are.

use std::io;
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use super::directory::{ALL_OF_OTHERS, Directory, Rules, WRITE_OF_OTHERS, is_safe_parent};
use crate::error::DirectoryError;

/// Where names are looked up: a server and its clients must agree on it.
///
/// By default the two directories of the user, found by his id and not by the environment:
/// `/run/user/<uid>/witrpc`, where there is a `/run/user/<uid>`, and `/dev/shm/witrpc-<uid>`. A
/// server takes its name in both and a client looks in both, as either may be missing, or vanish
/// when the user logs out. Both are for this user alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// The directories of a user below these two.
    PerUser {
        /// Created by the system at log-in: the session's directory `witrpc` is used if it exists.
        session: PathBuf,
        /// Open to all users.
        shared: PathBuf,
    },
    Given(PathBuf),
}

impl Default for Place {
    fn default() -> Self {
        Self(Kind::PerUser {
            session: Path::new("/run/user").join(uid().to_string()),
            shared: "/dev/shm".into(),
        })
    }
}

impl Place {
    /// A directory of the user who serves, for containers, system services and clients of other
    /// users. A server creates it, for its user alone, if it is missing. Whoever may enter the
    /// directory, by its mode, may connect; nobody else may be able to write it. A client trusts
    /// the directory's owner to be the one who serves.
    pub fn in_dir(path: impl Into<PathBuf>) -> Self {
        Self(Kind::Given(path.into()))
    }

    /// The directories of this user below others than the system's.
    #[cfg(test)]
    pub(super) fn below(session: &Path, shared: &Path) -> Self {
        Self(Kind::PerUser { session: session.into(), shared: shared.into() })
    }

    /// The directories to take a name in, created if need be; at least one, always in the same
    /// order.
    pub(super) fn open_to_serve(&self) -> Result<Vec<Directory>, DirectoryError> {
        match &self.0 {
            Kind::PerUser { session, shared } => serve_per_user(session, shared),
            Kind::Given(path) => {
                Directory::create(Path::new(""), path)?;
                let rules = Rules { owner: Some(uid()), excess: WRITE_OF_OTHERS };
                let missing = || DirectoryError::NonePossible {
                    tried: vec![(path.clone(), io::ErrorKind::NotFound.into())],
                };
                Ok(vec![Directory::open(path.clone(), rules)?.ok_or_else(missing)?])
            }
        }
    }

    /// The directories to look for a name in: those that exist.
    pub(super) fn open_to_look(&self) -> Result<Vec<Directory>, DirectoryError> {
        match &self.0 {
            Kind::PerUser { session, shared } => {
                let mut found = Vec::new();
                for (parent, child) in usable(session, shared)? {
                    found.extend(Directory::open(parent.join(child), for_this_user())?);
                }
                Ok(found)
            }
            Kind::Given(path) => {
                let rules = Rules { owner: None, excess: WRITE_OF_OTHERS };
                Ok(Directory::open(path.clone(), rules)?.into_iter().collect())
            }
        }
    }
}

fn serve_per_user(session: &Path, shared: &Path) -> Result<Vec<Directory>, DirectoryError> {
    let mut found = Vec::new();
    let mut tried = Vec::new();
    for (parent, child) in usable(session, shared)? {
        match Directory::create(parent, &child) {
            Ok(()) => found.extend(Directory::open(parent.join(child), for_this_user())?),
            // A read-only or full file system: the other directory may do.
            Err(DirectoryError::System { path, source }) => tried.push((path, source)),
            Err(error) => return Err(error),
        }
    }
    if found.is_empty() {
        if tried.is_empty() {
            tried = [session, shared].map(|p| (p.into(), io::ErrorKind::NotFound.into())).into();
        }
        return Err(DirectoryError::NonePossible { tried });
    }
    Ok(found)
}

/// The parents that exist, each with the name of this user's directory in it.
fn usable<'a>(
    session: &'a Path,
    shared: &'a Path,
) -> Result<Vec<(&'a Path, PathBuf)>, DirectoryError> {
    let uid = uid();
    let mut usable = Vec::new();
    // Only root can have put something odd there; server and client agree to pass it over.
    if is_safe_parent(session, uid) == Some(true) {
        usable.push((session, "witrpc".into()));
    }
    match is_safe_parent(shared, uid) {
        Some(true) => usable.push((shared, format!("witrpc-{uid}").into())),
        // Anybody could swap our directory in it for his own.
        Some(false) => {
            return Err(DirectoryError::System {
                path: shared.into(),
                source: io::Error::other("others can rename directories in it (no sticky bit)"),
            });
        }
        None => {}
    }
    Ok(usable)
}

fn for_this_user() -> Rules {
    Rules { owner: Some(uid()), excess: ALL_OF_OTHERS }
}

fn uid() -> u32 {
    geteuid().as_raw()
}
