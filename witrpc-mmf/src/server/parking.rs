//! Where idle threads of the server sleep, and what wakes them: doorbells, or a look now and then.

use std::io;

use rustix::io::Errno;

use crate::sys::backend::Backend;
use crate::sys::event_fd::Bell;

use super::doorbells::Doorbells;
use super::lookout::Lookout;

/// As the backend has it.
#[derive(Debug)]
pub enum Parking {
    /// Clients ring.
    Doorbells(Doorbells),
    /// Nobody rings: somebody looks now and then.
    Lookout(Lookout),
}

impl Parking {
    pub fn new(backend: Backend) -> io::Result<Self> {
        match backend {
            Backend::Native => Doorbells::new().map(Self::Doorbells),
            Backend::Portable => Ok(Self::Lookout(Lookout::default())),
        }
    }

    /// Has a client's doorbell wake sleepers, who are told its `id`.
    pub fn watch(&self, bell: &Bell, id: u64) -> Result<(), Errno> {
        match (self, &*bell.end()) {
            (Self::Doorbells(doorbells), Some(end)) => doorbells.watch(end, id),
            _ => Ok(()),
        }
    }

    /// Has a client's doorbell wake nobody any more.
    pub fn forget(&self, bell: &Bell) {
        if let (Self::Doorbells(doorbells), Some(end)) = (self, &*bell.end()) {
            doorbells.forget(end);
        }
    }

    /// Wakes one sleeper, or the next that would sleep.
    pub fn ring(&self) {
        match self {
            Self::Doorbells(doorbells) => doorbells.ring(),
            Self::Lookout(lookout) => lookout.ring(),
        }
    }
}
