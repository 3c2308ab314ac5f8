//! Memory that two processes share: one creates and seals it, the other verifies it and only reads it.
//!
//! The creator first gives the file its size, maps it and seals it. From there on, no process can resize it,
//! punch holes into it, write it or map it writable: the creator's mapping is the only way to write. Then the
//! creator allocates all of it, so that no access can run out of memory later. That may take seconds, in which
//! the file must be sealed already: a process of the same user can open it by `/proc/<pid>/fd`. The receiver
//! checks all of this before it maps the file for reading.
//!
//! Between the creation and the seal are three system calls. Another process of the user that opens the file
//! meanwhile can map it writable. [`inspection`](super::inspection) keeps it from that.

use std::ffi::CStr;
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, AsRawFd};
use std::{fmt, io};

use memmap2::{Advice, MmapOptions, MmapRaw};
use rustix::fs::{
    FallocateFlags, MemfdFlags, SealFlags, Stat, fallocate, fcntl_add_seals, fcntl_get_seals,
    fstat, fstatfs, ftruncate, memfd_create,
};
use rustix::io::Errno;
use witrpc_transport::ResourceError;

use super::fd_closer::ReceivedFd;
use super::fork::{Descriptor, Origin};
use super::own_files::{OwnFile, is_own};
use super::resource::{
    self, MemoryLimits, check_address_space, check_file_size, check_machine_memory,
};

/// What `fstat` says of a file. The creator tells the peer, which compares it with the file it
/// received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileIdentity {
    pub device: u64,
    pub inode: u64,
    /// The size in bytes.
    pub size: u64,
}

/// Without these, either side could take the memory away from under the other.
const REQUIRED_SEALS: SealFlags =
    SealFlags::SHRINK.union(SealFlags::GROW).union(SealFlags::FUTURE_WRITE).union(SealFlags::SEAL);

/// How much is allocated in one system call, which takes some milliseconds. A signal that interrupts it
/// undoes all of its work, so after each signal the next call allocates half. Signals that come faster
/// than this cannot prevent a region from being finished.
const ALLOCATION_STEP: u64 = 4 << 20;

/// The least that a call allocates: a page.
const LEAST_STEP: u64 = 4 << 10;

/// Above this length, first ask how much memory the machine has: an allocation that takes the last of
/// it does not fail, but wakes the kernel's out-of-memory killer.
const UNASKED_LEN: u64 = 16 << 20;

/// The name that `/proc/<pid>/maps` shows.
const LABEL: &CStr = c"witrpc";

/// A sealed file whose only writable mapping is an [`OwnMemory`]. It is kept until it is passed on.
#[derive(Debug)]
pub struct SealedFile {
    pub file: Descriptor,
    pub identity: FileIdentity,
}

/// Memory that is sealed, and is being allocated.
#[derive(Debug)]
pub struct Making {
    memory: OwnMemory,
    sealed: SealedFile,
    allocation: Allocation,
}

impl Making {
    /// Begins `len` zeroed bytes; `len` must be positive.
    ///
    /// # Errors
    ///
    /// [`ResourceError`]: a limit forbids a region of this length, there is no descriptor for it, or it cannot
    /// be mapped.
    pub fn begin(len: usize) -> Result<Self, ResourceError> {
        let needed = len as u64;
        let allocation = Allocation::begin(needed)?;
        let file = Descriptor::open(open_sealable).map_err(lacked("memfd_create", needed))?;
        ftruncate(&file, needed).map_err(lacked("ftruncate", needed))?;
        let map = MmapOptions::new().len(len).map_raw(file.as_fd().as_raw_fd());
        let map = map.map_err(lacked_io("mmap", needed))?;
        fcntl_add_seals(&file, REQUIRED_SEALS).map_err(lacked("fcntl", needed))?;
        let map = Mapping::new(map)?;
        let identity = identity_in(&fstat(&file).map_err(lacked("fstat", needed))?);
        let memory = OwnMemory { map, _file: OwnFile::enter(identity) };
        Ok(Self { memory, sealed: SealedFile { file, identity }, allocation })
    }

