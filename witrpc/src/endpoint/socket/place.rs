//! Where a socket is, and which users may be at its other end.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use crate::error::{BindError, ConnectError};

/// The most bytes of a name.
const MAX_NAME_LEN: usize = 64;

/// The most bytes of a path: an address has room for 107, and a socket that does not listen yet has a dot more.
const MAX_PATH_LEN: usize = 106;

/// The parent of each user's directory of sockets.
const SHARED_PARENT: &str = "/tmp";

const WRITE_OF_OTHERS: u32 = 0o022;
const ALL_OF_OTHERS: u32 = 0o077;
const STICKY: u32 = 0o1000;

/// Where a socket is, and which users may be at its other end.
#[derive(Clone, Debug)]
pub struct SocketPlace {
    kind: SocketPlaceKind,
    /// Other users than this one.
    allowed: Vec<u32>,
}

#[derive(Clone, Debug)]
enum SocketPlaceKind {
    /// A name in this directory, or in the user's own.
    Named {
        name: String,
        directory: Option<PathBuf>,
    },
    At(PathBuf),
}

impl SocketPlace {
    pub fn named(name: String) -> Self {
        let kind = SocketPlaceKind::Named { name, directory: None };
        Self { kind, allowed: Vec::new() }
    }

    pub fn at(path: PathBuf) -> Self {
        Self { kind: SocketPlaceKind::At(path), allowed: Vec::new() }
    }

    pub fn in_dir(&mut self, path: PathBuf) {
        match &mut self.kind {
            SocketPlaceKind::Named { directory, .. } => *directory = Some(path),
            SocketPlaceKind::At(at) => *at = path.join(at.file_name().unwrap_or_default()),
        }
    }

    pub fn allow_uid(&mut self, uid: u32) {
        self.allowed.push(uid);
    }

    /// Returns whether a peer of this user is let in or trusted.
    pub fn allows(&self, uid: u32) -> bool {
        uid == own_uid() || self.allowed.contains(&uid)
    }

    /// Returns whether other users than this one are allowed.
    pub fn is_shared(&self) -> bool {
        !self.allowed.is_empty()
    }

    /// Returns what users call it: its name, or its path.
    pub fn label(&self) -> String {
        match &self.kind {
            SocketPlaceKind::Named { name, .. } => name.clone(),
            SocketPlaceKind::At(path) => path.display().to_string(),
        }
    }

    /// Returns whether it has a name, and not only a path.
    pub fn is_named(&self) -> bool {
        matches!(self.kind, SocketPlaceKind::Named { .. })
    }

    /// Returns whether the directory has sockets of this library only.
    pub fn is_own_directory(&self) -> bool {
        matches!(self.kind, SocketPlaceKind::Named { directory: None, .. })
    }

    /// Returns the directory in which it is.
    pub fn directory(&self) -> PathBuf {
        match &self.kind {
            SocketPlaceKind::Named { directory: Some(path), .. } => path.clone(),
            SocketPlaceKind::Named { directory: None, .. } => users_directory(),
            SocketPlaceKind::At(path) => match path.parent() {
                Some(parent) if parent != Path::new("") => parent.to_owned(),
                _ => ".".into(),
            },
        }
    }

    /// Returns the path of the socket.
    ///
    /// # Errors
    ///
    /// The rule that the name or the path breaks.
    pub fn path(&self) -> Result<PathBuf, BrokenRule> {
        let path = match &self.kind {
            SocketPlaceKind::Named { name, .. } => {
                check_name(name).map_err(|rule| self.broken(rule))?;
                self.directory().join(name)
            }
            SocketPlaceKind::At(path) if path.file_name().is_none() => {
                return Err(
                    self.broken("it ends in no file name; give the path of a socket".into())
                );
            }
            SocketPlaceKind::At(path) => path.clone(),
        };
        let len = path.as_os_str().len();
        if len > MAX_PATH_LEN {
            let rule = format!(
                "its path {} has {len} bytes, and that of a socket at most {MAX_PATH_LEN}; choose a \
                 shorter directory",
                path.display()
            );
            return Err(self.broken(rule));
        }
        Ok(path)
    }

    fn broken(&self, rule: String) -> BrokenRule {
        BrokenRule { name: self.label(), rule }
    }

