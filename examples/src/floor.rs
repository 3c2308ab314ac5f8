//! The floor under every call: a word that bounces between two cores.

use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Release},
};
use std::time::{Duration, Instant};

/// A word with a private cache line.
#[repr(align(64))]
struct Line(AtomicU64);

/// Returns the mean time, over `rounds` rounds, in which two threads send a word over one line and
/// get it back over another. Anything that passes requests through memory takes longer.
pub fn round_trip(rounds: u64) -> Duration {
    let (there, back) = (Line(AtomicU64::new(0)), Line(AtomicU64::new(0)));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 1..=rounds {
                await_value(&there, round);
                back.0.store(round, Release);
            }
        });
        let start = Instant::now();
        for round in 1..=rounds {
            there.0.store(round, Release);
            await_value(&back, round);
        }
        start.elapsed() / u32::try_from(rounds).unwrap_or(u32::MAX)
    })
}

/// Spins until the line has the value; yields now and then, because both ends may share a core.
fn await_value(line: &Line, value: u64) {
    let mut looks = 0_u32;
    while line.0.load(Acquire) != value {
        looks += 1;
        if looks.is_multiple_of(1 << 14) {
            std::thread::yield_now();
        }
    }
}
