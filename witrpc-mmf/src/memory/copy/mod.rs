//! Reads memory that a peer may write. All of that, and its rules, are here.
//!
//! # The rules
//!
//! Rust has no fully specified way to share memory with a process that may write during a read.
//! What this crate does instead is small enough to argue about, and all of it is here:
//!
//! 1. **The peer's region is read by aligned relaxed atomic loads of words, and in no other way.**
//!    No `&u8`, `&[u8]` or `&T` to it ever exists, only references to atomics. If the peer writes
//!    during a load, the load returns one value or the other, and is not undefined. Whole lines are
//!    loaded by machine code that relies only on that (`lines`). The one exception is
//!    [`PeerMemory::trusted`]. It needs an unsafe promise of the user ([`TrustedPeer`]): this peer
//!    does not write to what it has sent.
//! 2. **It is copied out once.** Checks are made on the private copy, and the copy that was checked
//!    is what is used. The original is not read again, so there is no second fetch that could
//!    differ from the first. Decoding and borrowing (`&str`, `&[T]`) happen in the copy.
//! 3. **It is never written here.** It is mapped read-only. (The portable backend cannot do that,
//!    and only uses it so.) [`PeerU32`] and [`PeerU64`] are words that can only be loaded.
//! 4. **This side's region is written by this process only.** Its file is sealed against writes
//!    through any other descriptor or mapping before the peer gets it. For the portable backend
//!    its user has promised that none does, with a `TrustedPeer`. That makes a `&mut [u8]` to a block sound. No
//!    other process can write there, and within this process the block is the exclusive token
//!    ([`OwnMemory::block_mut`]). The words in front of the arena are atomics on this side too,
//!    because its threads share them.
//! 5. **Every offset is checked against lengths that are stored on this side.** A bad offset from a
//!    peer gives an error ([`OutOfBounds`]). One from the layout can be wrong only by a bug, and
//!    panics.
//! 6. **In this side's region, each word is accessed in one size only**, 32 or 64 bits: racing
//!    atomics of different sizes on the same bytes are undefined. (In the peer's region this
//!    process only loads, and loads of different sizes do not race.)
//!
//! Rust's memory model does not cover accesses by another process. The peer is treated as code that
//! the compiler cannot see and that keeps to the same rules. A peer that breaks them can make loads
//! return garbage, which rule 2 expects in any case.
//!
//! Nothing else in this crate dereferences a pointer into a region.

mod lines;
mod mapping;
mod own;

#[cfg(test)]
pub(crate) mod tests;

use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicU64, Ordering};

use mapping::{Lines, Mapping};
use witrpc_transport::TrustedPeer;

use super::layout::{HEAD_LINES, LINE, LINE_WORDS};
use super::words::{PeerU32, PeerU64, ReadWord};

pub use mapping::{BadMapping, Pages};
pub use own::OwnMemory;

/// The length of a word in bytes, the unit in which the peer's memory is read.
const WORD_BYTES: usize = size_of::<u64>();

/// The peer's region, mapped read-only. It can be read word by word and copied out.
///
/// Dropping it unmaps the region.
#[derive(Debug)]
pub struct PeerMemory {
    mapping: Mapping,
    /// The lines at the start of the region.
    head: Lines,
    /// The lines of the lanes. Empty until [`with_lanes`](Self::with_lanes).
    lanes: Lines,
    /// The wait lines of the groups of lanes. Empty until [`with_wait_lines`](Self::with_wait_lines).
    waits: Lines,
}

impl PeerMemory {
    /// Takes over a mapping of the peer's region, of which the first `len` bytes are used.
    ///
    /// # Errors
    ///
    /// [`BadMapping`] if there are no `len` bytes of whole words, or they are not aligned.
    ///
    /// # Safety
    ///
    /// As long as the mapping exists,
    ///
    /// - all of it can be read (the file under it is sealed against shrinking, and no code changes
    ///   the protection of the pages or unmaps them);
    /// - this process does not access it other than through the value returned.
    pub unsafe fn new(pages: impl Pages, len: usize) -> Result<Self, BadMapping> {
        // SAFETY: readable for as long as it exists, by this function's own contract.
        let mapping = unsafe { Mapping::new(Box::new(pages), len) }?;
        let head = mapping.lines(0, HEAD_LINES.min(len / LINE));
        let none = mapping.lines(0, 0);
        Ok(Self { mapping, head, lanes: none, waits: none })
    }

