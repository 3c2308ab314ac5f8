//! What a process holds of the kernel.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// Counts of what a process can leak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resources {
    /// Open descriptors.
    pub descriptors: usize,
    /// Mappings of files without a name: the regions of connections.
    pub regions: usize,
}

impl Resources {
    /// Those of this process.
    ///
    /// # Panics
    ///
    /// Without `/proc`.
    pub fn of_this_process() -> Self {
        // Reading the directory takes a descriptor, which is in the list.
        let descriptors = fs::read_dir("/proc/self/fd").expect("Linux has /proc").count() - 1;
        let maps = fs::read_to_string("/proc/self/maps").expect("Linux has /proc");
        let regions = maps.lines().filter(|line| line.contains("/memfd:")).count();
        Self { descriptors, regions }
    }
}

/// Whether a process has been stopped by a signal.
pub fn is_stopped(pid: u32) -> bool {
    let stat = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat"));
    // The state follows the name, which stands in parentheses and may contain anything.
    stat.is_ok_and(|stat| stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('T')))
}
