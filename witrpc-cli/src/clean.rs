//! `witrpc clean`.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::geteuid;
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
    let regions = if dir.is_none() { unused_regions(Path::new(SHARED_MEMORY)) } else { Vec::new() };
    let verb = if clean.yes { "removed" } else { "would remove" };
    let mut found = names.len();
    for (name, path) in names {
        output::line(format!("{verb} the name {name:?} of a dead server: {}", path.display()))?;
    }
    for path in regions {
        // Looked at again right before: a process may have opened it.
        if !clean.yes || (is_unused(&path) && fs::remove_file(&path).is_ok()) {
            found += 1;
            output::line(format!("{verb} memory that no process uses: {}", path.display()))?;
        }
    }
    match (found, clean.yes) {
        (0, _) => output::line("nothing is left of dead servers"),
        (_, true) => Ok(()),
        (_, false) => output::line("nothing was removed: --yes removes it"),
    }
}

/// Returns the regions of exactly our form and user that are old and that no process uses.
fn unused_regions(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let paths = entries.flatten().filter(|entry| {
        let name = entry.file_name();
        name.to_str().is_some_and(is_region_name)
    });
    let mut old: Vec<_> = paths.map(|entry| entry.path()).filter(|path| is_old_and_ours(path)).collect();
    if old.is_empty() {
        return old;
    }
    let Some(used) = used_files() else { return Vec::new() };
    old.retain(|path| identity(path).is_some_and(|it| !used.contains(&it)));
    old.sort();
    old
}

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

fn is_unused(path: &Path) -> bool {
    is_old_and_ours(path)
        && used_files().is_some_and(|used| identity(path).is_some_and(|it| !used.contains(&it)))
}

/// Returns what tells a file from all others.
fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::symlink_metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

/// Returns the files that processes have mapped or open; `None` if a process of this user does not show them.
/// Processes of other users cannot open a file of mode 0600, except root's, which may hide from this user.
fn used_files() -> Option<HashSet<(u64, u64)>> {
    let mut used = HashSet::new();
    let own = geteuid().as_raw();
    for process in fs::read_dir("/proc").ok()?.flatten() {
        let path = process.path();
        let is_process = process.file_name().to_str().is_some_and(|it| it.parse::<u32>().is_ok());
        if !is_process || !fs::metadata(&path).is_ok_and(|it| it.uid() == own || own == 0) {
            continue;
        }
        let Ok(maps) = fs::read_to_string(path.join("maps")) else {
            // A process that has just ended has no maps, one that hides them has a directory still.
            if path.exists() {
                return None;
            }
            continue;
        };
        used.extend(maps.lines().filter_map(mapped_file));
        for open in fs::read_dir(path.join("fd")).into_iter().flatten().flatten() {
            used.extend(fs::metadata(open.path()).ok().map(|file| (file.dev(), file.ino())));
        }
    }
    Some(used)
}

/// Returns the file of a line of `/proc/<pid>/maps`: `from-to mode offset major:minor inode path`.
fn mapped_file(line: &str) -> Option<(u64, u64)> {
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
        for other in ["wit", "witrpc-1000", "wit0123456789abcdefghijklmnoP", "wit0123456789abcdefghijklmnopq", "xit0123456789abcdefghijklmnop", "wit0123456789abcdefghijklmnoz"] {
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
        assert_eq!(unused_regions(dir.path()), [dir.path().join("wit00000000000000000000000001")]);
    }

    #[test]
    fn a_file_that_this_process_maps_is_used() {
        let me = fs::metadata("/proc/self/exe").expect("it runs");
        let used = used_files().expect("it may see its own processes");
        assert!(used.contains(&(me.dev(), me.ino())));
    }
}