    /// Allocates the next part. Returns `true` when everything has been allocated.
    ///
    /// # Errors
    ///
    /// [`ResourceError`]: there is too little memory by now.
    pub fn step(&mut self) -> Result<bool, ResourceError> {
        self.allocation.step(&self.sealed.file)
    }

    /// Returns the memory, and the file to pass on. Must be called only after a step has returned `true`.
    ///
    /// # Panics
    ///
    /// If not all of it is allocated.
    pub fn finish(self) -> (OwnMemory, SealedFile) {
        let Self { memory, sealed, allocation } = self;
        assert!(allocation.progress.is_done(), "it is all there");
        (memory, sealed)
    }
}

/// Memory that this process created and only it can write.
pub struct OwnMemory {
    map: Mapping,
    /// Behind the mapping: fields are dropped in their order.
    _file: OwnFile,
}

impl OwnMemory {
    /// Runs all steps at once.
    #[cfg(test)]
    pub(crate) fn create(len: usize) -> Result<(Self, SealedFile), ResourceError> {
        let mut making = Making::begin(len)?;
        while !making.step()? {}
        Ok(making.finish())
    }

    /// Returns where it starts.
    pub(crate) fn as_mut_ptr(&self) -> *mut u8 {
        self.map.map.as_mut_ptr()
    }

    /// Returns the length in bytes.
    pub(crate) fn len(&self) -> usize {
        self.map.map.len()
    }
}

impl fmt::Debug for OwnMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OwnMemory({} bytes)", self.len())
    }
}

/// Memory that the peer created and may write at any time. This process can read it and not write it.
pub struct PeerMemory(Mapping);

/// A file that a peer has passed, and that is being checked.
#[derive(Debug)]
pub struct FileCheck {
    file: ReceivedFd,
    size: u64,
    /// How much of it was found to be allocated, from the start.
    progress: AllocationProgress,
    /// `st_blocks` before that.
    blocks: i64,
}

impl FileCheck {
    /// Begins to verify the file that a peer has passed. `peer_is_self` says that the peer is this process.
    ///
    /// # Errors
    ///
    /// [`PeerMemoryError`]: the file breaks a rule, or the system refused a call.
    pub fn begin(
        file: ReceivedFd,
        named: FileIdentity,
        peer_is_self: bool,
    ) -> Result<Self, PeerMemoryError> {
        // Check this first: it is the only call that is safe on any kind of file. The peer's own file
        // system could delay the answer to any other for ever.
        let seals = fcntl_get_seals(&file).map_err(|error| match error {
            // It has no seals, or is only the name of a file.
            Errno::INVAL | Errno::BADF => PeerMemoryError::NotMemory,
            error => lacked("fcntl", named.size)(error).into(),
        })?;
        if !seals.contains(REQUIRED_SEALS) {
            return Err(PeerMemoryError::SealsMissing);
        }
        // Huge pages can be sealed too, but an allocation does not reserve them.
        let system = fstatfs(&file).map_err(lacked("fstatfs", named.size))?;
        if system.f_type as u64 != TMPFS_MAGIC {
            return Err(PeerMemoryError::NotMemory);
        }
        let stat = fstat(&file).map_err(lacked("fstat", named.size))?;
        let found = identity_in(&stat);
        if found != named {
            return Err(PeerMemoryError::OtherFile { named, found });
        }
        if !peer_is_self && is_own(found) {
            return Err(PeerMemoryError::Ours);
        }
        let allocated = u64::try_from(stat.st_blocks).unwrap_or(0).saturating_mul(STAT_BLOCK_LEN);
        if allocated < found.size {
            return Err(PeerMemoryError::NotAllocated { allocated, size: found.size });
        }
        let progress = AllocationProgress::new(found.size);
        Ok(Self { file, size: found.size, progress, blocks: stat.st_blocks })
    }

