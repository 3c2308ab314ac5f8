//! The kernel's word on who serves a name.
//!
//! A server locks bytes 0 and 1 of the name's lock file for its life, through a description of its
//! own (`F_OFD_SETLK`), so that threads of one process exclude each other too. Whoever only tidies
//! up behind a dead server locks byte 1: that excludes every server, but a bind that meets it can
//! tell it from one and tries again. Asking who is alive takes no lock, and disturbs nobody.
//!
//! A lock file may be unlinked by its holder. Who has locked one therefore makes sure that it is
//! still the one under its name.

use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, fstat, openat, statat, unlinkat};
use rustix::io::Errno;

use crate::sys::fork::Descriptor;

use super::directory::widen;

/// The mode of a lock file.
const READ_AND_WRITE: u32 = 0o600;

const SERVING: i64 = 0;
const TIDYING: i64 = 1;

/// How long a bind waits for somebody who tidies up. That takes microseconds, unless he is stopped
/// in the middle of it.
const TIDYING_TIMEOUT: Duration = Duration::from_secs(1);

/// A locked file under its name. Dropping it unlocks and leaves the file.
#[derive(Debug)]
pub struct NameLock {
    file: Descriptor,
    name: String,
}

impl NameLock {
    /// Locks a name to serve it. `None`: somebody else does.
    pub fn serve(locks: impl AsFd, name: &str) -> io::Result<Option<Self>> {
        let started = Instant::now();
        loop {
            match Self::attempt(&locks, name, open_to_serve(&locks, name)?)? {
                Attempt::Locked(lock) => return Ok(Some(lock)),
                Attempt::Served => return Ok(None),
                Attempt::Unlinked => {}
                Attempt::Tidied if started.elapsed() > TIDYING_TIMEOUT => return Ok(None),
                Attempt::Tidied => std::thread::sleep(Duration::from_millis(1)),
            }
        }
    }

    fn attempt(locks: impl AsFd, name: &str, file: Descriptor) -> io::Result<Attempt> {
        if !try_lock(&file, SERVING, 2)? {
            let is_served = holder(&file, SERVING, 2)? == Some(SERVING);
            return Ok(if is_served { Attempt::Served } else { Attempt::Tidied });
        }
        if is_still_named(locks, name, &file)? {
            Ok(Attempt::Locked(Self { file, name: name.into() }))
        } else {
            Ok(Attempt::Unlinked)
        }
    }

    /// Locks the name of a dead server to tidy up behind it. `None`: it is alive, somebody else
    /// tidies up, or there is nothing left.
    pub fn tidy(locks: impl AsFd, name: &str) -> io::Result<Option<Self>> {
        let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let file = open_lock(&locks, name, flags)?;
        if try_lock(&file, TIDYING, 1)? && is_still_named(&locks, name, &file)? {
            return Ok(Some(Self { file, name: name.into() }));
        }
        Ok(None)
    }

    /// Removes the file, while still holding the lock on it.
    pub fn unlink(&self, locks: impl AsFd) -> io::Result<()> {
        if is_still_named(&locks, &self.name, &self.file)? {
            unlinkat(locks, self.name.as_str(), AtFlags::empty())?;
        }
        Ok(())
    }
}

/// What came of trying to lock an open file to serve its name.
#[derive(Debug)]
enum Attempt {
    Locked(NameLock),
    /// A server holds it.
    Served,
    /// Somebody tidies up behind a dead server.
    Tidied,
    /// The file was unlinked after it was opened: the lock on it excludes nobody.
    Unlinked,
}

fn open_to_serve(locks: impl AsFd, name: &str) -> io::Result<Descriptor> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let widen = || widen(&locks, Path::new(name), READ_AND_WRITE, FileType::RegularFile);
    match open_lock(&locks, name, flags) {
        // An umask kept those out who come later.
        Ok(file) if fstat(&file)?.st_mode & READ_AND_WRITE != READ_AND_WRITE => {
            widen()?;
            Ok(file)
        }
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            widen()?;
            open_lock(&locks, name, flags)
        }
        other => other,
    }
}

