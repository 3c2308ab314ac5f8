//! What an open connection costs without calls.

mod support;

use std::thread;
use std::time::Duration;

use support::options::Options;
use support::peer::{self, Parts};
use support::process;
use support::report::Report;
use support::service::Serving;

fn main() {
    peer::run(idle);
}

fn idle(options: Options) {
    let serving = Serving::new();
    let mut peer = Parts::default().service(&serving).start();
    let client = serving.connect();
    for _ in 0..10_000 {
        client.add(1, 2).expect("a sum");
    }
    // The spinning that follows the last call is the price of that call.
    thread::sleep(Duration::from_millis(100));

    let seconds = if options.quick { 2 } else { 10 };
    let before = (process::cpu_seconds(), peer.cpu_seconds());
    thread::sleep(Duration::from_secs(seconds));
    let after = (process::cpu_seconds(), peer.cpu_seconds());
    let report = Report::new(options);
    let (client_s, server_s) = (after.0 - before.0, after.1 - before.1);
    report.goal(&format!("idle_{seconds}s_client_cpu"), client_s, "s", 0.01);
    report.goal(&format!("idle_{seconds}s_server_cpu"), server_s, "s", 0.01);
    client.add(1, 2).expect("the connection still stands");
}
