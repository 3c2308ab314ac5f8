//! Finds the limits that keep a process from making its side of a connection.
//!
//! Limits are checked before memory is allocated, because the kernel answers some of them with a
//! signal: `RLIMIT_FSIZE` with SIGXFSZ, the memory limit of a control group with its out-of-memory
//! killer.

pub mod cgroup;
pub mod random;

use std::io::Read;
use std::os::fd::{AsFd, AsRawFd};
use std::path::Path;
use std::{fs, io};

use rustix::fs::fstatvfs;
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};
use witrpc_rt::cgroup::number_in;
use witrpc_transport::{NoRandomBytes, ResourceError};

pub use cgroup::MemoryLimits;
pub use random::random_bytes;

/// Returns what a failed system call lacked. `needed` is the length of the region, in bytes.
pub fn lacked(call: &str, needed: u64, error: &io::Error) -> ResourceError {
    match Errno::from_io_error(error) {
        Some(Errno::FBIG) => ResourceError::FileSize { limit: limit_of(Resource::Fsize), needed },
        Some(Errno::NOMEM) if is_mapping(call) => lacked_mapping(needed),
        Some(Errno::NOSPC) if call == "epoll_ctl" => lacked_watch(),
        Some(Errno::NOMEM | Errno::NOSPC) => ResourceError::Memory { available: None, needed },
        Some(errno) => lacked_by_process(error).unwrap_or_else(|| ResourceError::Refused {
            call: call.into(),
            errno: errno.raw_os_error(),
        }),
        None => ResourceError::Refused { call: call.into(), errno: Errno::IO.raw_os_error() },
    }
}

/// The file that holds how many mappings a process may have.
const MAX_MAPPINGS: &str = "/proc/sys/vm/max_map_count";

/// The file that holds how many descriptors of a user epoll may watch.
const MAX_WATCHES: &str = "/proc/sys/fs/epoll/max_user_watches";

/// Returns why a region could not be mapped.
fn lacked_mapping(needed: u64) -> ResourceError {
    match (number_in(Path::new(MAX_MAPPINGS)), limit_of(Resource::As)) {
        (Some(limit), _) if mappings() >= limit => ResourceError::Mappings { limit },
        (_, u64::MAX) => ResourceError::Memory { available: None, needed },
        (_, limit) => ResourceError::AddressSpace { limit, needed },
    }
}

/// Returns why an epoll instance does not watch another descriptor.
fn lacked_watch() -> ResourceError {
    let refused =
        || ResourceError::Refused { call: "epoll_ctl".into(), errno: Errno::NOSPC.raw_os_error() };
    let limit = number_in(Path::new(MAX_WATCHES));
    limit.map_or_else(refused, |limit| ResourceError::Watches { limit })
}

/// Returns how many mappings the process has. It counts the list in pieces: a process at the limit has
/// no mapping left for a long buffer.
fn mappings() -> u64 {
    let Ok(mut maps) = fs::File::open("/proc/self/maps") else { return 0 };
    let mut piece = [0; 4096];
    let mut lines = 0;
    while let Ok(len @ 1..) = maps.read(&mut piece) {
        lines += piece[..len].iter().filter(|byte| **byte == b'\n').count() as u64;
    }
    lines
}

/// Returns why a file of shared memory could not be allocated. Its file system may be full long before
/// the machine is. The kernel's own file system, which holds anonymous memory, has no size.
pub fn lacked_space(file: impl AsFd, needed: u64) -> ResourceError {
    let size = fstatvfs(&file).map_or(0, |found| found.f_blocks.saturating_mul(found.f_frsize));
    let link = format!("/proc/self/fd/{}", file.as_fd().as_raw_fd());
    let path = fs::read_link(link).ok().and_then(|path| Some(path.parent()?.to_path_buf()));
    match path {
        Some(path) if size > 0 => {
            ResourceError::FileSystem { path: path.to_string_lossy().into_owned(), size, needed }
        }
        _ => ResourceError::Memory { available: None, needed },
    }
}

