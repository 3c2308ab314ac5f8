//! `witrpc clean`.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::geteuid;
use serde_json::{Value, json};
use witrpc::{dead_servers, remove_dead_servers};

use crate::args::Clean;
use crate::failure::Failure;
use crate::output;

/// What is younger may belong to a server or a handshake that begins.
const AGE: Duration = Duration::from_secs(60);

/// Where the portable backend has its memory.
const SHARED_MEMORY: &str = "/dev/shm";

pub fn run(clean: &Clean) -> Result<(), Failure> {
    let dir = clean.place.dir.as_deref();
    let names = if clean.yes { remove_dead_servers(dir, AGE)? } else { dead_servers(dir, AGE)? };
    // Memory is in no directory of names.
    let regions = if dir.is_none() { unused_regions()? } else { Vec::new() };
    let regions = regions.into_iter().filter(|path| !clean.yes || fs::remove_file(path).is_ok());
    let left: Vec<_> = names
        .into_iter()
        .map(|(name, path)| (Some(name), path))
        .chain(regions.map(|path| (None, path)))
        .collect();
    if clean.json { write_json(clean, &left) } else { write(clean, &left) }
}

/// What a dead server has left: the name, if it is one, and the file.
type LeftOver = (Option<String>, PathBuf);

fn write(clean: &Clean, left: &[LeftOver]) -> Result<(), Failure> {
    let verb = if clean.yes { "removed" } else { "would remove" };
    for (name, path) in left {
        let what = match name {
            Some(name) => format!("the name {name:?} of a dead server"),
            None => "memory that no process uses".to_owned(),
        };
        output::line(format!("{verb} {what}: {}", path.display()))?;
    }
    match (left.is_empty(), clean.yes) {
        (true, _) => output::line("nothing is left of dead servers"),
        (false, true) => Ok(()),
        (false, false) => output::line("nothing was removed: --yes removes it"),
    }
}

fn write_json(clean: &Clean, left: &[LeftOver]) -> Result<(), Failure> {
    let all = left.iter().map(|(name, path)| {
        let kind = if name.is_some() { "name" } else { "memory" };
        json!({ "kind": kind, "name": name, "path": path, "removed": clean.yes })
    });
    output::line(Value::from(all.collect::<Vec<_>>()))
}

/// Returns the regions of exactly our form and user that are old and that no process uses. A region that is
/// old and unused has no name that a process still learns: each is told once, within a handshake.
fn unused_regions() -> Result<Vec<PathBuf>, Failure> {
    let old = old_regions(Path::new(SHARED_MEMORY));
    if old.is_empty() {
        return Ok(old);
    }
    match used_files() {
        Ok(used) => Ok(unused(old, &used)),
        Err(hidden) => {
            let memory = old.len();
            output::warn(format!(
                "{} does not show what it has mapped, so {memory} regions in {SHARED_MEMORY} are left: run \
                 this as a user that may see it, or where it is not there",
                hidden.display()
            ));
            Ok(Vec::new())
        }
    }
}

/// Returns the regions of exactly our form and user that are old.
fn old_regions(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let ours = entries.flatten().filter(|it| it.file_name().to_str().is_some_and(is_region_name));
    let mut old: Vec<_> = ours.map(|it| it.path()).filter(|path| is_old_and_ours(path)).collect();
    old.sort();
    old
}

fn unused(mut regions: Vec<PathBuf>, used: &HashSet<FileId>) -> Vec<PathBuf> {
    regions.retain(|path| identity(path).is_some_and(|id| !used.contains(&id)));
    regions
}

/// What tells a file from all others: device and inode.
type FileId = (u64, u64);

/// Returns whether a name has the form that the portable backend gives its memory: `wit`, and 128 bits as 26
/// digits of base 32.
fn is_region_name(name: &str) -> bool {
    name.strip_prefix("wit").is_some_and(|digits| {
        digits.len() == 26 && digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'v'))
    })
}

fn is_old_and_ours(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|file| {
        let age = file.modified().ok().and_then(|made| made.elapsed().ok());
        file.is_file() && file.uid() == geteuid().as_raw() && age.is_some_and(|age| age > AGE)
    })
}

