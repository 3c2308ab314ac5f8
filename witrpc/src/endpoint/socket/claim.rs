//! A server's claim on the path of its socket, and the sockets of dead servers.
//!
//! A path is served if a process listens there: the kernel refuses a connect to the socket of a dead one. A
//! server that takes a path holds a lock on the directory meanwhile, so that two cannot both find it dead.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};

use crate::error::BindError;

use super::place::{SocketPlace, io_error};

/// How long a server waits for another that takes a path in the same directory.
const LOCK_TIMEOUT: Duration = Duration::from_secs(1);

const LOCK_PAUSE: Duration = Duration::from_millis(1);

/// A path that this process serves. Dropping it removes the socket. A forked child's copy has no hold on it.
#[derive(Debug)]
pub struct SocketClaim {
    path: PathBuf,
    /// The device and inode of the socket.
    file: (u64, u64),
    process: u32,
}

impl SocketClaim {
    /// Takes the path and listens there. Takes over the path of a dead server, and in the user's own directory
    /// removes the sockets of all dead servers.
    pub fn new(place: &SocketPlace) -> Result<(Self, UnixListener), BindError> {
        let path = place.path()?;
        let directory = place.directory_to_serve()?;
        let _locked = lock_directory(&directory)?;
        make_way(place, &path)?;
        let temporary = temporary(&path);
        remove_socket(&temporary).map_err(|source| io_error("remove", &temporary, source))?;
        let made = listen(place, &temporary, &path);
        if made.is_err() {
            // The error of the bind counts.
            let _ = remove_socket(&temporary);
        }
        let (file, listener) = made?;
        if place.is_own_directory() {
            remove_dead(&directory);
        }
        Ok((Self { path, file, process: std::process::id() }, listener))
    }
}

impl Drop for SocketClaim {
    fn drop(&mut self) {
        let is_ours = |file: fs::Metadata| (file.dev(), file.ino()) == self.file;
        if std::process::id() == self.process && fs::symlink_metadata(&self.path).is_ok_and(is_ours)
        {
            // The next server removes what is left.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Listens under a name that no client uses, and then puts the socket under its path in one step.
fn listen(
    place: &SocketPlace,
    temporary: &Path,
    path: &Path,
) -> Result<((u64, u64), UnixListener), BindError> {
    let failed = |doing| move |source| io_error(doing, temporary, source);
    let listener = UnixListener::bind(temporary).map_err(failed("bind a socket at"))?;
    listener.set_nonblocking(true).map_err(failed("set the mode of"))?;
    let mode = if place.is_shared() { 0o666 } else { 0o600 };
    fs::set_permissions(temporary, fs::Permissions::from_mode(mode))
        .map_err(failed("set the mode of"))?;
    let file = fs::symlink_metadata(temporary).map_err(failed("look at"))?;
    fs::rename(temporary, path).map_err(|source| io_error("put the socket at", path, source))?;
    Ok(((file.dev(), file.ino()), listener))
}

/// Locks a directory for as long as the result is kept.
fn lock_directory(path: &Path) -> Result<File, BindError> {
    let directory = File::open(path).map_err(|source| io_error("open", path, source))?;
    let until = Instant::now() + LOCK_TIMEOUT;
    loop {
        match flock(&directory, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(directory),
            Err(Errno::WOULDBLOCK) if Instant::now() < until => sleep(LOCK_PAUSE),
            Err(Errno::INTR) => {}
            Err(error) => return Err(io_error("lock", path, error.into())),
        }
    }
}

/// Makes sure that nothing stands at the path, except what a dead server has left.
fn make_way(place: &SocketPlace, path: &Path) -> Result<(), BindError> {
    let file = match fs::symlink_metadata(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(io_error("look at", path, source)),
    };
    if !file.file_type().is_socket() {
        return Err(BindError::NotOurs { path: path.into(), found: describe(&file) });
    }
    if is_dead(path).map_err(|source| io_error("connect to", path, source))? {
        return Ok(());
    }
    Err(BindError::NameInUse { name: place.label(), path: None })
}

/// Returns what a file is, for an error.
pub fn describe(file: &fs::Metadata) -> &'static str {
    match file.file_type() {
        kind if kind.is_socket() => "a socket",
        kind if kind.is_dir() => "a directory",
        kind if kind.is_symlink() => "a symbolic link",
        kind if kind.is_file() => "a file",
        _ => "a pipe or a device",
    }
}

/// Connects to a socket without waiting. [`WouldBlock`](io::ErrorKind::WouldBlock) if the queue of its server is
/// full.
pub fn reach(path: &Path) -> io::Result<UnixStream> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    let address = SocketAddrUnix::new(path)?;
    loop {
        match connect(&socket, &address) {
            Err(Errno::INTR) => {}
            connected => break connected?,
        }
    }
    let socket = UnixStream::from(socket);
    socket.set_nonblocking(false)?;
    Ok(socket)
}

/// Returns whether no process listens at a path.
pub fn is_dead(path: &Path) -> io::Result<bool> {
    match reach(path) {
        Ok(_) => Ok(false),
        Err(error) => match error.kind() {
            io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound => Ok(true),
            io::ErrorKind::WouldBlock => Ok(false),
            _ => Err(error),
        },
    }
}

/// Returns a path beside this one that no valid name has.
fn temporary(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    path.with_file_name(name)
}

fn remove_socket(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(file) if file.file_type().is_socket() => fs::remove_file(path),
        _ => Ok(()),
    }
}

/// Returns the sockets in a directory, with their names, sorted.
fn sockets_in(directory: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name().into_string().unwrap_or_default();
        if !name.is_empty() && entry.file_type().is_ok_and(|kind| kind.is_socket()) {
            found.push((name, entry.path()));
        }
    }
    found.sort();
    Ok(found)
}

/// Removes the sockets of dead servers. The caller holds the lock of the directory.
fn remove_dead(directory: &Path) {
    for (_, path) in sockets_in(directory).unwrap_or_default() {
        if matches!(is_dead(&path), Ok(true)) {
            // Harmless if it stays.
            let _ = fs::remove_file(path);
        }
    }
}

/// Returns the names in a directory that are served, sorted.
pub fn live_names(directory: &Path) -> io::Result<Vec<String>> {
    let found = match sockets_in(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        found => found?,
    };
    let is_live = |(name, path): &(String, PathBuf)| {
        !name.starts_with('.') && matches!(is_dead(path), Ok(false))
    };
    Ok(found.into_iter().filter(is_live).map(|(name, _)| name).collect())
}
