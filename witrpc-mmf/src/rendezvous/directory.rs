//! A directory that holds names, opened once and checked. Its files are examined, renamed and removed
//! through its descriptor, so no other process can replace the directory in between.
//!
//! A socket is bound and connected to by its path, if the path fits into an address. An attacker that
//! replaces a directory on that path gains nothing. A client checks the listener by the credentials
//! that the kernel reports. A server that has bound elsewhere does not find its socket when it renames
//! it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, Stat, chmod, fchmod, fstat, mkdirat, openat, stat, statat,
};
use rustix::io::Errno;
use rustix::net::SocketAddrUnix;
use rustix::process::geteuid;

use crate::error::DirectoryError;
use crate::sys::fork::Descriptor;

use crate::name::LOCKS;

/// All permission bits of the group and of others.
pub const ALL_OF_OTHERS: u32 = 0o077;
/// The bits that would let other users put something under a name.
pub const WRITE_OF_OTHERS: u32 = 0o022;

/// The bits that the owner of a directory needs.
const ALL_OF_OWNER: u32 = 0o700;

/// Each of these bits lets other users reach the files in the directory.
const ENTER_OF_OTHERS: u32 = 0o011;

/// How long a server may take to set the mode of a directory it has made. There is no event to wait on.
const MAKING_TIMEOUT: Duration = Duration::from_millis(100);

/// How many bytes of a path the address of a socket has room for.
const MAX_ADDRESS: usize = 107;

/// Which users reach the sockets in a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Only the owner of the directory.
    Private,
    /// Other users too.
    Shared,
}

/// The rules for a directory.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    /// The permitted owners. The first is this user.
    pub owners: &'a [u32],
    /// The permission bits that must not be set.
    pub excess: u32,
    /// Which users reach the sockets made in it.
    pub access: Access,
}

/// An open directory that follows its rules.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    fd: Descriptor,
    owner: u32,
    mode: u32,
    access: Access,
}

impl Directory {
    /// Opens and checks a directory; returns `None` if it is missing. Changes nothing.
    pub fn open(path: PathBuf, rules: Rules<'_>) -> Result<Option<Self>, DirectoryError> {
        // Open it as a path only: a user without the permission to list it may still use what is in it.
        let opened = Self::open_at(CWD, &path.clone(), path, OFlags::PATH, rules.access)?;
        opened.map(|directory| directory.checked(rules)).transpose()
    }

    /// Opens and checks a directory for a server, and creates it if it is missing. A directory that was
    /// just created, or that always belongs to this library, gets all bits that its owner needs,
    /// whatever the umask.
    pub fn create(path: PathBuf, rules: Rules<'_>, is_ours: bool) -> Result<Self, DirectoryError> {
        Self::create_at(CWD, &path.clone(), path, OFlags::PATH, rules, is_ours)
    }

    fn create_at(
        parent: BorrowedFd<'_>,
        name: &Path,
        path: PathBuf,
        how: OFlags,
        rules: Rules<'_>,
        is_ours: bool,
    ) -> Result<Self, DirectoryError> {
        let mode = match rules.access {
            Access::Private => Mode::RWXU,
            // Others may enter it, and not list it.
            Access::Shared => Mode::RWXU | Mode::XGRP | Mode::XOTH,
        };
        let is_new = match mkdirat(parent, name, mode) {
            Ok(()) => true,
            Err(Errno::EXIST) => false,
            Err(error) => return Err(DirectoryError::system("create", path, error)),
        };
        let least = match (is_new, is_ours) {
            (true, _) => mode.as_raw_mode(),
            (false, true) => ALL_OF_OWNER,
            (false, false) => 0,
        };
        widen(parent, name, least, FileType::Directory)
            .map_err(|error| DirectoryError::system("set the mode of", path.clone(), error))?;
        let look = || match Self::open_at(parent, name, path.clone(), how, rules.access)? {
            Some(directory) => directory.checked(rules),
            None => Err(DirectoryError::Missing { path: path.clone() }),
        };
        if is_new { look() } else { until_made(look) }
    }

