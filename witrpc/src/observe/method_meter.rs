//! Counters and latencies by method, where a server keeps them.
//!
//! # Invariants
//!
//! 1. A thread of the server has its own [`MethodMeter`] of each method that it has run, which it alone
//!    writes, by plain loads and stores. Calls that are answered late share one meter a method, and add to it
//!    by read-modify-write. So it is with the counters of the whole server: see [`counters`](super::counters).
//! 2. Of two calls of a method on a thread, one is timed. A call that is timed reads the clock twice, so a
//!    call reads it once on average. So it is with those that are answered late, in the order in which they
//!    begin.
//! 3. Words only grow, and the sums of a thread are kept when it ends.

use std::sync::OnceLock;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The latencies that have a bucket of their own, in nanoseconds.
const LINEAR: u64 = 16;

/// How many buckets there are for each power of two: a latency is known to an eighth.
const STEPS: u64 = 8;

/// The greatest power of two with buckets of its own: 2³⁷ ns are 137 s.
const LAST_POWER: u32 = 37;

const BUCKETS: usize = (LINEAR + STEPS * (LAST_POWER as u64 - 3)) as usize;

/// Returns the bucket of a latency.
fn bucket_of(nanos: u64) -> usize {
    if nanos < LINEAR {
        return nanos as usize;
    }
    let power = nanos.ilog2();
    if power > LAST_POWER {
        return BUCKETS - 1;
    }
    let step = (nanos >> (power - 3)) & (STEPS - 1);
    (LINEAR + u64::from(power - 4) * STEPS + step) as usize
}

/// Returns the greatest latency of a bucket, in nanoseconds.
fn end_of(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < LINEAR {
        return bucket;
    }
    let (power, step) = ((bucket - LINEAR) / STEPS + 4, (bucket - LINEAR) % STEPS);
    (1 << power) + ((step + 1) << (power - 3)) - 1
}

/// The counts of one method, of one thread or of all late answers.
#[derive(Debug)]
pub struct MethodMeter {
    calls: AtomicU64,
    errors: AtomicU64,
    /// The calls that have begun, where they may be answered late.
    begun: AtomicU64,
    latencies: [AtomicU64; BUCKETS],
}

impl Default for MethodMeter {
    fn default() -> Self {
        let latencies = std::array::from_fn(|_| AtomicU64::new(0));
        let [calls, errors, begun] = std::array::from_fn(|_| AtomicU64::new(0));
        Self { calls, errors, begun, latencies }
    }
}

impl MethodMeter {
    /// Returns whether the next call of this thread is to be timed.
    pub fn wants_time(&self) -> bool {
        self.calls.load(Relaxed).is_multiple_of(2)
    }

    /// Notes that a call begins which any thread may answer, and returns whether it is to be timed.
    pub fn late_wants_time(&self) -> bool {
        self.begun.fetch_add(1, Relaxed).is_multiple_of(2)
    }

    /// Counts a call that this thread has answered.
    pub fn count_own(&self, is_error: bool, took: Option<Duration>) {
        self.count(is_error, took, |word| word.store(word.load(Relaxed).wrapping_add(1), Relaxed));
    }

    /// Counts a call that any thread has answered.
    pub fn count_late(&self, is_error: bool, took: Option<Duration>) {
        self.count(is_error, took, |word| {
            word.fetch_add(1, Relaxed);
        });
    }

    fn count(&self, is_error: bool, took: Option<Duration>, add: impl Fn(&AtomicU64)) {
        add(&self.calls);
        if is_error {
            add(&self.errors);
        }
        if let Some(took) = took {
            let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
            add(&self.latencies[bucket_of(nanos)]);
        }
    }
}

/// A meter for each method of a server, made when the method is first counted.
#[derive(Debug, Default)]
pub struct MethodMeters(OnceLock<Box<[OnceLock<Box<MethodMeter>>]>>);

impl MethodMeters {
    /// Returns the meter of a method, of which the server has `methods`.
    pub fn of(&self, method: usize, methods: usize) -> &MethodMeter {
        let all = self.0.get_or_init(|| (0..methods).map(|_| OnceLock::new()).collect());
        all[method].get_or_init(Box::default)
    }

    /// Adds what has been counted here to the sums by method.
    pub fn add_to(&self, sums: &mut Vec<MethodSum>) {
        for (method, meter) in self.0.get().into_iter().flatten().enumerate() {
            let Some(meter) = meter.get() else { continue };
            if sums.len() <= method {
                sums.resize_with(method + 1, MethodSum::default);
            }
            sums[method].add(meter);
        }
    }
}

/// What all threads have counted of a method.
#[derive(Clone, Debug, Default)]
pub struct MethodSum {
    pub calls: u64,
    pub errors: u64,
    pub latency: LatencyHistogram,
}