    /// Sets where the lines of the lanes are: `count` lines from `offset` on, in bytes.
    ///
    /// # Panics
    ///
    /// Panics if not all of them are in the region, each at a multiple of its length.
    #[must_use]
    pub fn with_lanes(mut self, offset: usize, count: usize) -> Self {
        self.lanes = self.mapping.lines(offset, count);
        self
    }

    /// Sets where the wait lines of the groups of lanes are: `count` lines from `offset` on, in bytes.
    ///
    /// # Panics
    ///
    /// Panics if not all of them are in the region, each at a multiple of its length.
    #[must_use]
    pub fn with_wait_lines(mut self, offset: usize, count: usize) -> Self {
        self.waits = self.mapping.lines(offset, count);
        self
    }

    /// Returns the wait line of a group of lanes.
    ///
    /// # Panics
    ///
    /// Panics if there is no such group.
    #[inline]
    #[must_use]
    pub fn wait_line(&self, group: usize) -> &[PeerU64; LINE_WORDS] {
        // SAFETY: as in `line`.
        unsafe { self.mapping.line(self.waits, group) }
    }

    /// Returns the line of a lane.
    ///
    /// # Panics
    ///
    /// Panics if there is no such lane.
    #[inline]
    #[must_use]
    pub fn line(&self, lane: usize) -> &[PeerU64; LINE_WORDS] {
        // SAFETY: the lines are this mapping's, and no exclusive reference to the peer's region is ever
        // made (rule 1).
        unsafe { self.mapping.line(self.lanes, lane) }
    }

    /// Returns the 64-bit word at `offset`, in bytes, in the lines at the start of the region.
    ///
    /// # Panics
    ///
    /// Panics if `offset` is behind these lines.
    #[inline]
    #[must_use]
    pub fn head_word(&self, offset: usize) -> &PeerU64 {
        // SAFETY: as in `line`.
        let line: &[_; LINE_WORDS] = unsafe { self.mapping.line(self.head, offset / LINE) };
        &line[offset % LINE / WORD_BYTES]
    }

    /// Returns the length of the region in bytes.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a region is never empty")]
    pub fn len(&self) -> usize {
        self.mapping.len()
    }

    /// Copies the `out.len()` bytes at `offset` out of the region.
    ///
    /// Neither needs to be aligned; a multiple of 8 for `offset` is fastest. The copy includes what
    /// was stored before any word that the caller has loaded with `Acquire`. Bytes that the peer
    /// writes meanwhile are any mixture of old and new.
    ///
    /// # Errors
    ///
    /// [`OutOfBounds`] if not all of the range is in the region. Nothing is copied then.
    #[inline]
    pub fn copy_out(&self, offset: usize, out: &mut [u8]) -> Result<(), OutOfBounds> {
        let source = self.source(offset, out.len())?;
        // SAFETY: `u8` and `MaybeUninit<u8>` have the same layout, and the only use of the result,
        // `WordRange::copy_to`, writes only initialised bytes to it.
        source.copy_to(unsafe { &mut *(core::ptr::from_mut(out) as *mut [MaybeUninit<u8>]) });
        Ok(())
    }

    /// Copies the `len` bytes at `offset` out of the region to the end of `out`.
    ///
    /// Unlike for [`copy_out`](Self::copy_out), the target is not filled with zeros first.
    ///
    /// # Errors
    ///
    /// [`OutOfBounds`] if not all of the range is in the region. Nothing is copied or reserved
    /// then.
    pub fn append_to(
        &self,
        offset: usize,
        len: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), OutOfBounds> {
        let source = self.source(offset, len)?;
        out.reserve(len);
        source.copy_to(&mut out.spare_capacity_mut()[..len]);
        // SAFETY: the capacity was reserved, and `copy_to` has initialised the `len` bytes.
        unsafe { out.set_len(out.len() + len) };
        Ok(())
    }

    /// Returns the `len` bytes at `offset` in place, for a peer that is trusted not to write there.
    ///
    /// # Panics
    ///
    /// Panics if the bytes are not in the region.
    ///
    /// # Safety
    ///
    /// The bytes belong to a block that the peer has lent, and that this process does not release
    /// while the result exists.
    #[must_use]
    pub unsafe fn trusted(&self, offset: usize, len: usize, _promise: TrustedPeer) -> &[u8] {
        // SAFETY: this process never writes to the region (rule 3). The peer does not write to a
        // block until it is released, by the promise of the user who created the `TrustedPeer`. By
        // this function's contract it is not released while the result exists.
        unsafe { self.mapping.bytes(offset, len) }
    }

