//! The floor under every call: a word that bounces between two cores.

use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Release},
};
use std::time::{Duration, Instant};

/// A word on a cache line of its own.
#[repr(align(64))]
struct Line(AtomicU64);

/// The time that two threads take, in the mean of `rounds` rounds, to send a word over one line and
/// get it back over another. Whatever passes requests through memory takes longer.
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

/// Spins; yields now and then, in case that both ends share a core.
fn await_value(line: &Line, value: u64) {
    let mut looks = 0_u32;
    while line.0.load(Acquire) != value {
        looks += 1;
        if looks.is_multiple_of(1 << 14) {
            std::thread::yield_now();
        }
    }
}
