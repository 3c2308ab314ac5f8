//! How much of a machine's processors a process may use.

use std::thread;

use rustix::thread::sched_getaffinity;

/// Returns whether a quota, such as that of a container, allows this process no more time than one
/// processor has, although its threads may run on several. A thread that spins then spends what the
/// threads it waits for need.
///
/// A thread that may run on one processor only has no such quota by that alone: its peer may have
/// another.
#[must_use]
pub fn has_quota_of_one_processor() -> bool {
    // The count of std honours both; the kernel's knows of no quota.
    let allowed = thread::available_parallelism().map_or(1, usize::from);
    allowed == 1 && sched_getaffinity(None).is_ok_and(|processors| processors.count() > 1)
}
