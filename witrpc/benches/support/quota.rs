//! A control group with as much time as one core has.

use std::path::{Path, PathBuf};
use std::{fs, io, process};

/// This process, and those that it starts meanwhile, in such a group. Dropped, it is back where it was, and
/// the group is gone, if the processes started in it are.
pub(crate) struct OneCoreQuota {
    group: PathBuf,
    former: PathBuf,
}

impl OneCoreQuota {
    /// Needs the right to make groups: that of root, mostly.
    pub(crate) fn enter() -> io::Result<Self> {
        let root = Path::new("/sys/fs/cgroup");
        let (root, limits) = if root.join("cgroup.controllers").exists() {
            (root.to_owned(), [("cpu.max", "100000 100000"); 1].to_vec())
        } else {
            let limits = vec![("cpu.cfs_period_us", "100000"), ("cpu.cfs_quota_us", "100000")];
            (root.join("cpu"), limits)
        };
        let former = root.join(own_group(&root)?);
        let group = former.join(format!("witrpc-bench-{}", process::id()));
        fs::create_dir(&group)?;
        let entered = Self { group, former };
        for (file, limit) in limits {
            fs::write(entered.group.join(file), limit)?;
        }
        move_to(&entered.group)?;
        Ok(entered)
    }
}

impl Drop for OneCoreQuota {
    fn drop(&mut self) {
        let _ = move_to(&self.former);
        let _ = fs::remove_dir(&self.group);
    }
}

fn move_to(group: &Path) -> io::Result<()> {
    fs::write(group.join("cgroup.procs"), process::id().to_string())
}

/// The path of this process's group below the root of its hierarchy.
fn own_group(root: &Path) -> io::Result<String> {
    let groups = fs::read_to_string("/proc/self/cgroup")?;
    let is_v1 = root.ends_with("cpu");
    let own = groups.lines().find_map(|line| {
        let (_, line) = line.split_once(':')?;
        let (controllers, path) = line.split_once(':')?;
        let has_cpu = controllers.split(',').any(|controller| controller == "cpu");
        (if is_v1 { has_cpu } else { controllers.is_empty() }).then_some(path)
    });
    let own = own.ok_or_else(|| io::Error::other("this process is in no group for processors"))?;
    Ok(own.trim_start_matches('/').to_owned())
}