    /// Checks that the next part is allocated, by allocating it. Returns `true` when all of it is.
    ///
    /// Reading a hole would fill it at this process's cost, or kill this process if it cannot be filled.
    /// `st_blocks` alone does not tell: it counts blocks behind the end too, which the peer may have made
    /// before it sealed the file. Those stay while a hole is filled, so a hole makes it rise. The peer can
    /// punch no hole behind this, since the file is sealed.
    ///
    /// # Errors
    ///
    /// [`PeerMemoryError`]: there is a hole, or the system refused a call.
    pub fn step(&mut self) -> Result<bool, PeerMemoryError> {
        if self.progress.is_done() {
            return Ok(true);
        }
        let allocated = self.progress.done;
        self.progress.advance(&self.file).map_err(|error| match error {
            Errno::BADF => PeerMemoryError::ReadOnly,
            error => lacked("fallocate", self.size)(error).into(),
        })?;
        if self.stat()?.st_blocks > self.blocks {
            return Err(PeerMemoryError::NotAllocated { allocated, size: self.size });
        }
        Ok(self.progress.is_done())
    }

    /// Maps the file and closes it. Must be called only after a step has returned `true`.
    ///
    /// # Errors
    ///
    /// [`PeerMemoryError`]: it cannot be mapped.
    ///
    /// # Panics
    ///
    /// If not all of it was checked.
    pub fn finish(self) -> Result<PeerMemory, PeerMemoryError> {
        let Self { file, size, progress, .. } = self;
        assert!(progress.is_done(), "all of it was checked");
        let len = usize::try_from(size).map_err(|_| PeerMemoryError::NotMemory)?;
        let map = MmapOptions::new().len(len).map_raw_read_only(file.as_fd().as_raw_fd());
        let memory = PeerMemory(Mapping::new(map.map_err(lacked_io("mmap", size))?)?);
        drop(file.harmless());
        Ok(memory)
    }

    fn stat(&self) -> Result<Stat, PeerMemoryError> {
        fstat(&self.file).map_err(|error| lacked("fstat", self.size)(error).into())
    }
}

impl PeerMemory {
    /// Runs all steps at once, for a file that comes from another process.
    #[cfg(test)]
    pub(crate) fn map(file: ReceivedFd, named: FileIdentity) -> Result<Self, PeerMemoryError> {
        let mut opening = FileCheck::begin(file, named, false)?;
        while !opening.step()? {}
        opening.finish()
    }

    /// Returns where it starts.
    pub(crate) fn as_ptr(&self) -> *const u8 {
        self.0.map.as_ptr()
    }

    /// Returns the length in bytes.
    pub(crate) fn len(&self) -> usize {
        self.0.map.len()
    }
}

impl fmt::Debug for PeerMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PeerMemory({} bytes)", self.len())
    }
}

/// Why memory that a peer passed was not mapped.
#[derive(Debug, thiserror::Error)]
pub enum PeerMemoryError {
    #[error("the file passed is not shared memory")]
    NotMemory,
    #[error("the shared memory passed is not sealed")]
    SealsMissing,
    #[error("the shared memory passed is not the one named: {found:?} instead of {named:?}")]
    OtherFile { named: FileIdentity, found: FileIdentity },
    #[error("only {allocated} of {size} bytes of the shared memory passed are allocated")]
    NotAllocated { allocated: u64, size: u64 },
    #[error("the shared memory passed was opened for reading only, so it cannot be checked")]
    ReadOnly,
    #[error("the shared memory passed is a region of this process")]
    Ours,
    #[error("the shared memory passed cannot be mapped: {0}")]
    Resource(#[from] ResourceError),
}

/// `f_type` of the kernel's internal mount that memfds live on.
const TMPFS_MAGIC: u64 = 0x0102_1994;

/// The unit of `st_blocks`, whatever the file system.
const STAT_BLOCK_LEN: u64 = 512;

/// A mapping. It is absent in forked children, where dropping it does nothing: other memory may be at
/// its addresses by then.
struct Mapping {
    map: ManuallyDrop<MmapRaw>,
    origin: Origin,
}

impl Mapping {
    fn new(map: MmapRaw) -> Result<Self, ResourceError> {
        map.advise(Advice::DontFork).map_err(lacked_io("madvise", map.len() as u64))?;
        Ok(Self { map: ManuallyDrop::new(map), origin: Origin::here() })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        if !self.origin.is_forked() {
            // SAFETY: dropped once, here, and not used afterwards.
            unsafe { ManuallyDrop::drop(&mut self.map) };
        }
    }
}

fn open_sealable() -> Result<std::os::fd::OwnedFd, Errno> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    match memfd_create(LABEL, flags | MemfdFlags::NOEXEC_SEAL) {
        // Linux before 6.3 does not know the flag, and a filter may know its other flags only.
        Err(Errno::INVAL | Errno::PERM | Errno::ACCESS) => memfd_create(LABEL, flags),
        other => other,
    }
}

