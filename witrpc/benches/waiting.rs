//! The default way to wait, wherever the two sides may run: calls of one client, beside the same calls by
//! sides that park at once.
//!
//! Both sides are placed before they start, or while they run. The rounds of all placements take turns,
//! so that each is compared with the unplaced one of the same moment.

#![allow(clippy::disallowed_methods, reason = "benchmarks start threads as they like")]

mod support;

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use support::cores::{CoreSet, Cores};
use support::options::Options;
use support::peer::{self, Parts, Peer};
use support::quota::OneCoreQuota;
use support::race::median;
use support::report::Report;
use support::service::{BenchClient, Serving};
use witrpc::WaitPolicy;

fn main() {
    peer::run(|options| {
        let report = Report::new(options);
        placements(options, report);
        crowd(options, report);
        neighbours(options, report);
        quota(options, report);
    });
}

/// Where the sides of one connection may run.
struct Placement {
    name: &'static str,
    server: CoreSet,
    client: CoreSet,
    is_placed_late: bool,
}

const fn placed(name: &'static str, server: CoreSet, client: CoreSet, late: bool) -> Placement {
    Placement { name, server, client, is_placed_late: late }
}

const PLACEMENTS: [Placement; 8] = [
    placed("unpinned", CoreSet::All, CoreSet::All, false),
    placed("apart", CoreSet::Second, CoreSet::First, false),
    placed("apart_late", CoreSet::Second, CoreSet::First, true),
    placed("server_pinned", CoreSet::Second, CoreSet::All, false),
    placed("server_pinned_late", CoreSet::Second, CoreSet::All, true),
    placed("client_pinned", CoreSet::All, CoreSet::First, false),
    placed("together", CoreSet::First, CoreSet::First, false),
    placed("together_late", CoreSet::First, CoreSet::First, true),
];

/// A client, its server, and where they are.
struct Sides<'a> {
    cores: &'a Cores,
    placement: &'a Placement,
    client: BenchClient,
    _peer: Peer,
}

impl<'a> Sides<'a> {
    fn start(cores: &'a Cores, placement: &'a Placement, wait: WaitPolicy) -> Self {
        let serving = Serving { wait, ..Serving::new() };
        let [server, client] = match placement.is_placed_late {
            true => [CoreSet::All; 2],
            false => [placement.server, placement.client],
        };
        cores.move_this_process(server);
        let peer = Parts::default().unpinned().service(&serving).start();
        cores.move_this_process(client);
        let client = serving.connect();
        cores.move_this_process(CoreSet::All);
        if placement.is_placed_late {
            cores.move_process(peer.pid(), placement.server);
        }
        Self { cores, placement, client, _peer: peer }
    }

    /// Makes `calls` calls, and returns the nanoseconds that one took.
    fn round(&self, calls: u32) -> f64 {
        self.cores.move_this_process(self.placement.client);
        // What the round before has taught both sides is forgotten: here they learn anew.
        add(&self.client, calls / 4);
        let time = time(|| add(&self.client, calls));
        self.cores.move_this_process(CoreSet::All);
        time / f64::from(calls)
    }
}

fn add(client: &BenchClient, calls: u32) {
    for _ in 0..calls {
        black_box(client.add(black_box(1), black_box(2))).expect("a sum");
    }
}

fn time(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64() * 1e9
}

fn placements(options: Options, report: Report) {
    let cores = Cores::available();
    let (rounds, calls) = if options.quick { (2, 200) } else { (15, 4_000) };
    let sides = PLACEMENTS.each_ref().map(|placement| {
        [WaitPolicy::Adaptive, WaitPolicy::Park].map(|wait| Sides::start(&cores, placement, wait))
    });
    let mut times = [const { [const { Vec::new() }; 2] }; PLACEMENTS.len()];
    for _ in 0..rounds {
        for (times, sides) in times.iter_mut().zip(&sides) {
            for (times, sides) in times.iter_mut().zip(sides) {
                times.push(sides.round(calls));
            }
        }
    }
    let unpinned = times[0][0].clone();
    for (placement, [adaptive, park]) in PLACEMENTS.iter().zip(times) {
        let name = placement.name;
        report.figure(&format!("{name}_call"), median(adaptive.clone()), "ns");
        let vs_parked = ratio(&adaptive, &park);
        if placement.name.starts_with("together") {
            report.goal(&format!("{name}_vs_parked"), vs_parked, "ratio", 1.2);
        } else {
            report.figure(&format!("{name}_vs_parked"), vs_parked, "ratio");
            report.goal(&format!("{name}_vs_unpinned"), ratio(&adaptive, &unpinned), "ratio", 1.5);
        }
    }
}

