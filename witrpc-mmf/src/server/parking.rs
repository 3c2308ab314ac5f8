//! Where idle threads of the server sleep, and what wakes them.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::AcqRel;
use std::time::Duration;

use rustix::io::Errno;

use super::doorbells::Doorbells;
use super::lookout::Lookout;
use super::{Connection, Server};
use crate::backend::Backend;
use crate::bell::Bell;

/// As the backend has it.
#[derive(Debug)]
pub(super) enum Parking {
    /// Clients ring.
    Doorbells(Doorbells),
    /// Nobody rings: somebody looks now and then.
    Lookout(Lookout),
}

impl Parking {
    pub(super) fn new(backend: Backend) -> io::Result<Self> {
        match backend {
            Backend::Native => Doorbells::new().map(Self::Doorbells),
            Backend::Portable => Ok(Self::Lookout(Lookout::default())),
        }
    }

    /// Has a client's doorbell wake sleepers, who are told its `id`.
    pub(super) fn watch(&self, bell: &Bell, id: u64) -> Result<(), Errno> {
        match (self, bell.end()) {
            (Self::Doorbells(doorbells), Some(end)) => doorbells.watch(end, id),
            _ => Ok(()),
        }
    }

    /// Has a client's doorbell wake nobody any more.
    pub(super) fn forget(&self, bell: &Bell) {
        if let (Self::Doorbells(doorbells), Some(end)) = (self, bell.end()) {
            doorbells.forget(end);
        }
    }

    /// Wakes one sleeper, or the next that would sleep.
    pub(super) fn ring(&self) {
        match self {
            Self::Doorbells(doorbells) => doorbells.ring(),
            Self::Lookout(lookout) => lookout.ring(),
        }
    }
}

impl Server {
    /// Sleeps until something rings, or is found by looking where nothing rings, or the time is
    /// over.
    pub fn park(&self, timeout: Option<Duration>) {
        if self.origin.is_forked() {
            return;
        }
        match &self.parking {
            Parking::Doorbells(doorbells) => doorbells.sleep(timeout, |id| {
                let connection = self.connections().get(&id).cloned();
                if let Some(connection) = connection {
                    connection.bell.drain();
                    self.draw_attention(&connection);
                }
            }),
            Parking::Lookout(lookout) => lookout.sleep(timeout, |slow| self.look_out(slow)),
        }
    }

    /// Looks at all connections as if each had rung; reports those that need a thread, and says
    /// whether there were any.
    fn look_out(&self, slow: bool) -> bool {
        let mut found = false;
        for connection in self.clients() {
            // The client may have released blocks.
            connection.flush_queue();
            if connection.needs_thread(slow) {
                self.draw_attention(&connection);
                found = true;
            }
        }
        found
    }

    /// A connection has rung, or would have.
    fn draw_attention(&self, connection: &Arc<Connection>) {
        // A report that has not been read yet will do for this ring too. AcqRel, here and in
        // `read_news`: the reader sees what this ring was for.
        if !connection.attention.swap(true, AcqRel) {
            self.report(Arc::clone(connection));
        }
    }
}
