//! Copying whole cache lines out of memory that a peer may write, at the speed of `memcpy`.
//!
//! Loading words one after the other reaches half of what a core can copy. The compiler may not
//! join atomic loads, so they are joined here, in a loop of machine code. It loads 16 bytes at a
//! time. As with relaxed loads of bytes, each byte has the value of some moment. The callers, which
//! copy memory that may change meanwhile, need no more. The compiler knows only that the loop may
//! read and write memory, and so moves no other access across it. x86-64 itself keeps loads in
//! order, and before later stores.
//!
//! (`rep movsb` is as fast in general. But on some processors it is twenty times slower if the
//! target is a few bytes further in its page than the source in its own. That is the case in a new
//! vector.)

use core::mem::MaybeUninit;
use core::sync::atomic::AtomicU64;

use super::WORD_BYTES;

/// Copies as many whole lines as `words` has, from the front. Returns how many words were copied.
///
/// # Panics
///
/// Panics if `out` is not as long as `words`.
#[cfg(all(target_arch = "x86_64", not(any(miri, asan, tsan))))]
#[inline]
pub fn copy(words: &[AtomicU64], out: &mut [[MaybeUninit<u8>; WORD_BYTES]]) -> usize {
    /// The number of words in a line.
    const LINE_WORDS: usize = 8;

    assert_eq!(words.len(), out.len());
    let lines = words.len() / LINE_WORDS;
    if lines == 0 {
        return 0;
    }
    // SAFETY: reads `lines` lines, at least one, from the start of `words` and writes as many to the
    // start of `out`; both have that many. The first may change meanwhile, since they are atomics. The
    // second is exclusively borrowed, and may hold any bytes. Only registers and flags are touched
    // otherwise.
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
            from = inout(reg) words.as_ptr() => _,
            to = inout(reg) out.as_mut_ptr() => _,
            lines = inout(reg) lines => _,
            a = out(xmm_reg) _,
            b = out(xmm_reg) _,
            c = out(xmm_reg) _,
            d = out(xmm_reg) _,
            options(nostack),
        );
    }
    lines * LINE_WORDS
}

/// Copies nothing: the caller's loop copies everything, where sanitizers see it.
#[cfg(not(all(target_arch = "x86_64", not(any(miri, asan, tsan)))))]
#[inline]
pub fn copy(_words: &[AtomicU64], _out: &mut [[MaybeUninit<u8>; WORD_BYTES]]) -> usize {
    0
}
