//! Prefetches the cache line of a release slot, ahead of the load or store that needs it.

use core::sync::atomic::AtomicU32;

use crate::memory::words::PeerU32;

/// Prefetches the line of `word`, to be written soon, and does not wait for it. Only the time of
/// the later store depends on it.
///
/// A store of the same value would fetch the line too. But the next locked instruction, for example
/// that of a mutex, waits for stores.
#[cfg(all(target_arch = "x86_64", not(miri)))]
#[inline]
pub fn for_writing(word: &AtomicU32) {
    // SAFETY: a hint, which changes no memory, no register and no flag, and faults at no address.
    // Processors of this architecture that do not know it execute it as a `nop`.
    unsafe {
        core::arch::asm!(
            "prefetchw [{word}]",
            word = in(reg) word.as_ptr(),
            options(readonly, nostack, preserves_flags),
        );
    }
}

/// Does nothing: on this target the store fetches the line itself.
#[cfg(not(all(target_arch = "x86_64", not(miri))))]
#[inline]
pub fn for_writing(_word: &AtomicU32) {}

/// Prefetches the line of `word`, which the peer writes, to be read soon. Does not wait for it.
#[cfg(all(target_arch = "x86_64", not(miri)))]
#[inline]
pub fn for_reading(word: &PeerU32) {
    use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};

    // SAFETY: a hint, as above. It needs SSE, which every processor of this architecture has.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(core::ptr::from_ref(word).cast()) };
}

/// Does nothing: on this target the load fetches the line itself.
#[cfg(not(all(target_arch = "x86_64", not(miri))))]
#[inline]
pub fn for_reading(_word: &PeerU32) {}
