//! Many clients of one server, each with a thread and a connection of its own.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use super::{Effort, Running, progress};
use crate::peer::{MAX_CLIENTS, Task, Wait};
use crate::report::table::{Better, Series, Table, Unit};
use crate::support::race::median;
use crate::{iceoryx2, ipc_channel, socket, tarpc, tonic, witrpc};

const COUNTS: [usize; 6] = [1, 2, 4, 8, 16, 32];

/// What clients had together.
struct Service {
    /// Calls a second.
    rate: f64,
    /// Nanoseconds that one of them waited for one answer, at most.
    stall: f64,
}

/// Returns the throughput of 1 to 32 clients, and the worst stall among them.
pub(crate) fn clients(effort: Effort) -> [Table; 2] {
    let running = [
        Running::start(&witrpc::BLOCKING, Task::Add, Wait::Adaptive, false),
        Running::start(&iceoryx2::PEER, Task::Add, Wait::Polled, false).labelled_by_wait(),
        Running::start(&iceoryx2::PEER, Task::Add, Wait::Parked, false).labelled_by_wait(),
        Running::start(&ipc_channel::PEER, Task::Add, Wait::Parked, false),
        Running::start(&tarpc::PEER, Task::Add, Wait::Parked, false),
        Running::start(&tonic::PEER, Task::Add, Wait::Parked, false),
        Running::start(&socket::PEER, Task::Add, Wait::Parked, false),
    ];
    running.iter().for_each(|running| running.server.pause());
    // Stalls are rare: fewer turns, but long ones.
    let rounds = effort.rounds.div_ceil(4);
    let bar = progress("Clients", rounds * COUNTS.len() * running.len());
    let mut services: Vec<Vec<Vec<Service>>> = Vec::new();
    services.resize_with(running.len(), || COUNTS.map(|_| Vec::new()).into());
    for round in 0..rounds {
        for turn in 0..running.len() {
            let index = (round + turn) % running.len();
            let running = &running[index];
            running.server.resume();
            for (services, count) in services[index].iter_mut().zip(COUNTS) {
                services.push(together(running, count, 10 * effort.turn));
                bar.inc(1);
            }
            running.server.pause();
        }
    }
    bar.finish();
    let rate = |services: &Vec<Service>| median(services.iter().map(|s| s.rate).collect());
    let stall = |services: &Vec<Service>| services.iter().map(|s| s.stall).fold(0.0, f64::max);
    let rows = |value: &dyn Fn(&Vec<Service>) -> f64| -> Vec<Series> {
        let all = running.iter().zip(&services);
        all.map(|(running, services)| running.series(services.iter().map(value).collect()))
            .collect()
    };
    let columns: Vec<String> = COUNTS
        .map(|count| if count == 1 { "1 client".into() } else { format!("{count} clients") })
        .into();
    [
        Table {
            title: "Throughput".into(),
            note:
                "Calls a second of all clients together. Each client is a thread with a connection of its own; WitRPC waits as it does by \
                   default. No process is pinned. Servers of one thread serve tarpc, tonic and iceoryx2; one a client \
                   the socket and ipc-channel."
                    .into(),
            unit: Unit::PerSecond,
            better: Better::Higher,
            negligible: 0.0,
            columns: columns.clone(),
            series: rows(&rate),
        },
        Table {
            title: "Worst stall".into(),
            note: "The longest that any of them waited for one answer, in all rounds.".into(),
            unit: Unit::Nanoseconds,
            better: Better::Lower,
            negligible: 0.0,
            columns,
            series: rows(&stall),
        },
    ]
}

/// Has clients call at the same time.
fn together(running: &Running, count: usize, time: Duration) -> Service {
    assert!(count <= MAX_CLIENTS);
    let start = Barrier::new(count);
    let client = || {
        let mut connection = (running.peer.connect)(&running.session);
        connection.adds(10);
        start.wait();
        let begin = Instant::now();
        let (mut calls, mut longest, mut last) = (0_u32, Duration::ZERO, begin);
        while last - begin < time {
            connection.adds(1);
            let now = Instant::now();
            longest = longest.max(now - last);
            last = now;
            calls += 1;
        }
        (f64::from(calls) / (last - begin).as_secs_f64(), longest)
    };
    thread::scope(|scope| {
        let clients: Vec<_> = (0..count).map(|_| scope.spawn(client)).collect();
        let mut service = Service { rate: 0.0, stall: 0.0 };
        for client in clients {
            let (rate, longest) = client.join().expect("a client that ends");
            service.rate += rate;
            service.stall = service.stall.max(longest.as_nanos() as f64);
        }
        service
    })
}
