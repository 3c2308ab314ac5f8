//! Handlers that sleep until their calls are given up.

use std::task::Waker;

use witrpc_transport::Ticket;

use super::waiter::Waiter;

/// Those of one connection.
#[derive(Default)]
pub(crate) struct Watchers {
    entries: Vec<Watcher>,
    next_key: u64,
}

struct Watcher {
    key: u64,
    ticket: Ticket,
    waker: Waker,
}

impl Watchers {
    /// Adds one, and gives its key.
    pub(crate) fn add(&mut self, ticket: Ticket, waker: Waker) -> u64 {
        let key = self.next_key;
        self.next_key += 1;
        self.entries.push(Watcher { key, ticket, waker });
        key
    }

    /// Takes one out, if it is still there.
    pub(crate) fn take(&mut self, key: u64) -> Option<Waker> {
        let place = self.entries.iter().position(|watcher| watcher.key == key)?;
        Some(self.entries.swap_remove(place).waker)
    }

    /// Takes out those of one call, to be woken.
    pub(crate) fn of(&mut self, ticket: Ticket) -> Vec<Waiter> {
        let theirs = self.entries.extract_if(.., |watcher| watcher.ticket == ticket);
        theirs.map(|watcher| Waiter::Task(watcher.waker)).collect()
    }

    /// Takes out all.
    pub(crate) fn all(&mut self) -> Vec<Waiter> {
        self.entries.drain(..).map(|watcher| Waiter::Task(watcher.waker)).collect()
    }
}
