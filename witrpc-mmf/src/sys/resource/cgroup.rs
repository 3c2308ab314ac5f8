//! The memory limits of the control groups that this process is in.
//!
//! Allocated memory counts against the group of the process and against each group above it, up to the
//! mount of the hierarchy. A group at its limit does not refuse: the kernel kills one of its processes.
//! So the limits are read first, and room is left for everything else that the process allocates. Swap
//! is not counted.

use std::fs;
use std::path::{Path, PathBuf};

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
        let read = |path| fs::read(path).unwrap_or_default();
        let (groups, mounts) = (read("/proc/self/cgroup"), read("/proc/self/mountinfo"));
        // A mount whose path is not UTF-8 must not hide the others.
        let found = locate(&String::from_utf8_lossy(&groups), &String::from_utf8_lossy(&mounts));
        Self(found.iter().flat_map(Hierarchy::groups).collect())
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

/// The place of this process's groups in one hierarchy.
#[derive(Debug, PartialEq, Eq)]
struct Hierarchy {
    mount: PathBuf,
    /// The group's directory, at or below the mount.
    group: PathBuf,
    is_version_2: bool,
}

impl Hierarchy {
    /// Returns the group and those above it that have a limit.
    fn groups(&self) -> Vec<Group> {
        let files = if self.is_version_2 { &VERSION_2 } else { &VERSION_1 };
        let mut groups = Vec::new();
        for directory in self.group.ancestors() {
            let is_apart = files.hierarchy.is_some_and(|file| {
                directory != self.group && number_in(&directory.join(file)) == Some(0)
            });
            if is_apart || !directory.starts_with(&self.mount) {
                break;
            }
            // Without a limit, the file has the word "max", or a number that no machine reaches.
            if let Some(limit) = number_in(&directory.join(files.limit)) {
                groups.push(Group { directory: directory.into(), files, limit });
            }
        }
        groups
    }
}

fn number_in(file: &Path) -> Option<u64> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

/// Finds the hierarchies that limit memory, from the groups and mounts in `/proc/self`.
fn locate(groups: &str, mounts: &str) -> Vec<Hierarchy> {
    let group_of = |is_it: fn(&str) -> bool| {
        groups.lines().find_map(|line| {
            let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
            is_it(controllers).then_some(path)
        })
    };
    let of_memory = |controllers: &str| controllers.split(',').any(|each| each == "memory");
    let mut found = Vec::new();
    for line in mounts.lines() {
        let Some((mount, system)) = line.split_once(" - ") else { continue };
        let mut system = system.split(' ');
        let (kind, options) = (system.next(), system.nth(1).unwrap_or(""));
        let (is_version_2, group) = match kind {
            Some("cgroup2") => (true, group_of(str::is_empty)),
            Some("cgroup") if of_memory(options) => (false, group_of(of_memory)),
            _ => continue,
        };
        let mut mount = mount.split(' ').skip(3);
        let (Some(root), Some(mount), Some(group)) = (mount.next(), mount.next(), group) else {
            continue;
        };
        // In a container, the mount may begin at the group, which the path does not show.
        let below = Path::new(group).strip_prefix(unescape(root)).unwrap_or(Path::new(""));
        let is_below =
            below.components().all(|part| matches!(part, std::path::Component::Normal(_)));
        let below = if is_below { below } else { Path::new("") };
        let mount = PathBuf::from(unescape(mount));
        found.push(Hierarchy { group: mount.join(below), mount, is_version_2 });
    }
    found
}

/// Returns a path of `mountinfo` without its escapes. The kernel writes a space, a tab, a line feed and
/// a backslash as a backslash and three octal digits.
fn unescape(text: &str) -> String {
    let mut parts = text.split('\\');
    let mut unescaped = parts.next().unwrap_or("").to_owned();
    for part in parts {
        let escaped = part.split_at_checked(3).and_then(|(digits, rest)| {
            let byte = u8::from_str_radix(digits, 8).ok().filter(u8::is_ascii)?;
            Some((char::from(byte), rest))
        });
        let (byte, rest) = escaped.unwrap_or(('\\', part));
        unescaped.push(byte);
        unescaped.push_str(rest);
    }
    unescaped
}

#[cfg(test)]
mod tests {
    use crate::rendezvous::tests::Scratch;

    use super::*;

    fn found(mount: &str, group: &str, is_version_2: bool) -> Hierarchy {
        Hierarchy { mount: mount.into(), group: group.into(), is_version_2 }
    }

    #[test]
    fn groups_are_found_where_they_are_mounted() {
        let version_2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate";
        assert_eq!(
            locate("0::/user.slice/a.scope\n", version_2),
            [found("/sys/fs/cgroup", "/sys/fs/cgroup/user.slice/a.scope", true)]
        );
        let mounts = "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n\
                      35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                      40 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
        let groups = "9:name=systemd:/\n4:memory:/jobs/1\n1:cpu:/other\n0::/\n";
        assert_eq!(
            locate(groups, mounts),
            [
                found("/sys/fs/cgroup/memory", "/sys/fs/cgroup/memory/jobs/1", false),
                found("/sys/fs/cgroup/unified", "/sys/fs/cgroup/unified", true),
            ]
        );
    }

    #[test]
    fn a_mount_that_begins_at_the_group_has_its_files_at_the_top() {
        let mounts = "35 31 0:32 /docker/12 /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory";
        let top = found("/sys/fs/cgroup/memory", "/sys/fs/cgroup/memory", false);
        assert_eq!(locate("4:memory:/docker/12\n", mounts), [top]);
        let top = found("/sys/fs/cgroup/memory", "/sys/fs/cgroup/memory", false);
        assert_eq!(locate("4:memory:/\n", mounts), [top]);
        let mounts = "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw";
        let top = found("/sys/fs/cgroup", "/sys/fs/cgroup", true);
        assert_eq!(locate("0::/../../elsewhere\n", mounts), [top]);
    }

    #[test]
    fn escapes_of_the_kernel_are_undone() {
        let mounts = "35 31 0:32 /my\\040jobs /sys/a\\011b\\134c rw - cgroup cgroup rw,memory";
        let directory = "/sys/a\tb\\c/1";
        let expected = found("/sys/a\tb\\c", directory, false);
        assert_eq!(locate("4:memory:/my jobs/1\n", mounts), [expected]);
        for odd in ["/a\\", "/a\\04", "/a\\xyz", "/a\\777", "/a\\0ä"] {
            assert_eq!(unescape(odd), odd);
        }
    }

    #[test]
    fn a_mount_that_is_no_utf_8_hides_no_other() {
        let mut mounts = b"29 23 0:25 / /mnt/\xff rw - tmpfs none rw\n".to_vec();
        mounts.extend(b"30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
        let expected = found("/sys/fs/cgroup", "/sys/fs/cgroup/a", true);
        assert_eq!(locate("0::/a\n", &String::from_utf8_lossy(&mounts)), [expected]);
    }

    #[test]
    fn what_is_no_such_file_is_no_limit() {
        assert_eq!(locate("", ""), []);
        assert_eq!(locate("garbage\n0:\n::", "garbage\n - cgroup2\n1 2 3 - cgroup x memory"), []);
    }

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
            let limits = MemoryLimits(found.groups());
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
        assert!(MemoryLimits(found.groups()).check(1500).is_err());
        fs::write(mount.join("memory.use_hierarchy"), "0\n").unwrap();
        assert_eq!(MemoryLimits(found.groups()).check(1500), Ok(()));
    }
}
