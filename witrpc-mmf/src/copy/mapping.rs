//! The pointer to a mapped region, sealed in a private field with its invariants.

use core::{
    mem::align_of,
    sync::atomic::{AtomicU32, AtomicU64},
};

use memmap2::MmapRaw;

use super::WORD_BYTES;
use crate::words::{PeerU32, PeerU64};

/// Bytes to which a region is aligned at least: a line, and the strictest raw slice.
const REGION_ALIGN: usize = 64;

/// A region mapped into this process. Dropping it unmaps the region.
///
/// It is `Send` and `Sync` because [`MmapRaw`] is: the pages are the same for every thread, and the
/// only references that safe code gets from here are to atomics.
#[derive(Debug)]
pub(super) struct Mapping {
    /// # Invariants
    ///
    /// 0. The first `len` bytes of `map` can be read for as long as `map` exists.
    /// 1. Within this process, they are accessed through this value only.
    map: MmapRaw,
    /// # Invariants
    ///
    /// 2. `len <= map.len()`, hence at most `isize::MAX`.
    /// 3. `len` is a multiple of [`WORD_BYTES`], and the start of `map` is aligned to
    ///    [`REGION_ALIGN`].
    len: usize,
}

impl Mapping {
    /// # Safety
    ///
    /// The caller promises invariants 0 and 1; the others are checked.
    pub(super) unsafe fn new(map: MmapRaw, len: usize) -> Result<Self, BadMapping> {
        if len == 0 || !len.is_multiple_of(WORD_BYTES) {
            return Err(BadMapping::NotWholeWords { len });
        }
        if len > map.len() {
            return Err(BadMapping::TooShort { mapped: map.len(), len });
        }
        if !map.as_ptr().addr().is_multiple_of(REGION_ALIGN) {
            return Err(BadMapping::Misaligned { address: map.as_ptr().addr() });
        }
        Ok(Self { map, len })
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The `count` words at `offset`.
    ///
    /// # Panics
    ///
    /// If `offset` is not aligned for the word or the words do not lie in the region.
    ///
    /// # Safety
    ///
    /// No exclusive reference to the range exists while the result does.
    #[inline]
    pub(super) unsafe fn words<W: MappedWord>(&self, offset: usize, count: usize) -> &[W] {
        self.check(offset, count, size_of::<W>());
        // SAFETY: `offset <= len`, and `len` bytes from the start belong to the mapping (2).
        let first = unsafe { self.map.as_ptr().add(offset) }.cast::<W>();
        // SAFETY: `count` words from `first` lie in the mapping and are aligned, as was just checked
        // on top of (3); they can be read as long as `self` exists (0); any bytes are a value of `W`
        // (`MappedWord`); nothing has exclusive access, by this function's contract and (1).
        unsafe { core::slice::from_raw_parts(first, count) }
    }

    /// The `len` bytes at `offset`, exclusively.
    ///
    /// # Panics
    ///
    /// If the bytes do not lie in the region.
    ///
    /// # Safety
    ///
    /// The mapping can be written, no other process writes to the range, and no other reference to
    /// it exists while the result does.
    #[inline]
    #[expect(clippy::mut_from_ref, reason = "exclusive by the contract, not by the borrow")]
    pub(super) unsafe fn bytes_mut(&self, offset: usize, len: usize) -> &mut [u8] {
        self.check(offset, len, 1);
        // SAFETY: `offset <= len`, and `len` bytes from the start belong to the mapping (2).
        let first = unsafe { self.map.as_mut_ptr().add(offset) };
        // SAFETY: `len` bytes from `first` lie in the mapping, as was just checked, and can be read
        // as long as `self` exists (0); they can be written, and nothing else accesses them, by this
        // function's contract.
        unsafe { core::slice::from_raw_parts_mut(first, len) }
    }

    /// # Panics
    ///
    /// If the `count` items of `size` bytes at `offset` are not aligned or not in the region.
    #[inline]
    fn check(&self, offset: usize, count: usize, size: usize) {
        let len = self.len;
        let inside = offset <= len && count <= (len - offset) / size;
        assert!(
            inside && offset.is_multiple_of(size),
            "{count} items of {size} bytes at {offset} are not a part of the region of {len} bytes"
        );
    }
}

/// What may be laid over a mapping.
///
/// # Safety
///
/// An atomic integer, or a transparent wrapper of one: any bytes are a value, its alignment is its
/// size, and all access through a shared reference is atomic.
pub(super) unsafe trait MappedWord {}

// SAFETY: an atomic integer.
unsafe impl MappedWord for AtomicU32 {}
// SAFETY: an atomic integer.
unsafe impl MappedWord for AtomicU64 {}
// SAFETY: a transparent wrapper of `AtomicU32` that only loads.
unsafe impl MappedWord for PeerU32 {}
// SAFETY: a transparent wrapper of `AtomicU64` that only loads.
unsafe impl MappedWord for PeerU64 {}

const _: () = assert!(align_of::<AtomicU64>() == size_of::<AtomicU64>());
const _: () = assert!(align_of::<AtomicU32>() == size_of::<AtomicU32>());

/// A mapping that cannot hold a region.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadMapping {
    /// The length is not a positive multiple of 8.
    #[error("a region of {len} bytes is not made of whole words; give a positive multiple of 8")]
    NotWholeWords {
        /// Length asked for, in bytes.
        len: usize,
    },
    /// Less is mapped than is to be used.
    #[error("{mapped} bytes are mapped but the region has {len}; map all of it")]
    TooShort {
        /// Length of the mapping in bytes.
        mapped: usize,
        /// Length asked for, in bytes.
        len: usize,
    },
    /// The mapping does not start at a multiple of 64.
    #[error("the mapping at {address:#x} is not aligned to 64 bytes; map from the file's start")]
    Misaligned {
        /// Where the mapping starts.
        address: usize,
    },
    /// The arena does not lie in the region, or not at a granule's boundary.
    #[error(
        "an arena of {arena_len} bytes at {offset} does not fit a region of {len} bytes; \
         it must lie inside and start at a multiple of 256"
    )]
    BadArena {
        /// Where the arena was to start, in bytes.
        offset: usize,
        /// Length of the arena in bytes.
        arena_len: usize,
        /// Length of the region in bytes.
        len: usize,
    },
}