fn ratio(times: &[f64], floors: &[f64]) -> f64 {
    median(times.iter().zip(floors).map(|(time, floor)| time / floor).collect())
}

/// More clients than cores, all calling one server.
fn crowd(options: Options, report: Report) {
    let (rounds, calls) = if options.quick { (2, 50) } else { (9, 1_000) };
    let clients = 8 * thread::available_parallelism().map_or(1, usize::from);
    let starts = [WaitPolicy::Adaptive, WaitPolicy::Park].map(|wait| {
        let serving = Serving { wait, ..Serving::new() };
        let peer = Parts::default().unpinned().service(&serving).start();
        let clients: Vec<_> = (0..clients).map(|_| serving.connect()).collect();
        (peer, clients)
    });
    let mut times = [const { Vec::new() }; 2];
    for _ in 0..rounds {
        for (times, (_, clients)) in times.iter_mut().zip(&starts) {
            times.push(time(|| {
                thread::scope(|scope| {
                    clients.iter().for_each(|client| drop(scope.spawn(|| add(client, calls))));
                });
            }));
        }
    }
    let stalls: Vec<f64> = (0..rounds).map(|_| worst_stall(&starts[0].1, options)).collect();
    report.goal("crowd_worst_stall", stalls.iter().copied().fold(0.0, f64::max), "ms", 8.0);
    report.figure("crowd_typical_worst_stall", median(stalls), "ms");
    let all = f64::from(calls) * clients as f64;
    report.figure("crowd_call", median(times[0].clone()) / all, "ns");
    report.goal("crowd_vs_parked", ratio(&times[0], &times[1]), "ratio", 1.0);
}

/// Has all clients call at the same time. Returns the milliseconds that one of them waited for one answer, at
/// most.
fn worst_stall(clients: &[BenchClient], options: Options) -> f64 {
    let time = Duration::from_millis(if options.quick { 100 } else { 1_000 });
    let begin = Instant::now();
    let call = |client: &BenchClient| {
        let (mut last, mut longest) = (Instant::now(), Duration::ZERO);
        while last - begin < time {
            add(client, 1);
            let now = Instant::now();
            longest = longest.max(now - last);
            last = now;
        }
        longest
    };
    let longest = thread::scope(|scope| {
        let clients: Vec<_> = clients.iter().map(|client| scope.spawn(|| call(client))).collect();
        clients.into_iter().map(|client| client.join().expect("it does not panic")).max()
    });
    longest.unwrap_or_default().as_secs_f64() * 1e3
}

/// Threads that compute, one for each processor, while one client calls.
fn neighbours(options: Options, report: Report) {
    let (rounds, calls) = if options.quick { (2, 100) } else { (9, 1_000) };
    let cores = Cores::available();
    let sides = [WaitPolicy::Adaptive, WaitPolicy::Park]
        .map(|wait| Sides::start(&cores, &PLACEMENTS[0], wait));
    let mut times = [const { Vec::new() }; 2];
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                let mut product = 1_u64;
                while !is_over.load(Relaxed) {
                    product = black_box(product.wrapping_mul(3));
                }
            });
        }
        for _ in 0..rounds {
            for (times, sides) in times.iter_mut().zip(&sides) {
                times.push(sides.round(calls));
            }
        }
        is_over.store(true, Relaxed);
    });
    report.figure("neighbours_call", median(times[0].clone()), "ns");
    report.goal("neighbours_vs_parked", ratio(&times[0], &times[1]), "ratio", 1.2);
}

/// Both sides in a control group that may use as much time as one core has.
fn quota(options: Options, report: Report) {
    let quota = match OneCoreQuota::enter() {
        Ok(quota) => quota,
        Err(error) => return eprintln!("not measured: a quota of one core ({error})"),
    };
    let (rounds, calls) = if options.quick { (2, 50) } else { (9, 4_000) };
    let cores = Cores::available();
    let sides = [WaitPolicy::Adaptive, WaitPolicy::Park]
        .map(|wait| Sides::start(&cores, &PLACEMENTS[0], wait));
    let mut times = [const { Vec::new() }; 2];
    for _ in 0..rounds {
        for (times, sides) in times.iter_mut().zip(&sides) {
            times.push(sides.round(calls));
        }
    }
    drop((sides, quota));
    report.figure("quota_call", median(times[0].clone()), "ns");
    report.goal("quota_vs_parked", ratio(&times[0], &times[1]), "ratio", 1.2);
}
