//! What it takes to connect, and what a connected client holds.

mod support;

use std::time::Instant;

use support::options::Options;
use support::peer::{self, Parts, Peer};
use support::process;
use support::race::percentile;
use support::report::Report;
use support::service::{BenchClient, Serving};

fn main() {
    peer::run(|options| {
        let report = Report::new(options);
        for size in [128 << 10, 1 << 20] {
            connect(options, report, &Serving { size, max_clients: 256, ..Serving::new() });
        }
    });
}

/// Clients that are connected together when memory is looked at.
const TOGETHER: usize = 64;

fn connect(options: Options, report: Report, serving: &Serving) {
    let peer = Parts::default().service(serving).start();
    let name = format!("connect_{}KiB", serving.size >> 10);
    let times = times(serving, if options.quick { 50 } else { 500 });
    report.figure(&format!("{name}_p50"), percentile(&times, 0.5), "us");
    report.figure(&format!("{name}_p99"), percentile(&times, 0.99), "us");

    let before = held(&peer);
    let clients: Vec<BenchClient> = (0..TOGETHER).map(|_| serving.connect()).collect();
    clients.iter().for_each(|client| {
        client.add(1, 2).expect("a sum");
    });
    let after = held(&peer);
    let ends = ["server_private", "server_resident", "client_private", "client_resident"];
    for (end, (before, after)) in ends.iter().zip(before.iter().zip(after)) {
        let each = (after - before) / TOGETHER as f64 / 1024.0;
        report.figure(&format!("{name}_{end}_per_client"), each, "KiB");
    }
}

/// Microseconds from the first byte to the first answer, then gone again; sorted.
fn times(serving: &Serving, count: usize) -> Vec<f64> {
    let mut times: Vec<f64> = (0..count)
        .map(|_| {
            let start = Instant::now();
            let client = serving.connect();
            client.add(1, 2).expect("a sum");
            start.elapsed().as_nanos() as f64 / 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times
}

/// Bytes of both processes, alone and with what is shared.
fn held(peer: &Peer) -> [f64; 4] {
    let (server, client) = (peer.pid(), std::process::id());
    [
        process::private(server),
        process::resident(server),
        process::private(client),
        process::resident(client),
    ]
}
