//! The kernel resources that a process holds.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter_all_threads};
use serde::{Deserialize, Serialize};

use crate::watchdog::PATIENCE;

/// Counts of what a process can leak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resources {
    /// Open descriptors.
    pub descriptors: usize,
    /// Mappings of files without a name: the regions of connections.
    pub regions: usize,
}

impl Resources {
    /// Returns the counts of this process.
    ///
    /// # Panics
    ///
    /// Without `/proc`.
    pub fn of_this_process() -> Self {
        let all = Self::of("self");
        // Reading the directory takes a descriptor, which is in the list.
        Self { descriptors: all.descriptors - 1, ..all }
    }

    /// Returns the counts of another process of this user, without its help.
    ///
    /// # Panics
    ///
    /// Without `/proc`, and when there is no such process.
    pub fn of_process(pid: u32) -> Self {
        Self::of(&pid.to_string())
    }

    fn of(process: &str) -> Self {
        let directory = Path::new("/proc").join(process);
        let descriptors = fs::read_dir(directory.join("fd")).expect("Linux has /proc").count();
        let maps = fs::read_to_string(directory.join("maps")).expect("Linux has /proc");
        let regions = maps.lines().filter(|line| line.contains("/memfd:")).count();
        Self { descriptors, regions }
    }

    /// Returns a bound that is as this, for any number of regions.
    #[must_use]
    pub fn of_descriptors(self) -> Self {
        Self { regions: usize::MAX, ..self }
    }

    fn are_within(self, before: Self) -> bool {
        self.descriptors <= before.descriptors && self.regions <= before.regions
    }
}

/// Waits until `holder` holds at most what it held before. It may hold less: what was let go just earlier,
/// such as the socket of a handshake, may have been counted before.
///
/// # Panics
///
/// When it holds more for as long as a test waits.
pub fn eventually_no_more(holder: &str, before: Resources, look: impl Fn() -> Resources) {
    let started = Instant::now();
    loop {
        let held = look();
        if held.are_within(before) {
            return;
        }
        let waited = started.elapsed();
        assert!(waited < PATIENCE, "{holder} holds {held:?} after {waited:?}, before {before:?}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Returns whether a process has been stopped by a signal, with all of its threads.
pub fn is_stopped(pid: u32) -> bool {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return false };
    // A thread whose entry cannot be read has ended.
    let mut states = threads.flatten().filter_map(|thread| state_at(&thread.path()));
    states.all(|state| state == 'T')
}

/// Returns whether a process exists and has not ended. A zombie has ended.
pub fn is_alive(pid: u32) -> bool {
    state_of(pid).is_some_and(|state| !matches!(state, 'Z' | 'X'))
}

fn state_of(pid: u32) -> Option<char> {
    state_at(&Path::new("/proc").join(pid.to_string()))
}

/// Returns the state of a process or a thread, from its directory.
fn state_at(directory: &Path) -> Option<char> {
    // The state follows the name, which stands in parentheses and may contain anything.
    fs::read_to_string(directory.join("stat")).ok()?.rsplit(") ").next()?.chars().next()
}

/// Makes the kernel refuse this process every new thread and process from now on, as at a limit of
/// either. Only for a process that ends with its test.
///
/// # Panics
///
/// On a kernel without seccomp.
pub fn refuse_threads() {
    let refused = [libc::SYS_clone, libc::SYS_clone3].map(|call| (call, Vec::new()));
    let (others, these) = (SeccompAction::Allow, SeccompAction::Errno(libc::EAGAIN as u32));
    let arch = std::env::consts::ARCH.try_into().expect("the filter knows this architecture");
    let filter = SeccompFilter::new(refused.into(), others, these, arch).expect("it is a filter");
    let program: BpfProgram = filter.try_into().expect("it is short");
    apply_filter_all_threads(&program).expect("the kernel takes it");
    let refusal = std::thread::Builder::new().spawn(|| ()).expect_err("threads are refused");
    assert_eq!(refusal.kind(), std::io::ErrorKind::WouldBlock);
}

/// Limits this process to this many bytes of address space beyond what it has.
///
/// # Panics
///
/// Without `/proc`, and when the limit cannot be set.
pub fn limit_memory(bytes: u64) {
    let status = fs::read_to_string("/proc/self/status").expect("Linux has /proc");
    let size = status.lines().find_map(|line| line.strip_prefix("VmSize:"));
    let size_kib = size.and_then(|size| size.trim().strip_suffix(" kB"));
    let size_kib: u64 = size_kib.expect("it is there").parse().expect("it is a number");
    let current = Some(size_kib * 1024 + bytes);
    let maximum = getrlimit(Resource::As).maximum;
    setrlimit(Resource::As, Rlimit { current, maximum }).expect("a limit can be lowered");
}
