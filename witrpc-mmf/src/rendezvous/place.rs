//! Where the names of a user are.

use std::io;
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use super::directory::{ALL_OF_OTHERS, Access, Directory, Rules, WRITE_OF_OTHERS, is_safe_parent};
use crate::error::DirectoryError;

/// Where names are looked up: a server and its clients must agree on it.
///
/// By default the two directories of the user, found by his id and not by the environment:
/// `/run/user/<uid>/witrpc`, where there is a `/run/user/<uid>`, and `/dev/shm/witrpc-<uid>`. A
/// server takes its name in both and a client looks in both, as either may be missing, or vanish
/// when the user logs out. Both are for this user alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    kind: Kind,
    /// Other users that a server lets in, and that a client takes for its server's.
    allowed: Vec<u32>,
}

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
        Self::of(Kind::PerUser {
            session: Path::new("/run/user").join(uid().to_string()),
            shared: "/dev/shm".into(),
        })
    }
}

impl Place {
    fn of(kind: Kind) -> Self {
        Self { kind, allowed: Vec::new() }
    }

    /// A directory of the user who serves, for containers and system services. A server creates it,
    /// for its user alone, if it is missing; nobody else may be able to write it. Clients are of the
    /// same user, but for those that [`allow_uid`](Self::allow_uid) lets in.
    pub fn in_dir(path: impl Into<PathBuf>) -> Self {
        Self::of(Kind::Given(path.into()))
    }

    /// The same, for the same users, but in the directory of [`in_dir`](Self::in_dir).
    #[must_use]
    pub fn moved_to(self, path: impl Into<PathBuf>) -> Self {
        Self { kind: Kind::Given(path.into()), ..self }
    }

    /// For a server: lets clients of this user in too. For a client: takes this user for its
    /// server's too. In a directory of [`in_dir`](Self::in_dir) only, and with the native backend.
    ///
    /// A server that creates the directory lets everybody enter it, and connect; who is not allowed is
    /// told so by the server, which asks the kernel. A directory that exists must let the others
    /// enter already.
    #[must_use]
    pub fn allow_uid(mut self, uid: u32) -> Self {
        self.allowed.push(uid);
        self
    }

    /// The users on either side: this one and those that are allowed.
    pub(super) fn uids(&self) -> Vec<u32> {
        std::iter::once(uid()).chain(self.allowed.iter().copied()).collect()
    }

    /// Whether other users than this one may be on either side.
    pub(crate) fn is_shared(&self) -> bool {
        self.uids().iter().any(|each| *each != uid())
    }

    /// The directories of this user below others than the system's.
    #[cfg(test)]
    pub(super) fn below(session: &Path, shared: &Path) -> Self {
        Self::of(Kind::PerUser { session: session.into(), shared: shared.into() })
    }

    /// The directories to take a name in, created if need be; at least one, always in the same
    /// order.
    pub(super) fn open_to_serve(&self) -> Result<Vec<Directory>, DirectoryError> {
        self.check_shared()?;
        match &self.kind {
            Kind::PerUser { session, shared } => serve_per_user(session, shared),
            Kind::Given(path) => {
                let access = if self.is_shared() { Access::Shared } else { Access::Private };
                Directory::create(Path::new(""), path, access)?;
                let rules = Rules { owners: &[uid()], excess: WRITE_OF_OTHERS, access };
                let missing = || DirectoryError::NonePossible {
                    tried: vec![(path.clone(), io::ErrorKind::NotFound.into())],
                };
                Ok(vec![Directory::open(path.clone(), rules)?.ok_or_else(missing)?])
            }
        }
    }

    /// Refuses to share what is one user's own.
    fn check_shared(&self) -> Result<(), DirectoryError> {
        match &self.kind {
            Kind::PerUser { .. } if self.is_shared() => Err(DirectoryError::NotShared),
            _ => Ok(()),
        }
    }

    /// The directories to look for a name in: those that exist.
    pub(super) fn open_to_look(&self) -> Result<Vec<Directory>, DirectoryError> {
        self.check_shared()?;
        match &self.kind {
            Kind::PerUser { session, shared } => {
                let mut found = Vec::new();
                for (parent, child) in usable(session, shared)? {
                    found.extend(open_per_user(parent.join(child))?);
                }
                Ok(found)
            }
            Kind::Given(path) => {
                let owners = &self.uids();
                let rules = Rules { owners, excess: WRITE_OF_OTHERS, access: Access::Private };
                Ok(Directory::open(path.clone(), rules)?.into_iter().collect())
            }
        }
    }
}

fn serve_per_user(session: &Path, shared: &Path) -> Result<Vec<Directory>, DirectoryError> {
    let mut found = Vec::new();
    let mut tried = Vec::new();
    for (parent, child) in usable(session, shared)? {
        match Directory::create(parent, &child, Access::Private) {
            Ok(()) => found.extend(open_per_user(parent.join(child))?),
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

fn open_per_user(path: PathBuf) -> Result<Option<Directory>, DirectoryError> {
    let rules = Rules { owners: &[uid()], excess: ALL_OF_OTHERS, access: Access::Private };
    Directory::open(path, rules)
}

fn uid() -> u32 {
    geteuid().as_raw()
}
