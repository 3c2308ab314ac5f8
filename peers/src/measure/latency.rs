//! One call at a time.

use super::turns::{Entry, Timing, take_turns};
use super::{Effort, Running, progress};
use crate::floor::Floor;
use crate::peer::{Connection, Peer, Task, Wait};
use crate::report::table::{Better, Kind, Series, Table, Unit};
use crate::support::cores::Cores;
use crate::support::race::Contender;
use crate::{iceoryx2, ipc_channel, socket, tarpc, tonic, witrpc};

/// Calls of `add`, one after the other.
pub(crate) struct Adds(pub(crate) Box<dyn Connection>);

impl Contender for Adds {
    fn run(&mut self, calls: usize) {
        self.0.adds(calls);
    }
}

/// The peers that wait in this way. Those on tokio have one way, which stands in both tables.
pub(crate) fn peers(wait: Wait) -> Vec<(&'static Peer, Wait)> {
    let mut peers: Vec<(&'static Peer, Wait)> =
        [&witrpc::BLOCKING, &witrpc::ASYNC, &iceoryx2::PEER, &ipc_channel::PEER, &socket::PEER]
            .map(|peer| (peer, wait))
            .into();
    peers.extend([(&tarpc::PEER, Wait::Parked), (&tonic::PEER, Wait::Parked)]);
    peers
}

/// Returns how long a call takes.
pub(crate) fn latency(effort: Effort, wait: Wait) -> Table {
    let floor = Floor::start();
    let running: Vec<Running> = peers(wait)
        .iter()
        .map(|(peer, wait)| Running::start(peer, Task::Add, *wait, true))
        .collect();
    let mut entries = vec![Entry { contender: floor.call(wait), server: &floor.server }];
    entries.extend(running.iter().map(|running| Entry {
        contender: Box::new(Adds(running.connect())),
        server: &running.server,
    }));
    running.iter().for_each(|running| running.server.pause());

    let title = format!("A call, {wait}");
    let bar = progress(&title, effort.rounds * entries.len());
    let outcome =
        Cores::available().while_pinned(|| take_turns(effort, Timing::Singles, &bar, entries));
    bar.finish();
    let values = outcome
        .times
        .iter()
        .map(|times| vec![times.median(), times.percentile(0.99), times.percentile(0.999)]);
    let mut values = values.collect::<Vec<_>>().into_iter();
    let first = values.next().expect("the floor's");
    let mut series =
        vec![Series { label: "floor: ping-pong".into(), kind: Kind::Floor, values: first }];
    series.extend(running.iter().zip(values).map(|(running, values)| running.series(values)));
    Table {
        title,
        note: outcome.mode.to_string(),
        unit: Unit::Nanoseconds,
        better: Better::Lower,
        negligible: 0.0,
        columns: ["p50", "p99", "p99.9"].map(String::from).into(),
        series,
    }
}
