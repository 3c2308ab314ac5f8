//! A server's claim on its name: the locks and the listening sockets.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, Dir, FileType, Stat, chmodat, renameat, unlinkat};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, connect, listen, socket_with};

use crate::error::{BindError, DirectoryError};
use crate::sys::fork::{Descriptor, Origin};

use super::Place;
use super::directory::{Directory, describe};
use super::lock::{NameLock, is_served};
use crate::name::Name;

/// The length of a listener's queue: how many clients the kernel keeps until they are accepted.
const BACKLOG: i32 = 1024;

/// How many lock files one bind examines to clean up after dead servers. The next bind examines more.
const MAX_SWEPT: usize = 4096;

/// How long a socket without a lock may still answer. The kernel closes the descriptors of a dying
/// server one by one, and may close the lock before the socket.
const DYING_TIMEOUT: Duration = Duration::from_secs(1);

/// A name that this process serves, in every directory of its place. Dropping it releases the name. A
/// forked child's copy has no hold on the name.
#[derive(Debug)]
pub struct NameClaim {
    name: Name,
    place: Place,
    seats: Vec<Seat>,
}

impl NameClaim {
    /// Claims the name and begins to listen, so that the kernel queues clients from here on. Takes over
    /// the name of a dead server, and removes what other dead servers have left in the same
    /// directories. Skips a directory that cannot be used, as long as another can.
    ///
    /// # Errors
    ///
    /// [`BindError::NameInUse`] at once if another server has the name. The other variants say what is
    /// wrong with the name's directories, or which file stands in the place of the name.
    pub fn new(name: &Name, place: &Place) -> Result<Self, BindError> {
        let mut claim = Self { name: name.clone(), place: place.clone(), seats: Vec::new() };
        claim.take_seats()?;
        for seat in &claim.seats {
            sweep(seat);
        }
        Ok(claim)
    }

    /// Publishes the name in each directory of the place in which it is not published yet. Returns whether
    /// there was one.
    fn take_seats(&mut self) -> Result<bool, BindError> {
        let found = self.place.open_to_serve()?;
        let mut passed_over = found.passed_over;
        let mut locked = Vec::new();
        // Take all locks first: a server that lost one of its directories still shows in the other.
        for directory in found.directories {
            if !self.seats.iter().any(|seat| seat.directory.is_same_as(&directory)) {
                locked.extend(usable(Seat::lock(directory, &self.name), &mut passed_over)?);
            }
        }
        let before = self.seats.len();
        for mut seat in locked {
            let published = seat.publish(&self.name).map(|()| seat);
            self.seats.extend(usable(published, &mut passed_over)?);
        }
        if self.seats.is_empty() {
            return Err(DirectoryError::all_of(passed_over).into());
        }
        Ok(self.seats.len() > before)
    }

    /// Returns whether all of its files are where they were published.
    pub fn stands(&self) -> bool {
        !self.seats.is_empty() && self.seats.iter().all(Seat::stands)
    }

    /// Gives up each directory in which a file of the name has gone, and publishes the name anew wherever it
    /// is not published. Returns whether there was such a place.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new). What still stands is kept.
    pub fn renew(&mut self) -> Result<bool, BindError> {
        self.seats.retain(Seat::stands);
        self.take_seats()
    }

    /// Returns the paths of its files and of their directories.
    pub fn files(&self) -> Vec<PathBuf> {
        self.seats.iter().flat_map(Seat::files).collect()
    }

    /// Returns the name.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// Returns the users whose clients the server accepts.
    pub fn uids(&self) -> Vec<u32> {
        self.place.uids()
    }

    /// Returns the sockets to accept clients on.
    pub fn listeners(&self) -> Vec<Arc<Descriptor>> {
        self.seats.iter().filter_map(|seat| seat.listener.clone()).collect()
    }
}

