//! Copying whole cache lines out of memory that a peer may write, at the speed of `memcpy`.
//!
//! Words that are loaded one after the other keep half of what a core can move. The compiler may not
//! join atomic loads, so they are joined here, in a loop of machine code: loads of 16 bytes, of which
//! each byte comes out as it was at some moment, as of relaxed loads of bytes. That is all that the
//! callers, who copy what may change meanwhile, ask for. The compiler knows nothing of the loop but
//! that it may read and write memory, and so moves no other access across it; x86-64 itself keeps
//! loads in order, and before later stores.
//!
//! (`rep movsb` is as quick, but twenty times slower on some processors when the target lies a few
//! bytes further in its page than the source does in its own, as it does in a new vector.)

use core::mem::MaybeUninit;
use core::sync::atomic::AtomicU64;

use super::WORD_BYTES;

/// Copies from the front as many whole lines as there are in `words`, and returns how many words that
/// were.
///
/// # Panics
///
/// If `out` is not as long as `words`.
#[cfg(all(target_arch = "x86_64", not(any(miri, asan, tsan))))]
#[inline]
pub fn copy(words: &[AtomicU64], out: &mut [[MaybeUninit<u8>; WORD_BYTES]]) -> usize {
    /// Words of a line.
    const LINE_WORDS: usize = 8;

    assert_eq!(words.len(), out.len());
    let lines = words.len() / LINE_WORDS;
    if lines == 0 {
        return 0;
    }
    // SAFETY: reads `lines` lines, at least one, from the start of `words` and writes as many to the
    // start of `out`, which both have; the first may change meanwhile, being atomics, and the second
    // is ours alone, and may hold any bytes. Nothing else is touched but registers and flags.
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

/// Copies nothing: the loop of the caller does it all, where sanitizers see it.
#[cfg(not(all(target_arch = "x86_64", not(any(miri, asan, tsan)))))]
#[inline]
pub fn copy(_words: &[AtomicU64], _out: &mut [[MaybeUninit<u8>; WORD_BYTES]]) -> usize {
    0
}