    fn open_at(
        parent: BorrowedFd<'_>,
        name: &Path,
        path: PathBuf,
        how: OFlags,
        access: Access,
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
            Err(error) => return Err(DirectoryError::system("open", path, error)),
        };
        let stat =
            fstat(&fd).map_err(|error| DirectoryError::system("look at", path.clone(), error))?;
        let (owner, mode) = (stat.st_uid, stat.st_mode & 0o7777);
        Ok(Some(Self { path, fd, owner, mode, access }))
    }

    fn checked(self, rules: Rules<'_>) -> Result<Self, DirectoryError> {
        let (path, mode) = (|| self.path.clone(), self.mode);
        if !rules.owners.contains(&self.owner) {
            let (owner, expected) = (self.owner, rules.owners[0]);
            return Err(DirectoryError::WrongOwner { path: path(), owner, expected });
        }
        let excess = mode & rules.excess;
        if excess != 0 {
            return Err(DirectoryError::WrongMode { path: path(), mode, excess });
        }
        let uid = geteuid();
        // Root may do everything, whatever the mode.
        if self.owner == uid.as_raw() && !uid.is_root() && mode & ALL_OF_OWNER != ALL_OF_OWNER {
            return Err(DirectoryError::TooNarrow { path: path(), mode });
        }
        if rules.access == Access::Shared && mode & ENTER_OF_OTHERS == 0 {
            return Err(DirectoryError::KeepsOthersOut { path: path(), mode });
        }
        Ok(self)
    }

    /// Opens its subdirectory of lock files; returns `None` if it is missing.
    pub fn locks(&self) -> Result<Option<Self>, DirectoryError> {
        let (name, path) = (Path::new(LOCKS), self.path.join(LOCKS));
        let access = Access::Private;
        let opened = Self::open_at(self.fd.as_fd(), name, path, OFlags::RDONLY, access)?;
        let owners = &[self.owner];
        let rules = Rules { owners, excess: ALL_OF_OTHERS, access };
        opened.map(|directory| directory.checked(rules)).transpose()
    }

    /// Opens its subdirectory of lock files for a server, and creates it if it is missing.
    pub fn create_locks(&self) -> Result<Self, DirectoryError> {
        let (name, path) = (Path::new(LOCKS), self.path.join(LOCKS));
        let owners = &[self.owner];
        let rules = Rules { owners, excess: ALL_OF_OTHERS, access: Access::Private };
        Self::create_at(self.fd.as_fd(), name, path, OFlags::RDONLY, rules, true)
    }

    /// Returns whether it is the same directory as the other.
    pub fn is_same_as(&self, other: &Self) -> bool {
        matches!((fstat(&self.fd), fstat(&other.fd)), (Ok(ours), Ok(theirs)) if is_same(&ours, &theirs))
    }

    /// Returns whether its path still leads to it. A path that this process may not follow counts as
    /// unchanged.
    pub fn is_in_place(&self) -> bool {
        match (fstat(&self.fd), statat(CWD, &self.path, AtFlags::SYMLINK_NOFOLLOW)) {
            (Ok(held), Ok(named)) => is_same(&held, &named),
            (_, Err(error)) => !matches!(error, Errno::NOENT | Errno::NOTDIR),
            (Err(_), _) => true,
        }
    }

    /// Returns the owner, which is also the user of the servers there.
    pub fn owner(&self) -> u32 {
        self.owner
    }

    /// Returns the mode of a socket made in it. In a shared directory, every user that may enter it may
    /// connect.
    pub fn socket_mode(&self) -> Mode {
        let others = match self.access {
            Access::Private => 0,
            Access::Shared => (self.mode & ENTER_OF_OTHERS) * 0o6,
        };
        Mode::from_bits_truncate(0o600 | others)
    }

    /// Returns the path of a file in it.
    pub fn path_of(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Returns the address of a socket in it.
    pub fn address_of(&self, name: &str) -> io::Result<SocketAddrUnix> {
        let path = self.path_of(name);
        SocketAddrUnix::new(&path)
            .or_else(|_| self.address_through(&proc_path(&self.fd), &path, name))
    }

    /// Returns an address through `held`, which leads to the directory. A path that does not fit into an
    /// address is reached so.
    fn address_through(&self, held: &str, path: &Path, name: &str) -> io::Result<SocketAddrUnix> {
        if stat(held).is_err() {
            let len = path.as_os_str().len();
            return Err(io::Error::new(
                io::ErrorKind::InvalidFilename,
                format!(
                    "it has {len} bytes, a socket's address has room for {MAX_ADDRESS}, and the way \
                     around needs /proc: mount that, or choose a shorter directory"
                ),
            ));
        }
        Ok(SocketAddrUnix::new(format!("{held}/{name}"))?)
    }

    /// Returns what stands under a name, without following a link; `None` if nothing does.
    pub fn find(&self, name: &str) -> io::Result<Option<Stat>> {
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

/// Calls `look` until the directory has the required bits, for at most [`MAKING_TIMEOUT`]. Another
/// server may have just made the directory under an umask, and may be about to set its mode.
fn until_made<T>(mut look: impl FnMut() -> Result<T, DirectoryError>) -> Result<T, DirectoryError> {
    let started = Instant::now();
    loop {
        match look() {
            Err(DirectoryError::TooNarrow { .. } | DirectoryError::KeepsOthersOut { .. })
                if started.elapsed() < MAKING_TIMEOUT =>
            {
                std::thread::sleep(Duration::from_millis(1));
            }
            looked => return looked,
        }
    }
}

/// Checks that only the user and root can rename or remove what this user puts there.
pub fn check_parent(path: &Path, uid: u32) -> Result<(), DirectoryError> {
    let stat = match stat(path) {
        Ok(stat) => stat,
        Err(Errno::NOENT) => return Err(DirectoryError::Missing { path: path.into() }),
        Err(error) => return Err(DirectoryError::system("look at", path.into(), error)),
    };
    let (owner, mode) = (stat.st_uid, stat.st_mode & 0o7777);
    if owner != uid && owner != 0 {
        return Err(DirectoryError::ParentOwner { path: path.into(), owner, expected: uid });
    }
    if mode & WRITE_OF_OTHERS != 0 && mode & Mode::SVTX.as_raw_mode() == 0 {
        return Err(DirectoryError::ParentOpen { path: path.into(), mode });
    }
    Ok(())
}

fn is_same(one: &Stat, other: &Stat) -> bool {
    (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
}

/// Returns what a file is, for an error.
pub fn describe(stat: &Stat) -> &'static str {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => "a file",
        FileType::Directory => "a directory",
        FileType::Symlink => "a symbolic link",
        FileType::Socket => "a socket",
        FileType::Fifo => "a pipe",
        _ => "a device",
    }
}

/// Gives a file of this user at least the bits `least`, which an umask or the file's creator may have
/// removed. Leaves alone what another process may have put in its place: a link, a file of another
/// user, or a file of another kind. The later open of the file detects that.
pub fn widen(parent: impl AsFd, name: &Path, least: u32, kind: FileType) -> Result<(), Errno> {
    // A path descriptor can hold a file that may not be read.
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let held = match Descriptor::open(|| openat(&parent, name, flags, Mode::empty())) {
        Ok(held) => held,
        Err(Errno::NOENT) => return Ok(()),
        Err(error) => return Err(error),
    };
    let stat = fstat(&held)?;
    let is_ours = stat.st_uid == geteuid().as_raw();
    if !is_ours || FileType::from_raw_mode(stat.st_mode) != kind || stat.st_mode & least == least {
        return Ok(());
    }
    let mode = Mode::from_raw_mode(stat.st_mode & 0o7777 | least);
    // The kernel does not change a mode through a path descriptor.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    match Descriptor::open(|| openat(&parent, name, flags, Mode::empty())) {
        Ok(open) => {
            let opened = fstat(&open)?;
            if is_same(&opened, &stat) {
                fchmod(&open, mode)?;
            }
            Ok(())
        }
        Err(Errno::LOOP | Errno::NOENT) => Ok(()),
        // The file may not be read either. This path leads to the held file, whatever stands under its
        // name now.
        Err(Errno::ACCESS) => chmod(proc_path(&held), mode),
        Err(error) => Err(error),
    }
}

