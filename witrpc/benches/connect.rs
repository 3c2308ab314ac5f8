//! What it takes to connect, and what a connected client holds.

mod support;

use std::time::Instant;

use witrpc::{InProcess, WitServer};

use support::catalogue::{later, now, small};
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
            let serving = Serving { size, max_clients: 256, ..Serving::new() };
            connect(options, report, &format!("connect_{}KiB", size >> 10), &serving);
        }
        let encrypted = Serving { encryption: true, max_clients: 256, ..Serving::new() };
        connect(options, report, "connect_encrypted", &encrypted);
        contracts(options, report);
    });
}

/// Clients that are connected together when memory is looked at.
const TOGETHER: usize = 64;

fn connect(options: Options, report: Report, name: &str, serving: &Serving) {
    let peer = Parts::default().service(serving).start();
    let times = times(serving, if options.quick { 50 } else { 500 });
    report.goal(&format!("{name}_p50"), percentile(&times, 0.5), "us", 2_000.0);
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

/// Microseconds from the first byte to the first answer, with the key exchange that every connection
/// begins with, then gone again; sorted.
fn times(serving: &Serving, count: usize) -> Vec<f64> {
    timed(count, || {
        let client = serving.connect();
        client.add(1, 2).expect("a sum");
    })
}

/// Microseconds of each run, sorted.
fn timed(count: usize, mut run: impl FnMut()) -> Vec<f64> {
    let mut times: Vec<f64> = (0..count)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed().as_nanos() as f64 / 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times
}

/// What a contract of 20 methods adds to connecting within one process, over one of a single
/// method: if both sides have the same, and if the server has one method more, so that it tells its
/// contract and the client compares it.
fn contracts(options: Options, report: Report) {
    let count = if options.quick { 50 } else { 2_000 };
    let (place, newer, single) = (InProcess::new(), InProcess::new(), InProcess::new());
    let _servers = [
        WitServer::builder().listen(place.clone()).service(now::CatalogueServer::new(now::Idle)),
        WitServer::builder()
            .listen(newer.clone())
            .service(later::CatalogueServer::new(later::Idle)),
        WitServer::builder()
            .listen(single.clone())
            .service(small::CatalogueServer::new(small::Idle)),
    ]
    .map(|builder| builder.start().expect("the place is free"));
    let floor = timed(count, || drop(small::CatalogueClient::connect(single.clone())));
    let same = timed(count, || drop(now::CatalogueClient::connect(place.clone())));
    let other = timed(count, || drop(now::CatalogueClient::connect(newer.clone())));
    assert!(now::CatalogueClient::connect(newer).is_ok(), "a method more is no difference");
    for (name, times) in [("same", same), ("other", other)] {
        let added = percentile(&times, 0.5) - percentile(&floor, 0.5);
        report.goal(&format!("connect_20_methods_{name}_contract_p50"), added, "us", 1_000.0);
    }
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
