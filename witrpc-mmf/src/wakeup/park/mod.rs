//! Parking: how a blocked caller sleeps until its response is published, and how the server knows
//! that it must wake the caller.
//!
//! A caller that has spun in vain sleeps by futex on the seq of its lane's response line, the word
//! that the response changes. Each lane has a bit in the *parked mask* of its group, a word
//! **written by the client only**.
//!
//! - Caller: set the bit; fence; look at the seq; sleep only while the seq is the one that was seen.
//! - Server: publish the response; fence; load the mask; wake if the bit is set.
//!
//! No wake-up is lost, by [two fences](super). The server's wake-up comes while the caller sleeps, or
//! the kernel finds the seq changed before the caller falls asleep.
//!
//! The same fence of the server also precedes its look at the group's wake-requested word, on which
//! futures wait (see [`super::epoch`]). So a response costs one fence.
//!
//! When the connection ends, the client wakes its own callers. It records the end, then looks,
//! after a fence, whether callers are counted, and wakes all lines until there are none. A caller
//! counts itself before its fence, and looks for the end after it.

use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use crate::memory::layout::{LINE_WORDS, wait};
use crate::memory::words::{ReadWord, Word, Words};

use super::epoch::WakeRequest;

/// Runs `sleep` with the caller's `bit` set in the parked `mask`. `sleep` must look at what it
/// waits for before it sleeps, and after each wake-up.
pub fn parked<W: Words, R>(mask: &W::U64, bit: u64, sleep: impl FnOnce() -> R) -> R {
    mask.fetch_or(bit, Relaxed);
    // Pairs with the fences of `what_to_wake` and `still_parked`.
    W::fence(SeqCst);
    let outcome = sleep();
    // Relaxed: at worst the caller is woken in vain.
    mask.fetch_and(!bit, Relaxed);
    outcome
}

/// What the server must do after it has published a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ToWake {
    /// Wake the thread that sleeps on the response's seq.
    pub caller: bool,
    /// Ring the client's doorbell.
    pub link: bool,
}

/// Returns what to wake after a response was published. `bit` is the bit of its lane in the group's
/// wait line.
#[inline]
pub fn what_to_wake<W: Words>(
    wait_line: &[W::PeerU64; LINE_WORDS],
    bit: u64,
    wake_request: &WakeRequest<W>,
) -> ToWake {
    // Pairs with the fences of `parked` and of `SharedWakeEpoch::request_wakeup`.
    W::fence(SeqCst);
    ToWake {
        caller: wait_line[wait::PARKED].load(Relaxed) & bit != 0,
        link: wake_request.should_wake_after_fence(&wait_line[wait::WAKE_REQUESTED]),
    }
}

/// Returns the value of `word`, in which callers count themselves before they call [`parked`]. To
/// be called after the end of the connection was recorded: callers that are not counted see the
/// end.
pub fn still_parked<W: Words>(word: &W::U64) -> u64 {
    // Pairs with the fence of `parked`: a caller that is not seen here sees the end.
    W::fence(SeqCst);
    word.load(Relaxed)
}

#[cfg(test)]
mod model;
