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

/// How far the peer's `CLOCK_MONOTONIC` is ahead of this process's. It is ahead or behind in another time
/// namespace: in a container that was restored, or that has a clock of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClockOffset(i64);

impl ClockOffset {
    /// Compares the clocks. The peer's showed `stamp` at some time from `since` to now; 0 says nothing.
    pub fn of(stamp: u64, since: Instant) -> Self {
        Self::between(stamp, nanos_at(since), monotonic_ns())
    }

    /// Of the offsets that are possible, this is the greatest: by the peer's clock, a deadline may be over too
    /// late by the length of the handshake, and never too early. Clocks that may be one are taken for one.
    fn between(stamp: u64, earliest: u64, latest: u64) -> Self {
        if stamp == 0 || (earliest..=latest).contains(&stamp) {
            return Self(0);
        }
        Self(i64::try_from(i128::from(stamp) - i128::from(earliest)).unwrap_or(0))
    }

    /// Returns the number that says this instant by the peer's clock.
    pub fn nanos_at(self, instant: Instant) -> u64 {
        nanos_at(instant).saturating_add_signed(self.0)
    }
}

/// Returns the nanoseconds of `CLOCK_MONOTONIC`.
pub fn monotonic_ns() -> u64 {
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
    fn a_stamp_within_the_handshake_is_of_the_same_clock_and_any_other_tells_the_offset() {
        let (earliest, latest) = (5_000, 6_000);
        for same in [0, 5_000, 5_500, 6_000] {
            assert_eq!(ClockOffset::between(same, earliest, latest), ClockOffset(0));
        }
        assert_eq!(ClockOffset::between(1, earliest, latest), ClockOffset(-4_999));
        assert_eq!(ClockOffset::between(1_000_000, earliest, latest), ClockOffset(995_000));
        assert_eq!(ClockOffset::between(u64::MAX, earliest, latest), ClockOffset(0), "no clock");
        let far = ClockOffset(i64::MAX).nanos_at(Instant::now());
        assert!(far > i64::MAX as u64 && ClockOffset(i64::MIN).nanos_at(Instant::now()) == 0);
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
