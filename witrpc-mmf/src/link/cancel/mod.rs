//! Giving a call up: how the server learns that nobody waits for its answer.
//!
//! A lane has a *cancel word* in the client's region, **written by the lane's owner only**: the seq
//! of the latest call on the lane that was given up. The owner of a lane changes as its calls do, one
//! after the other, so the word never falls.
//!
//! - Client: store the seq; `fence(SeqCst)`; ring if the server's wants-cancel word is an epoch that
//!   has not been rung for ([`crate::wakeup::epoch`]).
//! - A handler that looks now and then: load the word.
//! - A handler that sleeps: register; store an epoch in the wants-cancel word; `fence(SeqCst)`; load
//!   the word once more; sleep.
//!
//! Why no cancel hits another call: the word is compared with the call's own seq, and of all calls of
//! a lane only one has it. (A client that breaks the rules can cancel its own calls, and no more.)
//!
//! Why no sleeper is missed: of the two fences one comes first. If it is the client's, the last look
//! finds the seq; if it is the server's, the client finds the epoch and rings.
//!
//! A server in which no handler sleeps so stores no epoch, and nobody rings. Nothing looks at these
//! words on the way of a call.

#[cfg(test)]
mod model;

use std::sync::atomic::Ordering::Relaxed;

use crate::memory::words::{ReadWord, Word, Words};

/// Says that call `seq` of this lane is given up. Called by the lane's owner, while the call is
/// pending; a look at whether to ring must follow, behind a fence.
#[inline]
pub fn cancel<W: Words>(word: &W::U64, seq: u64) {
    // Relaxed: the fence that follows orders it, and nothing is read on the strength of it.
    word.store(seq, Relaxed);
}

/// Whether call `seq` of this lane has been given up.
#[inline]
pub fn is_cancelled<W: Words>(word: &W::PeerU64, seq: u64) -> bool {
    word.load(Relaxed) == seq
}
