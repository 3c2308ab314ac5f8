//! What dead servers have left under their names.
//!
//! The next server in the same directory removes it too. A user who wants to see a directory clean need
//! not wait for one.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use rustix::fs::FileType;

use crate::error::DirectoryError;

use super::Place;
use super::claim::{names_in, sweep_one};
use super::directory::Directory;
use super::lock::is_served;

/// A name whose server is dead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadName {
    /// The name.
    pub name: String,
    /// Its lock file.
    pub lock: PathBuf,
}

/// Returns the names of dead servers in the directories of a place, of locks that are older than `age`.
///
/// # Errors
///
/// [`DirectoryError`]: a directory breaks the rules, or cannot be read.
pub fn dead_names(place: &Place, age: Duration) -> Result<Vec<DeadName>, DirectoryError> {
    let mut dead = Vec::new();
    each_dead(place, age, |_, locks, name| {
        dead.push(DeadName { lock: locks.path_of(name), name: name.to_owned() });
    })?;
    Ok(dead)
}

/// Removes what [`dead_names`] lists, and returns what is gone. Each name is locked and looked at again
/// before, so a server that takes one meanwhile keeps it.
///
/// # Errors
///
/// As [`dead_names`].
pub fn remove_dead_names(place: &Place, age: Duration) -> Result<Vec<DeadName>, DirectoryError> {
    let mut gone = Vec::new();
    each_dead(place, age, |directory, locks, name| {
        if matches!(sweep_one(directory, locks, name), Ok(true)) {
            gone.push(DeadName { lock: locks.path_of(name), name: name.to_owned() });
        }
    })?;
    Ok(gone)
}

fn each_dead(
    place: &Place,
    age: Duration,
    mut found: impl FnMut(&Directory, &Directory, &str),
) -> Result<(), DirectoryError> {
    for directory in place.open_to_look()?.directories {
        let Some(locks) = directory.locks()? else { continue };
        let failed = |error| DirectoryError::system("read", locks.path_of(""), error);
        for name in names_in(&locks).map_err(failed)? {
            let Ok(Some(stat)) = locks.find(&name) else { continue };
            let is_lock = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
                && stat.st_uid == directory.owner()
                && stat.st_size == 0;
            if is_lock
                && is_older(stat.st_mtime, age)
                && matches!(is_served(&locks, &name), Ok(false))
            {
                found(&directory, &locks, &name);
            }
        }
    }
    Ok(())
}

/// Returns whether a file of this time, in seconds since the epoch, is older than `age`.
fn is_older(seconds: i64, age: Duration) -> bool {
    let made =
        u64::try_from(seconds).map(|seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
    made.is_ok_and(|made| made.elapsed().is_ok_and(|elapsed| elapsed > age))
}
