//! The directories of the control groups of this process, and the numbers in their files.
//!
//! Use by a process counts against its group and against each group above it, up to the mount of the hierarchy.
//! In version 1 each controller may have a hierarchy of its own.

use std::fs;
use std::path::{Path, PathBuf};

/// The directories of this process's groups in one hierarchy.
#[derive(Debug, PartialEq, Eq)]
pub struct Hierarchy {
    /// Where it is mounted.
    pub mount: PathBuf,
    /// The group's directory, at or below the mount.
    pub group: PathBuf,
    /// Whether its files are those of version 2.
    pub is_version_2: bool,
}

impl Hierarchy {
    /// Returns the hierarchies that may have a controller, such as `memory`. The list is empty where there are
    /// no control groups.
    pub fn all_of(controller: &str) -> Vec<Self> {
        let read = |path| fs::read(path).unwrap_or_default();
        let (groups, mounts) = (read("/proc/self/cgroup"), read("/proc/self/mountinfo"));
        // A mount whose path is not UTF-8 must not hide the others.
        let (groups, mounts) = (String::from_utf8_lossy(&groups), String::from_utf8_lossy(&mounts));
        locate(controller, &groups, &mounts)
    }

    /// Returns the directory of the group and those of the groups above it.
    pub fn directories(&self) -> impl Iterator<Item = &Path> {
        self.group.ancestors().take_while(|directory| directory.starts_with(&self.mount))
    }
}

/// Returns the number in a file of a group, or `None` for the word "max", which means no limit.
pub fn number_in(file: &Path) -> Option<u64> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

/// Finds the hierarchies of a controller, from the groups and mounts in `/proc/self`.
fn locate(controller: &str, groups: &str, mounts: &str) -> Vec<Hierarchy> {
    let group_of = |is_it: &dyn Fn(&str) -> bool| {
        groups.lines().find_map(|line| {
            let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
            is_it(controllers).then_some(path)
        })
    };
    let has_it = |controllers: &str| controllers.split(',').any(|each| each == controller);
    let mut found = Vec::new();
    for line in mounts.lines() {
        let Some((mount, system)) = line.split_once(" - ") else { continue };
        let mut system = system.split(' ');
        let (kind, options) = (system.next(), system.nth(1).unwrap_or(""));
        let (is_version_2, group) = match kind {
            Some("cgroup2") => (true, group_of(&str::is_empty)),
            Some("cgroup") if has_it(options) => (false, group_of(&has_it)),
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
    use super::*;

    fn found(mount: &str, group: &str, is_version_2: bool) -> Hierarchy {
        Hierarchy { mount: mount.into(), group: group.into(), is_version_2 }
    }

    #[test]
    fn groups_are_found_where_they_are_mounted() {
        let version_2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate";
        assert_eq!(
            locate("memory", "0::/user.slice/a.scope\n", version_2),
            [found("/sys/fs/cgroup", "/sys/fs/cgroup/user.slice/a.scope", true)]
        );
        let mounts = "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n\
                      35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                      40 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
        let groups = "9:name=systemd:/\n4:memory:/jobs/1\n1:cpu:/other\n0::/\n";
        assert_eq!(
            locate("memory", groups, mounts),
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
        assert_eq!(locate("memory", "4:memory:/docker/12\n", mounts), [top]);
        let top = found("/sys/fs/cgroup/memory", "/sys/fs/cgroup/memory", false);
        assert_eq!(locate("memory", "4:memory:/\n", mounts), [top]);
        let mounts = "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw";
        let top = found("/sys/fs/cgroup", "/sys/fs/cgroup", true);
        assert_eq!(locate("memory", "0::/../../elsewhere\n", mounts), [top]);
    }

    #[test]
    fn escapes_of_the_kernel_are_undone() {
        let mounts = "35 31 0:32 /my\\040jobs /sys/a\\011b\\134c rw - cgroup cgroup rw,memory";
        let directory = "/sys/a\tb\\c/1";
        let expected = found("/sys/a\tb\\c", directory, false);
        assert_eq!(locate("memory", "4:memory:/my jobs/1\n", mounts), [expected]);
        for odd in ["/a\\", "/a\\04", "/a\\xyz", "/a\\777", "/a\\0ä"] {
            assert_eq!(unescape(odd), odd);
        }
    }

    #[test]
    fn a_mount_that_is_no_utf_8_hides_no_other() {
        let mut mounts = b"29 23 0:25 / /mnt/\xff rw - tmpfs none rw\n".to_vec();
        mounts.extend(b"30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
        let expected = found("/sys/fs/cgroup", "/sys/fs/cgroup/a", true);
        assert_eq!(locate("memory", "0::/a\n", &String::from_utf8_lossy(&mounts)), [expected]);
    }

    #[test]
    fn what_is_no_such_file_is_no_limit() {
        assert_eq!(locate("memory", "", ""), []);
        assert_eq!(
            locate("memory", "garbage\n0:\n::", "garbage\n - cgroup2\n1 2 3 - cgroup x memory"),
            []
        );
    }
}