/// Whether a server holds the lock of a name.
pub fn is_served(locks: impl AsFd, name: &str) -> io::Result<bool> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    match open_lock(locks, name, flags) {
        Ok(file) => Ok(holder(&file, SERVING, 1)?.is_some()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn open_lock(locks: impl AsFd, name: &str, flags: OFlags) -> io::Result<Descriptor> {
    let mode = Mode::from_raw_mode(READ_AND_WRITE);
    Ok(Descriptor::open(|| openat(locks, name, flags | OFlags::CLOEXEC, mode))?)
}

fn is_still_named(locks: impl AsFd, name: &str, file: &Descriptor) -> io::Result<bool> {
    let held = fstat(file)?;
    match statat(locks, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(named) => Ok((named.st_dev, named.st_ino) == (held.st_dev, held.st_ino)),
        Err(Errno::NOENT) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn try_lock(file: &Descriptor, start: i64, len: i64) -> io::Result<bool> {
    let mut range = write_lock(start, len);
    match fcntl_lock(file, libc::F_OFD_SETLK, &mut range) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
        Err(error) => Err(error),
    }
}

/// Where the lock starts that forbids us this one, if any does.
fn holder(file: &Descriptor, start: i64, len: i64) -> io::Result<Option<i64>> {
    let mut range = write_lock(start, len);
    fcntl_lock(file, libc::F_OFD_GETLK, &mut range)?;
    let free = range.l_type == libc::F_UNLCK as libc::c_short;
    Ok((!free).then_some(range.l_start))
}

fn write_lock(start: i64, len: i64) -> libc::flock {
    libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: start,
        l_len: len,
        l_pid: 0,
    }
}

fn fcntl_lock(file: &Descriptor, command: libc::c_int, range: &mut libc::flock) -> io::Result<()> {
    // SAFETY: both commands take a pointer to a `flock` that is valid for reads and writes; rustix
    // has no call for them.
    let failed = unsafe { libc::fcntl(file.as_fd().as_raw_fd(), command, &raw mut *range) };
    if failed == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use crate::rendezvous::tests::Scratch;

    use super::*;

    #[test]
    fn a_lock_on_an_unlinked_file_is_never_taken_for_the_names() {
        let scratch = Scratch::new();
        let locks = std::fs::File::open(scratch.path()).unwrap();
        let open = || open_to_serve(&locks, "calc").unwrap();
        let attempt = |file| NameLock::attempt(&locks, "calc", file).unwrap();
        let Attempt::Locked(leaving) = attempt(open()) else { panic!("nobody has it") };
        let opened_before = open();
        assert!(matches!(attempt(open()), Attempt::Served));
        leaving.unlink(&locks).unwrap();
        drop(leaving);
        let Attempt::Locked(_next) = attempt(open()) else { panic!("it was given up") };
        assert!(matches!(attempt(opened_before), Attempt::Unlinked));
        assert!(matches!(attempt(open()), Attempt::Served));
    }

    #[test]
    fn whoever_tidies_up_excludes_a_server_but_is_not_taken_for_one() {
        let scratch = Scratch::new();
        let locks = std::fs::File::open(scratch.path()).unwrap();
        std::fs::write(scratch.path().join("calc"), "").unwrap();
        let tidying = NameLock::tidy(&locks, "calc").unwrap().expect("nobody has it");
        assert!(NameLock::tidy(&locks, "calc").unwrap().is_none(), "one is enough");
        assert!(!is_served(&locks, "calc").unwrap());
        std::thread::scope(|scope| {
            let serving = scope.spawn(|| NameLock::serve(&locks, "calc").unwrap());
            tidying.unlink(&locks).unwrap();
            drop(tidying);
            let _lock = serving.join().unwrap().expect("it waits, and makes a file anew");
            assert!(is_served(&locks, "calc").unwrap());
            assert!(NameLock::tidy(&locks, "calc").unwrap().is_none(), "it is alive");
        });
    }
}
