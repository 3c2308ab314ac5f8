//! What a process costs the machine.

use std::fs;

/// Bytes of memory that `/proc/<pid>/<file>` states under `field`, in KiB there.
fn field(pid: u32, file: &str, field: &str) -> f64 {
    let path = format!("/proc/{pid}/{file}");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok());
    kib.unwrap_or_else(|| panic!("{path} states no {field}")) * 1024.0
}

/// Bytes that are in memory now, shared ones among them.
pub(crate) fn resident(pid: u32) -> f64 {
    field(pid, "smaps_rollup", "Rss")
}

/// Bytes that are in memory now and are this process's alone.
pub(crate) fn private(pid: u32) -> f64 {
    field(pid, "smaps_rollup", "Private_Clean") + field(pid, "smaps_rollup", "Private_Dirty")
}

/// The most bytes that were in memory since [`forget_peak`].
pub(crate) fn peak_resident(pid: u32) -> f64 {
    field(pid, "status", "VmHWM")
}

/// Starts anew to note the peak.
pub(crate) fn forget_peak(pid: u32) {
    fs::write(format!("/proc/{pid}/clear_refs"), "5").expect("a process of our own");
}

/// Seconds that the threads of this process have run.
pub(crate) fn cpu_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}
