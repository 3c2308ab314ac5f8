//! `witrpc doctor`.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::process::{Resource, geteuid, getrlimit};
use rustix::system::uname;
use serde_json::{Value, json};
use witrpc_rt::cgroup::{Hierarchy, number_in};

use crate::args::Doctor;
use crate::failure::Failure;
use crate::output;

/// What a check has found.
enum Finding {
    Fine(String),
    /// Something to know: what it is, and what to do.
    Note(String, String),
    /// Servers or clients do not work, or not all of them: what it is, and what to do.
    Wrong(String, String),
}

use Finding::{Fine, Note, Wrong};

pub fn run(doctor: &Doctor) -> Result<(), Failure> {
    let mut findings = Vec::new();
    directories(doctor.place.dir.as_deref(), &mut findings);
    findings.push(kernel());
    findings.push(seals());
    findings.push(seccomp());
    limits(&mut findings);
    findings.push(control_group_threads());
    findings.push(control_group_memory());
    findings.push(control_group_quota());
    let wrong = findings.iter().filter(|finding| matches!(finding, Wrong(..))).count();
    if doctor.json {
        write_json(findings)?
    } else {
        write(findings)?
    }
    match wrong {
        0 => Ok(()),
        _ => Err(Failure::Own(format!("{wrong} of these keep servers or clients from working"))),
    }
}

impl Finding {
    /// Returns the word for it, its colour, what it is, and what to do.
    fn parts(self) -> (&'static str, &'static str, String, Option<String>) {
        match self {
            Fine(text) => ("ok", output::GREEN, text, None),
            Note(text, advice) => ("note", output::YELLOW, text, Some(advice)),
            Wrong(text, advice) => ("wrong", output::RED, text, Some(advice)),
        }
    }
}

fn write(findings: Vec<Finding>) -> Result<(), Failure> {
    for finding in findings {
        let (mark, colour, text, advice) = finding.parts();
        output::line(format!("{} {text}", output::on_stdout(colour, format!("{mark:>5}"))))?;
        if let Some(advice) = advice {
            output::line(format!("      → {advice}"))?;
        }
    }
    Ok(())
}

fn write_json(findings: Vec<Finding>) -> Result<(), Failure> {
    let all = findings.into_iter().map(|finding| {
        let (status, _, found, advice) = finding.parts();
        json!({ "status": status, "found": found, "advice": advice })
    });
    output::line(Value::from(all.collect::<Vec<_>>()))
}

fn directories(given: Option<&Path>, findings: &mut Vec<Finding>) {
    let own = geteuid().as_raw();
    let Some(given) = given else {
        let session = PathBuf::from(format!("/run/user/{own}"));
        if session.is_dir() {
            findings.push(directory(&session.join("witrpc"), 0o077));
        } else {
            findings.push(Note(
                format!("{} is missing", session.display()),
                "servers then use /dev/shm alone; log in by systemd, or make it with mode 0700"
                    .to_owned(),
            ));
        }
        let shared = Path::new("/dev/shm");
        match fs::metadata(shared) {
            Ok(stat) if stat.mode() & 0o1002 == 0o0002 => findings.push(Wrong(
                "/dev/shm may be written by all and is not sticky".to_owned(),
                "chmod 1777 /dev/shm".to_owned(),
            )),
            Ok(_) => findings.push(directory(&shared.join(format!("witrpc-{own}")), 0o077)),
            Err(error) => findings.push(Wrong(
                format!("/dev/shm: {error}"),
                "mount a tmpfs there, or give servers and clients a directory by in_dir".to_owned(),
            )),
        }
        return;
    };
    findings.push(directory(given, 0o022));
}

/// Checks a directory of names. `excess` is the mode that it must not have.
fn directory(path: &Path, excess: u32) -> Finding {
    let own = geteuid().as_raw();
    let shown = path.display();
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Fine(format!("{shown} is made by the first server"))
        }
        Err(error) => Wrong(format!("{shown}: {error}"), "let this user reach it".to_owned()),
        Ok(stat) if !stat.is_dir() => {
            Wrong(format!("{shown} is no directory"), format!("remove it: rm {shown}"))
        }
        Ok(stat) if stat.uid() != own => Wrong(
            format!("{shown} belongs to user {}", stat.uid()),
            "its user can remove it; until then, servers use another directory, if there is one"
                .to_owned(),
        ),
        Ok(stat) if stat.mode() & excess != 0 => {
            let mode = stat.mode() & 0o7777;
            let less = mode & !excess;
            Wrong(format!("{shown} has mode {mode:04o}"), format!("chmod {less:04o} {shown}"))
        }
        Ok(stat) => Fine(format!("{shown} has mode {:04o}", stat.mode() & 0o7777)),
    }
}

fn kernel() -> Finding {
    let release = uname().release().to_string_lossy().into_owned();
    let mut numbers = release.split(['.', '-']).map_while(|number| number.parse::<u32>().ok());
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if version >= (5, 1) {
        return Fine(format!("Linux {release}"));
    }
    Wrong(
        format!("Linux {release} is older than 5.1"),
        "use a newer one: it has no F_SEAL_FUTURE_WRITE, which protects memory".to_owned(),
    )
}

/// Tries what protects a region from the other side.
fn seals() -> Finding {
    let made = memfd_create("witrpc-doctor", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING);
    let sealed =
        made.and_then(|file| fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::FUTURE_WRITE));
    match sealed {
        Ok(()) => Fine("memory can be sealed (memfd_create, F_SEAL_FUTURE_WRITE)".to_owned()),
        Err(error) => Wrong(
            format!("memory cannot be sealed: {error}"),
            "use Linux 5.1 or later, and let the sandbox allow memfd_create and fcntl".to_owned(),
        ),
    }
}

