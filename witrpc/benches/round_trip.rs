//! One call at a time, beside two cache lines and two futex words bounced between the same two
//! processes.

mod support;

use std::hint::black_box;

use support::cores::Cores;
use support::executor::block_on;
use support::floor::{Floors, FutexPing, Ping};
use support::options::Options;
use support::peer::{self, Parts};
use support::race::{Contender, Course, Times, race};
use support::raw_channel::{OneByOne, RawClient};
use support::report::Report;
use support::service::{BenchAsyncClient, BenchClient, Serving};
use witrpc::{Codec, Mmf, WaitPolicy};

fn main() {
    peer::run(|options| {
        let report = Report::new(options);
        polled(options, report);
        parked(options, report);
    });
}

/// 40 bytes.
const TEXT: &str = "forty bytes of text, counted one by one.";

fn polled(options: Options, report: Report) {
    let serving = Serving { wait: WaitPolicy::Spin, ..Serving::new() };
    let floors = Floors::new();
    let raw = Mmf::unguessable().name().to_owned();
    let _peer = Parts::default().service(&serving).floors(&floors).raw_channel(&raw).start();
    let cores = Cores::available();
    let client = serving.connect();
    let over = |codec| BenchClient::builder(serving.name.as_str()).codec(codec).connect();
    let messagepack = over(Codec::MessagePack).expect("the peer serves");
    let json = over(Codec::Json).expect("the peer serves");
    let asynchronous = block_on(BenchAsyncClient::connect(serving.name.as_str()));
    let asynchronous = asynchronous.expect("the peer serves");
    let mut raw = OneByOne(RawClient::connect(&raw));

    let rounds = if options.quick { 5 } else { 51 };
    let course = Course { rounds, warm_up: 5_000, batches: 200, batch: 50, singles: 10_000 };
    let contenders: [&mut dyn Contender; 7] = [
        &mut Ping(floors.clone()),
        &mut raw,
        &mut || {
            black_box(client.add(black_box(1), black_box(2))).expect("a sum");
        },
        &mut || {
            black_box(client.text_len(black_box(TEXT))).expect("a length");
        },
        &mut || {
            black_box(messagepack.add(black_box(1), black_box(2))).expect("a sum");
        },
        &mut || {
            black_box(json.add(black_box(1), black_box(2))).expect("a sum");
        },
        &mut || {
            black_box(block_on(asynchronous.add(black_box(1), black_box(2)))).expect("a sum");
        },
    ];
    let times = cores.while_pinned(|| race(course, contenders));
    let names = [
        "floor_ping_pong",
        "channel",
        "typed_call",
        "text_call",
        "messagepack_call",
        "json_call",
        "async_call",
    ];
    names.iter().zip(&times).for_each(|(name, times)| print_times(report, name, times));
    let [floor, raw, typed, text, messagepack, json, asynchronous] = times;
    report.goal("typed_call_vs_floor", typed.ratio_to(&floor), "ratio", 1.25);
    report.figure("channel_vs_floor", raw.ratio_to(&floor), "ratio");
    report.figure("text_call_vs_floor", text.ratio_to(&floor), "ratio");
    report.figure("messagepack_call_vs_floor", messagepack.ratio_to(&floor), "ratio");
    report.figure("json_call_vs_floor", json.ratio_to(&floor), "ratio");
    report.figure("async_call_vs_floor", asynchronous.ratio_to(&floor), "ratio");
}

fn parked(options: Options, report: Report) {
    let serving = Serving { wait: WaitPolicy::Park, ..Serving::new() };
    let floors = Floors::new();
    let _peer = Parts::default().service(&serving).floors(&floors).start();
    let cores = Cores::available();
    let client = serving.connect();

    let rounds = if options.quick { 5 } else { 31 };
    let course = Course { rounds, warm_up: 50, batches: 20, batch: 10, singles: 500 };
    let contenders: [&mut dyn Contender; 2] = [&mut FutexPing(floors.clone()), &mut || {
        black_box(client.add(black_box(1), black_box(2))).expect("a sum");
    }];
    let times = cores.while_pinned(|| race(course, contenders));
    print_times(report, "floor_futex", &times[0]);
    print_times(report, "parked_call", &times[1]);
    report.goal("parked_vs_futex", times[1].ratio_to(&times[0]), "ratio", 1.2);
}

fn print_times(report: Report, name: &str, times: &Times) {
    report.figure(&format!("{name}_p50"), times.median(), "ns");
    report.figure(&format!("{name}_p99"), times.percentile(0.99), "ns");
    report.figure(&format!("{name}_p99.9"), times.percentile(0.999), "ns");
}
