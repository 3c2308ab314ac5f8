//! One core for each process, where there are two.

use std::fs;

use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Some of the cores that a process may use.
#[derive(Clone, Copy)]
pub(crate) enum CoreSet {
    /// All.
    All,
    /// The first.
    First,
    /// The second, or the first if there is no other.
    Second,
}

/// The cores that this process may use.
pub(crate) struct Cores {
    all: CpuSet,
}

impl Cores {
    /// To be asked before anything is pinned.
    pub(crate) fn available() -> Self {
        Self { all: sched_getaffinity(None).expect("the kernel knows this thread's cores") }
    }

    /// Moves every thread of this process, and so all that those start later.
    pub(crate) fn move_this_process(&self, to: CoreSet) {
        move_all_threads("self", &self.set(to));
    }

    /// Moves every thread of another process.
    pub(crate) fn move_process(&self, pid: u32, to: CoreSet) {
        move_all_threads(&pid.to_string(), &self.set(to));
    }

    fn set(&self, which: CoreSet) -> CpuSet {
        match (which, self.two()) {
            (CoreSet::First, Some([core, _])) | (CoreSet::Second, Some([_, core])) => only(core),
            _ => self.all,
        }
    }

    /// Measures with every thread of this process pinned to the first core, the peer's threads
    /// being on the second. Does nothing on one core.
    pub(crate) fn while_pinned<R>(&self, measure: impl FnOnce() -> R) -> R {
        if let Some([core, _]) = self.two() {
            pin_to(core);
        }
        let measured = measure();
        move_all_threads("self", &self.all);
        measured
    }

    /// Pins every thread that the peer has, and so all that those start later, to the second core.
    pub(crate) fn pin_peer(&self) {
        if let Some([_, core]) = self.two() {
            pin_to(core);
        }
    }

    /// The first two cores, if there are two.
    fn two(&self) -> Option<[usize; 2]> {
        let mut cores = (0..CpuSet::MAX_CPU).filter(|core| self.all.is_set(*core));
        Some([cores.next()?, cores.next()?])
    }
}

fn only(core: usize) -> CpuSet {
    let mut set = CpuSet::new();
    set.set(core);
    set
}

fn pin_to(core: usize) {
    move_all_threads("self", &only(core));
}

fn move_all_threads(process: &str, set: &CpuSet) {
    let threads = fs::read_dir(format!("/proc/{process}/task")).expect("proc is mounted");
    for thread in threads.flatten() {
        let id = thread.file_name().to_str().and_then(|id| id.parse().ok()).and_then(Pid::from_raw);
        // A thread that has ended meanwhile needs no core.
        let _ = id.map(|id| sched_setaffinity(Some(id), set));
    }
}