    /// Makes the directory if it is missing, and checks it: other users can neither remove nor replace what is
    /// in it.
    pub fn directory_to_serve(&self) -> Result<PathBuf, BindError> {
        let path = self.directory();
        if self.is_named() {
            make_directory(&path, if self.is_shared() { 0o711 } else { 0o700 })?;
        }
        let found =
            fs::symlink_metadata(&path).map_err(|source| io_error("look at", &path, source))?;
        let (mode, owner) = (found.mode() & 0o7777, found.uid());
        let refused = |problem: String| {
            Err(BindError::Directory { source: format!("{path:?} {problem}").into() })
        };
        if !found.is_dir() && !path.is_dir() {
            return refused("is no directory; remove it".to_owned());
        }
        if self.is_own_directory() && (found.is_symlink() || owner != own_uid()) {
            return refused(format!(
                "belongs to user {owner}, not to {}; have that user remove it",
                own_uid()
            ));
        }
        let excess = if self.is_own_directory() { ALL_OF_OTHERS } else { WRITE_OF_OTHERS };
        if mode & excess != 0 && (self.is_own_directory() || mode & STICKY == 0) {
            let excess = mode & excess;
            return refused(format!(
                "has mode {mode:04o}, which gives other users access; check what they have changed, and \
                 remove {excess:04o} (chmod)"
            ));
        }
        Ok(path)
    }
}

/// A rule that a name or a path breaks.
pub struct BrokenRule {
    name: String,
    rule: String,
}

impl From<BrokenRule> for BindError {
    fn from(BrokenRule { name, rule }: BrokenRule) -> Self {
        Self::InvalidName { name, rule }
    }
}

impl From<BrokenRule> for ConnectError {
    fn from(BrokenRule { name, rule }: BrokenRule) -> Self {
        Self::InvalidName { name, rule }
    }
}

/// Returns the directory of this user's sockets.
pub fn users_directory() -> PathBuf {
    Path::new(SHARED_PARENT).join(format!("witrpc-sockets-{}", own_uid()))
}

pub fn own_uid() -> u32 {
    geteuid().as_raw()
}

/// Returns the error of an operation on a path.
pub fn io_error(doing: &str, path: &Path, source: io::Error) -> BindError {
    BindError::Io { doing: format!("{doing} {}", path.display()), source }
}

fn make_directory(path: &Path, mode: u32) -> Result<(), BindError> {
    match DirBuilder::new().mode(mode).create(path) {
        Ok(()) => {
            // An umask may have removed bits.
            let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
            fs::set_permissions(path, mode)
                .map_err(|source| io_error("set the mode of", path, source))
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(source) => Err(io_error("create", path, source)),
    }
}

fn check_name(name: &str) -> Result<(), String> {
    let len = name.len();
    if !(1..=MAX_NAME_LEN).contains(&len) {
        return Err(format!("it has {len} bytes; give it 1 to {MAX_NAME_LEN}"));
    }
    if let Some(character) = name.chars().find(|c| *c == '/' || c.is_control()) {
        return Err(format!("it has the character {character:?}; leave that out"));
    }
    if name.starts_with('.') {
        return Err("it starts with a dot; leave that out".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_follows_its_rules() {
        for name in ["", ".calc", "a/b", "a\nb", &"x".repeat(65)] {
            assert!(SocketPlace::named(name.to_owned()).path().is_err(), "{name:?}");
        }
        let calc = SocketPlace::named("calc".to_owned());
        assert!(calc.path().is_ok_and(|path| path.ends_with("calc")));
        let mut moved = SocketPlace::named("x".repeat(64));
        moved.in_dir(format!("/{}", "d".repeat(41)).into());
        assert!(moved.path().is_err(), "107 bytes");
        moved.in_dir(format!("/{}", "d".repeat(40)).into());
        assert!(moved.path().is_ok(), "106 bytes");
        assert!(SocketPlace::at("/".into()).path().is_err());
        assert_eq!(SocketPlace::at("here.sock".into()).directory(), Path::new("."));
    }

    #[test]
    fn a_directory_that_others_may_write_to_is_refused_unless_it_is_sticky() {
        let base = std::env::temp_dir().join(format!("witrpc-place-{}", std::process::id()));
        let mut place = SocketPlace::named("calc".to_owned());
        place.in_dir(base.clone());
        assert!(place.directory_to_serve().is_ok(), "it is made");
        let set = |mode| {
            let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
            fs::set_permissions(&base, mode).unwrap();
        };
        set(0o722);
        let refused = place.directory_to_serve();
        set(0o1777);
        let sticky = place.directory_to_serve();
        fs::remove_dir(&base).unwrap();
        assert!(matches!(refused, Err(BindError::Directory { .. })), "{refused:?}");
        assert!(sticky.is_ok(), "{sticky:?}");
    }
}
