//! Cancellation: how the server learns that a caller no longer waits for the answer.
//!
//! A lane has a *cancel word* in the client's region, **written by the lane's owner only**: the seq
//! of the latest call on the lane that was given up. The calls of a lane, and so its owners, follow
//! one another. So the word never falls.
//!
//! - Client: store the seq; fence; ring if the server's wants-cancel word is an epoch for which this
//!   client has not rung yet ([`crate::wakeup::epoch`]).
//! - A handler that checks now and then: load the word.
//! - A handler that sleeps: register; store an epoch in the wants-cancel word; fence; load the word
//!   once more; sleep. It misses no cancel, by [two fences](crate::wakeup).
//!
//! Why no cancel affects another call: the word is compared with the seq of the call, and each call
//! of a lane has its own. (A client that breaks the rules can cancel its own calls only.)
//!
//! While no handler sleeps in this way, the server stores no epoch and no client rings. The path of
//! a call itself accesses none of these words.

#[cfg(test)]
mod model;

use std::sync::atomic::Ordering::Relaxed;

use crate::memory::words::{ReadWord, Word, Words};

/// Records that call `seq` of this lane is given up. Called by the lane's owner while the call is
/// pending. A fence, and a look whether to ring, must follow.
#[inline]
pub fn cancel<W: Words>(word: &W::U64, seq: u64) {
    // Relaxed: the fence that follows orders it, and no other memory is read because of it.
    word.store(seq, Relaxed);
}

/// Returns whether call `seq` of this lane has been given up.
#[inline]
pub fn is_cancelled<W: Words>(word: &W::PeerU64, seq: u64) -> bool {
    word.load(Relaxed) == seq
}
