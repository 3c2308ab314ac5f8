//! Reading memory that a peer may write: the one place, and the rules.
//!
//! # The rules
//!
//! Rust has no fully blessed way to share memory with a process that may write while we read. What
//! this crate does instead is narrow enough to be argued about, and it is all here:
//!
//! 1. **The peer's region is read by aligned relaxed atomic loads of words, and in no other way.**
//!    No `&u8`, `&[u8]` or `&T` to it ever exists, only references to atomics. A write that the peer
//!    does meanwhile makes a load return one value or another; it cannot make it undefined. (Whole
//!    lines are loaded by machine code, which asks for no more than that: `lines`.) The one
//!    exception is [`PeerMemory::trusted`], which a user has to unlock by an unsafe promise
//!    ([`TrustedPeer`]): that this peer does not write to what it has sent.
//! 2. **It is copied out once.** Whatever is checked is checked on the private copy, and whatever is
//!    used is the copy that was checked. Nothing looks at the original again, so there is no second
//!    fetch that could differ from the first. Decoding, and borrowing (`&str`, `&[T]`), happen in
//!    the copy.
//! 3. **It is never written here.** It is mapped read-only (of the portable backend, which cannot,
//!    merely used so); [`PeerU32`] and [`PeerU64`] are words
//!    that can only be loaded.
//! 4. **Our own region is written by this process only**: its file is sealed against writes through
//!    any other descriptor or mapping before the peer gets it (the portable backend trusts the peer
//!    instead, and says so: `Backend::Portable`). That is what makes a `&mut [u8]` to a block of it
//!    sound: no other process can write there, and within this process the block is the exclusive
//!    token ([`OwnMemory::block_mut`]). The words in front of the arena are atomics even for us,
//!    since our threads share them.
//! 5. **Every offset is checked against lengths that are stored locally.** What comes from a peer
//!    gives an error ([`OutOfBounds`]); what comes from the layout, and can be wrong only by a
//!    mistake of ours, panics.
//! 6. **The bytes of a word are always asked for in one size**, 32 or 64 bits, in a region that we
//!    write: racing atomics of different sizes on the same bytes are undefined. (In the peer's
//!    region this process only loads, and loads of any size do not race with each other.)
//!
//! What Rust's memory model says about the peer's accesses is nothing: another process is outside of
//! it. It is taken to be code that the compiler cannot see and that keeps to the same rules; a peer
//! that breaks them can make our loads return garbage, which rule 2 expects of them anyway.
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

/// Bytes of a word, the unit in which the peer's memory is read.
const WORD_BYTES: usize = size_of::<u64>();

/// The peer's region, mapped read-only: it can be looked at word by word and copied out.
///
/// Dropping it unmaps the region.
#[derive(Debug)]
pub struct PeerMemory {
    mapping: Mapping,
    /// The lines at the start of the region.
    head: Lines,
    /// The lines of the lanes, once they are known.
    lanes: Lines,
}

impl PeerMemory {
    /// Takes over a mapping of the peer's region, of which the first `len` bytes are used.
    ///
    /// # Errors
    ///
    /// [`BadMapping`] if `len` bytes of whole words are not there, or not aligned.
    ///
    /// # Safety
    ///
    /// As long as the mapping exists,
    ///
    /// - all of it can be read (the file under it is sealed against shrinking, and nobody changes
    ///   the protection of the pages or unmaps them);
    /// - this process does not access it other than through the value returned.
    pub unsafe fn new(pages: impl Pages, len: usize) -> Result<Self, BadMapping> {
        // SAFETY: readable for as long as it exists, by this function's own contract.
        let mapping = unsafe { Mapping::new(Box::new(pages), len) }?;
        let head = mapping.lines(0, HEAD_LINES.min(len / LINE));
        let lanes = mapping.lines(0, 0);
        Ok(Self { mapping, head, lanes })
    }

    /// Says where the line of each lane lies.
    ///
    /// # Panics
    ///
    /// If not all of them lie in the region, each at a multiple of its length.
    #[must_use]
    pub fn with_lanes(mut self, offset: usize, count: usize) -> Self {
        self.lanes = self.mapping.lines(offset, count);
        self
    }

    /// The line of a lane.
    ///
    /// # Panics
    ///
    /// If there are not so many lanes.
    #[inline]
    #[must_use]
    pub fn line(&self, lane: usize) -> &[PeerU64; LINE_WORDS] {
        // SAFETY: the lines are this mapping's, and no exclusive reference to the peer's region is ever
        // made (rule 1).
        unsafe { self.mapping.line(self.lanes, lane) }
    }

    /// The 64-bit word at `offset`, which is one of the head's.
    ///
    /// # Panics
    ///
    /// If it is not in the head.
    #[inline]
    #[must_use]
    pub fn head_word(&self, offset: usize) -> &PeerU64 {
        // SAFETY: as in `line`.
        let line: &[_; LINE_WORDS] = unsafe { self.mapping.line(self.head, offset / LINE) };
        &line[offset % LINE / WORD_BYTES]
    }

    /// Bytes of the region that can be read.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a region is never empty")]
    pub fn len(&self) -> usize {
        self.mapping.len()
    }

