//! The kernel's lock that says whether a name is served.
//!
//! A server locks bytes 0 and 1 of the name's lock file for its life. It uses an open file description
//! lock (`F_OFD_SETLK`), so that threads of one process exclude each other too. A process that only
//! cleans up after a dead server locks byte 1. That excludes every server, but a bind that meets this
//! lock can tell it from a server's, and tries again. To ask which names are served takes no lock, so
//! it disturbs no server.
//!
//! The holder of the lock may unlink the lock file. So each process that has locked one then checks
//! that the file is still the one under its name.

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

/// How long a bind waits for a process that cleans up. Cleaning up takes microseconds, unless the
/// process is stopped in the middle of it.
const TIDYING_TIMEOUT: Duration = Duration::from_secs(1);

/// A locked file under its name. Dropping it unlocks the file and leaves it there.
#[derive(Debug)]
pub struct NameLock {
    file: Descriptor,
    name: String,
}

impl NameLock {
    /// Locks a name to serve it; returns `None` if another server has it.
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

    /// Locks the name of a dead server to clean up after it. Returns `None` if the server is alive,
    /// another process cleans up, or nothing is left.
    pub fn tidy(locks: impl AsFd, name: &str) -> io::Result<Option<Self>> {
        let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let file = open_lock(&locks, name, flags)?;
        if try_lock(&file, TIDYING, 1)? && is_still_named(&locks, name, &file)? {
            return Ok(Some(Self { file, name: name.into() }));
        }
        Ok(None)
    }

    /// Returns whether the file is still the one under its name.
    pub fn is_named(&self, locks: impl AsFd) -> io::Result<bool> {
        is_still_named(locks, &self.name, &self.file)
    }

    /// Removes the file, while still holding the lock on it.
    pub fn unlink(&self, locks: impl AsFd) -> io::Result<()> {
        if self.is_named(&locks)? {
            unlinkat(locks, self.name.as_str(), AtFlags::empty())?;
        }
        Ok(())
    }
}

/// The outcome of an attempt to lock an open file to serve its name.
#[derive(Debug)]
enum Attempt {
    Locked(NameLock),
    /// A server holds the lock.
    Served,
    /// Another process cleans up after a dead server.
    Tidied,
    /// The file was unlinked after it was opened, so the lock on it excludes no other process.
    Unlinked,
}

fn open_to_serve(locks: impl AsFd, name: &str) -> io::Result<Descriptor> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let widen = || widen(&locks, Path::new(name), READ_AND_WRITE, FileType::RegularFile);
    match open_lock(&locks, name, flags) {
        // An umask removed bits that later processes need.
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

/// Returns whether a server holds the lock of a name.
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

/// Returns where the lock starts that conflicts with the range; `None` if none does.
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
        let Attempt::Locked(leaving) = attempt(open()) else { panic!("no server has it") };
        let opened_before = open();
        assert!(matches!(attempt(open()), Attempt::Served));
        leaving.unlink(&locks).unwrap();
        drop(leaving);
        let Attempt::Locked(_next) = attempt(open()) else { panic!("it was given up") };
        assert!(matches!(attempt(opened_before), Attempt::Unlinked));
        assert!(matches!(attempt(open()), Attempt::Served));
    }

    #[test]
    fn a_process_that_tidies_up_excludes_a_server_but_is_not_taken_for_one() {
        let scratch = Scratch::new();
        let locks = std::fs::File::open(scratch.path()).unwrap();
        std::fs::write(scratch.path().join("calc"), "").unwrap();
        let tidying = NameLock::tidy(&locks, "calc").unwrap().expect("no server has it");
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
