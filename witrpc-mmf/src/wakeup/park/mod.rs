//! Parking on a response: how a server knows that a blocked caller has to be woken.
//!
//! A caller that has spun in vain sleeps by futex on the seq of its lane's response line, the word
//! that its waker changes. For each lane it has a bit in the *parked mask* of the lane's group, a word
//! **written by the client only**.
//!
//! - Caller: set the bit; `fence(SeqCst)`; look at the seq; sleep only while the seq is the one seen.
//! - Server: publish the response; `fence(SeqCst)`; load the mask; wake if the bit is set.
//!
//! Why no wake-up is lost: of the two fences one comes first. If it is the caller's, the server finds
//! the bit, and its wake either comes while the caller sleeps or finds the seq changed before the
//! caller could fall asleep. If it is the server's, the caller's look finds the response.
//!
//! The same fence of the server stands before its look at the group's ring word, on which futures
//! wait (see [`super::epoch`]): a response costs one fence.
//!
//! When the connection ends, the client wakes its own callers: it records the end, then looks (with a
//! fence) whether any is counted, and wakes all lines until none is. A caller counts itself before its
//! fence, and looks for the end after it.

use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use crate::memory::layout::{LINE_WORDS, wait};
use crate::memory::words::{ReadWord, Word, Words};

use super::epoch::WakeRequest;

/// Runs `sleep` with the caller's `bit` set in the parked `mask`. `sleep` looks at what it waits for
/// before it sleeps, and after each wake-up.
pub fn parked<W: Words, R>(mask: &W::U64, bit: u64, sleep: impl FnOnce() -> R) -> R {
    mask.fetch_or(bit, Relaxed);
    // Pairs with the fences of `whom_to_wake` and `still_parked`.
    W::fence(SeqCst);
    let outcome = sleep();
    // Relaxed: at worst it is woken in vain.
    mask.fetch_and(!bit, Relaxed);
    outcome
}

/// What a response asks of the server beside its publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ToWake {
    /// A thread sleeps on the response's seq.
    pub caller: bool,
    /// The client's doorbell is to be rung.
    pub link: bool,
}

/// Whom to wake once a response has been published; `bit` is its lane's in the group's wait line.
#[inline]
pub fn whom_to_wake<W: Words>(
    wait_line: &[W::PeerU64; LINE_WORDS],
    bit: u64,
    rung: &WakeRequest<W>,
) -> ToWake {
    // Pairs with the fences of `parked` and of `wakeup::epoch::SharedWakeEpoch`.
    W::fence(SeqCst);
    ToWake {
        caller: wait_line[wait::PARKED].load(Relaxed) & bit != 0,
        link: rung.should_wake_after_fence(&wait_line[wait::WAKE_REQUESTED]),
    }
}

/// Whether callers may sleep yet, once the end of the connection has been recorded: what `word` says,
/// which they have written to before they called [`parked`].
pub fn still_parked<W: Words>(word: &W::U64) -> u64 {
    // Pairs with the fence of `parked`: whoever is not seen here sees the end.
    W::fence(SeqCst);
    word.load(Relaxed)
}

#[cfg(test)]
mod model;
