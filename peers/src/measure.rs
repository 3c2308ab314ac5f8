//! The measurements: each a race in turns, and a table of what came out.

mod clients;
mod cpu;
mod flight;
mod latency;
mod payload;
mod turns;

pub(crate) use clients::clients;
pub(crate) use cpu::cpu_time;
pub(crate) use flight::in_flight;
pub(crate) use latency::latency;
pub(crate) use payload::payload;

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::peer::{Connection, Peer, Session, Task, Wait};
use crate::report::table::{Kind, Series};
use crate::server::Server;

/// How long to measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// Turns that each peer has.
    pub(crate) rounds: usize,
    /// About how long one kind of call runs in a turn.
    pub(crate) turn: Duration,
}

impl Effort {
    pub(crate) const FULL: Self = Self { rounds: 21, turn: Duration::from_millis(40) };
    /// That everything runs, not what it measures.
    pub(crate) const QUICK: Self = Self { rounds: 3, turn: Duration::from_millis(10) };
}

/// A peer of which a server runs.
pub(crate) struct Running {
    pub(crate) label: String,
    pub(crate) kind: Kind,
    pub(crate) session: Session,
    pub(crate) peer: &'static Peer,
    pub(crate) server: Server,
}

impl Running {
    /// Starts a server under a name of its own.
    pub(crate) fn start(peer: &'static Peer, task: Task, wait: Wait, pinned: bool) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("peers-{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed));
        let session = Session { name, task, wait, pinned };
        let server = Server::start(peer.label, &session);
        let kind = if peer.ours { Kind::Ours } else { Kind::Peer };
        Self { label: peer.label.to_owned(), kind, session, peer, server }
    }

    /// Adds how it waits to its label.
    pub(crate) fn labelled_by_wait(mut self) -> Self {
        self.label = format!("{}, {}", self.label, self.session.wait);
        self
    }

    pub(crate) fn connect(&self) -> Box<dyn Connection> {
        (self.peer.connect)(&self.session)
    }

    /// Returns its row of a table.
    pub(crate) fn series(&self, values: Vec<f64>) -> Series {
        Series { label: self.label.clone(), kind: self.kind, values }
    }
}

/// Returns a bar for a number of turns.
pub(crate) fn progress(title: &str, turns: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:32} {bar:40} {pos}/{len} {eta}");
    let bar = ProgressBar::new(turns as u64).with_message(title.to_owned());
    bar.set_style(style.expect("a template of known fields"));
    if bar.is_hidden() {
        eprintln!("{title}");
    }
    bar
}
