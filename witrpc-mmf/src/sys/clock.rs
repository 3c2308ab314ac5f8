//! Instants as numbers that another process of the machine understands.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// The limit for instants in the future: a number from a peer can be anything.
const FAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// Returns the nanoseconds of `CLOCK_MONOTONIC` at that instant; 0 for one before the machine started.
pub fn nanos_at(instant: Instant) -> u64 {
    // The clocks are read in this order so that the number is, if anything, too high, and in
    // `instant_at` the instant too late. So code that uses one of them never takes a time for over
    // that is not yet over by the other.
    let now = Instant::now();
    let now_ns = monotonic_ns();
    match instant.checked_duration_since(now) {
        Some(left) => now_ns.saturating_add(nanos(left)),
        None => now_ns.saturating_sub(nanos(now - instant)),
    }
}

/// Returns the instant at `at_ns` nanoseconds of `CLOCK_MONOTONIC`. A time in the past gives now.
pub fn instant_at(at_ns: u64) -> Instant {
    let now_ns = monotonic_ns();
    let now = Instant::now();
    now + Duration::from_nanos(at_ns.saturating_sub(now_ns)).min(FAR)
}

fn monotonic_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_survives_its_number() {
        let soon = Instant::now() + Duration::from_secs(100);
        let there_and_back = instant_at(nanos_at(soon));
        // Each conversion loses the time that passed between its two looks at the clock.
        assert!(there_and_back <= soon + Duration::from_secs(50));
        assert!(there_and_back >= soon - Duration::from_secs(50));
    }

    #[test]
    fn what_is_over_is_now_and_what_is_absurd_is_far() {
        let before = Instant::now();
        let over = instant_at(nanos_at(before));
        assert!(over >= before && over <= Instant::now());
        assert!(instant_at(0) <= Instant::now());
        assert!(instant_at(u64::MAX) <= Instant::now() + FAR);
        assert!(instant_at(u64::MAX) >= before + FAR);
    }
}
