//! Has a cache line fetched ahead of the load or store that needs it.

use core::sync::atomic::AtomicU32;

use crate::memory::words::PeerU32;

/// Asks for the line of `word`, to be written to soon, and does not wait for it. No program can tell
/// but by the time that the store takes.
///
/// A store of the same value would have the line fetched too, but the next locked instruction, say
/// that of a mutex, waits for stores.
#[cfg(all(target_arch = "x86_64", not(miri)))]
#[inline]
pub fn for_writing(word: &AtomicU32) {
    // SAFETY: a hint, which changes no memory, no register and no flag, and faults at no address.
    // Processors of this architecture that do not know it take it for a `nop`.
    unsafe {
        core::arch::asm!(
            "prefetchw [{word}]",
            word = in(reg) word.as_ptr(),
            options(readonly, nostack, preserves_flags),
        );
    }
}

/// Elsewhere the store fetches the line itself.
#[cfg(not(all(target_arch = "x86_64", not(miri))))]
#[inline]
pub fn for_writing(_word: &AtomicU32) {}

/// Asks for the line of `word`, which the peer writes, to be read soon, and does not wait for it.
#[cfg(all(target_arch = "x86_64", not(miri)))]
#[inline]
pub fn for_reading(word: &PeerU32) {
    use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};

    // SAFETY: a hint, as above, for which the processor only has to know SSE: all of this
    // architecture do.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(core::ptr::from_ref(word).cast()) };
}

/// Elsewhere the load fetches the line itself.
#[cfg(not(all(target_arch = "x86_64", not(miri))))]
#[inline]
pub fn for_reading(_word: &PeerU32) {}
