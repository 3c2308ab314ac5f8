//! What a process can be forbidden, as sandboxes and administrators do.

use std::fs;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};
use serde::{Deserialize, Serialize};

/// What a process is forbidden from some moment on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Restriction {
    /// A system call, which a filter answers with `EPERM`.
    Call(Call),
    /// To make files longer than this, in bytes.
    FileSize(u64),
    /// To open more than this number of descriptors beyond those that it has.
    Descriptors(u64),
    /// To map more than this number of bytes beyond those that it has mapped.
    AddressSpace(u64),
}

/// A system call that can be forbidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Call {
    /// `memfd_create`
    MemfdCreate,
    /// `fallocate`
    Fallocate,
    /// `getrandom`
    GetRandom,
}

impl Call {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::MemfdCreate, Self::Fallocate, Self::GetRandom];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::MemfdCreate => "memfd_create",
            Self::Fallocate => "fallocate",
            Self::GetRandom => "getrandom",
        }
    }

    fn number(self) -> i64 {
        match self {
            Self::MemfdCreate => libc::SYS_memfd_create,
            Self::Fallocate => libc::SYS_fallocate,
            Self::GetRandom => libc::SYS_getrandom,
        }
    }
}

impl Restriction {
    /// Imposes it on this process, all of its threads included.
    ///
    /// # Panics
    ///
    /// Where it cannot be imposed.
    pub fn impose(self) {
        match self {
            Self::Call(call) => refuse(call),
            Self::FileSize(bytes) => limit(Resource::Fsize, bytes),
            Self::Descriptors(more) => {
                // Reading the directory takes one, which is in the list, and which a former restriction may
                // have left no place for.
                limit(Resource::Nofile, getrlimit(Resource::Nofile).maximum.expect("it has one"));
                let open = fs::read_dir("/proc/self/fd").expect("Linux has /proc").count() - 1;
                limit(Resource::Nofile, open as u64 + more);
            }
            Self::AddressSpace(more) => {
                let statm = fs::read_to_string("/proc/self/statm").expect("Linux has /proc");
                let pages = statm.split(' ').next().expect("it begins with them");
                let pages: u64 = pages.parse().expect("it is a number");
                limit(Resource::As, pages * rustix::param::page_size() as u64 + more);
            }
        }
    }
}

/// Lowers a limit, or raises it again.
pub(crate) fn limit(resource: Resource, value: u64) {
    let maximum = getrlimit(resource).maximum;
    let limit = Rlimit { current: Some(value), maximum };
    setrlimit(resource, limit).expect("a limit can be lowered");
}

fn refuse(call: Call) {
    let filter = SeccompFilter::new(
        [(call.number(), Vec::new())].into(),
        SeccompAction::Allow,
        SeccompAction::Errno(libc::EPERM as u32),
        std::env::consts::ARCH.try_into().expect("filters are known for this processor"),
    );
    let program: BpfProgram = filter.and_then(TryInto::try_into).expect("it is well formed");
    seccompiler::apply_filter_all_threads(&program).expect("a process may restrict itself");
}
