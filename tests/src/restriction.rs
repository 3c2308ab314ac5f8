//! Restrictions of a process, as sandboxes and administrators impose them.

use std::fs;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};
use serde::{Deserialize, Serialize};

/// What a process may not do from some moment on.
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
    /// To have more mappings. All that the machine allows a process are used up.
    Mappings,
    /// To read priorities, by which a thread is found to be there.
    Priorities,
    /// To be told by a descriptor of the end of a process, which a filter answers with `ENOSYS`.
    Pidfds,
    /// To allocate more than this number of bytes of a file in one call: as if a signal came in each.
    AllocateBy(u64),
    /// To make memory files that cannot be executed, as if the filter did not know the flag.
    NoexecMemory,
    /// To watch another descriptor with epoll, as if the user's watches were used up.
    Watches,
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
    /// Imposes it on this process, including all of its threads.
    ///
    /// # Panics
    ///
    /// Where it cannot be imposed.
    pub fn impose(self) {
        match self {
            Self::Call(call) => refuse(call.number(), Vec::new(), libc::EPERM),
            Self::Priorities => refuse(libc::SYS_getpriority, Vec::new(), libc::EPERM),
            Self::Mappings => use_up_mappings(),
            Self::Pidfds => refuse(libc::SYS_pidfd_open, Vec::new(), libc::ENOSYS),
            Self::AllocateBy(most) => {
                let rule = when(3, SeccompCmpOp::Gt, most);
                refuse(libc::SYS_fallocate, rule, libc::EINTR);
            }
            Self::NoexecMemory => {
                let flag = u64::from(libc::MFD_NOEXEC_SEAL);
                let rule = when(1, SeccompCmpOp::MaskedEq(flag), flag);
                refuse(libc::SYS_memfd_create, rule, libc::EPERM);
            }
            Self::Watches => {
                let rule = when(1, SeccompCmpOp::Eq, libc::EPOLL_CTL_ADD as u64);
                refuse(libc::SYS_epoll_ctl, rule, libc::ENOSPC);
            }
            Self::FileSize(bytes) => limit(Resource::Fsize, bytes),
            Self::Descriptors(more) => {
                // Reading the directory takes a descriptor, which is in the list, and for which an
                // earlier restriction may have left no room.
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

/// Sets a limit, lower or higher.
pub(crate) fn limit(resource: Resource, value: u64) {
    let maximum = getrlimit(resource).maximum;
    let limit = Rlimit { current: Some(value), maximum };
    setrlimit(resource, limit).expect("a limit can be lowered");
}

/// Returns the rule that applies if an argument of the call compares so with the value.
fn when(argument: u8, comparison: SeccompCmpOp, value: u64) -> Vec<SeccompRule> {
    let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Qword, comparison, value);
    vec![condition.and_then(|it| SeccompRule::new(vec![it])).expect("it is a condition")]
}

fn refuse(call: i64, rules: Vec<SeccompRule>, errno: i32) {
    let filter = SeccompFilter::new(
        [(call, rules)].into(),
        SeccompAction::Allow,
        SeccompAction::Errno(errno as u32),
        std::env::consts::ARCH.try_into().expect("filters are known for this processor"),
    );
    let program: BpfProgram = filter.and_then(TryInto::try_into).expect("it is well formed");
    seccompiler::apply_filter_all_threads(&program).expect("a process may restrict itself");
}

/// Maps files of shared memory until the process may have no more mappings. The allocator has used
/// up private memory before.
fn use_up_mappings() {
    let file = tempfile::tempfile().expect("there is a directory for temporary files");
    file.set_len(4096).expect("there is room for a page");
    // Mappings of the same page are not merged, because they are not contiguous in the file.
    let mut all = Vec::with_capacity(1 << 20);
    while let Ok(map) = memmap2::MmapOptions::new().len(4096).map_raw_read_only(&file) {
        all.push(map);
    }
    std::mem::forget(all);
}