/// Returns what can be used. Notes an error that concerns one directory only, because another directory
/// may do. Returns an error that concerns the name or the process.
fn usable(
    seat: Result<Seat, BindError>,
    passed_over: &mut Vec<DirectoryError>,
) -> Result<Option<Seat>, BindError> {
    match seat {
        Ok(seat) => Ok(Some(seat)),
        Err(BindError::Directory(why)) => {
            passed_over.push(why);
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Returns the names that are being served in a place, sorted. Skips a directory that cannot be used,
/// as long as another can.
///
/// # Errors
///
/// [`DirectoryError`]: no directory follows the rules, or none can be read.
pub fn live_names(place: &Place) -> Result<Vec<String>, DirectoryError> {
    let found = place.open_to_look()?;
    let (mut live, mut passed_over, mut is_any_read) = (Vec::new(), Vec::new(), false);
    for directory in found.directories {
        match live_names_in(&directory) {
            Ok(names) => {
                is_any_read = true;
                live.extend(names);
            }
            Err(error @ DirectoryError::Resource(_)) => return Err(error),
            Err(error) => passed_over.push(error),
        }
    }
    if !is_any_read && !passed_over.is_empty() {
        passed_over.extend(found.passed_over);
        return Err(DirectoryError::all_of(passed_over));
    }
    live.sort();
    live.dedup();
    Ok(live)
}

fn live_names_in(directory: &Directory) -> Result<Vec<String>, DirectoryError> {
    let Some(locks) = directory.locks()? else { return Ok(Vec::new()) };
    let mut live = Vec::new();
    let names = names_in(&locks).map_err(failed("read", locks.path_of("")))?;
    for name in names {
        if is_served(&locks, &name).map_err(failed("look at", locks.path_of(&name)))? {
            live.push(name);
        }
    }
    Ok(live)
}

/// The claim on a name in one directory.
#[derive(Debug)]
struct Seat {
    name: String,
    directory: Directory,
    locks: Directory,
    lock: NameLock,
    listener: Option<Arc<Descriptor>>,
    /// The device and inode of the socket, once it is published.
    published: Option<(u64, u64)>,
    origin: Origin,
}

impl Seat {
    fn lock(directory: Directory, name: &Name) -> Result<Self, BindError> {
        let name = name.as_str().to_owned();
        let locks = directory.create_locks()?;
        let path = locks.path_of(&name);
        let lock = NameLock::serve(&locks, &name).map_err(failed("lock", path.clone()))?;
        let Some(lock) = lock else { return Err(BindError::NameInUse { name, path }) };
        let origin = Origin::here();
        Ok(Self { name, directory, locks, lock, listener: None, published: None, origin })
    }

    /// Puts a listening socket under the name in one step.
    fn publish(&mut self, name: &Name) -> Result<(), BindError> {
        self.make_way()?;
        let directory = &self.directory;
        let temporary = temporary(&self.name);
        let path = || directory.path_of(&temporary);
        // A bind that was killed halfway has left this file: only the holder of the lock creates one.
        remove_socket(directory, &temporary, |_| true)
            .map_err(failed("remove a dead server's socket", path()))?;
        let address =
            directory.address_of(&temporary).map_err(failed("form the address of", path()))?;
        let socket = open_socket().map_err(|error| BindError::system("open a socket", error))?;
        bind(&socket, &address).map_err(failed("bind the socket", path()))?;
        chmodat(directory, temporary.as_str(), directory.socket_mode(), AtFlags::empty())
            .map_err(failed("set the mode of", path()))?;
        listen(&socket, BACKLOG).map_err(failed("listen on", path()))?;
        let found = directory.find(&temporary).map_err(failed("find", path()))?;
        let Some(stat) = found else { return Err(DirectoryError::Missing { path: path() }.into()) };
        renameat(directory, temporary.as_str(), directory, name.as_str())
            .map_err(failed("put the socket under the name", directory.path_of(&self.name)))?;
        self.published = Some(identity(&stat));
        self.listener = Some(Arc::new(socket));
        Ok(())
    }

    /// Returns whether its files are where they were published. A directory that this process may no longer
    /// look into counts as unchanged.
    fn stands(&self) -> bool {
        let is_published = || match self.directory.find(&self.name) {
            Ok(found) => found.map(|stat| identity(&stat)) == self.published,
            Err(_) => true,
        };
        self.directory.is_in_place()
            && self.locks.is_in_place()
            && self.lock.is_named(&self.locks).unwrap_or(true)
            && is_published()
    }

    fn files(&self) -> [PathBuf; 4] {
        let (directory, locks) = (&self.directory, &self.locks);
        let (own, its_locks) = (directory.path_of(""), locks.path_of(""));
        [own, its_locks, directory.path_of(&self.name), locks.path_of(&self.name)]
    }

    /// Makes sure that nothing stands under the name, except what a dead server has left.
    fn make_way(&self) -> Result<(), BindError> {
        let started = Instant::now();
        let path = || self.directory.path_of(&self.name);
        let refused = |found| Err(BindError::NotOurs { path: path(), found });
        loop {
            let found = self.directory.find(&self.name).map_err(failed("look at", path()))?;
            let Some(stat) = found else { return Ok(()) };
            if !is_socket(&stat) {
                return refused(describe(&stat));
            }
            if stat.st_uid != self.directory.owner() {
                return refused("another user's socket");
            }
            if is_dead(&self.directory, &self.name).map_err(failed("connect to", path()))? {
                return Ok(());
            }
            if started.elapsed() > DYING_TIMEOUT {
                return refused("the socket of a program that holds no lock on the name");
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if self.origin.is_forked() {
            return;
        }
        // Best effort, here and below: the next server removes what is left.
        let _ = remove_socket(&self.directory, &temporary(&self.name), |_| true);
        if let Some(published) = self.published {
            let _ = remove_socket(&self.directory, &self.name, |stat| identity(stat) == published);
        }
        let _ = self.lock.unlink(&self.locks);
    }
}

/// Removes what dead servers have left in the directory of a seat. Leaves files that are not theirs,
/// and files that cannot be removed: both are harmless.
fn sweep(seat: &Seat) {
    let Ok(names) = names_in(&seat.locks) else { return };
    for name in names.iter().filter(|name| **name != seat.name).take(MAX_SWEPT) {
        if matches!(is_served(&seat.locks, name), Ok(false)) {
            let _ = sweep_one(&seat.directory, &seat.locks, name);
        }
    }
}

/// Removes what a dead server has left under a name. Returns whether its lock file is gone.
pub fn sweep_one(directory: &Directory, locks: &Directory, name: &str) -> io::Result<bool> {
    let Some(lock) = NameLock::tidy(locks, name)? else { return Ok(false) };
    remove_socket(directory, &temporary(name), |_| true)?;
    let is_dead = is_dead(directory, name)?;
    if is_dead {
        remove_socket(directory, name, |_| true)?;
        lock.unlink(locks)?;
    }
    Ok(is_dead)
}

/// Returns the name of a socket that does not listen yet. No valid name begins with a dot.
fn temporary(name: &str) -> String {
    format!(".{name}")
}

pub fn names_in(locks: &Directory) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(locks)? {
        // A file without a valid name was not made by this library.
        let entry = entry?;
        let name = entry.file_name().to_str().ok().and_then(|name| Name::new(name).ok());
        names.extend(name.map(|name| name.as_str().to_owned()));
    }
    Ok(names)
}

/// Returns whether no process listens under a name. The caller must hold the lock of the name.
fn is_dead(directory: &Directory, name: &str) -> io::Result<bool> {
    let socket = open_socket()?;
    match connect(&socket, &directory.address_of(name)?) {
        Err(Errno::CONNREFUSED | Errno::NOENT) => Ok(true),
        Ok(()) | Err(Errno::AGAIN) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn remove_socket(
    directory: &Directory,
    name: &str,
    is_it: impl FnOnce(&Stat) -> bool,
) -> io::Result<()> {
    match directory.find(name)? {
        Some(stat) if is_socket(&stat) && is_it(&stat) => {
            Ok(unlinkat(directory, name, AtFlags::empty())?)
        }
        _ => Ok(()),
    }
}

pub fn open_socket() -> io::Result<Descriptor> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(Descriptor::open(|| socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None))?)
}

pub fn is_socket(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Socket
}

fn identity(stat: &Stat) -> (u64, u64) {
    (stat.st_dev, stat.st_ino)
}

fn failed<E: Into<io::Error>>(
    doing: &'static str,
    path: PathBuf,
) -> impl FnOnce(E) -> DirectoryError {
    move |error| DirectoryError::system(doing, path, error)
}
