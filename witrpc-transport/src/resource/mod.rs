//! The limits that keep a process from making its side of a connection, by name and value.

mod wire;

use std::io;

/// A limit that was reached, or a system call that was refused, while a process made its side of a
/// connection. Sizes are in bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResourceError {
    /// The process has as many descriptors open as it may have.
    #[error(
        "the process may open {limit} descriptors (RLIMIT_NOFILE) and has none left: close some, or \
         raise the limit (ulimit -n)"
    )]
    Descriptors {
        /// `RLIMIT_NOFILE`.
        limit: u64,
    },
    /// The machine has as many files open as it may have.
    #[error("the machine has no open file left (fs.file-max): close some, or raise that limit")]
    MachineFiles,
    /// A region would be longer than a file of the process may be.
    #[error(
        "a file may have {limit} bytes (RLIMIT_FSIZE) and a region takes {needed}: raise the limit \
         (ulimit -f), or lower size on the server's endpoint"
    )]
    FileSize {
        /// `RLIMIT_FSIZE`.
        limit: u64,
        /// The length of the region.
        needed: u64,
    },
    /// A region would take more addresses than the process may have.
    #[error(
        "the process may have {limit} bytes of addresses (RLIMIT_AS) and has no {needed} left: raise \
         the limit (ulimit -v), or lower size on the server's endpoint"
    )]
    AddressSpace {
        /// `RLIMIT_AS`.
        limit: u64,
        /// The length of the region.
        needed: u64,
    },
    /// A region would exceed the memory limit of a control group, whose killer would end the process.
    #[error(
        "the control group may have {limit} bytes of memory ({file:?}), {used} are in use, and a \
         region takes {needed}: raise the limit, or lower size on the server's endpoint"
    )]
    ControlGroup {
        /// The file that holds the limit.
        file: String,
        /// The limit.
        limit: u64,
        /// The part of the memory in use that cannot be reclaimed.
        used: u64,
        /// The part of the region that is still to be allocated.
        needed: u64,
    },
    /// The machine has too little memory.
    #[error(
        "{} and a region takes {needed} bytes: free memory, or lower size on the server's endpoint",
        machine_has(*.available)
    )]
    Memory {
        /// The memory that the machine has available, if that is known to be too little.
        available: Option<u64>,
        /// The length of the region.
        needed: u64,
    },
    /// A file system that holds shared memory has too little room. For the portable backend that is `/dev/shm`.
    #[error(
        "the file system {path:?} has {size} bytes, and not {needed} left for a region: enlarge it \
         (mount -o remount,size=.., docker run --shm-size), or lower size on the server's endpoint"
    )]
    FileSystem {
        /// Where it is mounted, or the directory in it.
        path: String,
        /// Its total size.
        size: u64,
        /// The length of the region.
        needed: u64,
    },
    /// The process has as many mappings as it may have.
    #[error(
        "the process may have {limit} mappings (vm.max_map_count) and has none left: end some \
         connections, or raise the limit (sysctl)"
    )]
    Mappings {
        /// `vm.max_map_count`.
        limit: u64,
    },
    /// The user has as many descriptors watched by `epoll` as it may have.
    #[error(
        "the user may have {limit} descriptors watched (fs.epoll.max_user_watches) and has none left: \
         end some connections, or raise the limit (sysctl)"
    )]
    Watches {
        /// `fs.epoll.max_user_watches`.
        limit: u64,
    },
    /// The system refused a call, as a filter of system calls or a security policy does.
    #[error(
        "the system call {call} was refused ({}): allow it in the sandbox of the process (seccomp, \
         container profile)",
        io::Error::from_raw_os_error(*.errno)
    )]
    Refused {
        /// Its name.
        call: String,
        /// The number of `errno.h` that it returned.
        errno: i32,
    },
}

impl ResourceError {
    /// Returns whether the same may succeed later, without a change in how the process is run.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::FileSize { .. } | Self::Refused { .. } => false,
            Self::ControlGroup { limit, needed, .. } => needed < limit,
            Self::FileSystem { size, needed, .. } => needed < size,
            _ => true,
        }
    }
}

/// Returns the beginning of a sentence about too little memory.
fn machine_has(available: Option<u64>) -> String {
    match available {
        Some(available) => format!("the machine has {available} bytes of memory available"),
        None => "the machine has no memory left".to_owned(),
    }
}