/// How much of a file has been allocated, from the start.
#[derive(Debug)]
struct AllocationProgress {
    len: u64,
    done: u64,
    /// How much the next call allocates at most.
    step: u64,
}

impl AllocationProgress {
    fn new(len: u64) -> Self {
        Self { len, done: 0, step: ALLOCATION_STEP }
    }

    fn is_done(&self) -> bool {
        self.done == self.len
    }

    /// Allocates the next part, or halves it if a signal came.
    fn advance(&mut self, file: &impl AsFd) -> Result<(), Errno> {
        let step = self.step.min(self.len - self.done);
        match fallocate(file, FallocateFlags::empty(), self.done, step) {
            Ok(()) => {
                self.done += step;
                self.step = (self.step * 2).min(ALLOCATION_STEP);
                Ok(())
            }
            Err(Errno::INTR) => {
                self.step = (self.step / 2).max(LEAST_STEP);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

/// A file of shared memory that is being allocated. Allocation goes in steps, so that its caller can do other
/// work in between.
#[derive(Debug)]
pub struct Allocation {
    progress: AllocationProgress,
    limits: MemoryLimits,
}

impl Allocation {
    /// Begins an allocation of `len` bytes.
    ///
    /// # Errors
    ///
    /// [`ResourceError`]: a limit forbids this many, or there is too little memory.
    pub fn begin(len: u64) -> Result<Self, ResourceError> {
        check_file_size(len)?;
        check_address_space(len)?;
        if len > UNASKED_LEN {
            check_machine_memory(len)?;
        }
        Ok(Self { progress: AllocationProgress::new(len), limits: MemoryLimits::read() })
    }

    /// Allocates the next part. Returns `true` when everything has been allocated.
    ///
    /// # Errors
    ///
    /// [`ResourceError`]: there is too little memory by now. Each step checks, because other processes
    /// may be allocating too.
    pub fn step(&mut self, file: &Descriptor) -> Result<bool, ResourceError> {
        let AllocationProgress { len, done, .. } = self.progress;
        self.limits.check(len - done)?;
        self.progress.advance(file).map_err(|error| match error {
            Errno::NOSPC => resource::lacked_space(file, len),
            error => lacked("fallocate", len)(error),
        })?;
        Ok(self.progress.is_done())
    }
}

/// Checks whether a region of `len` bytes can be made at all, whatever is in use at the moment. So a
/// server finds out before its first client does.
///
/// # Errors
///
/// [`ResourceError`]: a limit is below `len`.
pub fn check_in_principle(len: u64) -> Result<(), ResourceError> {
    check_file_size(len)?;
    check_address_space(len)?;
    MemoryLimits::read().check_in_principle(len)
}

fn lacked(call: &'static str, needed: u64) -> impl FnOnce(Errno) -> ResourceError {
    move |error| resource::lacked(call, needed, &error.into())
}

fn lacked_io(call: &'static str, needed: u64) -> impl FnOnce(io::Error) -> ResourceError {
    move |error| resource::lacked(call, needed, &error)
}

fn identity_in(stat: &Stat) -> FileIdentity {
    FileIdentity {
        device: stat.st_dev,
        inode: stat.st_ino,
        size: u64::try_from(stat.st_size).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_sealed_before_it_is_allocated() {
        let mut making = Making::begin(3 * ALLOCATION_STEP as usize).expect("there is memory");
        assert!(!making.step().expect("there is memory"), "there are two more steps");
        let file = &making.sealed.file;
        assert!(fcntl_get_seals(file).expect("a memfd has seals").contains(REQUIRED_SEALS));
        let writable = MmapOptions::new().map_raw(file.as_fd().as_raw_fd());
        assert!(writable.is_err(), "another process can map it writable");
        while !making.step().expect("there is memory") {}
        let (memory, sealed) = making.finish();
        let allocated = fstat(&sealed.file).expect("it is open").st_blocks as u64 * STAT_BLOCK_LEN;
        assert!(allocated >= memory.len() as u64);
    }
}