fn identity(path: &Path) -> Option<FileId> {
    fs::symlink_metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

/// Returns the files that processes of this user have mapped or open. Those of other users cannot open a file
/// of mode 0600.
///
/// # Errors
///
/// The directory of a process that does not show them.
fn used_files() -> Result<HashSet<FileId>, PathBuf> {
    let (proc, own) = (Path::new("/proc"), geteuid().as_raw());
    let mut used = HashSet::new();
    for process in fs::read_dir(proc).map_err(|_| proc.to_owned())?.flatten() {
        let path = process.path();
        let is_process = process.file_name().to_str().is_some_and(|it| it.parse::<u32>().is_ok());
        let may_use = |stat: fs::Metadata| stat.uid() == own || own == 0;
        if is_process && fs::metadata(&path).is_ok_and(may_use) {
            used.extend(files_of(&path)?);
        }
    }
    Ok(used)
}

/// Returns the files that a process has mapped or open.
fn files_of(process: &Path) -> Result<Vec<FileId>, PathBuf> {
    let mut used = Vec::new();
    match fs::read(process.join("maps")) {
        Ok(maps) => used.extend(String::from_utf8_lossy(&maps).lines().filter_map(mapped_file)),
        // It has ended, and has no memory any more.
        Err(error) if has_ended(&error) => return Ok(used),
        Err(_) => return Err(process.to_owned()),
    }
    for open in fs::read_dir(process.join("fd")).into_iter().flatten().flatten() {
        used.extend(fs::metadata(open.path()).ok().map(|file| (file.dev(), file.ino())));
    }
    Ok(used)
}

/// Returns whether a look at a process has failed because the process has ended.
fn has_ended(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || Errno::from_io_error(error) == Some(Errno::SRCH)
}

/// Returns the file of a line of `/proc/<pid>/maps`: `from-to mode offset major:minor inode path`.
fn mapped_file(line: &str) -> Option<FileId> {
    let mut fields = line.split_ascii_whitespace().skip(3);
    let (major, minor) = fields.next()?.split_once(':')?;
    let device = rustix::fs::makedev(
        u32::from_str_radix(major, 16).ok()?,
        u32::from_str_radix(minor, 16).ok()?,
    );
    Some((device, fields.next()?.parse().ok().filter(|inode| *inode != 0)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_our_form_are_ours() {
        assert!(is_region_name("wit0123456789abcdefghijklmnop"));
        for other in [
            "wit",
            "witrpc-1000",
            "wit0123456789abcdefghijklmnoP",
            "wit0123456789abcdefghijklmnopq",
            "xit0123456789abcdefghijklmnop",
            "wit0123456789abcdefghijklmnoz",
        ] {
            assert!(!is_region_name(other), "{other}");
        }
    }

    #[test]
    fn only_old_memory_that_no_process_uses_is_found() {
        use std::fs::File;
        use std::time::SystemTime;

        let dir = tempfile::TempDir::new().expect("there is room for a directory");
        let make = |name: &str, age: Duration| {
            let file = File::create(dir.path().join(name)).expect("there is room for a file");
            file.set_modified(SystemTime::now() - age).expect("it is ours");
            file
        };
        let hour = Duration::from_secs(3600);
        let _open = make("wit00000000000000000000000000", hour);
        drop(make("wit00000000000000000000000001", hour));
        drop(make("wit00000000000000000000000002", Duration::ZERO));
        drop(make("wit00000000000000000000000003.bak", hour));
        let used = files_of(Path::new("/proc/self")).expect("it shows them").into_iter().collect();
        let found = unused(old_regions(dir.path()), &used);
        assert_eq!(found, [dir.path().join("wit00000000000000000000000001")]);
    }

    #[test]
    fn a_file_that_this_process_maps_is_used() {
        let me = fs::metadata("/proc/self/exe").expect("it runs");
        let used = files_of(Path::new("/proc/self")).expect("it shows them");
        assert!(used.contains(&(me.dev(), me.ino())));
    }
}
