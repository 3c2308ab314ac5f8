//! The worst that a client meets beside one that writes what it likes into its own region, and is
//! thrown out and comes back again and again.

#[path = "../../witrpc/benches/support"]
mod support {
    #![allow(dead_code, reason = "this benchmark uses a part of it")]
    pub(crate) mod options;
    pub(crate) mod report;
}

use std::time::{Duration, Instant};

use support::options::Options;
use support::report::Report;
use witrpc_tests::adversary::scribbler::Scribble;
use witrpc_tests::fixture::{Fixture, FixtureConfig, Transport};
use witrpc_tests::process::Child;
use witrpc_tests::roles::Role;

/// The worst stall that is to be, in milliseconds.
const GOAL_MS: f64 = 100.0;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let options = Options::from_args(&args);
    let time = Duration::from_secs(if options.quick { 2 } else { 60 });
    let plan = FixtureConfig {
        lanes: Some(4),
        size: Some(48 << 10),
        max_message_size: Some(1 << 18),
        streams: true,
        event_service: true,
        ..FixtureConfig::default()
    };
    let fixture = Fixture::with(Transport::Mmf, plan.clone());

    let alone = worst_of_calls(&fixture, time / 4);
    let role = Role::Scribble { address: fixture.address().clone(), plan, seed: 1, words: 1 };
    let mut scribbling_client = Child::start(&role);
    // All that it writes on purpose.
    Scribble::chosen(1).for_each(|_| _ = scribbling_client.hear::<u64>());
    let beside = worst_of_calls(&fixture, time);
    let writes: u64 = scribbling_client.ask(&());
    scribbling_client.kill();

    let report = Report::new(options);
    report.figure("scribbles", writes as f64, "writes");
    report.figure("alone_worst_stall", alone, "ms");
    report.goal("beside_scribbler_worst_stall", beside, "ms", GOAL_MS);
}

/// The longest that one of the calls takes, in milliseconds, made one after the other for a while.
fn worst_of_calls(fixture: &Fixture, time: Duration) -> f64 {
    let client = fixture.client();
    let began = Instant::now();
    let mut worst = Duration::ZERO;
    while began.elapsed() < time {
        let call = Instant::now();
        assert_eq!(client.add(1, 2).expect("the honest are served"), 3);
        worst = worst.max(call.elapsed());
    }
    worst.as_secs_f64() * 1e3
}
