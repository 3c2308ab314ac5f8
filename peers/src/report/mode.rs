//! How near the two cores are to each other.
//!
//! The virtual cores of a machine may be near (they share a cache) for a while, and then far. The
//! floor tells which. Figures of both must not be mixed.

use std::fmt;

use super::table::Unit;
use crate::support::race::median;

/// From this ping-pong on, in nanoseconds, two cores share no cache.
const FAR_FROM: f64 = 250.0;
/// From this one on, something sleeps: there is no such mode.
const ASLEEP_FROM: f64 = 2_500.0;

/// The mode of the rounds that count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Mode {
    distance: Distance,
    /// Rounds that count.
    pub(crate) rounds: usize,
    /// All rounds.
    pub(crate) of: usize,
    least: f64,
    most: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Distance {
    Near,
    Far,
    /// Of floors that sleep.
    Unknown,
}

fn distance(floor: f64) -> Distance {
    if floor < FAR_FROM {
        Distance::Near
    } else if floor < ASLEEP_FROM {
        Distance::Far
    } else {
        Distance::Unknown
    }
}

impl Mode {
    /// Returns the mode in which most rounds were, from the floor of each. The least floor decides
    /// between equally many.
    pub(crate) fn of(floors: &[f64]) -> Self {
        let all = [Distance::Unknown, Distance::Far, Distance::Near];
        let count =
            |mode: Distance| floors.iter().filter(|floor| distance(**floor) == mode).count();
        let distance = all.into_iter().max_by_key(|mode| count(*mode)).expect("three");
        let mode =
            Self { distance, rounds: count(distance), of: floors.len(), least: 0.0, most: 0.0 };
        let ours: Vec<f64> = floors.iter().copied().filter(|floor| mode.has(*floor)).collect();
        let least = ours.iter().copied().fold(median(ours.clone()), f64::min);
        let most = ours.into_iter().fold(least, f64::max);
        Self { least, most, ..mode }
    }

    /// Returns whether a round with this floor counts.
    pub(crate) fn has(&self, floor: f64) -> bool {
        distance(floor) == self.distance
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { distance, rounds, of, least, most } = self;
        let show = |floor| Unit::Nanoseconds.show(floor);
        write!(f, "{rounds} of {of} rounds count")?;
        match distance {
            Distance::Near => write!(f, ", in which the cores were near")?,
            Distance::Far => write!(f, ", in which the cores were far")?,
            Distance::Unknown => {}
        }
        write!(f, ": floors of {} to {}.", show(*least), show(*most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_rounds_decide() {
        let mode = Mode::of(&[105.0, 520.0, 510.0, 530.0]);
        assert!(mode.has(400.0) && !mode.has(105.0) && !mode.has(9_000.0));
        assert_eq!(
            mode.to_string(),
            "3 of 4 rounds count, in which the cores were far: floors of 510 ns to 530 ns."
        );
    }

    #[test]
    fn near_wins_a_tie() {
        assert!(Mode::of(&[105.0, 520.0]).has(110.0));
    }

    #[test]
    fn floors_that_sleep_have_no_mode() {
        let mode = Mode::of(&[9_000.0, 11_000.0]);
        assert_eq!(mode.to_string(), "2 of 2 rounds count: floors of 9 µs to 11 µs.");
    }
}
