//! Copying whole cache lines out of memory that a peer may write, and into memory that a peer reads, at
//! the speed of `memcpy`.
//!
//! Loading words one after the other reaches half of what a core can copy. The compiler may not
//! join atomic loads and stores, so they are joined here, in a loop of machine code. It moves 16 bytes
//! at a time. As with relaxed accesses of bytes, each byte has the value of some moment. The callers, which
//! copy memory that may change meanwhile or that is published by a later store, need no more. The compiler
//! knows only that the loop may read and write memory, and so moves no other access across it. x86-64
//! itself keeps loads in order, and before later stores, and keeps stores in order.
//!
//! (`rep movsb` is as fast in general. But on some processors it is twenty times slower if the
//! target is a few bytes further in its page than the source in its own. That is the case in a new
//! vector.)

use core::mem::MaybeUninit;
use core::sync::atomic::AtomicU64;

use super::WORD_BYTES;

/// The number of words in a line.
#[cfg(all(target_arch = "x86_64", not(any(miri, asan, tsan))))]
const LINE_WORDS: usize = 8;

/// Copies as many whole lines as `words` has, from the front. Returns how many words were copied.
///
/// # Panics
///
/// Panics if `out` is not as long as `words`.
#[cfg(all(target_arch = "x86_64", not(any(miri, asan, tsan))))]
#[inline]
pub fn copy(words: &[AtomicU64], out: &mut [[MaybeUninit<u8>; WORD_BYTES]]) -> usize {
    assert_eq!(words.len(), out.len());
    let lines = words.len() / LINE_WORDS;
    // SAFETY: both have that many lines. The first may change meanwhile, since they are atomics. The
    // second is exclusively borrowed, and may hold any bytes.
    unsafe { move_lines(words.as_ptr().cast(), out.as_mut_ptr().cast(), lines) };
    lines * LINE_WORDS
}

/// Stores as many whole lines as `words` has, from the front. Returns how many words were stored.
///
/// # Panics
///
/// Panics if `bytes` is not as long as `words`.
#[cfg(all(target_arch = "x86_64", not(any(miri, asan, tsan))))]
#[inline]
pub fn store(words: &[AtomicU64], bytes: &[[u8; WORD_BYTES]]) -> usize {
    assert_eq!(words.len(), bytes.len());
    let lines = words.len() / LINE_WORDS;
    // SAFETY: both have that many lines. The first are atomics, which may be stored to through a shared
    // reference, and take any bytes. The second do not change, as they are borrowed.
    unsafe { move_lines(bytes.as_ptr().cast(), words.as_ptr().cast_mut().cast(), lines) };
    lines * LINE_WORDS
}

/// Copies `lines` lines.
///
/// # Safety
///
/// `lines` lines can be read at `from` and written at `to`. Memory that other threads access meanwhile
/// consists of atomics.
#[cfg(all(target_arch = "x86_64", not(any(miri, asan, tsan))))]
#[inline]
unsafe fn move_lines(from: *const u8, to: *mut u8, lines: usize) {
    if lines == 0 {
        return;
    }
    // SAFETY: reads `lines` lines, at least one, at `from` and writes as many at `to`, which this
    // function's own contract allows. Only registers and flags are touched otherwise.
    unsafe {
        core::arch::asm!(
            "2:",
            "movups {a}, [{from}]",
            "movups {b}, [{from} + 16]",
            "movups {c}, [{from} + 32]",
            "movups {d}, [{from} + 48]",
            "movups [{to}], {a}",
            "movups [{to} + 16], {b}",
            "movups [{to} + 32], {c}",
            "movups [{to} + 48], {d}",
            "add {from}, 64",
            "add {to}, 64",
            "dec {lines}",
            "jnz 2b",
            from = inout(reg) from => _,
            to = inout(reg) to => _,
            lines = inout(reg) lines => _,
            a = out(xmm_reg) _,
            b = out(xmm_reg) _,
            c = out(xmm_reg) _,
            d = out(xmm_reg) _,
            options(nostack),
        );
    }
}

/// Copies nothing: the caller's loop copies everything, where sanitizers see it.
#[cfg(not(all(target_arch = "x86_64", not(any(miri, asan, tsan)))))]
#[inline]
pub fn copy(_words: &[AtomicU64], _out: &mut [[MaybeUninit<u8>; WORD_BYTES]]) -> usize {
    0
}

/// Stores nothing, for the same reason.
#[cfg(not(all(target_arch = "x86_64", not(any(miri, asan, tsan)))))]
#[inline]
pub fn store(_words: &[AtomicU64], _bytes: &[[u8; WORD_BYTES]]) -> usize {
    0
}
