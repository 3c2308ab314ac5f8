//! User code that runs outside of methods: hooks of clients that come and go, and drops of what these have left
//! behind.

use std::sync::Mutex;

use witrpc_rt::lock;

use crate::pool::running::RunningMethod;
use crate::rt::panics::catch;

/// The user code that runs now, by name.
#[derive(Default)]
pub struct UserCode(Mutex<Vec<RunningMethod>>);

impl UserCode {
    /// Runs it and lists it by this name meanwhile. Drops the payload of its panic.
    pub fn run(&self, name: &'static str, client_id: u64, run: impl FnOnce()) {
        let entry = RunningMethod { service: "witrpc", method: name, client_id };
        lock(&self.0).push(entry);
        let _ = catch(run);
        let mut running = lock(&self.0);
        if let Some(index) = running.iter().position(|other| *other == entry) {
            running.swap_remove(index);
        }
    }

    /// Returns the user code that runs now.
    pub fn running(&self) -> Vec<RunningMethod> {
        lock(&self.0).clone()
    }
}
