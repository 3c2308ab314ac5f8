//! Which rounds of a run may stand beside each other.
//!
//! The virtual cores of a machine may be near (they share a cache) for a while, and then far. The
//! floor of a round tells. Figures of near and far rounds must not be mixed.

use std::fmt;

use super::table::Unit;
use crate::support::race::median;

/// The factor from which on a floor and the median are of two modes.
const APART: f64 = 1.5;

/// The floors of the rounds that count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Mode {
    middle: f64,
    least: f64,
    most: f64,
    /// Rounds that count.
    pub(crate) rounds: usize,
    /// All rounds.
    pub(crate) of: usize,
}

impl Mode {
    /// Returns the mode of most rounds, from the floor of each.
    pub(crate) fn of(floors: &[f64]) -> Self {
        // Of an even number, one that a round had: the mean of two modes is neither.
        let odd = floors.len() - usize::from(floors.len().is_multiple_of(2));
        let middle = median(floors[..odd].to_vec());
        let ours = || floors.iter().copied().filter(move |floor| is_near(*floor, middle));
        Self {
            middle,
            least: ours().fold(middle, f64::min),
            most: ours().fold(middle, f64::max),
            rounds: ours().count(),
            of: floors.len(),
        }
    }

    /// Returns whether a round with this floor counts.
    pub(crate) fn has(&self, floor: f64) -> bool {
        is_near(floor, self.middle)
    }
}

fn is_near(floor: f64, middle: f64) -> bool {
    (middle / APART..=middle * APART).contains(&floor)
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rounds, of, least, most, .. } = self;
        let [least, most] = [least, most].map(|floor| Unit::Nanoseconds.show(*floor));
        write!(f, "{rounds} of {of} rounds count: those with a floor of {least} to {most}.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_rounds_decide() {
        let mode = Mode::of(&[105.0, 520.0, 510.0, 530.0, 100.0]);
        assert!(mode.has(400.0) && !mode.has(105.0) && !mode.has(9_000.0));
        assert_eq!(
            mode.to_string(),
            "3 of 5 rounds count: those with a floor of 510 ns to 530 ns."
        );
    }

    #[test]
    fn equally_many_of_two_modes_are_not_mixed() {
        let mode = Mode::of(&[105.0, 520.0, 110.0, 530.0]);
        assert_eq!((mode.rounds, mode.of), (2, 4));
    }
}
