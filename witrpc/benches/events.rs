//! Events on their way from the process that emits them to its subscribers.
//!
//! One by one, an event is emitted by a call and taken behind its answer: what it costs above the
//! call is the way to the subscriber. In parts, a thousand are emitted by one call and then taken, by
//! one client or by each of many, all in this process.

mod support;

use std::hint::black_box;

use support::cores::Cores;
use support::floor::{Floors, FutexPing, Lanes, Ping};
use support::newswire::Crowd;
use support::options::Options;
use support::peer::{self, Parts};
use support::race::{Contender, Course, race};
use support::report::Report;
use support::service::Serving;

fn main() {
    peer::run(events);
}

/// How many clients an event goes to.
const CROWDS: [usize; 3] = [1, 8, 32];

fn events(options: Options) {
    let serving = Serving { size: 128 << 10, ..Serving::new() };
    let floors = Floors::new();
    let _peer = Parts::default().service(&serving).floors(&floors).start();
    let cores = Cores::available();
    let report = Report::new(options);
    one_by_one(options, report, &serving, &floors, &cores);
    in_parts(options, report, &serving, &floors, &cores);
}

fn one_by_one(options: Options, report: Report, serving: &Serving, floors: &Floors, cores: &Cores) {
    let client = serving.connect();
    let (rounds, singles) = if options.quick { (1, 100) } else { (11, 2_000) };
    let course = Course { rounds, warm_up: 500, batches: 20, batch: 50, singles };
    let contenders: [&mut dyn Contender; 4] = [
        &mut Ping(floors.clone()),
        &mut FutexPing(floors.clone()),
        &mut || {
            black_box(client.add(black_box(1), black_box(2))).expect("a sum");
        },
        &mut Crowd::one_by_one(serving),
    ];
    let [ping, asleep, call, event] = cores.while_pinned(|| race(course, contenders));
    report.figure("ping_floor", ping.median(), "ns");
    report.figure("futex_ping_floor", asleep.median(), "ns");
    report.figure("call", call.median(), "ns");
    report.figure("call_and_event", event.median(), "ns");
    report.figure("call_and_event_p50", event.percentile(0.5), "ns");
    report.figure("call_and_event_p99", event.percentile(0.99), "ns");
    report.figure("call_and_event_vs_futex_floor", event.ratio_to(&asleep), "ratio");
}

fn in_parts(options: Options, report: Report, serving: &Serving, floors: &Floors, cores: &Cores) {
    let mut crowds = CROWDS.map(|clients| Crowd::new(serving, clients));
    let [one, few, many] = &mut crowds;
    let rounds = if options.quick { 1 } else { 11 };
    let course = Course { rounds, warm_up: 1_000, batches: 5, batch: 4_000, singles: 0 };
    let contenders: [&mut dyn Contender; 4] = [&mut Lanes(floors.clone()), one, few, many];
    let [lanes, crowds @ ..] = cores.while_pinned(|| race(course, contenders));
    report.figure("lanes_floor", lanes.median(), "ns");
    for (times, clients) in crowds.iter().zip(CROWDS) {
        let delivery = times.median() / clients as f64;
        report.figure(&format!("delivery_to_{clients}"), delivery, "ns");
        report.figure(&format!("deliveries_to_{clients}"), 1e3 / delivery, "M/s");
        let ratio = times.ratio_to(&lanes) / clients as f64;
        report.figure(&format!("delivery_to_{clients}_vs_lanes"), ratio, "ratio");
    }
}