/// Returns what the whole process lacks, if that is why a call failed. The same call would then fail
/// for any other directory.
pub fn lacked_by_process(error: &io::Error) -> Option<ResourceError> {
    match Errno::from_io_error(error)? {
        Errno::MFILE => Some(ResourceError::Descriptors { limit: limit_of(Resource::Nofile) }),
        Errno::NFILE => Some(ResourceError::MachineFiles),
        _ => None,
    }
}

/// Returns why a key exchange got no random bytes.
pub fn lacked_random_bytes(_: NoRandomBytes) -> ResourceError {
    // Ask again for the system's error. The system may give random bytes by now.
    let again = random_bytes::<1>().err();
    again.unwrap_or_else(|| lacked("getrandom", 0, &Errno::AGAIN.into()))
}

/// Returns whether a failed call may have run out of addresses. `shm_open` stands for all calls of the
/// portable backend on a region.
fn is_mapping(call: &str) -> bool {
    matches!(call, "mmap" | "shm_open")
}

/// Returns the limit in force; `u64::MAX` if there is none.
fn limit_of(resource: Resource) -> u64 {
    getrlimit(resource).current.unwrap_or(u64::MAX)
}

/// Checks that a file of shared memory may have `len` bytes. A call that exceeded the limit would
/// raise SIGXFSZ.
pub fn check_file_size(len: u64) -> Result<(), ResourceError> {
    let limit = limit_of(Resource::Fsize);
    if len > limit { Err(ResourceError::FileSize { limit, needed: len }) } else { Ok(()) }
}

/// Checks that the process may map `len` more bytes. This comes before any allocation, which would be
/// in vain.
pub fn check_address_space(len: u64) -> Result<(), ResourceError> {
    let limit = limit_of(Resource::As);
    if limit != u64::MAX && len.saturating_add(addresses_in_use()) > limit {
        return Err(ResourceError::AddressSpace { limit, needed: len });
    }
    Ok(())
}

/// Returns how many bytes of addresses the process uses; 0 if the kernel does not say.
fn addresses_in_use() -> u64 {
    let text = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: Option<u64> = text.split(' ').next().and_then(|pages| pages.parse().ok());
    pages.unwrap_or(0).saturating_mul(rustix::param::page_size() as u64)
}

/// Checks that the machine has `len` bytes of memory available. The kernel would kill a process rather
/// than refuse the last of it.
pub fn check_machine_memory(len: u64) -> Result<(), ResourceError> {
    match available_memory() {
        Some(available) if len > available => {
            Err(ResourceError::Memory { available: Some(available), needed: len })
        }
        _ => Ok(()),
    }
}

/// Returns how many bytes the kernel estimates it can give without taking any from other processes;
/// `None` if it does not say.
fn available_memory() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(call: &str, errno: Errno) -> ResourceError {
        lacked(call, 4096, &errno.into())
    }

    #[test]
    fn a_refusal_is_told_by_what_was_lacking() {
        let limit = limit_of(Resource::Nofile);
        assert_eq!(of("memfd_create", Errno::MFILE), ResourceError::Descriptors { limit });
        assert_eq!(of("memfd_create", Errno::NFILE), ResourceError::MachineFiles);
        assert!(matches!(of("fallocate", Errno::FBIG), ResourceError::FileSize { .. }));
        let full = ResourceError::Memory { available: None, needed: 4096 };
        assert_eq!(of("fallocate", Errno::NOSPC), full);
        let limit = number_in(Path::new(MAX_WATCHES)).unwrap();
        assert_eq!(of("epoll_ctl", Errno::NOSPC), ResourceError::Watches { limit });
        for errno in [Errno::PERM, Errno::NOSYS, Errno::OPNOTSUPP, Errno::ACCESS] {
            let refused = of("memfd_create", errno);
            let said = refused.to_string();
            assert!(said.contains("memfd_create") && said.contains("seccomp"), "{said}");
            assert!(!refused.may_pass());
        }
    }

    #[test]
    fn only_what_the_process_lacks_is_the_processs() {
        let of_process = |errno: Errno| lacked_by_process(&errno.into());
        assert!(of_process(Errno::MFILE).is_some() && of_process(Errno::NFILE).is_some());
        for errno in [Errno::ACCESS, Errno::ROFS, Errno::NOSPC, Errno::NOENT] {
            assert_eq!(of_process(errno), None);
        }
    }
}