    /// Copies the `out.len()` bytes at `offset` out of the region.
    ///
    /// Neither needs to be aligned; a multiple of 8 for `offset` is quickest. What was stored to the
    /// bytes before a word that the caller has loaded with `Acquire` is seen; bytes that the peer
    /// writes meanwhile come out as any mixture.
    ///
    /// # Errors
    ///
    /// [`OutOfBounds`] if not all of the range lies in the region; nothing is copied then.
    #[inline]
    pub fn copy_out(&self, offset: usize, out: &mut [u8]) -> Result<(), OutOfBounds> {
        let source = self.source(offset, out.len())?;
        // SAFETY: `u8` and `MaybeUninit<u8>` have the same layout, and the one thing done with the
        // result, `WordRange::copy_to`, writes only initialised bytes to it.
        source.copy_to(unsafe { &mut *(core::ptr::from_mut(out) as *mut [MaybeUninit<u8>]) });
        Ok(())
    }

    /// Copies the `len` bytes at `offset` out of the region to the end of `out`.
    ///
    /// Like [`copy_out`](Self::copy_out), but the place is not filled with zeros first.
    ///
    /// # Errors
    ///
    /// [`OutOfBounds`] if not all of the range lies in the region; nothing is copied or reserved
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

    /// The `len` bytes at `offset`, in place, if the peer is trusted not to write there.
    ///
    /// # Panics
    ///
    /// If the bytes do not lie in the region.
    ///
    /// # Safety
    ///
    /// They are of a block that the peer has lent, and that this process does not release while the
    /// result exists.
    #[must_use]
    pub unsafe fn trusted(&self, offset: usize, len: usize, _promise: TrustedPeer) -> &[u8] {
        // SAFETY: this process never writes to the region (rule 3). The peer does not write to a
        // block until it is released: whoever made the `TrustedPeer` has promised that, and by this
        // function's contract it is not released while the result exists.
        unsafe { self.mapping.bytes(offset, len) }
    }

    /// Copies the `N` words at `offset` out of the region, such as a line.
    ///
    /// # Panics
    ///
    /// If `offset` is not a multiple of 8 or the words do not lie in the region: for offsets of the
    /// layout only, never for ones that the peer has sent.
    #[inline]
    #[must_use]
    pub fn read_words<const N: usize>(&self, offset: usize) -> [u64; N] {
        let words = self.words64(offset, N);
        core::array::from_fn(|index| words[index].load(Ordering::Relaxed))
    }

    /// The 64-bit word at `offset`.
    ///
    /// # Panics
    ///
    /// If `offset` is not a multiple of 8 or the word does not lie in the region.
    #[inline]
    #[must_use]
    pub fn word64(&self, offset: usize) -> &PeerU64 {
        &self.words64(offset, 1)[0]
    }

    /// The 32-bit word at `offset`.
    ///
    /// # Panics
    ///
    /// If `offset` is not a multiple of 4 or the word does not lie in the region.
    #[inline]
    #[must_use]
    pub fn word32(&self, offset: usize) -> &PeerU32 {
        &self.words32(offset, 1)[0]
    }

    /// The `count` 64-bit words at `offset`.
    ///
    /// # Panics
    ///
    /// If `offset` is not a multiple of 8 or the words do not lie in the region.
    #[inline]
    #[must_use]
    pub fn words64(&self, offset: usize, count: usize) -> &[PeerU64] {
        // SAFETY: no exclusive reference to the peer's region is ever made (rule 1).
        unsafe { self.mapping.words(offset, count) }
    }

    /// The `count` 32-bit words at `offset`.
    ///
    /// # Panics
    ///
    /// If `offset` is not a multiple of 4 or the words do not lie in the region.
    #[inline]
    #[must_use]
    pub fn words32(&self, offset: usize, count: usize) -> &[PeerU32] {
        // SAFETY: no exclusive reference to the peer's region is ever made (rule 1).
        unsafe { self.mapping.words(offset, count) }
    }

    /// The words that contain the `len` bytes at `offset`.
    #[inline]
    fn source(&self, offset: usize, len: usize) -> Result<WordRange<'_>, OutOfBounds> {
        let limit = self.len();
        let end = offset.checked_add(len).filter(|end| *end <= limit);
        let end = end.ok_or(OutOfBounds { offset, len, limit })?;
        // The mapping is of whole aligned words, so those that contain the range lie in it too.
        let first = offset / WORD_BYTES;
        let count = end.div_ceil(WORD_BYTES) - first;
        // SAFETY: no exclusive reference to the peer's region is ever made (rule 1).
        let words = unsafe { self.mapping.words(first * WORD_BYTES, count) };
        Ok(WordRange { words, skip: offset % WORD_BYTES })
    }
}

/// A range of bytes in the peer's region: the words that contain it, and how many bytes of the first
/// one lie before it.
struct WordRange<'a> {
    words: &'a [AtomicU64],
    skip: usize,
}

impl WordRange<'_> {
    /// Copies the range, as many bytes as `out` has, to `out`, and initialises all of it.
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

/// The bytes of a word, as they lie in memory.
#[inline]
fn bytes_of(word: &AtomicU64) -> [MaybeUninit<u8>; WORD_BYTES] {
    word.load(Ordering::Relaxed).to_ne_bytes().map(MaybeUninit::new)
}

/// A range that does not lie in the region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the {len} bytes at {offset} do not lie in the region of {limit} bytes; \
     end the connection, since the peer does not keep to the layout"
)]
pub struct OutOfBounds {
    /// Where the range starts, in bytes from the start of the region.
    pub offset: usize,
    /// Length of the range in bytes.
    pub len: usize,
    /// Length of the region in bytes.
    pub limit: usize,
}
