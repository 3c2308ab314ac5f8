//! Whether a thread pulls the events of a connection, and what it has left to do.
//!
//! # Invariants
//!
//! All of it is under the lock of the subscriptions.
//!
//! 1. There is a thread from when a caller is told to start it until the thread has found that it may
//!    end. So there is at most one.
//! 2. A caller that has told the server of a subscriber, or owes the server a message, asks for the
//!    thread after that. The thread looks for both before it ends. So there is a thread as long as the
//!    server knows of a subscriber, or knows of more than there are.

#[cfg(test)]
mod model;

/// Whether the pulling thread runs, and what it owes.
#[derive(Debug, Default)]
pub struct Pulling {
    is_running: bool,
    /// The services of which the server must be told what is left, because no lane was free.
    owed: Vec<u8>,
}

impl Pulling {
    pub fn is_running(&self) -> bool {
        self.is_running
    }

    /// Asks for the thread. Returns whether the caller must start it.
    pub fn begin(&mut self) -> bool {
        !std::mem::replace(&mut self.is_running, true)
    }

    /// Notes that the thread could not be started, or its connection has ended.
    pub fn end(&mut self) {
        self.is_running = false;
        self.owed.clear();
    }

    /// Leaves it to the thread to tell the server what is left of a service.
    pub fn owe(&mut self, service: u8) {
        self.owed.push(service);
    }

    /// Notes that the server is told of a service.
    pub fn settle(&mut self, service: u8) {
        self.owed.retain(|owed| *owed != service);
    }

    /// Takes the services of which the server must be told. The caller tells it.
    pub fn take_owed(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.owed)
    }

    /// Decides whether the thread ends when the server has said that it knows of no subscriber. It
    /// stays if a service is owed, or if `is_known`: the server has been told of a subscriber that
    /// still exists. Returns whether it ends.
    pub fn leave_unless(&mut self, is_known: bool) -> bool {
        self.is_running = is_known || !self.owed.is_empty();
        !self.is_running
    }
}
