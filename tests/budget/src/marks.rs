//! Cuts a run into blocks of equally many calls, each of which callgrind profiles by itself.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Blocks of one run.
pub(crate) const BLOCKS: u64 = 30;

/// Calls that a profile covers.
pub(crate) const BLOCK: u64 = 64;

/// Calls between two blocks, which are in no profile. At the first of them the process has stood still,
/// while callgrind wrote the profile, and its peer may have gone to sleep.
pub(crate) const BETWEEN: u64 = 32;

/// Calls of one run.
pub(crate) const CALLS: u64 = BLOCKS * (BETWEEN + BLOCK) + BETWEEN;

/// The function at whose calls callgrind sets its counters to zero.
pub(crate) const BEGINS: &str = "*::marks::block_begins";

/// The function at whose calls callgrind writes a profile.
pub(crate) const ENDS: &str = "*::marks::block_ends";

/// How the names end of functions that are left out: into these the compiler puts the client's loop that
/// waits for an answer, and how often that looks depends on the peer.
pub(crate) const WAITING: [&str; 4] =
    ["::wait_response", "::wait_answer", "::exchange_short", "::wait_for_short"];

/// The functions of this module, which belong to no call.
pub(crate) const MODULE: &str = "::marks::";

/// Counts the calls of a process.
#[derive(Default)]
pub(crate) struct Marks(AtomicU64);

impl Marks {
    /// Notes that a call begins.
    #[inline(never)]
    pub(crate) fn pass(&self) {
        let place = self.0.fetch_add(1, Relaxed) % (BETWEEN + BLOCK);
        if place == BETWEEN {
            block_begins();
        }
        if place == 0 {
            block_ends();
        }
    }
}

#[inline(never)]
fn block_begins() {
    black_box("begins");
}

#[inline(never)]
fn block_ends() {
    black_box("ends");
}
