//! Taking turns: rounds in which everything that is compared runs once, so that what disturbs the
//! machine meets all of it.

use std::time::Instant;

/// Something that is timed beside others.
pub(crate) trait Contender {
    /// Its turn begins.
    fn begin(&mut self) {}

    /// Does what is timed, `calls` times.
    fn run(&mut self, calls: usize);

    /// Its turn is over.
    fn end(&mut self) {}
}

impl<F: FnMut()> Contender for F {
    fn run(&mut self, calls: usize) {
        (0..calls).for_each(|_| self());
    }
}

/// How long a race is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Course {
    /// The turns of each racer.
    pub(crate) rounds: usize,
    /// Calls at the begin of a turn that do not count.
    pub(crate) warm_up: usize,
    /// Times that are taken a turn, of `batch` calls each.
    pub(crate) batches: usize,
    /// Calls that are timed together: many, so that reading the clock does not count.
    pub(crate) batch: usize,
    /// Calls a turn that are timed one by one, for the percentiles.
    pub(crate) singles: usize,
}

/// What one contender needed.
#[derive(Debug, Default)]
pub(crate) struct Times {
    /// Nanoseconds a call: the median of the batches of each round.
    pub(crate) medians: Vec<f64>,
    /// Nanoseconds of single calls, less what reading the clock takes; sorted.
    pub(crate) singles: Vec<f64>,
}

impl Times {
    /// Nanoseconds a call: the median of the rounds.
    pub(crate) fn median(&self) -> f64 {
        median(self.medians.clone())
    }

    /// Nanoseconds that this part of the single calls did not exceed.
    pub(crate) fn percentile(&self, part: f64) -> f64 {
        percentile(&self.singles, part)
    }

    /// How many times as long as another: the median of the ratios of each round.
    pub(crate) fn ratio_to(&self, floor: &Self) -> f64 {
        let ratios = self.medians.iter().zip(&floor.medians).map(|(ours, floor)| ours / floor);
        median(ratios.collect())
    }
}

/// Runs the rounds. The order turns, so that no runner always follows the same one.
pub(crate) fn race<const N: usize>(
    course: Course,
    contenders: [&mut dyn Contender; N],
) -> [Times; N] {
    let clock = clock_cost();
    let mut times: [Times; N] = std::array::from_fn(|_| Times::default());
    for round in 0..course.rounds {
        for turn in 0..N {
            let index = (round + turn) % N;
            take_turn(course, clock, contenders[index], &mut times[index]);
        }
    }
    times.iter_mut().for_each(|times| times.singles.sort_by(f64::total_cmp));
    times
}

fn take_turn(course: Course, clock: f64, contender: &mut dyn Contender, times: &mut Times) {
    contender.begin();
    contender.run(course.warm_up);
    let batches = (0..course.batches).map(|_| {
        let start = Instant::now();
        contender.run(course.batch);
        start.elapsed().as_nanos() as f64 / course.batch as f64
    });
    times.medians.push(median(batches.collect()));
    let mut last = Instant::now();
    for _ in 0..course.singles {
        contender.run(1);
        let now = Instant::now();
        times.singles.push((now - last).as_nanos() as f64 - clock);
        last = now;
    }
    contender.end();
}

/// Nanoseconds that reading the clock takes.
fn clock_cost() -> f64 {
    let mut last = Instant::now();
    let reads = (0..10_000).map(|_| {
        let now = Instant::now();
        let cost = (now - last).as_nanos() as f64;
        last = now;
        cost
    });
    median(reads.collect())
}

/// The median; of an even number of values the mean of the middle two.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.is_empty() {
        f64::NAN
    } else if values.len().is_multiple_of(2) {
        (values[middle - 1] + values[middle]) / 2.0
    } else {
        values[middle]
    }
}

/// The value that this part of the sorted ones do not exceed.
pub(crate) fn percentile(sorted: &[f64], part: f64) -> f64 {
    let rank = (sorted.len() as f64 * part).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}
