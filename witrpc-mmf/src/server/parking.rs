//! Where idle threads of the server sleep, and what wakes them: doorbells, or a look now and then.

use std::fmt;
use std::io;
use std::time::Duration;

use rustix::io::Errno;

use crate::portable::{Backend, Lookout};
use crate::sys::event_fd::Bell;
use crate::sys::fd_closer::Socket;

use super::doorbells::Doorbells;

/// Where idle threads sleep.
pub trait Parking: fmt::Debug + Send + Sync {
    /// Has a client's doorbell wake sleepers, who are told its `id`.
    ///
    /// # Errors
    ///
    /// The kernel has no memory, or no more entries, for that.
    fn watch(&self, bell: Option<&Socket>, id: u64) -> Result<(), Errno>;

    /// Has a client's doorbell wake no sleeper any more.
    fn forget(&self, bell: &Bell);

    /// Wakes one sleeper, or the next that would sleep.
    fn ring(&self);

    /// Sleeps until something rings, or is found by looking where nothing rings, or the time is over.
    fn sleep(&self, timeout: Option<Duration>, waking: &dyn OnWake);
}

/// What a thread that sleeps does when it wakes up.
pub trait OnWake {
    /// The doorbell `id` has rung.
    fn rung(&self, id: u64);

    /// Looks for what is to be done, and returns whether there is something. `slow`: as
    /// [`Lookout::sleep`] says.
    fn look_out(&self, slow: bool) -> bool;
}

/// Returns the parking of a backend.
pub fn of(backend: Backend) -> io::Result<Box<dyn Parking>> {
    match backend.portable() {
        None => Ok(Box::new(Doorbells::new()?)),
        Some(_) => Ok(Box::new(Lookout::default())),
    }
}

impl Parking for Lookout {
    fn watch(&self, _: Option<&Socket>, _: u64) -> Result<(), Errno> {
        Ok(())
    }

    fn forget(&self, _: &Bell) {}

    fn ring(&self) {
        self.ring();
    }

    fn sleep(&self, timeout: Option<Duration>, waking: &dyn OnWake) {
        self.sleep(timeout, |slow| waking.look_out(slow));
    }
}
