//! Sleeps on a word of the peer's region by futex, and wakes the sleepers of a word.
//!
//! The kernel identifies a shared futex by file and offset. So one process can wait through its
//! read-only mapping, and the other can wake through its writable one. A futex has 32 bits: here it
//! is the low half of a 64-bit seq.

use std::sync::atomic::AtomicU64;
use std::time::Instant;

use crate::memory::words::PeerU64;

/// Why a sleep ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// The time is over.
    TimedOut,
    /// Any other reason: a wake-up, a signal, or a word that had changed. The caller must look
    /// again.
    Look,
}

/// The offset of the low half in a word, in bytes.
const LOW_HALF: usize = if cfg!(target_endian = "little") { 0 } else { 4 };

/// Sleeps while the low half of `word` is `shown`, until `until` at the latest. It may return
/// earlier.
pub fn wait(word: &PeerU64, shown: u32, until: Option<Instant>) -> Woken {
    let timeout = match until {
        None => None,
        Some(at) => match at.checked_duration_since(Instant::now()) {
            Some(left) if !left.is_zero() => Some(left),
            _ => return Woken::TimedOut,
        },
    };
    let timeout = timeout.map(|left| libc::timespec {
        tv_sec: left.as_secs().try_into().unwrap_or(libc::time_t::MAX),
        tv_nsec: left.subsec_nanos().into(),
    });
    let timeout = timeout.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    let low = std::ptr::from_ref(word).cast::<u8>().wrapping_add(LOW_HALF);
    // SAFETY: FUTEX_WAIT reads four bytes at `low`, which lie in `word`, and the timeout, which is
    // null or a timespec that outlives the call; it writes nothing.
    let result = unsafe { libc::syscall(libc::SYS_futex, low, libc::FUTEX_WAIT, shown, timeout) };
    let timed_out =
        result == -1 && std::io::Error::last_os_error().raw_os_error() == Some(libc::ETIMEDOUT);
    if timed_out { Woken::TimedOut } else { Woken::Look }
}

/// Wakes all threads, of either process, that sleep on a word of this side's region.
pub fn wake_own(word: &AtomicU64) {
    wake(std::ptr::from_ref(word).cast());
}

/// Wakes all threads of this process that sleep on a word of the peer's region.
pub fn wake_peers(word: &PeerU64) {
    wake(std::ptr::from_ref(word).cast());
}

#[cold]
fn wake(word: *const u8) {
    let low = word.wrapping_add(LOW_HALF);
    // SAFETY: FUTEX_WAKE takes an address and a count, and accesses no memory of ours.
    unsafe { libc::syscall(libc::SYS_futex, low, libc::FUTEX_WAKE, i32::MAX) };
}
