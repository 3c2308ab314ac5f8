//! Where idle threads of the server sleep, and what wakes them: doorbells, or periodic looks.

use std::fmt;
use std::io;
use std::time::Duration;

use rustix::io::Errno;

use crate::portable::{Backend, Lookout};
use crate::sys::doorbell::Doorbell;
use crate::sys::fd_closer::Socket;

use super::doorbells::Doorbells;

/// A place where idle threads sleep.
pub trait Parking: fmt::Debug + Send + Sync {
    /// Registers a client's doorbell, which then wakes sleepers. They get its `id`.
    ///
    /// # Errors
    ///
    /// The kernel has no memory for that, or its limit on watches is reached.
    fn watch(&self, doorbell: Option<&Socket>, id: u64) -> Result<(), Errno>;

    /// Removes a client's doorbell.
    fn forget(&self, doorbell: &Doorbell);

    /// Wakes one sleeper, or the next that would sleep.
    fn ring(&self);

    /// Sleeps until something rings, a look finds something (where nothing rings), or the time is
    /// over.
    fn sleep(&self, timeout: Option<Duration>, waking: &dyn OnWake);
}

/// What a sleeping thread does when it wakes up.
pub trait OnWake {
    /// Handles a ring of the doorbell `id`.
    fn on_ring(&self, id: u64);

    /// Looks for work and returns whether there is some. `slow` is explained at [`Lookout::sleep`].
    fn look_out(&self, slow: bool) -> bool;
}

/// Creates the parking of a backend.
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

    fn forget(&self, _: &Doorbell) {}

    fn ring(&self) {
        self.ring();
    }

    fn sleep(&self, timeout: Option<Duration>, waking: &dyn OnWake) {
        self.sleep(timeout, |slow| waking.look_out(slow));
    }
}
