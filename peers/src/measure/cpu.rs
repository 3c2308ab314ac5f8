//! The processor time that calls take, of client and server together, and that none take.

use std::iter;
use std::thread;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use super::latency::{Adds, peers};
use super::{Effort, Running, progress};
use crate::floor::Floor;
use crate::peer::{Peer, Task, Wait};
use crate::report::table::{Better, Kind, Series, Table, Unit};
use crate::server::Server;
use crate::support::cores::Cores;
use crate::support::process;
use crate::support::race::{Contender, median};

const WAITS: [Wait; 3] = [Wait::Polled, Wait::Parked, Wait::Adaptive];

/// Returns the processor time of a call, and of a connection without any.
pub(crate) fn cpu_time(effort: Effort) -> [Table; 2] {
    let rounds = effort.rounds.div_ceil(4);
    let turns = WAITS.map(|wait| 1 + competitors(wait).len()).iter().sum::<usize>();
    let bar = progress("Processor time", turns * rounds);
    let floor = Series::unmeasured("floor: ping-pong", Kind::Floor, WAITS.len());
    let (mut of_calls, mut when_idle) = (vec![floor], Vec::new());
    for (column, wait) in WAITS.into_iter().enumerate() {
        for (label, kind, [call, idle]) in measure(effort, rounds, wait, &bar) {
            Series::set(&mut of_calls, &label, kind, column, call);
            if kind != Kind::Floor {
                Series::set(&mut when_idle, &label, kind, column, idle);
            }
        }
    }
    bar.finish();
    let table = |title: &str, note: &str, negligible, series| Table {
        title: title.into(),
        note: note.into(),
        unit: Unit::Nanoseconds,
        better: Better::Lower,
        negligible,
        columns: WAITS.map(|wait| wait.to_string()).into(),
        series,
    };
    [
        table("Processor time of a call", "Client and server together.", 0.0, of_calls),
        table(
            "Processor time of a second without calls",
            "Client and server together, connected, from 50 ms after the last call on. Less than \
             1 ms is too little to tell apart.",
            1_000_000.0,
            when_idle,
        ),
    ]
}

/// Returns the medians for those that wait in this way, the floor first.
fn measure(
    effort: Effort,
    rounds: usize,
    wait: Wait,
    bar: &ProgressBar,
) -> Vec<(String, Kind, [f64; 2])> {
    let mut floor = Floor::start();
    let start = |peer| Running::start(peer, Task::Add, wait, true);
    let mut running: Vec<Running> = competitors(wait).into_iter().map(start).collect();
    let mut calls: Vec<Box<dyn Contender>> = vec![floor.call(wait)];
    calls.extend(
        running.iter().map(|running| -> Box<dyn Contender> { Box::new(Adds(running.connect())) }),
    );
    running.iter().for_each(|running| running.server.pause());
    let mut measured: Vec<Vec<[f64; 2]>> = calls.iter().map(|_| Vec::new()).collect();
    Cores::available().while_pinned(|| {
        for _ in 0..rounds {
            let servers = iter::once(&mut floor.server)
                .chain(running.iter_mut().map(|running| &mut running.server));
            for ((server, calls), measured) in servers.zip(&mut calls).zip(&mut measured) {
                server.resume();
                measured.push([busy(effort, server, &mut **calls), idle(effort, server)]);
                server.pause();
                bar.inc(1);
            }
        }
    });
    let floor = iter::once(("floor: ping-pong".to_owned(), Kind::Floor));
    let labels = floor.chain(running.iter().map(|running| (running.label.clone(), running.kind)));
    let medians = measured
        .iter()
        .map(|all| [0, 1].map(|index| median(all.iter().map(|each| each[index]).collect())));
    labels.zip(medians).map(|((label, kind), medians)| (label, kind, medians)).collect()
}

/// Those that wait in just this way. Only WitRPC has one that adapts.
fn competitors(wait: Wait) -> Vec<&'static Peer> {
    let peers = peers(wait).into_iter().filter(|(_, actual)| *actual == wait);
    let peers = peers.filter(|(peer, _)| peer.ours || wait != Wait::Adaptive);
    peers.map(|(peer, _)| peer).collect()
}

/// Nanoseconds of processor time a call.
fn busy(effort: Effort, server: &mut Server, calls: &mut dyn Contender) -> f64 {
    calls.begin();
    calls.run(100);
    let before = spent(server);
    let start = Instant::now();
    let mut made = 0;
    while start.elapsed() < effort.turn {
        calls.run(100);
        made += 100;
    }
    let time = spent(server) - before;
    calls.end();
    time / f64::from(made)
}

/// Nanoseconds of processor time a second without a call.
fn idle(effort: Effort, server: &mut Server) -> f64 {
    // Both sides have given up to look by then, if they do.
    thread::sleep(Duration::from_millis(50));
    let before = spent(server);
    let start = Instant::now();
    thread::sleep(12 * effort.turn);
    (spent(server) - before) / start.elapsed().as_secs_f64()
}

fn spent(server: &mut Server) -> f64 {
    (process::cpu_seconds() + server.cpu_seconds()) * 1e9
}
