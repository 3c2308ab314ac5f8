//! Where the names of a user are.

use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use crate::error::DirectoryError;

use super::directory::{ALL_OF_OTHERS, Access, Directory, Rules, WRITE_OF_OTHERS, check_parent};

/// Where names are looked up: a server and its clients must agree on it.
///
/// By default the two directories of the user, found by his id and not by the environment:
/// `/run/user/<uid>/witrpc`, where there is a `/run/user/<uid>`, and `/dev/shm/witrpc-<uid>`. A
/// server takes its name in both and a client looks in both, as either may be missing, or vanish
/// when the user logs out. Both are for this user alone. One that is another's, or that others can
/// write to, is passed over by both sides alike, by what the kernel says of its owner and mode: so it
/// neither hides a server in the other nor passes one off. It is an error if none is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    kind: PlaceKind,
    /// Other users that a server lets in, and that a client takes for its server's.
    allowed: Vec<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum PlaceKind {
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

    /// A directory of the user who serves, for containers and system services. A server creates it,
    /// for its user alone, if it is missing; nobody else may be able to write it. Clients are of the
    /// same user, but for those that [`allow_uid`](Self::allow_uid) lets in.
    pub fn in_dir(path: impl Into<PathBuf>) -> Self {
        Self::of(PlaceKind::Given(path.into()))
    }

    /// The same, for the same users, but in the directory of [`in_dir`](Self::in_dir).
    #[must_use]
    pub fn moved_to(self, path: impl Into<PathBuf>) -> Self {
        Self { kind: PlaceKind::Given(path.into()), ..self }
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
        Self::of(PlaceKind::PerUser { session: session.into(), shared: shared.into() })
    }

    /// The directories to take a name in, created if need be; at least one, always in the same
    /// order.
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

    /// Refuses to share what is one user's own.
    fn check_shared(&self) -> Result<(), DirectoryError> {
        match &self.kind {
            PlaceKind::PerUser { .. } if self.is_shared() => Err(DirectoryError::NotShared),
            _ => Ok(()),
        }
    }

    /// The directories to look for a name in: those that exist.
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
        // Where a server may still come to be, it is waited for.
        let is_hopeless = found.passed_over.iter().any(|why| !why.may_pass());
        if found.directories.is_empty() && found.missing.is_empty() && is_hopeless {
            return Err(DirectoryError::all_of(found.passed_over));
        }
        Ok(found)
    }
}

/// What came of opening the directories of a place.
#[derive(Debug, Default)]
pub struct Found {
    /// Those that can be used, in the order to look in.
    pub directories: Vec<Directory>,
    /// Those that a server would make and none has.
    pub missing: Vec<PathBuf>,
    /// Why the others were passed over.
    pub passed_over: Vec<DirectoryError>,
}

impl Found {
    /// Adds what came of one. What the process lacks is lacking everywhere, and ends the search.
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

/// The parents of a user's directories, each with the name of the directory in it, in the order to
/// look in.
fn candidates<'a>(session: &'a Path, shared: &'a Path) -> [(&'a Path, String); 2] {
    [(session, "witrpc".to_owned()), (shared, format!("witrpc-{}", uid()))]
}

fn uid() -> u32 {
    geteuid().as_raw()
}
