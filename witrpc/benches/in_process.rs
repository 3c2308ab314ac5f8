//! A call within one process: all that a call is but the copies through shared memory.
//!
//! Both sides park, so a call takes the same instructions whatever else the machine is doing. With
//! `--calls N` the program makes N calls and nothing else, for a tool that counts them: the
//! difference of two counts is what the calls in between have cost.

mod support;

use std::hint::black_box;

use support::options::Options;
use support::race::{Contender, Course, race};
use support::report::Report;
use witrpc::wit_service;

#[wit_service]
trait Sums {
    fn add(&self, a: u64, b: u64) -> u64;
}

struct Adder;

impl Sums for Adder {
    fn add(&self, a: u64, b: u64) -> u64 {
        a.wrapping_add(b)
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let client = SumsClient::in_process(Adder);
    let mut call = || {
        black_box(client.add(black_box(1), black_box(2))).expect("a sum");
    };
    match &args[..] {
        [option, calls] if option == "--calls" => {
            call.run(calls.parse().expect("--calls takes a number"));
        }
        _ => measure(Options::from_args(&args), &mut call),
    }
}

fn measure(options: Options, call: &mut dyn Contender) {
    let rounds = if options.quick { 5 } else { 31 };
    let course = Course { rounds, warm_up: 50, batches: 20, batch: 10, singles: 500 };
    let [times] = race(course, [call]);
    let report = Report::new(options);
    report.figure("in_process_call_p50", times.median(), "ns");
    report.figure("in_process_call_p99", times.percentile(0.99), "ns");
}
