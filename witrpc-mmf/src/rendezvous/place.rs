//! The directories that hold the names of a user.

use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use crate::error::DirectoryError;

use super::directory::{ALL_OF_OTHERS, Access, Directory, Rules, WRITE_OF_OTHERS, check_parent};

/// The place where names are looked up. A server and its clients must use the same.
///
/// The default is the two directories of the user, found by the user's id and not by the environment:
/// `/run/user/<uid>/witrpc`, if there is a `/run/user/<uid>`, and `/dev/shm/witrpc-<uid>`. A server
/// takes its name in both, and a client looks in both, because either may be missing, or may vanish
/// when the user logs out. Both are for this user alone. Servers and clients skip a directory that
/// belongs to another user, or that other users can write to, by the owner and mode that the kernel
/// reports. So such a directory neither hides a server in the other directory nor passes for one. It is
/// an error if no directory is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    kind: PlaceKind,
    /// Other users whose clients a server accepts, and whose servers a client accepts.
    allowed: Vec<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum PlaceKind {
    /// The directories of a user below these two parents.
    PerUser {
        /// Created by the system at log-in. The session's directory `witrpc` is used if this one
        /// exists.
        session: PathBuf,
        /// The parent that is open to all users.
        shared: PathBuf,
    },
    Given(PathBuf),
}

impl Default for Place {
    fn default() -> Self {
        Self::of(PlaceKind::PerUser {
            session: Path::new("/run/user").join(uid().to_string()),
            shared: "/dev/shm".into(),
        })
    }
}

impl Place {
    fn of(kind: PlaceKind) -> Self {
        Self { kind, allowed: Vec::new() }
    }

    /// Uses one directory of the server's user, for containers and system services. A server creates it
    /// for its user alone if it is missing. No other user may be able to write to it. Clients must run
    /// as the same user, or as one that [`allow_uid`](Self::allow_uid) allows.
    pub fn in_dir(path: impl Into<PathBuf>) -> Self {
        Self::of(PlaceKind::Given(path.into()))
    }

    /// Uses the directory of [`in_dir`](Self::in_dir), for the same users.
    #[must_use]
    pub fn moved_to(self, path: impl Into<PathBuf>) -> Self {
        Self { kind: PlaceKind::Given(path.into()), ..self }
    }

    /// Allows another user. A server then also accepts clients of that user, and a client also accepts
    /// a server of that user. This requires a directory of [`in_dir`](Self::in_dir) and the native
    /// backend.
    ///
    /// A server that creates the directory lets every user enter it and connect. The server asks the
    /// kernel for the user of each peer, and tells a user that is not allowed so. A directory that
    /// already exists must already let the allowed users enter.
    #[must_use]
    pub fn allow_uid(mut self, uid: u32) -> Self {
        self.allowed.push(uid);
        self
    }

    /// Returns the users on either side: this one and those that are allowed.
    pub(super) fn uids(&self) -> Vec<u32> {
        std::iter::once(uid()).chain(self.allowed.iter().copied()).collect()
    }

    /// Returns whether other users than this one may be on either side.
    pub(crate) fn is_shared(&self) -> bool {
        self.uids().iter().any(|each| *each != uid())
    }

    /// Returns a place below other parents than the system's.
    #[cfg(test)]
    pub(super) fn below(session: &Path, shared: &Path) -> Self {
        Self::of(PlaceKind::PerUser { session: session.into(), shared: shared.into() })
    }

    /// Returns the directories to claim a name in, always in the same order and at least one. Creates
    /// those that are missing.
    pub(super) fn open_to_serve(&self) -> Result<Found, DirectoryError> {
        self.check_shared()?;
        let (mut found, uid) = (Found::default(), uid());
        match &self.kind {
            PlaceKind::PerUser { session, shared } => {
                let rules =
                    Rules { owners: &[uid], excess: ALL_OF_OTHERS, access: Access::Private };
                for (parent, child) in candidates(session, shared) {
                    let open = || Directory::create(parent.join(child), rules, true);
                    found.add(check_parent(parent, uid).and_then(|()| open().map(Some)))?;
                }
            }
            PlaceKind::Given(path) => {
                let access = if self.is_shared() { Access::Shared } else { Access::Private };
                let owners = &[uid];
                let rules = Rules { owners, excess: WRITE_OF_OTHERS, access };
                found.add(Directory::create(path.clone(), rules, false).map(Some))?;
            }
        }
        if found.directories.is_empty() {
            return Err(DirectoryError::all_of(found.passed_over));
        }
        Ok(found)
    }

    /// Refuses to share directories that belong to one user alone.
    fn check_shared(&self) -> Result<(), DirectoryError> {
        match &self.kind {
            PlaceKind::PerUser { .. } if self.is_shared() => Err(DirectoryError::NotShared),
            _ => Ok(()),
        }
    }

    /// Returns the directories to look for a name in: those that exist.
    pub(super) fn open_to_look(&self) -> Result<Found, DirectoryError> {
        self.check_shared()?;
        let (mut found, uid) = (Found::default(), uid());
        match &self.kind {
            PlaceKind::PerUser { session, shared } => {
                let rules =
                    Rules { owners: &[uid], excess: ALL_OF_OTHERS, access: Access::Private };
                for (parent, child) in candidates(session, shared) {
                    let path = parent.join(child);
                    let open = || Directory::open(path.clone(), rules);
                    let opened = check_parent(parent, uid).and_then(|()| open());
                    found.look(path, opened)?;
                }
            }
            PlaceKind::Given(path) => {
                let owners = &self.uids();
                let rules = Rules { owners, excess: WRITE_OF_OTHERS, access: Access::Private };
                found.look(path.clone(), Directory::open(path.clone(), rules))?;
            }
        }
        // If a server may still appear, the client waits for it.
        let is_hopeless = found.passed_over.iter().any(|why| !why.may_pass());
        if found.directories.is_empty() && found.missing.is_empty() && is_hopeless {
            return Err(DirectoryError::all_of(found.passed_over));
        }
        Ok(found)
    }
}

/// The outcome of opening the directories of a place.
#[derive(Debug, Default)]
pub struct Found {
    /// Those that can be used, in the order to look in.
    pub directories: Vec<Directory>,
    /// Those that are missing and that a server would create.
    pub missing: Vec<PathBuf>,
    /// Why the others were skipped.
    pub passed_over: Vec<DirectoryError>,
}

impl Found {
    /// Adds the outcome of one directory. A lack of the process concerns every directory, and ends the
    /// search.
    fn add(
        &mut self,
        opened: Result<Option<Directory>, DirectoryError>,
    ) -> Result<(), DirectoryError> {
        match opened {
            Ok(directory) => self.directories.extend(directory),
            Err(error @ DirectoryError::Resource(_)) => return Err(error),
            Err(error) => self.passed_over.push(error),
        }
        Ok(())
    }

    fn look(
        &mut self,
        path: PathBuf,
        opened: Result<Option<Directory>, DirectoryError>,
    ) -> Result<(), DirectoryError> {
        if let Ok(None) = opened {
            self.missing.push(path);
        }
        self.add(opened)
    }
}

/// Returns the parents of a user's directories, each with the name of the directory in it, in the order
/// to look in.
fn candidates<'a>(session: &'a Path, shared: &'a Path) -> [(&'a Path, String); 2] {
    [(session, "witrpc".to_owned()), (shared, format!("witrpc-{}", uid()))]
}

fn uid() -> u32 {
    geteuid().as_raw()
}
