//! The memory limits of the control groups that this process is in.
//!
//! Allocated memory counts against the group of the process and against each group above it, up to the
//! mount of the hierarchy. A group at its limit does not refuse: the kernel kills one of its processes.
//! So the limits are read first, and room is left for everything else that the process allocates. Swap
//! is not counted.

use std::fs;
use std::path::PathBuf;

use witrpc_rt::cgroup::{Hierarchy, number_in};
use witrpc_transport::ResourceError;

/// The most bytes to leave free below a limit.
const MOST_LEFT_FREE: u64 = 16 << 20;

/// The divisor of a limit that gives the bytes to leave free, up to [`MOST_LEFT_FREE`].
const PART_LEFT_FREE: u64 = 16;

/// The memory limits that memory allocated by this process counts against.
#[derive(Clone, Debug, Default)]
pub struct MemoryLimits(Vec<Group>);

/// A group that has a limit.
#[derive(Clone, Debug)]
struct Group {
    directory: PathBuf,
    files: &'static Files,
    limit: u64,
}

/// The files of a group, which differ between the versions of control groups.
#[derive(Debug)]
struct Files {
    limit: &'static str,
    used: &'static str,
    /// The fields of `memory.stat` that count caches of files.
    inactive: &'static str,
    active: &'static str,
    /// The file that says whether a parent's limit holds for its children. Without the file, it does.
    hierarchy: Option<&'static str>,
}

static VERSION_1: Files = Files {
    limit: "memory.limit_in_bytes",
    used: "memory.usage_in_bytes",
    inactive: "total_inactive_file",
    active: "total_active_file",
    hierarchy: Some("memory.use_hierarchy"),
};

static VERSION_2: Files = Files {
    limit: "memory.max",
    used: "memory.current",
    inactive: "inactive_file",
    active: "active_file",
    hierarchy: None,
};

impl MemoryLimits {
    /// Reads the limits of this process; there are none without control groups.
    pub fn read() -> Self {
        Self(Hierarchy::all_of("memory").iter().flat_map(groups).collect())
    }

    /// Checks that `needed` more bytes keep each group below its limit.
    pub fn check(&self, needed: u64) -> Result<(), ResourceError> {
        self.0.iter().try_for_each(|group| group.check(needed, group.used()))
    }

    /// Checks that `needed` bytes are below each limit at all, whatever is in use.
    pub fn check_in_principle(&self, needed: u64) -> Result<(), ResourceError> {
        self.0.iter().try_for_each(|group| group.check(needed, 0))
    }
}

impl Group {
    fn check(&self, needed: u64, used: u64) -> Result<(), ResourceError> {
        let left_free = (self.limit / PART_LEFT_FREE).min(MOST_LEFT_FREE);
        if needed.saturating_add(used).saturating_add(left_free) <= self.limit {
            return Ok(());
        }
        let file = self.directory.join(self.files.limit).to_string_lossy().into_owned();
        Err(ResourceError::ControlGroup { file, limit: self.limit, used: self.used(), needed })
    }

    /// Returns how much of the memory in use the kernel cannot take back: all but the cached files,
    /// of which half of those in active use are kept.
    fn used(&self) -> u64 {
        let used = number_in(&self.directory.join(self.files.used)).unwrap_or(0);
        let stat = fs::read_to_string(self.directory.join("memory.stat")).unwrap_or_default();
        let field = |name: &str| {
            let line = stat.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.and_then(|number| number.parse().ok()).unwrap_or(0_u64)
        };
        let cached = field(self.files.inactive).saturating_add(field(self.files.active) / 2);
        used.saturating_sub(cached)
    }
}

/// Returns the group of a hierarchy and those above it that have a limit.
fn groups(hierarchy: &Hierarchy) -> Vec<Group> {
    let files = if hierarchy.is_version_2 { &VERSION_2 } else { &VERSION_1 };
    let mut groups = Vec::new();
    for directory in hierarchy.directories() {
        let is_apart = files.hierarchy.is_some_and(|file| {
            directory != hierarchy.group && number_in(&directory.join(file)) == Some(0)
        });
        if is_apart {
            break;
        }
        // Without a limit, the file has the word "max", or a number that no machine reaches.
        if let Some(limit) = number_in(&directory.join(files.limit)) {
            groups.push(Group { directory: directory.into(), files, limit });
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::rendezvous::tests::Scratch;

    use super::*;

    /// Writes the files of a group.
    fn group(directory: &Path, files: &Files, [limit, used, inactive, active]: [&str; 4]) {
        fs::create_dir_all(directory).unwrap();
        let write = |name: &str, text: &str| fs::write(directory.join(name), text).unwrap();
        write(files.limit, limit);
        write(files.used, used);
        let stat = format!("cache 1\n{} {inactive}\n{} {active}\n", files.inactive, files.active);
        write("memory.stat", &stat);
    }

    #[test]
    fn the_limit_of_a_group_above_counts_in_either_version() {
        for (files, is_version_2, none) in
            [(&VERSION_1, false, "9223372036854771712"), (&VERSION_2, true, "max")]
        {
            let scratch = Scratch::new();
            let (mount, inner) = (scratch.path().join("m"), scratch.path().join("m/a/b"));
            group(&mount, files, [none, "9", "0", "0"]);
            group(&mount.join("a"), files, ["1000\n", "900\n", "300", "200"]);
            group(&inner, files, [none, "9", "0", "0"]);
            // Outside of the mount.
            group(scratch.path(), files, ["1", "1", "0", "0"]);
            let found = Hierarchy { mount: mount.clone(), group: inner.clone(), is_version_2 };
            let limits = MemoryLimits(groups(&found));
            // A sixteenth is left free, and 400 bytes can be reclaimed.
            assert_eq!(limits.check(438), Ok(()));
            let refused = limits.check(439).unwrap_err();
            let file = mount.join("a").join(files.limit).to_str().unwrap().to_owned();
            let expected =
                ResourceError::ControlGroup { file, limit: 1000, used: 500, needed: 439 };
            assert_eq!(refused, expected);
            assert!(refused.may_pass(), "when less is in use");
            assert_eq!(limits.check_in_principle(938), Ok(()));
            assert!(limits.check_in_principle(939).is_err());
        }
    }

    #[test]
    fn a_group_without_hierarchy_limits_only_itself() {
        let scratch = Scratch::new();
        let (mount, inner) = (scratch.path().join("m"), scratch.path().join("m/a"));
        group(&mount, &VERSION_1, ["1000", "0", "0", "0"]);
        group(&inner, &VERSION_1, ["2000", "0", "0", "0"]);
        let found = Hierarchy { mount: mount.clone(), group: inner, is_version_2: false };
        assert!(MemoryLimits(groups(&found)).check(1500).is_err());
        fs::write(mount.join("memory.use_hierarchy"), "0\n").unwrap();
        assert_eq!(MemoryLimits(groups(&found)).check(1500), Ok(()));
    }
}
