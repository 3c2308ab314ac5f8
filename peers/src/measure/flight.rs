//! Many calls in flight on one connection.

use super::turns::{Entry, Timing, take_turns};
use super::{Effort, Running, progress};
use crate::floor::Floor;
use crate::peer::{Connection, IN_FLIGHT, Task, Wait};
use crate::report::table::{Better, Kind, Series, Table, Unit};
use crate::support::cores::Cores;
use crate::support::race::Contender;
use crate::{iceoryx2, ipc_channel, socket, tarpc, tonic, witrpc};

struct InFlight(Box<dyn Connection>);

impl Contender for InFlight {
    fn run(&mut self, calls: usize) {
        self.0.add_in_flight(calls);
    }
}

/// Returns what each of 64 calls in flight takes.
pub(crate) fn in_flight(effort: Effort) -> Table {
    let peers = [
        (&witrpc::ASYNC, Wait::Polled),
        (&iceoryx2::PEER, Wait::Polled),
        (&ipc_channel::PEER, Wait::Parked),
        (&tarpc::PEER, Wait::Parked),
        (&tonic::PEER, Wait::Parked),
        (&socket::PEER, Wait::Parked),
    ];
    let floor = Floor::start();
    let running = peers.map(|(peer, wait)| Running::start(peer, Task::Add, wait, true));
    let mut entries = vec![Entry { contender: floor.in_flight(), server: &floor.server }];
    entries.extend(running.iter().map(|running| Entry {
        contender: Box::new(InFlight(running.connect())),
        server: &running.server,
    }));
    running.iter().for_each(|running| running.server.pause());

    let title = format!("{IN_FLIGHT} calls in flight");
    let bar = progress(&title, effort.rounds * entries.len());
    let outcome =
        Cores::available().while_pinned(|| take_turns(effort, Timing::Batches, &bar, entries));
    bar.finish();
    let mut medians = outcome.times.iter().map(|times| vec![times.median()]);
    let values = medians.next().expect("the floor's");
    let mut series =
        vec![Series { label: "floor: lines by hand".into(), kind: Kind::Floor, values }];
    series.extend(running.iter().zip(medians).map(|(running, values)| running.series(values)));
    Table {
        title,
        note: "The socket's requests and answers are written and read 64 at a time.".into(),
        unit: Unit::Nanoseconds,
        better: Better::Lower,
        negligible: 0.0,
        columns: vec!["a call".into()],
        series,
    }
}