impl MethodSum {
    fn add(&mut self, meter: &MethodMeter) {
        self.calls += meter.calls.load(Relaxed);
        self.errors += meter.errors.load(Relaxed);
        self.latency.counts.resize(BUCKETS, 0);
        for (sum, counted) in self.latency.counts.iter_mut().zip(&meter.latencies) {
            *sum += counted.load(Relaxed);
        }
    }
}

/// The latencies of the calls of a method that were timed, which is every other call. Each is known to an
/// eighth of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatencyHistogram {
    /// By bucket; empty if none was timed.
    counts: Vec<u64>,
}

impl LatencyHistogram {
    /// Returns how many calls were timed.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Returns the latencies of the calls since an earlier look at the same method. If the server has begun anew
    /// in between, these are all of its calls.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let before = earlier.counts.iter().copied().chain(std::iter::repeat(0));
        let counts = self.counts.iter().zip(before).map(|(now, before)| now.checked_sub(before));
        let counts: Option<Vec<_>> = counts.collect();
        counts.map_or_else(|| self.clone(), |counts| Self { counts })
    }

    /// Returns the latency that this part of the calls did not exceed: 0.5 for the median. `None` if no call
    /// was timed.
    #[must_use]
    pub fn quantile(&self, part: f64) -> Option<Duration> {
        let count = self.count();
        let rank = (part.clamp(0.0, 1.0) * count as f64).ceil().max(1.0) as u64;
        let mut seen: u64 = 0;
        let found = self.counts.iter().take(BUCKETS).position(|in_bucket| {
            seen = seen.saturating_add(*in_bucket);
            seen >= rank
        });
        found.map(|bucket| Duration::from_nanos(end_of(bucket)))
    }
}

/// What a server has counted of one of its methods since its start, where it does:
/// [`WitServerBuilder::method_metrics`](crate::WitServerBuilder::method_metrics).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MethodMetrics {
    /// The name of the service.
    pub service: String,
    /// The name of the method.
    pub method: String,
    /// Calls that were answered.
    pub calls: u64,
    /// Answers that were an error instead of a value, as in [`Metrics::errors`](crate::Metrics::errors).
    pub errors: u64,
    /// How long calls took, from when the server took them to their answer.
    pub latency: LatencyHistogram,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_latency_is_known_to_an_eighth() {
        let mut before = None;
        for nanos in (0..2_000).chain((11..37).map(|power| (1 << power) - 1)) {
            let bucket = bucket_of(nanos);
            let end = end_of(bucket);
            assert!(
                end >= nanos && end - nanos <= nanos / 8,
                "{nanos} ns in {bucket}, up to {end}"
            );
            assert!(before <= Some(bucket), "buckets are in order");
            before = Some(bucket);
        }
        assert_eq!((bucket_of(u64::MAX), bucket_of(1 << 38)), (BUCKETS - 1, BUCKETS - 1));
        assert_eq!(end_of(BUCKETS - 1), (1 << 38) - 1);
    }

    #[test]
    fn every_other_call_is_timed_and_all_are_counted() {
        let meters = MethodMeters::default();
        for n in 0..10_u64 {
            let meter = meters.of(2, 5);
            let took = meter.wants_time().then(|| Duration::from_micros(n + 1));
            meter.count_own(n == 3, took);
        }
        let late = meters.of(2, 5);
        late.count_late(true, Some(Duration::from_secs(1)));
        let timed: Vec<_> = (0..4).map(|_| late.late_wants_time()).collect();
        assert_eq!(timed, [true, false, true, false], "answers are none of its business");
        let mut sums = Vec::new();
        meters.add_to(&mut sums);
        assert_eq!(sums.len(), 3);
        let MethodSum { calls, errors, latency } = &sums[2];
        assert_eq!((*calls, *errors, latency.count()), (11, 2, 6));
        let mut twice = sums.clone();
        meters.add_to(&mut twice);
        assert_eq!((twice[2].calls, twice[2].errors, twice[2].latency.count()), (22, 4, 12));
        let [median, longest] = [0.5, 1.0].map(|part| latency.quantile(part).unwrap().as_nanos());
        assert!((5_000..5_700).contains(&median), "{median}");
        assert!((1_000_000_000..1_130_000_000).contains(&longest), "{longest}");
        assert_eq!(sums[0].latency.quantile(0.5), None);

        meters.of(2, 5).count_own(false, Some(Duration::from_millis(1)));
        let mut later = Vec::new();
        meters.add_to(&mut later);
        let between = later[2].latency.since(latency);
        assert_eq!(between.count(), 1);
        assert!(between.quantile(0.5) >= Some(Duration::from_millis(1)));
        assert_eq!(later[2].latency.since(&LatencyHistogram::default()), later[2].latency);
        assert_eq!(latency.since(&later[2].latency), *latency, "it has begun anew");
    }
}
