//! The pointer to a mapped region, in a private field with its invariants.

use core::fmt;
use core::mem::align_of;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, AtomicU64};

use memmap2::MmapRaw;

use crate::memory::layout::{LINE, LINE_WORDS};
use crate::memory::words::{PeerU32, PeerU64};

use super::WORD_BYTES;

/// The least alignment of a region, in bytes: a cache line.
const REGION_ALIGN: usize = LINE;

/// Pages that a backend has mapped into this process. Dropping them unmaps them.
#[expect(clippy::len_without_is_empty, reason = "a mapping is never empty")]
pub trait Pages: fmt::Debug + Send + Sync + 'static {
    /// Returns where they start; never null.
    fn start(&self) -> *mut u8;

    /// Returns how many bytes they have.
    fn len(&self) -> usize;
}

impl Pages for MmapRaw {
    fn start(&self) -> *mut u8 {
        self.as_mut_ptr()
    }

    fn len(&self) -> usize {
        self.len()
    }
}

/// Consecutive lines of a mapping, whose range was checked once, so that each access checks only
/// the index.
#[derive(Clone, Copy, Debug)]
pub struct Lines {
    /// # Invariants
    ///
    /// The `count` lines from `start`, a multiple of [`LINE`], are in the mapping that returned
    /// this value.
    start: usize,
    count: usize,
}

/// A region mapped into this process. Dropping it unmaps the region.
pub struct Mapping {
    /// # Invariants
    ///
    /// 0. The `len` bytes from `start` can be read for as long as `pages` exists.
    /// 1. Within this process, they are accessed through this value only.
    start: NonNull<u8>,
    /// # Invariants
    ///
    /// 2. `len <= pages.len()`, hence at most `isize::MAX`.
    /// 3. `len` is a multiple of [`WORD_BYTES`], and `start` is aligned to [`REGION_ALIGN`].
    len: usize,
    /// Keeps the pages mapped.
    _pages: Box<dyn Pages>,
}

