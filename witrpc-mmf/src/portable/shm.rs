//! Regions of the portable backend: named memory of the crate `shared_memory`.
//!
//! The name has 128 random bits. Its creator tells it to the other side in the handshake. The side
//! that opens a region removes its name at once, and so does the creator when it drops the region.
//! So a name exists from the creation until the other side opens it. A creator that is killed after
//! it has sent the name leaves nothing behind. One that is killed before leaves the region, since
//! no other process knows the name.
//!
//! The memory is not sealed. What [`memfd`](crate::sys::memfd) ensures by seals depends here on
//! trust in the processes of one user.

use std::io;
use std::mem::ManuallyDrop;

use rustix::fs::Mode;
use rustix::mm::{Advice, madvise};
use rustix::shm;
use shared_memory::{Shmem, ShmemConf, ShmemError};
use witrpc_transport::ResourceError;

use crate::memory::region::RegionName;
use crate::sys::fork::{Descriptor, Origin};
use crate::sys::memfd::Allocation;
use crate::sys::resource;

impl RegionName {
    /// Returns the name for the system: 30 bytes, the most that macOS allows.
    pub fn os_id(self) -> String {
        const DIGITS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";
        let bits = u128::from_le_bytes(self.0);
        let digits = (0..26).map(|index| char::from(DIGITS[(bits >> (5 * index)) as usize % 32]));
        "/wit".chars().chain(digits).collect()
    }
}

/// Memory that is being allocated.
///
/// All of it is allocated, so that no access can run out of memory later. This is the part that is
/// not portable: see "What a port needs" in the architecture.
#[derive(Debug)]
pub struct Making {
    memory: OwnMemory,
    file: Descriptor,
    allocation: Allocation,
}

impl Making {
    /// Creates and maps `len` zeroed bytes under a name that does not exist yet. `len` must be
    /// positive.
    ///
    /// # Errors
    ///
    /// [`ResourceError`]: a limit forbids a region of this length, or there is no descriptor for
    /// it.
    pub fn begin(name: RegionName, len: usize) -> Result<Self, ResourceError> {
        let os_id = name.os_id();
        let lacked = |error: io::Error| resource::lacked("shm_open", len as u64, &error);
        let allocation = Allocation::begin(len as u64)?;
        let shmem = ShmemConf::new().os_id(&os_id).size(len).create();
        let memory = Mapping::new(shmem.map_err(system).map_err(lacked)?, len).map_err(lacked)?;
        let file = Descriptor::open(|| shm::open(&*os_id, shm::OFlags::RDWR, Mode::empty()));
        let file = file.map_err(|error| lacked(error.into()))?;
        Ok(Self { memory: OwnMemory(memory), file, allocation })
    }

    /// Allocates the next part. Returns `true` when everything has been allocated.
    ///
    /// # Errors
    ///
    /// [`ResourceError`]: there is too little memory by now.
    pub fn step(&mut self) -> Result<bool, ResourceError> {
        self.allocation.step(&self.file)
    }

    /// Returns the memory. Must be called only after a step has returned `true`.
    pub fn finish(self) -> OwnMemory {
        self.memory
    }
}

/// Memory that this process created. Dropping it removes its name, if it still has one.
#[derive(Debug)]
pub struct OwnMemory(Mapping);

impl OwnMemory {
    /// Creates memory in one call.
    #[cfg(test)]
    pub(crate) fn create(name: RegionName, len: usize) -> Result<Self, ResourceError> {
        let mut making = Making::begin(name, len)?;
        while !making.step()? {}
        Ok(making.finish())
    }

    /// Returns where it starts.
    pub(crate) fn as_mut_ptr(&self) -> *mut u8 {
        self.0.shmem.as_ptr()
    }

    /// Returns the length in bytes.
    pub(crate) fn len(&self) -> usize {
        self.0.len
    }
}

/// Memory that the peer created. It is only read here, though the system would allow writes.
#[derive(Debug)]
pub struct PeerMemory(Mapping);

impl PeerMemory {
    /// Maps the `len` bytes that a peer has created, and removes their name.
    ///
    /// # Errors
    ///
    /// There is no such memory, it is another user's, or it is shorter.
    pub(crate) fn open(name: RegionName, len: usize) -> io::Result<Self> {
        let os_id = name.os_id();
        let shmem = ShmemConf::new().os_id(&os_id).open().map_err(system)?;
        unlink(&os_id);
        if shmem.len() < len {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("it has {} bytes instead of {len}", shmem.len()),
            ));
        }
        Mapping::new(shmem, len).map(Self)
    }

    /// Returns where it starts.
    pub(crate) fn as_ptr(&self) -> *const u8 {
        self.0.shmem.as_ptr()
    }

    /// Returns the length in bytes.
    pub(crate) fn len(&self) -> usize {
        self.0.len
    }
}