/// Returns a path that leads to what a descriptor holds.
fn proc_path(held: impl AsFd) -> String {
    format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&held.as_fd()))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, chown, symlink};

    use crate::rendezvous::tests::Scratch;

    use super::*;

    fn widened(path: &Path) -> Result<(), Errno> {
        widen(CWD, path, 0o711, FileType::Directory)
    }

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
        assert_eq!(widened(&made), Ok(()));
        assert_eq!(mode_of(&made), 0o711);
        fs::remove_dir(&made).unwrap();
        symlink(&private, &made).unwrap();
        assert_eq!(widened(&made), Ok(()));
        assert_eq!(mode_of(&private), 0o700);
        fs::remove_file(&made).unwrap();
        assert_eq!(widened(&made), Ok(()), "it is found missing when it is opened");
    }

    #[test]
    fn a_directory_whose_maker_has_not_set_its_mode_yet_is_looked_at_again() {
        let scratch = Scratch::new();
        let path = scratch.path().join("shared");
        // Made with the mode that the umask of its creator left.
        directory(&path);
        let owners = &[geteuid().as_raw()];
        let rules = Rules { owners, excess: WRITE_OF_OTHERS, access: Access::Shared };
        let mut looks = 0;
        let look = || {
            looks += 1;
            let found = Directory::open(path.clone(), rules);
            assert_eq!(widened(&path), Ok(()), "the maker goes on");
            found
        };
        assert!(until_made(look).is_ok_and(|found| found.is_some()));
        assert_eq!(looks, 2);
        // A directory that keeps its mode is refused, and not changed.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        let refused = Directory::create(path.clone(), rules, false);
        assert!(matches!(refused, Err(DirectoryError::KeepsOthersOut { .. })), "{refused:?}");
        assert_eq!(mode_of(&path), 0o700);
    }

    #[test]
    fn without_proc_a_path_that_is_too_long_for_an_address_is_told_by_its_length() {
        let scratch = Scratch::new();
        let path = scratch.path().join("x".repeat(120));
        let rules = Rules { owners: &[geteuid().as_raw()], excess: 0o022, access: Access::Private };
        let held = Directory::create(path.clone(), rules, false).unwrap();
        assert!(held.address_of("calc").is_ok());
        let (path, absent) = (path.join("calc"), scratch.path().join("proc/self/fd/3"));
        let refused = held.address_through(absent.to_str().unwrap(), &path, "calc").unwrap_err();
        let len = path.as_os_str().len().to_string();
        for each in [&*len, "107", "/proc", "shorter"] {
            assert!(refused.to_string().contains(each), "{refused}");
        }
    }

    #[test]
    fn a_directory_of_anothers_in_place_of_one_just_made_is_left_alone() {
        if !geteuid().is_root() {
            // No other user can change it.
            return;
        }
        let scratch = Scratch::new();
        let theirs = scratch.path().join("made");
        directory(&theirs);
        chown(&theirs, Some(12_345), None).unwrap();
        assert_eq!(widened(&theirs), Ok(()));
        assert_eq!(mode_of(&theirs), 0o700);
    }
}
