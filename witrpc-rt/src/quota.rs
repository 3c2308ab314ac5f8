//! The share of a machine's processors that a process may use.

use std::thread;

/// Returns whether a quota, such as that of a container, limits this process to the time of one processor. Its
/// threads may still run on several. A thread that spins then uses up the time that the threads it waits for
/// need.
///
/// Affinity to one processor is not such a quota: the peer may run on another one.
#[must_use]
pub fn has_quota_of_one_processor() -> bool {
    // The count of std honours both the quota and the affinity; the kernel's count ignores the quota.
    let allowed = thread::available_parallelism().map_or(1, usize::from);
    allowed == 1 && may_run_on_several()
}

#[cfg(target_os = "linux")]
fn may_run_on_several() -> bool {
    rustix::thread::sched_getaffinity(None).is_ok_and(|processors| processors.count() > 1)
}

/// Only Linux has such quotas.
#[cfg(not(target_os = "linux"))]
fn may_run_on_several() -> bool {
    false
}
