//! The limits that can keep the system from starting a thread, by name and value.
//!
//! The system's error does not say which limit it is. Threads count against the user, against the control group
//! and each group above it, and against the machine.

use std::path::Path;
use std::{fs, io};

use crate::cgroup::{Hierarchy, number_in};

/// Adds the limits in force to the error of a refused thread.
pub(crate) fn refused(error: io::Error) -> io::Error {
    if error.kind() != io::ErrorKind::WouldBlock {
        return error;
    }
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let groups = Hierarchy::all_of("pids");
    let groups = groups.iter().flat_map(Hierarchy::directories).filter_map(of_group);
    let told: Vec<_> = of_user(&limits).into_iter().chain(groups).collect();
    if told.is_empty() {
        return error;
    }
    io::Error::new(error.kind(), format!("{error}; {}", told.join(", ")))
}

/// Describes the limit of the user, from the text of `/proc/self/limits`.
fn of_user(limits: &str) -> Option<String> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max processes"))?;
    let limit: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(format!("the user may have {limit} processes and threads (RLIMIT_NPROC)"))
}

/// Describes the limit of a control group.
fn of_group(directory: &Path) -> Option<String> {
    let file = directory.join("pids.max");
    let limit = number_in(&file)?;
    let used = number_in(&directory.join("pids.current"))?;
    Some(format!("the control group may have {limit} threads ({file:?}) and has {used}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_limit_of_the_user() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max processes             4321                 9000                 processes \n";
        let told = of_user(limits).unwrap();
        assert!(told.contains("4321") && told.contains("RLIMIT_NPROC"), "{told}");
        assert_eq!(of_user(&limits.replace("4321", "unlimited")), None);
        assert_eq!(of_user(""), None);
    }

    #[test]
    fn another_error_stays_as_it_is() {
        let refused = refused(io::Error::from_raw_os_error(libc::EPERM));
        assert_eq!(refused.raw_os_error(), Some(libc::EPERM));
    }
}
