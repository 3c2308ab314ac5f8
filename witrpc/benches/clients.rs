//! One client calls while others are connected.

mod support;

use std::hint::black_box;

use support::cores::Cores;
use support::floor::{Floors, Ping};
use support::options::Options;
use support::peer::{self, Parts};
use support::race::{Contender, Course, Times, race};
use support::report::Report;
use support::service::{BenchClient, Serving};
use witrpc::WaitPolicy;

fn main() {
    peer::run(clients);
}

fn clients(options: Options) {
    let serving =
        Serving { size: 128 << 10, max_clients: 256, wait: WaitPolicy::Spin, ..Serving::new() };
    let floors = Floors::new();
    let _peer = Parts::default().service(&serving).floors(&floors).start();
    let cores = Cores::available();
    let report = Report::new(options);

    let rounds = if options.quick { 1 } else { 7 };
    let counts = [1, 16, 64, 256];
    let mut calls: [Times; 4] = Default::default();
    for _ in 0..rounds {
        let mut connected: Vec<BenchClient> = Vec::new();
        for (times, count) in calls.iter_mut().zip(counts) {
            connected.resize_with(count, || serving.connect());
            // Each has called: none is only a name to the server.
            for client in &connected {
                client.add(1, 2).expect("a sum");
            }
            let [ping, call] = cores.while_pinned(|| turn(&floors, &connected[0]));
            // In floors: the rounds of different counts lie apart.
            times.medians.push(call.ratio_to(&ping));
        }
    }
    for (times, count) in calls.iter().zip(counts) {
        report.figure(&format!("call_among_{count}_vs_floor"), times.median(), "ratio");
    }
    for (times, count) in calls.iter().zip(counts).skip(1) {
        let goal = 1.5;
        report.goal(&format!("among_{count}_vs_alone"), times.ratio_to(&calls[0]), "ratio", goal);
    }
}

fn turn(floors: &Floors, client: &BenchClient) -> [Times; 2] {
    let course = Course { rounds: 5, warm_up: 10_000, batches: 100, batch: 50, singles: 0 };
    let contenders: [&mut dyn Contender; 2] = [&mut Ping(floors.clone()), &mut || {
        black_box(client.add(black_box(1), black_box(2))).expect("a sum");
    }];
    race(course, contenders)
}
