//! Bare memory that two processes share: what the floors run on.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicU64};

use memmap2::{MmapOptions, MmapRaw};
use rustix::fs::{MemfdFlags, ftruncate, memfd_create};

/// A mapping that the peer maps too.
pub(crate) struct Mapping {
    memory: MmapRaw,
    /// Keeps the descriptor open for the peer to find.
    file: File,
}

impl Mapping {
    pub(crate) fn create(len: usize) -> Self {
        let file = File::from(memfd_create("floor", MemfdFlags::CLOEXEC).expect("a memfd"));
        ftruncate(&file, len as u64).expect("memory for the floors");
        Self::map(file)
    }

    /// The mapping whose maker said where it is.
    pub(crate) fn open(path: &Path) -> Self {
        let file = File::options().read(true).write(true).open(path).expect("the floors' memory");
        Self::map(file)
    }

    fn map(file: File) -> Self {
        let memory = MmapOptions::new().populate().map_raw(&file).expect("a mapping");
        Self { memory, file }
    }

    /// Where the peer opens it.
    pub(crate) fn path(&self) -> PathBuf {
        let descriptor = std::os::fd::AsRawFd::as_raw_fd(&self.file);
        format!("/proc/{}/fd/{descriptor}", std::process::id()).into()
    }

    fn address<T>(&self, offset: usize, len: usize) -> *mut T {
        assert!(offset.is_multiple_of(align_of::<T>()), "{offset} is not aligned");
        assert!(offset <= self.memory.len() && len <= self.memory.len() - offset);
        self.memory.as_mut_ptr().wrapping_add(offset).cast()
    }

    pub(crate) fn word(&self, offset: usize) -> &AtomicU64 {
        let address = self.address(offset, size_of::<AtomicU64>());
        // SAFETY: aligned and within the mapping, which lives as long as `self`; both processes
        // touch words only as atomics.
        unsafe { AtomicU64::from_ptr(address) }
    }

    pub(crate) fn futex_word(&self, offset: usize) -> &AtomicU32 {
        let address = self.address(offset, size_of::<AtomicU32>());
        // SAFETY: as in `word`.
        unsafe { AtomicU32::from_ptr(address) }
    }

    /// memcpy in.
    pub(crate) fn copy_in(&self, offset: usize, bytes: &[u8]) {
        let to = self.address(offset, bytes.len());
        // SAFETY: within the mapping; the two processes take turns, ordered by release and acquire
        // of a line, so no other thread touches these bytes now.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) }
    }

    /// `len` samples, to be read where they are.
    pub(crate) fn samples(&self, offset: usize, len: usize) -> &[u64] {
        let first = self.address::<u64>(offset, len * size_of::<u64>());
        // SAFETY: within the mapping and aligned; as in `copy_in`, no thread writes to them now.
        unsafe { std::slice::from_raw_parts(first, len) }
    }

    /// Has `len` samples written where they are.
    pub(crate) fn with_samples(&self, offset: usize, len: usize, write: impl FnOnce(&mut [u64])) {
        let first = self.address::<u64>(offset, len * size_of::<u64>());
        // SAFETY: within the mapping and aligned; as in `copy_in`, no other thread touches them now.
        write(unsafe { std::slice::from_raw_parts_mut(first, len) });
    }

    /// memcpy out, to a new vector.
    pub(crate) fn copy_out(&self, offset: usize, len: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(len);
        let from = self.address(offset, len);
        // SAFETY: as in `copy_in`; the vector has room for `len` bytes.
        unsafe { std::ptr::copy_nonoverlapping(from, bytes.as_mut_ptr(), len) };
        // SAFETY: these `len` bytes were written just now.
        unsafe { bytes.set_len(len) };
        bytes
    }
}
