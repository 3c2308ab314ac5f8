//! Messages of 64 B to 16 MiB: the client has the words in its own memory, the server looks at each.

use std::hint::black_box;
use std::rc::Rc;

use super::turns::{Entry, Timing, take_turns};
use super::{Effort, Running, progress};
use crate::floor::Floor;
use crate::peer::{Connection, MAX_WORDS, Task, Wait};
use crate::report::table::{Better, Kind, Series, Table, Unit, size_name};
use crate::support::cores::Cores;
use crate::support::race::Contender;
use crate::{iceoryx2, ipc_channel, socket, tarpc, tonic, witrpc};

struct Sums {
    connection: Box<dyn Connection>,
    words: Rc<[u64]>,
}

impl Contender for Sums {
    fn run(&mut self, calls: usize) {
        for _ in 0..calls {
            black_box(self.connection.sum(black_box(&self.words)));
        }
    }
}

/// Lengths in words.
fn lens() -> impl Iterator<Item = usize> {
    (0..7).map(|power| 8 << (3 * power))
}

/// Returns how long a call with a message takes.
pub(crate) fn payload(effort: Effort) -> Table {
    let peers = [
        (&witrpc::BLOCKING, Wait::Polled),
        (&witrpc::LENT, Wait::Polled),
        (&iceoryx2::PEER, Wait::Polled),
        (&ipc_channel::PEER, Wait::Polled),
        (&tarpc::PEER, Wait::Parked),
        (&tonic::PEER, Wait::Parked),
        (&socket::PEER, Wait::Polled),
    ];
    let floor = Floor::start();
    let running = peers.map(|(peer, wait)| Running::start(peer, Task::Sum, wait, true));
    let mut series = vec![Series {
        label: "floor: copy in, copy out".into(),
        kind: Kind::Floor,
        values: Vec::new(),
    }];
    series.extend(running.iter().map(|running| running.series(Vec::new())));
    // Long messages need no more rounds to tell them apart.
    let effort = Effort { rounds: effort.rounds.div_ceil(2), ..effort };
    let bar = progress("Payloads", lens().count() * effort.rounds * series.len());
    let cores = Cores::available();
    for len in lens() {
        let words: Rc<[u64]> = (0..len as u64).collect();
        let mut entries = vec![Entry { contender: floor.copies(&words), server: &floor.server }];
        for running in &running {
            running.server.resume();
            let sums = Sums { connection: running.connect(), words: Rc::clone(&words) };
            running.server.pause();
            entries.push(Entry { contender: Box::new(sums), server: &running.server });
        }
        let outcome = cores.while_pinned(|| take_turns(effort, Timing::Batches, &bar, entries));
        for (series, times) in series.iter_mut().zip(outcome.times) {
            series.values.push(times.median());
        }
    }
    bar.finish();
    assert_eq!(lens().last(), Some(MAX_WORDS));
    Table {
        title: "A call with a message".into(),
        note:
            "The server looks at every word. The floor only copies, in and out: a message that is \
               lent or loaned is copied in only."
                .into(),
        unit: Unit::Nanoseconds,
        better: Better::Lower,
        negligible: 0.0,
        columns: lens().map(|len| size_name(len * size_of::<u64>())).collect(),
        series,
    }
}
