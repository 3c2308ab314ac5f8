//! Turns: in each round everything that is compared runs once, so that what disturbs the machine
//! meets all of it.

use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use super::Effort;
use crate::report::mode::Mode;
use crate::server::Server;
use crate::support::race::{Contender, Course, Times, race};

/// Something that has turns.
pub(crate) struct Entry<'a> {
    pub(crate) contender: Box<dyn Contender + 'a>,
    /// Runs during the turn only.
    pub(crate) server: &'a Server,
}

/// What is timed in a turn beside batches of calls.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Timing {
    /// Nothing.
    Batches,
    /// Each call of as many again.
    Singles,
}

/// What came out, an entry each in the order of the entries.
pub(crate) struct Outcome {
    pub(crate) times: Vec<Times>,
    /// The rounds that count.
    pub(crate) mode: Mode,
}

/// Runs the rounds. The first entry is the floor, which tells the machine's mode in each of them.
pub(crate) fn take_turns(
    effort: Effort,
    timing: Timing,
    bar: &ProgressBar,
    mut entries: Vec<Entry<'_>>,
) -> Outcome {
    let courses: Vec<Course> =
        entries.iter_mut().map(|entry| course(effort, timing, entry)).collect();
    let mut rounds = Vec::new();
    for round in 0..effort.rounds {
        let mut laps: Vec<Times> = entries.iter().map(|_| Times::default()).collect();
        for turn in 0..entries.len() {
            let index = (round + turn) % entries.len();
            let entry = &mut entries[index];
            entry.server.resume();
            [laps[index]] = race(courses[index], [&mut *entry.contender]);
            entry.server.pause();
            bar.inc(1);
        }
        rounds.push(laps);
    }
    count(rounds)
}

/// Keeps the rounds of the mode in which most were.
fn count(rounds: Vec<Vec<Times>>) -> Outcome {
    let floors: Vec<f64> = rounds.iter().map(|laps| laps[0].median()).collect();
    let mode = Mode::of(&floors);
    let mut times: Vec<Times> = rounds[0].iter().map(|_| Times::default()).collect();
    for (laps, floor) in rounds.into_iter().zip(floors) {
        if mode.has(floor) {
            for (times, lap) in times.iter_mut().zip(laps) {
                times.medians.extend(lap.medians);
                times.singles.extend(lap.singles);
            }
        }
    }
    times.iter_mut().for_each(|times| times.singles.sort_by(f64::total_cmp));
    Outcome { times, mode }
}

/// How many calls fill a turn. Also warms up what is only made when it is first used.
fn course(effort: Effort, timing: Timing, entry: &mut Entry<'_>) -> Course {
    const TRIES: usize = 3;
    entry.server.resume();
    entry.contender.begin();
    entry.contender.run(TRIES);
    let mut calls = TRIES;
    let mut time = Duration::ZERO;
    // Long enough for a clock, and for one that has slept.
    while time < effort.turn / 10 {
        calls *= 2;
        let start = Instant::now();
        entry.contender.run(calls);
        time = start.elapsed();
    }
    entry.contender.end();
    entry.server.pause();
    let calls = (calls as f64 * effort.turn.as_secs_f64() / time.as_secs_f64()) as usize;
    let batches = calls.clamp(3, 50);
    let singles = if timing == Timing::Singles { calls.clamp(3, 50_000) } else { 0 };
    let batch = (calls / batches).clamp(1, 5_000);
    Course { rounds: 1, warm_up: calls.div_ceil(10).min(5_000), batches, batch, singles }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lap(floor: f64, peer: f64) -> Vec<Times> {
        [floor, peer].map(|time| Times { medians: vec![time], singles: vec![time] }).into()
    }

    #[test]
    fn rounds_of_the_rarer_mode_do_not_count() {
        let rounds = vec![lap(100.0, 1.0), lap(500.0, 9.0), lap(110.0, 2.0)];
        let Outcome { times, mode } = count(rounds);
        assert_eq!(times[0].medians, [100.0, 110.0]);
        assert_eq!(times[1].singles, [1.0, 2.0]);
        assert_eq!((mode.rounds, mode.of), (2, 3));
    }
}
