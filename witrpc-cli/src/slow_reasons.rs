//! What keeps calls from being as quick as they could be on this machine.

use std::fs;
use std::thread;

use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_getaffinity};

/// Returns what makes calls to the server of that process slow; 0 if its number is not known.
pub fn all(server: u32) -> Vec<String> {
    let usable = thread::available_parallelism().map_or(1, usize::from);
    let mut reasons = Vec::new();
    if usable == 1 {
        reasons.push(
            "this process has one processor, so each call waits for the scheduler twice: give it two"
                .to_owned(),
        );
    }
    let server = i32::try_from(server).ok().and_then(Pid::from_raw);
    reasons.extend(pinned(server));
    if let Some(load) = load().filter(|load| *load > usable as f64) {
        reasons.push(format!(
            "the load is {load} on {usable} processors: others want them, so threads that look are put aside"
        ));
    }
    reasons.extend(policies(server));
    reasons
}

/// Returns what the processors keep from being quick that the two processes may use.
fn pinned(server: Option<Pid>) -> Vec<String> {
    let Some(online) = online_processors() else { return Vec::new() };
    let sides = [
        ("this process", sched_getaffinity(None).ok()),
        ("the server", server.and_then(|server| sched_getaffinity(Some(server)).ok())),
    ];
    if let [(_, Some(ours)), (_, Some(theirs))] = &sides
        && let (Some(one), Some(other)) = (only_processor(ours), only_processor(theirs))
        && one == other
    {
        return vec![format!(
            "this process and the server are both pinned to processor {one}: neither runs while the other \
             looks, so give them two (taskset, cpuset)"
        )];
    }
    let pinned = sides.iter().filter_map(|(side, set)| {
        let count = set.as_ref()?.count() as usize;
        (count < online).then(|| {
            format!(
                "{side} may use {count} of {online} processors (taskset, cpuset): what else runs there puts \
                 its threads aside"
            )
        })
    });
    pinned.collect()
}

/// Returns the number of the processor, if the set has only one.
fn only_processor(set: &CpuSet) -> Option<usize> {
    if set.count() != 1 {
        return None;
    }
    (0..CpuSet::MAX_CPU).find(|cpu| set.is_set(*cpu))
}

fn policies(server: Option<Pid>) -> Vec<String> {
    let ours = policy("/proc/self/stat");
    let theirs = server.and_then(|pid| policy(&format!("/proc/{}/stat", pid.as_raw_nonzero())));
    let is_usual = |policy: Option<u32>| policy.is_none_or(|policy| policy == 0);
    if is_usual(ours) && is_usual(theirs) {
        return Vec::new();
    }
    let name = |policy: Option<u32>| match policy {
        Some(0) => "SCHED_OTHER",
        Some(1) => "SCHED_FIFO",
        Some(2) => "SCHED_RR",
        Some(3) => "SCHED_BATCH",
        Some(5) => "SCHED_IDLE",
        Some(_) => "another policy",
        None => "an unknown policy",
    };
    let (ours, theirs) = (name(ours), name(theirs));
    vec![format!(
        "this process runs under {ours} and the server under {theirs}: a real-time thread that looks keeps \
         others from its processor, and others keep an idle one from it, so use SCHED_OTHER for both"
    )]
}

/// Returns how many processors the machine has.
fn online_processors() -> Option<usize> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let is_processor = |line: &&str| {
        line.strip_prefix("cpu").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    Some(stat.lines().filter(is_processor).count())
}

fn load() -> Option<f64> {
    let load = fs::read_to_string("/proc/loadavg").ok()?;
    load.split(' ').next()?.parse().ok()
}

/// Returns the number of a process's scheduling policy.
fn policy(stat: &str) -> Option<u32> {
    let stat = fs::read_to_string(stat).ok()?;
    // The name of the program is in brackets, and may have blanks. Behind it comes field 3.
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_ascii_whitespace().nth(41 - 3)?.parse().ok()
}