/// Removes a name; mappings stay. The crate removes it only when it drops an owner.
fn unlink(os_id: &str) {
    // An error means that the name is gone, as intended.
    if let Ok(mut owner) = ShmemConf::new().os_id(os_id).open() {
        owner.set_owner(true);
    }
}

/// A mapping. In a forked child it is absent and its drop does nothing: the address and the
/// descriptor may belong to something else. Only the parent may remove the name.
struct Mapping {
    shmem: ManuallyDrop<Box<Shmem>>,
    /// The length that was asked for. The system may have rounded it up.
    len: usize,
    origin: Origin,
}

// SAFETY: a `Shmem` has an address, a length, a descriptor and names, of which only the address
// keeps it from being `Send`. The pages and the descriptor belong to the process, not to a thread.
// Its drop (unmap, unlink, close) is allowed on any thread.
unsafe impl Send for Mapping {}
// SAFETY: the calls through a shared reference, `Shmem::as_ptr` and `Shmem::len`, read fields that
// do not change. Accesses to the pages are the responsibility of the code that uses the address.
unsafe impl Sync for Mapping {}

impl Mapping {
    fn new(shmem: Shmem, len: usize) -> io::Result<Self> {
        // SAFETY: the pages are exactly those of the mapping, and the advice changes nothing in
        // this process.
        unsafe { madvise(shmem.as_ptr().cast(), shmem.len(), Advice::LinuxDontFork) }?;
        Ok(Self { shmem: ManuallyDrop::new(Box::new(shmem)), len, origin: Origin::here() })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        if !self.origin.is_forked() {
            // SAFETY: dropped once, here, and not used after.
            unsafe { ManuallyDrop::drop(&mut self.shmem) };
        }
    }
}

impl std::fmt::Debug for Mapping {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.len)
    }
}

/// Returns the system's error behind an error of the crate.
fn system(error: ShmemError) -> io::Error {
    match error {
        ShmemError::MapCreateFailed(code)
        | ShmemError::MapOpenFailed(code)
        | ShmemError::UnknownOsError(code) => io::Error::from_raw_os_error(code as i32),
        ShmemError::MappingIdExists => io::ErrorKind::AlreadyExists.into(),
        other => io::Error::other(other),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::sys::resource::random_bytes;

    use super::*;

    const LEN: usize = 64 << 10;

    fn path_of(name: RegionName) -> std::path::PathBuf {
        Path::new("/dev/shm").join(name.os_id().trim_start_matches('/'))
    }

    #[test]
    fn names_are_short_and_keep_every_bit() {
        let all = RegionName([0xff; 16]).os_id();
        assert_eq!(all.len(), 30);
        for bit in 0..128 {
            let name = RegionName((!(1_u128 << bit)).to_le_bytes());
            assert_ne!(name.os_id(), all, "bit {bit}");
        }
    }

    #[test]
    fn what_one_side_writes_the_other_reads_and_the_name_is_gone_at_the_opening() {
        let name = RegionName(random_bytes().unwrap());
        let own = OwnMemory::create(name, LEN).expect("memory");
        assert!(path_of(name).exists());
        let peer = PeerMemory::open(name, LEN).expect("it is there");
        assert!(!path_of(name).exists());
        assert!(PeerMemory::open(name, LEN).is_err());
        // SAFETY: the byte is inside the mapping, and only this thread uses it.
        unsafe { own.as_mut_ptr().wrapping_add(LEN - 1).write_volatile(77) };
        drop(own);
        // SAFETY: the byte is inside the mapping, which outlives its creator's.
        assert_eq!(unsafe { peer.as_ptr().wrapping_add(LEN - 1).read_volatile() }, 77);
    }

    #[test]
    fn a_creator_that_gives_up_leaves_no_name() {
        let name = RegionName(random_bytes().unwrap());
        drop(OwnMemory::create(name, LEN).expect("memory"));
        assert!(!path_of(name).exists());
        let refused =
            OwnMemory::create(name, 1 << 50).expect_err("no machine has this much memory");
        assert!(!path_of(name).exists(), "{refused}");
    }

    #[test]
    fn all_of_it_is_allocated_at_once() {
        use std::os::unix::fs::MetadataExt;
        let name = RegionName(random_bytes().unwrap());
        let _own = OwnMemory::create(name, LEN).expect("memory");
        let found = std::fs::metadata(path_of(name)).expect("it has a name");
        assert!(found.blocks() * 512 >= LEN as u64);
        assert_eq!(found.mode() & 0o077, 0, "others cannot open it");
    }

    #[test]
    fn a_region_shorter_than_announced_is_not_used() {
        let name = RegionName(random_bytes().unwrap());
        let _own = OwnMemory::create(name, LEN).expect("memory");
        let refused = PeerMemory::open(name, 2 * LEN).expect_err("it is half as long");
        assert_eq!(refused.kind(), io::ErrorKind::InvalidData);
    }
}