fn seccomp() -> Finding {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mode = status.lines().find_map(|line| line.strip_prefix("Seccomp:")).map(str::trim);
    match mode {
        Some("0") => Fine("no seccomp filter".to_owned()),
        Some(mode) => Note(
            format!("a seccomp filter is in force (mode {mode})"),
            "it must allow memfd_create, eventfd2, epoll_*, futex, sendmsg and recvmsg with descriptors, \
             getrandom, and fcntl with F_OFD_SETLK"
                .to_owned(),
        ),
        None => Note("/proc does not tell of seccomp".to_owned(), "mount /proc".to_owned()),
    }
}

fn limits(findings: &mut Vec<Finding>) {
    let few = |resource, name: &str, set_by: &str, least: u64, why: &str| {
        let limit = getrlimit(resource).current;
        match limit {
            Some(limit) if limit < least => Wrong(
                format!("{name} is {limit}"),
                format!("raise it to {least} or more ({set_by} of a systemd unit): {why}"),
            ),
            Some(limit) => Fine(format!("{name} is {limit}")),
            None => Fine(format!("{name} is unlimited")),
        }
    };
    findings.push(few(
        Resource::Nofile,
        "RLIMIT_NOFILE (descriptors)",
        "ulimit -n, or LimitNOFILE=",
        256,
        "each client takes up to five descriptors of its server",
    ));
    findings.push(few(
        Resource::Nproc,
        "RLIMIT_NPROC (processes and threads)",
        "ulimit -u, or LimitNPROC=",
        LEAST_THREADS,
        "a server has up to 64 threads and more, and all programs of a user count",
    ));
    findings.push(few(
        Resource::Fsize,
        "RLIMIT_FSIZE (length of files, and of shared memory)",
        "ulimit -f, or LimitFSIZE=",
        64 << 20,
        "a region must not be longer; the kernel ends a program that tries",
    ));
}

/// Returns the least of the limits that hold for the group of this process, and its file. `limit` reads it in
/// the directory of a group of version 1 or 2.
fn least<T: PartialOrd>(
    controller: &str,
    limit: impl Fn(&Path, bool) -> Option<(PathBuf, T)>,
) -> Option<(PathBuf, T)> {
    let hierarchies = Hierarchy::all_of(controller);
    let limits = hierarchies.iter().flat_map(|hierarchy| {
        hierarchy.directories().filter_map(|group| limit(group, hierarchy.is_version_2))
    });
    limits.reduce(|least, other| if other.1 < least.1 { other } else { least })
}

/// How many processes and threads a server and its user's programs need at least.
const LEAST_THREADS: u64 = 128;

fn control_group_threads() -> Finding {
    let found = least("pids", |group, _| {
        let file = group.join("pids.max");
        number_in(&file).map(|limit| (file, limit))
    });
    match found {
        None => Fine("no control group limits processes and threads".to_owned()),
        Some((file, limit)) if limit < LEAST_THREADS => Wrong(
            format!("{} allows {limit} processes and threads", file.display()),
            format!(
                "raise it to {LEAST_THREADS} or more (TasksMax= of a systemd unit, --pids-limit of a container): \
                 a server has up to 64 threads and more"
            ),
        ),
        Some((file, limit)) => {
            Fine(format!("{} allows {limit} processes and threads", file.display()))
        }
    }
}

fn control_group_memory() -> Finding {
    // Version 1 has a number for no limit, which is beyond all memory.
    let found = least("memory", |group, is_version_2| {
        let name = if is_version_2 { "memory.max" } else { "memory.limit_in_bytes" };
        let file = group.join(name);
        number_in(&file).filter(|limit| *limit < 1 << 60).map(|limit| (file, limit))
    });
    match found {
        None => Fine("no control group limits memory".to_owned()),
        Some((file, limit)) if limit < 256 << 20 => Note(
            format!("{} allows {} MiB", file.display(), limit >> 20),
            "a server needs the size of its endpoint (1 MiB) for each client: see `Mmf::size`"
                .to_owned(),
        ),
        Some((file, limit)) => Fine(format!("{} allows {} MiB", file.display(), limit >> 20)),
    }
}

fn control_group_quota() -> Finding {
    let found = least("cpu", |group, is_version_2| {
        let (file, quota, period) = quota(group, is_version_2)?;
        Some((file, quota / period))
    });
    match found {
        None => Fine("no control group limits the time on processors".to_owned()),
        Some((file, processors)) if processors < 2.0 => Note(
            format!("{} allows {processors:.2} processors", file.display()),
            "a client and a server that look at the same time use two: allow that, or use `WaitPolicy::Park`"
                .to_owned(),
        ),
        Some((file, processors)) => {
            Fine(format!("{} allows {processors:.2} processors", file.display()))
        }
    }
}

/// Returns the file of a quota, the time in a period, and the period.
fn quota(group: &Path, is_version_2: bool) -> Option<(PathBuf, f64, f64)> {
    if is_version_2 {
        let file = group.join("cpu.max");
        let text = fs::read_to_string(&file).ok()?;
        let (quota, period) = text.trim().split_once(' ')?;
        return Some((file, quota.parse().ok()?, period.parse().ok()?));
    }
    // It is -1 if there is none, which is no number here.
    let file = group.join("cpu.cfs_quota_us");
    let (quota, period) = (number_in(&file)?, number_in(&group.join("cpu.cfs_period_us"))?);
    Some((file, quota as f64, period as f64))
}
