//! The floors beside the peers: what two processes can do at best over bare shared memory.

use std::sync::Arc;

use crate::peer::{Session, Task, Wait, bytes_of};
use crate::server::{FLOOR, Server};
use crate::support::floor::{Floors, FutexPing, Lanes, Ping, Push};
use crate::support::race::Contender;

/// The memory of the floors, and the process at its far end.
pub(crate) struct Floor {
    floors: Floors,
    pub(crate) server: Server,
}

impl Floor {
    pub(crate) fn start() -> Self {
        let floors = Floors::new();
        let name = floors.path().into_os_string().into_string().expect("made of ASCII");
        let session = Session { name, task: Task::Add, wait: Wait::Polled, pinned: true };
        Self { floors, server: Server::start(FLOOR, &session) }
    }

    /// Returns what stands below a call: one word there and one back.
    pub(crate) fn call(&self, wait: Wait) -> Box<dyn Contender> {
        match wait {
            Wait::Parked => Box::new(FutexPing(self.floors.clone())),
            Wait::Polled | Wait::Adaptive => Box::new(Ping(self.floors.clone())),
        }
    }

    /// Returns what stands below calls in flight: a line for each, and one for its answer.
    pub(crate) fn in_flight(&self) -> Box<dyn Contender> {
        Box::new(Lanes(self.floors.clone()))
    }

    /// Returns what stands below a message: a copy in and a copy out.
    pub(crate) fn copies(&self, words: &[u64]) -> Box<dyn Contender> {
        Box::new(Push { floors: self.floors.clone(), bytes: Arc::from(bytes_of(words)) })
    }
}