// SAFETY: the pages are the same for every thread, and their owner is `Send`. The only references
// that safe code gets from here are to atomics, or exclusive by a token.
unsafe impl Send for Mapping {}
// SAFETY: as above, and the owner of the pages is `Sync`.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Takes over the first `len` bytes of pages.
    ///
    /// # Safety
    ///
    /// The caller promises invariants 0 and 1; the others are checked.
    pub unsafe fn new(pages: Box<dyn Pages>, len: usize) -> Result<Self, BadMapping> {
        if len == 0 || !len.is_multiple_of(WORD_BYTES) {
            return Err(BadMapping::NotWholeWords { len });
        }
        if len > pages.len() {
            return Err(BadMapping::TooShort { mapped: pages.len(), len });
        }
        let address = pages.start().addr();
        match NonNull::new(pages.start()) {
            Some(start) if address.is_multiple_of(REGION_ALIGN) => {
                Ok(Self { start, len, _pages: pages })
            }
            _ => Err(BadMapping::Misaligned { address }),
        }
    }

    /// Returns the length in bytes.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns the `count` words at `offset`, in bytes.
    ///
    /// # Panics
    ///
    /// Panics if `offset` is not aligned for the word or the words are not in the region.
    ///
    /// # Safety
    ///
    /// No exclusive reference to the range exists while the result does.
    #[inline]
    pub unsafe fn words<W: MappedWord>(&self, offset: usize, count: usize) -> &[W] {
        self.check(offset, count, size_of::<W>());
        // SAFETY: `offset <= len`, and `len` bytes from the start belong to the mapping (2).
        let first = unsafe { self.start.add(offset) }.cast::<W>();
        // SAFETY: `count` words from `first` lie in the mapping, as was just checked. They are aligned
        // (3), and can be read as long as `self` exists (0). Any bytes are a value of `W`
        // (`MappedWord`). Nothing has exclusive access, by this function's contract and (1).
        unsafe { core::slice::from_raw_parts(first.as_ptr(), count) }
    }

    /// Checks and returns the `count` lines at `offset`, in bytes.
    ///
    /// # Panics
    ///
    /// Panics if they are not aligned or not in the region.
    pub fn lines(&self, offset: usize, count: usize) -> Lines {
        self.check(offset, count, LINE);
        Lines { start: offset, count }
    }

    /// Returns the words of one of `lines`.
    ///
    /// # Panics
    ///
    /// Panics if there is no line `index`.
    ///
    /// # Safety
    ///
    /// The lines are this mapping's, `W` has 64 bits, and no exclusive reference to the line exists
    /// while the result does.
    #[inline]
    pub unsafe fn line<W: MappedWord>(&self, lines: Lines, index: usize) -> &[W; LINE_WORDS] {
        const { assert!(size_of::<[W; LINE_WORDS]>() == LINE) };
        if index >= lines.count {
            no_line(index, lines.count);
        }
        // SAFETY: the line is one of those that are in the mapping, by the invariant of `Lines`.
        let line = unsafe { self.start.add(lines.start + index * LINE) };
        // SAFETY: its bytes lie in the mapping. They are aligned to a line, as the start of the mapping
        // is (3), and can be read as long as `self` exists (0). Any bytes are a value of `W`
        // (`MappedWord`). Nothing has exclusive access, by this function's contract and (1).
        unsafe { line.cast().as_ref() }
    }

    /// Returns the `len` bytes at `offset` exclusively.
    ///
    /// # Panics
    ///
    /// Panics if the bytes are not in the region.
    ///
    /// # Safety
    ///
    /// The mapping can be written, no other process writes to the range, and no other reference to
    /// it exists while the result does.
    #[inline]
    #[expect(clippy::mut_from_ref, reason = "exclusive by the contract, not by the borrow")]
    pub unsafe fn bytes_mut(&self, offset: usize, len: usize) -> &mut [u8] {
        self.check(offset, len, 1);
        // SAFETY: `offset <= len`, and `len` bytes from the start belong to the mapping (2).
        let first = unsafe { self.start.add(offset) };
        // SAFETY: `len` bytes from `first` lie in the mapping, as was just checked, and can be read
        // as long as `self` exists (0). By this function's contract they can be written, and nothing
        // else accesses them.
        unsafe { core::slice::from_raw_parts_mut(first.as_ptr(), len) }
    }

    /// Returns the `len` bytes at `offset`, to be read in place.
    ///
    /// # Panics
    ///
    /// Panics if the bytes are not in the region.
    ///
    /// # Safety
    ///
    /// No code writes to the range, in this process or another, while the result exists.
    #[inline]
    pub unsafe fn bytes(&self, offset: usize, len: usize) -> &[u8] {
        self.check(offset, len, 1);
        // SAFETY: `offset <= len`, and `len` bytes from the start belong to the mapping (2).
        let first = unsafe { self.start.add(offset) };
        // SAFETY: `len` bytes from `first` lie in the mapping, as was just checked, and can be read
        // as long as `self` exists (0). No code writes to them, by this function's contract.
        unsafe { core::slice::from_raw_parts(first.as_ptr(), len) }
    }

    /// # Panics
    ///
    /// Panics if the `count` items of `size` bytes at `offset` are not aligned or not in the
    /// region.
    #[inline]
    fn check(&self, offset: usize, count: usize, size: usize) {
        let len = self.len;
        let inside = offset <= len && count <= (len - offset) / size;
        if !inside || !offset.is_multiple_of(size) {
            no_part(offset, count, size, len);
        }
    }
}

// Out of line, so that the arguments of a message are gathered only when there is one.

#[cold]
#[inline(never)]
fn no_line(index: usize, count: usize) -> ! {
    panic!("there is no line {index} among {count}");
}

#[cold]
#[inline(never)]
fn no_part(offset: usize, count: usize, size: usize, len: usize) -> ! {
    panic!("{count} items of {size} bytes at {offset} are not a part of the region of {len} bytes");
}

impl fmt::Debug for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mapping").field("start", &self.start).field("len", &self.len).finish()
    }
}

/// A type that may be laid over a mapping.
///
/// # Safety
///
/// It must be an atomic integer, or a transparent wrapper of one. Any bytes are a value, its alignment
/// is its size, and all access through a shared reference is atomic.
pub unsafe trait MappedWord {}

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
        /// The length that was asked for, in bytes.
        len: usize,
    },
    /// The mapping is shorter than the region.
    #[error("{mapped} bytes are mapped but the region has {len}; map all of it")]
    TooShort {
        /// The length of the mapping in bytes.
        mapped: usize,
        /// The length that was asked for, in bytes.
        len: usize,
    },
    /// The mapping does not start at a multiple of 64.
    #[error("the mapping at {address:#x} is not aligned to 64 bytes; map from the file's start")]
    Misaligned {
        /// Where the mapping starts.
        address: usize,
    },
    /// The arena is not in the region, or not at a granule's boundary.
    #[error(
        "an arena of {arena_len} bytes at {offset} does not fit a region of {len} bytes; \
         it must lie inside and start at a multiple of 256"
    )]
    BadArena {
        /// Where the arena was to start, in bytes.
        offset: usize,
        /// The length of the arena in bytes.
        arena_len: usize,
        /// The length of the region in bytes.
        len: usize,
    },
}
