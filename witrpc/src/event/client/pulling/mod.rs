//! Whether there is a thread that pulls the events of a connection, and what is left for it to do.
//!
//! # Invariants
//!
//! All of it stands under the lock of the subscriptions.
//!
//! 1. There is a thread from when somebody was told to start it until it has found that it may go: so
//!    there is at most one.
//! 2. Whoever has made a subscriber known to the server, or owes it word, asks for the thread after
//!    that. The thread looks for both before it goes. So as long as the server knows of a subscriber,
//!    or knows of more than there are, there is a thread.

#[cfg(test)]
mod model;

/// The thread that pulls, seen from those who need it.
#[derive(Debug, Default)]
pub struct Pulling {
    is_running: bool,
    /// The services of which the server has not been told what is left, since no lane was free.
    owed: Vec<u8>,
}

impl Pulling {
    pub fn is_running(&self) -> bool {
        self.is_running
    }

    /// Asks for the thread: whether it is to be started.
    pub fn begin(&mut self) -> bool {
        !std::mem::replace(&mut self.is_running, true)
    }

    /// The thread could not be started, or its connection has ended.
    pub fn end(&mut self) {
        self.is_running = false;
        self.owed.clear();
    }

    /// Leaves it to the thread to tell the server what is left of a service.
    pub fn owe(&mut self, service: u8) {
        self.owed.push(service);
    }

    /// The server is told of a service.
    pub fn settle(&mut self, service: u8) {
        self.owed.retain(|owed| *owed != service);
    }

    /// The services of which the server is to be told, by whoever asks.
    pub fn take_owed(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.owed)
    }

    /// The server knows of no subscriber: whether the thread has nothing left to do, and is none any
    /// more. `is_known`: it has been told of one that still is.
    pub fn leave_unless(&mut self, is_known: bool) -> bool {
        self.is_running = is_known || !self.owed.is_empty();
        !self.is_running
    }
}
