//! Calls beside handlers that sleep.
//!
//! The calls that are watched keep to a clock, and each is timed from when it was due: one that is
//! held up counts for all that are late behind it.

#![allow(clippy::disallowed_methods, reason = "benchmarks start threads as they like")]

mod support;

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use support::cores::Cores;
use support::options::Options;
use support::peer::{self, Parts};
use support::race::{median, percentile};
use support::report::Report;
use support::service::{BenchClient, Serving};
use witrpc::WaitPolicy;

fn main() {
    peer::run(slow_neighbour);
}

/// From one watched call to the next.
const EVERY: Duration = Duration::from_micros(50);

fn slow_neighbour(options: Options) {
    let serving = Serving { wait: WaitPolicy::Spin, ..Serving::new() };
    let _peer = Parts::default().service(&serving).start();
    let cores = Cores::available();
    let client = serving.connect();
    let neighbours: Vec<_> = (0..8).map(|_| serving_parked(&serving)).collect();

    let (rounds, calls) = if options.quick { (1, 20_000) } else { (7, 40_000) };
    let mut laps = [const { Vec::new() }; 3];
    cores.while_pinned(|| {
        for _ in 0..rounds {
            for (lap, slow) in laps.iter_mut().zip([0, 1, 8]) {
                lap.push(beside(&neighbours[..slow], || watch(&client, calls)));
            }
        }
    });

    let report = Report::new(options);
    let [alone, one, eight] = laps;
    report.figure("alone_p50", summary(&alone, |lap| lap.p50), "ns");
    report.figure("alone_p99", summary(&alone, |lap| lap.p99), "ns");
    for (name, laps) in [("1_slow", one), ("8_slow", eight)] {
        report.figure(&format!("beside_{name}_p99"), summary(&laps, |lap| lap.p99), "ns");
        report.figure(&format!("beside_{name}_max"), summary(&laps, |lap| lap.max), "ns");
        let pairs: Vec<_> = laps.iter().zip(&alone).collect();
        let rise = median(pairs.iter().map(|(lap, alone)| lap.p99 - alone.p99).collect());
        report.goal(&format!("beside_{name}_p99_rise"), rise / 1e3, "us", 200.0);
        let ratio = median(pairs.iter().map(|(lap, alone)| lap.p50 / alone.p50).collect());
        // "Not at all", within what two laps of the same differ by.
        report.goal(&format!("beside_{name}_p50_vs_alone"), ratio, "ratio", 1.05);
    }
}

/// A client that waits asleep: the neighbours take no core from the one that is watched.
fn serving_parked(serving: &Serving) -> BenchClient {
    Serving { wait: WaitPolicy::Park, ..serving.clone() }.connect()
}

/// Nanoseconds of one lap.
struct Lap {
    p50: f64,
    p99: f64,
    max: f64,
}

fn summary(laps: &[Lap], part: impl Fn(&Lap) -> f64) -> f64 {
    median(laps.iter().map(part).collect())
}

/// Measures while every neighbour calls a handler that sleeps a second, again and again.
fn beside<R>(neighbours: &[BenchClient], measure: impl FnOnce() -> R) -> R {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for neighbour in neighbours {
            scope.spawn(|| {
                while !over.load(Relaxed) {
                    neighbour.sleep(1_000).expect("a long call");
                }
            });
        }
        let measured = measure();
        over.store(true, Relaxed);
        measured
    })
}

fn watch(client: &BenchClient, calls: usize) -> Lap {
    let start = Instant::now();
    let mut times: Vec<f64> = (0..calls as u32)
        .map(|call| {
            let due = start + EVERY * call;
            while Instant::now() < due {
                std::hint::spin_loop();
            }
            black_box(client.add(1, black_box(2))).expect("a sum");
            due.elapsed().as_nanos() as f64
        })
        .collect();
    times.sort_by(f64::total_cmp);
    let at = |part| percentile(&times, part);
    Lap { p50: at(0.5), p99: at(0.99), max: at(1.0) }
}
