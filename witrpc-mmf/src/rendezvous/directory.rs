//! A directory that names live in, opened once and checked: everything else goes through its
//! descriptor, so that nobody can swap it below us.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, Stat, fstat, mkdirat, openat, stat, statat,
};
use rustix::io::Errno;
use rustix::net::SocketAddrUnix;

use super::name::LOCKS;
use crate::error::DirectoryError;
use crate::fork::Descriptor;

/// All permission bits of everybody but the owner.
pub(super) const ALL_OF_OTHERS: u32 = 0o077;
/// What would let others put something under a name.
pub(super) const WRITE_OF_OTHERS: u32 = 0o022;

/// What a directory must be like.
#[derive(Clone, Copy)]
pub(super) struct Rules {
    /// Who must own it; `None` for whoever serves there.
    pub(super) owner: Option<u32>,
    /// The permission bits that must not be set.
    pub(super) excess: u32,
}

/// An open directory.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    fd: Descriptor,
    owner: u32,
    mode: u32,
}

impl Directory {
    /// Creates `name` in `parent` for this user alone, unless something stands there.
    pub(super) fn create(parent: &Path, name: &Path) -> Result<(), DirectoryError> {
        create(CWD, &parent.join(name))
    }

    /// Opens and checks it; `None` when it is missing.
    pub(super) fn open(path: PathBuf, rules: Rules) -> Result<Option<Self>, DirectoryError> {
        Self::open_at(CWD, &path.clone(), path, rules)
    }

    fn open_at(
        parent: BorrowedFd<'_>,
        name: &Path,
        path: PathBuf,
        rules: Rules,
    ) -> Result<Option<Self>, DirectoryError> {
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = match Descriptor::open(|| openat(parent, name, flags, Mode::empty())) {
            Ok(fd) => fd,
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP | Errno::NOTDIR) => {
                let found = statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)
                    .map_or("no directory", |stat| describe(&stat));
                return Err(DirectoryError::NotADirectory { path, found });
            }
            Err(error) => return Err(system(path, error)),
        };
        let stat = fstat(&fd).map_err(|error| system(path.clone(), error))?;
        let directory = Self { path, fd, owner: stat.st_uid, mode: stat.st_mode & 0o7777 };
        directory.check(rules)?;
        Ok(Some(directory))
    }

    fn check(&self, rules: Rules) -> Result<(), DirectoryError> {
        let path = || self.path.clone();
        if let Some(expected) = rules.owner.filter(|owner| *owner != self.owner) {
            return Err(DirectoryError::WrongOwner { path: path(), owner: self.owner, expected });
        }
        let excess = self.mode & rules.excess;
        if excess != 0 {
            return Err(DirectoryError::WrongMode { path: path(), mode: self.mode, excess });
        }
        Ok(())
    }

    /// Its subdirectory of lock files, created if asked to; `None` when it is missing.
    pub(super) fn locks(&self, create_it: bool) -> Result<Option<Self>, DirectoryError> {
        let name = Path::new(LOCKS);
        if create_it {
            create(self.fd.as_fd(), name)?;
        }
        let rules = Rules { owner: Some(self.owner), excess: ALL_OF_OTHERS };
        Self::open_at(self.fd.as_fd(), name, self.path.join(name), rules)
    }

    /// Who owns it, and so serves there.
    pub(super) fn owner(&self) -> u32 {
        self.owner
    }

    /// Whether its mode lets in nobody but its owner.
    pub(super) fn is_private(&self) -> bool {
        self.mode & ALL_OF_OTHERS == 0
    }

    /// The mode of a socket that whoever may enter the directory may connect to.
    pub(super) fn socket_mode(&self) -> Mode {
        let enter = self.mode & 0o011;
        Mode::from_bits_truncate(0o600 | (enter * 0o6))
    }

    /// Where something of this name is.
    pub(super) fn path_of(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The address of a socket of this name.
    pub(super) fn address_of(&self, name: &str) -> io::Result<SocketAddrUnix> {
        // A long directory does not fit into an address, but its descriptor does.
        SocketAddrUnix::new(self.path_of(name)).or_else(|_| {
            let fd = std::os::fd::AsRawFd::as_raw_fd(&self.fd.as_fd());
            Ok(SocketAddrUnix::new(format!("/proc/self/fd/{fd}/{name}"))?)
        })
    }

    /// What stands under a name, without following a link; `None` when nothing does.
    pub(super) fn find(&self, name: &str) -> io::Result<Option<Stat>> {
        match statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl AsFd for Directory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Whether nobody but the user and root can rename or remove what this user puts there. `None`:
/// it is missing, or cannot be entered.
pub(super) fn is_safe_parent(path: &Path, uid: u32) -> Option<bool> {
    let stat = stat(path).ok()?;
    let owned = stat.st_uid == uid || stat.st_uid == 0;
    let closed =
        stat.st_mode & WRITE_OF_OTHERS == 0 || stat.st_mode & Mode::SVTX.as_raw_mode() != 0;
    Some(owned && closed)
}

/// What a file is, for an error.
pub(super) fn describe(stat: &Stat) -> &'static str {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => "a file",
        FileType::Directory => "a directory",
        FileType::Symlink => "a symbolic link",
        FileType::Socket => "a socket",
        FileType::Fifo => "a pipe",
        _ => "a device",
    }
}

fn create(parent: BorrowedFd<'_>, path: &Path) -> Result<(), DirectoryError> {
    match mkdirat(parent, path, Mode::RWXU) {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(error) => Err(system(path.into(), error)),
    }
}

fn system(path: PathBuf, error: Errno) -> DirectoryError {
    DirectoryError::System { path, source: error.into() }
}
