//! 64 calls in flight by the async client, beside 64 lanes driven by hand.

mod support;

use std::hint::black_box;

use support::cores::Cores;
use support::executor::{block_on, run_all};
use support::floor::{Floors, LANES, Lanes};
use support::options::Options;
use support::peer::{self, Parts};
use support::race::{Contender, Course, race};
use support::raw_channel::{InFlight, RawClient};
use support::report::Report;
use support::service::{BenchAsyncClient, Serving};
use witrpc::{Mmf, WaitPolicy};

fn main() {
    peer::run(pipelined);
}

/// Keeps as many calls in flight as there are lanes.
struct Pipelined(BenchAsyncClient);

impl Contender for Pipelined {
    fn run(&mut self, calls: usize) {
        let client = &self.0;
        run_all((0..LANES.min(calls)).map(|task| async move {
            for call in (task..calls).step_by(LANES) {
                let sum = client.add(call as u64, task as u64).await;
                black_box(sum.expect("a sum"));
            }
        }));
    }
}

fn pipelined(options: Options) {
    let serving = Serving { wait: WaitPolicy::Spin, ..Serving::new() };
    let floors = Floors::new();
    let raw = Mmf::unguessable().name().to_owned();
    let _peer = Parts::default().service(&serving).floors(&floors).raw_channel(&raw).start();
    let cores = Cores::available();
    let client = serving.connect();
    let asynchronous = BenchAsyncClient::builder(serving.name.as_str()).wait(serving.wait);
    let asynchronous = block_on(asynchronous.connect()).expect("the peer serves");
    let mut raw = InFlight { client: RawClient::connect(&raw), calls: LANES };

    let rounds = if options.quick { 5 } else { 51 };
    let course = Course { rounds, warm_up: 20_000, batches: 100, batch: 3_200, singles: 0 };
    let contenders: [&mut dyn Contender; 4] =
        [&mut Lanes(floors), &mut raw, &mut Pipelined(asynchronous), &mut || {
            black_box(client.add(black_box(1), black_box(2))).expect("a sum");
        }];
    let [lanes, channel, pipelined, blocking] = cores.while_pinned(|| race(course, contenders));

    let report = Report::new(options);
    report.figure("lanes_by_hand_64", lanes.median(), "ns");
    report.figure("channel_64", channel.median(), "ns");
    report.figure("pipelined_call_64", pipelined.median(), "ns");
    report.goal("pipelined_vs_lanes", pipelined.ratio_to(&lanes), "ratio", 3.0);
    report.figure("pipelined_vs_channel", pipelined.ratio_to(&channel), "ratio");
    report.goal("pipelined_vs_blocking", pipelined.ratio_to(&blocking), "ratio", 1.0);
}