    /// Copies the `N` words at `offset` out of the region, such as a line.
    ///
    /// # Panics
    ///
    /// Panics if `offset` is not a multiple of 8 or the words are not in the region. So it must be
    /// an offset of the layout, never one that the peer has sent.
    #[inline]
    #[must_use]
    pub fn read_words<const N: usize>(&self, offset: usize) -> [u64; N] {
        let words = self.words64(offset, N);
        core::array::from_fn(|index| words[index].load(Ordering::Relaxed))
    }

    /// Returns the 64-bit word at `offset`.
    ///
    /// # Panics
    ///
    /// Panics if `offset` is not a multiple of 8 or the word is not in the region.
    #[inline]
    #[must_use]
    pub fn word64(&self, offset: usize) -> &PeerU64 {
        &self.words64(offset, 1)[0]
    }

    /// Returns the 32-bit word at `offset`.
    ///
    /// # Panics
    ///
    /// Panics if `offset` is not a multiple of 4 or the word is not in the region.
    #[inline]
    #[must_use]
    pub fn word32(&self, offset: usize) -> &PeerU32 {
        &self.words32(offset, 1)[0]
    }

    /// Returns the `count` 64-bit words at `offset`.
    ///
    /// # Panics
    ///
    /// Panics if `offset` is not a multiple of 8 or the words are not in the region.
    #[inline]
    #[must_use]
    pub fn words64(&self, offset: usize, count: usize) -> &[PeerU64] {
        // SAFETY: no exclusive reference to the peer's region is ever made (rule 1).
        unsafe { self.mapping.words(offset, count) }
    }

    /// Returns the `count` 32-bit words at `offset`.
    ///
    /// # Panics
    ///
    /// Panics if `offset` is not a multiple of 4 or the words are not in the region.
    #[inline]
    #[must_use]
    pub fn words32(&self, offset: usize, count: usize) -> &[PeerU32] {
        // SAFETY: no exclusive reference to the peer's region is ever made (rule 1).
        unsafe { self.mapping.words(offset, count) }
    }

    /// Returns the words that contain the `len` bytes at `offset`.
    #[inline]
    fn source(&self, offset: usize, len: usize) -> Result<WordRange<'_>, OutOfBounds> {
        let limit = self.len();
        let end = offset.checked_add(len).filter(|end| *end <= limit);
        let end = end.ok_or(OutOfBounds { offset, len, limit })?;
        // The mapping has whole aligned words, so the words that contain the range are in it too.
        let first = offset / WORD_BYTES;
        let count = end.div_ceil(WORD_BYTES) - first;
        // SAFETY: no exclusive reference to the peer's region is ever made (rule 1).
        let words = unsafe { self.mapping.words(first * WORD_BYTES, count) };
        Ok(WordRange { words, skip: offset % WORD_BYTES })
    }
}

/// A range of bytes in the peer's region: the words that contain it, and how many bytes of the
/// first word are in front of it.
struct WordRange<'a> {
    words: &'a [AtomicU64],
    skip: usize,
}

impl WordRange<'_> {
    /// Copies the first `out.len()` bytes of the range to `out`, and initialises all of it.
    #[inline]
    fn copy_to(&self, out: &mut [MaybeUninit<u8>]) {
        let (mut words, mut out) = (self.words, out);
        if self.skip != 0
            && let Some((first, rest)) = words.split_first()
        {
            let bytes = &bytes_of(first)[self.skip..];
            let (head, tail) = out.split_at_mut(bytes.len().min(out.len()));
            head.copy_from_slice(&bytes[..head.len()]);
            (words, out) = (rest, tail);
        }
        let (whole, tail) = out.as_chunks_mut();
        let done = lines::copy(&words[..whole.len()], whole);
        for (word, out) in words.iter().zip(&mut *whole).skip(done) {
            *out = bytes_of(word);
        }
        if let Some(last) = words.get(whole.len()) {
            tail.copy_from_slice(&bytes_of(last)[..tail.len()]);
        }
    }
}

/// Returns the bytes of a word in the order of memory.
#[inline]
fn bytes_of(word: &AtomicU64) -> [MaybeUninit<u8>; WORD_BYTES] {
    word.load(Ordering::Relaxed).to_ne_bytes().map(MaybeUninit::new)
}

/// A range that is not in the region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the {len} bytes at {offset} do not lie in the region of {limit} bytes; \
     end the connection, since the peer does not keep to the layout"
)]
pub struct OutOfBounds {
    /// Where the range starts, in bytes from the start of the region.
    pub offset: usize,
    /// The length of the range in bytes.
    pub len: usize,
    /// The length of the region in bytes.
    pub limit: usize,
}
