//! Whether a thread pulls the events of a connection, and what it has left to do.
//!
//! # Invariants
//!
//! All of it is under the lock of the subscriptions.
//!
//! 1. There is a thread from when a caller is asked to start it until the thread has found that it may
//!    end. So there is at most one.
//! 2. A caller that has announced a subscriber to the server, or owes the server a set, asks for the
//!    thread after that. The thread checks both before it ends. So there is a thread as long as the
//!    server knows of a subscriber, or knows of more than exist.

#[cfg(test)]
mod model;

/// The state of the pulling thread: whether it runs, and the sets that it owes.
#[derive(Debug, Default)]
pub struct Pulling {
    is_running: bool,
    /// The services whose current set is owed to the server, because no lane was free.
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

    /// Records that the thread must send the server the current set of a service.
    pub fn owe(&mut self, service: u8) {
        self.owed.push(service);
    }

    /// Notes that the server has the current set of a service.
    pub fn settle(&mut self, service: u8) {
        self.owed.retain(|owed| *owed != service);
    }

    /// Takes the services whose set is owed to the server. The caller sends them.
    pub fn take_owed(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.owed)
    }

    /// Decides whether the thread ends when the server has answered that it knows of no subscriber.
    /// The thread stays if a set is owed, or if `is_known`: the server knows a subscriber that still
    /// exists. Returns whether it ends.
    pub fn leave_unless(&mut self, is_known: bool) -> bool {
        self.is_running = is_known || !self.owed.is_empty();
        !self.is_running
    }
}
