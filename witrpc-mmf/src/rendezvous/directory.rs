//! A directory that names live in, opened once and checked: what is in it is looked at, renamed and
//! removed through its descriptor, so that nobody can swap it below us.
//!
//! A socket is bound and connected to by its path, where that fits into an address. Whoever swaps a
//! directory on the way gains nothing: who answers is checked by the kernel's word on who he is, and a
//! name that was bound elsewhere is not found when it is to be renamed.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, Stat, fchmod, fstat, mkdirat, openat, stat, statat,
};
use rustix::io::Errno;
use rustix::net::SocketAddrUnix;
use rustix::process::geteuid;

use super::name::LOCKS;
use crate::error::DirectoryError;
use crate::fork::Descriptor;

/// All permission bits of everybody but the owner.
pub(super) const ALL_OF_OTHERS: u32 = 0o077;
/// What would let others put something under a name.
pub(super) const WRITE_OF_OTHERS: u32 = 0o022;

/// Any of these lets others reach what is in it.
const ENTER_OF_OTHERS: u32 = 0o011;

/// Who is to reach the sockets in a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Its owner.
    Private,
    /// Others too.
    Shared,
}

/// What a directory must be like.
#[derive(Clone, Copy)]
pub(super) struct Rules<'a> {
    /// Of whom one must own it; the first is this user.
    pub(super) owners: &'a [u32],
    /// The permission bits that must not be set.
    pub(super) excess: u32,
    /// Who is to reach the sockets made in it.
    pub(super) access: Access,
}

/// An open directory.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    fd: Descriptor,
    owner: u32,
    mode: u32,
    access: Access,
}

impl Directory {
    /// Creates `name` in `parent`, unless something stands there.
    pub(super) fn create(parent: &Path, name: &Path, access: Access) -> Result<(), DirectoryError> {
        create(CWD, &parent.join(name), access)
    }

    /// Opens and checks it; `None` when it is missing.
    pub(super) fn open(path: PathBuf, rules: Rules<'_>) -> Result<Option<Self>, DirectoryError> {
        // As a place only: whoever may not list it may use what is in it.
        Self::open_at(CWD, &path.clone(), path, OFlags::PATH, rules)
    }

    fn open_at(
        parent: BorrowedFd<'_>,
        name: &Path,
        path: PathBuf,
        how: OFlags,
        rules: Rules<'_>,
    ) -> Result<Option<Self>, DirectoryError> {
        let flags = how | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
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
        let (owner, mode) = (stat.st_uid, stat.st_mode & 0o7777);
        let directory = Self { path, fd, owner, mode, access: rules.access };
        directory.check(rules)?;
        Ok(Some(directory))
    }

    fn check(&self, rules: Rules<'_>) -> Result<(), DirectoryError> {
        let path = || self.path.clone();
        if !rules.owners.contains(&self.owner) {
            let (owner, expected) = (self.owner, rules.owners[0]);
            return Err(DirectoryError::WrongOwner { path: path(), owner, expected });
        }
        let excess = self.mode & rules.excess;
        if excess != 0 {
            return Err(DirectoryError::WrongMode { path: path(), mode: self.mode, excess });
        }
        if rules.access == Access::Shared && self.mode & ENTER_OF_OTHERS == 0 {
            return Err(DirectoryError::KeepsOthersOut { path: path(), mode: self.mode });
        }
        Ok(())
    }

    /// Its subdirectory of lock files, created if asked to; `None` when it is missing.
    pub(super) fn locks(&self, create_it: bool) -> Result<Option<Self>, DirectoryError> {
        let name = Path::new(LOCKS);
        if create_it {
            create(self.fd.as_fd(), name, Access::Private)?;
        }
        let owners = &[self.owner];
        let rules = Rules { owners, excess: ALL_OF_OTHERS, access: Access::Private };
        Self::open_at(self.fd.as_fd(), name, self.path.join(name), OFlags::RDONLY, rules)
    }

    /// Who owns it, and so serves there.
    pub(super) fn owner(&self) -> u32 {
        self.owner
    }

    /// The mode of a socket made in it: if it is shared, for whoever may enter the directory.
    pub(super) fn socket_mode(&self) -> Mode {
        let others = match self.access {
            Access::Private => 0,
            Access::Shared => (self.mode & ENTER_OF_OTHERS) * 0o6,
        };
        Mode::from_bits_truncate(0o600 | others)
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

fn create(parent: BorrowedFd<'_>, path: &Path, access: Access) -> Result<(), DirectoryError> {
    let mode = match access {
        Access::Private => Mode::RWXU,
        // To enter, and not to list.
        Access::Shared => Mode::RWXU | Mode::XGRP | Mode::XOTH,
    };
    let made = match mkdirat(parent, path, mode) {
        // The umask may have taken something away.
        Ok(()) if access == Access::Shared => let_enter(parent, path, mode),
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(error) => Err(error),
    };
    made.map_err(|error| system(path.into(), error))
}

/// Gives a directory of this user's that was just made all of its mode. What somebody may have put in
/// its place meanwhile, a link or a directory of another's, is left alone, and found by whoever opens
/// it.
fn let_enter(parent: BorrowedFd<'_>, path: &Path, mode: Mode) -> Result<(), Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let made = match Descriptor::open(|| openat(parent, path, flags, Mode::empty())) {
        Ok(made) => made,
        Err(Errno::LOOP | Errno::NOTDIR | Errno::NOENT | Errno::ACCESS) => return Ok(()),
        Err(error) => return Err(error),
    };
    let stat = fstat(&made)?;
    if stat.st_uid == geteuid().as_raw() && stat.st_mode & mode.as_raw_mode() != mode.as_raw_mode()
    {
        fchmod(&made, mode)?;
    }
    Ok(())
}

fn system(path: PathBuf, error: Errno) -> DirectoryError {
    DirectoryError::System { path, source: error.into() }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, chown, symlink};

    use super::*;
    use crate::rendezvous::tests::Scratch;

    const SHARED: Mode = Mode::from_bits_retain(0o711);

    fn mode_of(path: &Path) -> u32 {
        path.metadata().unwrap().permissions().mode() & 0o7777
    }

    fn directory(path: &Path) {
        fs::create_dir(path).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
    }

    #[test]
    fn a_link_in_place_of_a_directory_just_made_is_not_followed() {
        let scratch = Scratch::new();
        let (made, private) = (scratch.path().join("made"), scratch.path().join("private"));
        directory(&made);
        directory(&private);
        assert_eq!(let_enter(CWD, &made, SHARED), Ok(()));
        assert_eq!(mode_of(&made), 0o711);
        fs::remove_dir(&made).unwrap();
        symlink(&private, &made).unwrap();
        assert_eq!(let_enter(CWD, &made, SHARED), Ok(()));
        assert_eq!(mode_of(&private), 0o700);
        fs::remove_file(&made).unwrap();
        assert_eq!(let_enter(CWD, &made, SHARED), Ok(()), "it is found missing when it is opened");
    }

    #[test]
    fn a_directory_of_anothers_in_place_of_one_just_made_is_left_alone() {
        if !geteuid().is_root() {
            // Nobody else can change it.
            return;
        }
        let scratch = Scratch::new();
        let theirs = scratch.path().join("made");
        directory(&theirs);
        chown(&theirs, Some(12_345), None).unwrap();
        assert_eq!(let_enter(CWD, &theirs, SHARED), Ok(()));
        assert_eq!(mode_of(&theirs), 0o700);
    }
}
