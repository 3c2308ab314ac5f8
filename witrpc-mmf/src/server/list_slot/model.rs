//! loom models: pollers that run handlers while a connection ends. A handler that never returns is
//! modelled by a thread that ends: the test then sees what it keeps.

use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::{Arc as Counted, Weak};

use loom::cell::UnsafeCell;
use loom::sync::atomic::AtomicU64;
use loom::sync::{Arc, Mutex};
use loom::thread;

use crate::memory::words::modelled::{Modelled, explore};
use crate::server::work_signal::WorkSignal;

use super::ListSlot;

/// Stands for a mapping, which is dropped with its last user.
struct Connection;

/// Stands for `Hot`.
struct List {
    _connection: Option<Counted<Connection>>,
    /// Changed by the thread that holds the list. loom reports two that do.
    first: UnsafeCell<u64>,
    read: u64,
}

// The values of `role`, as in the pool of the crate above.
const LOOKING: u64 = 0;
const BUSY: u64 = 1;
const DISPLACED: u64 = 2;

struct Server {
    list_slot: ListSlot<Modelled, List>,
    work_signal: WorkSignal<Modelled>,
    /// Stands for the table of connections.
    connection: Mutex<Option<Counted<Connection>>>,
    role: AtomicU64,
}

impl Server {
    fn new() -> (Arc<Self>, Weak<Connection>) {
        let connection = Counted::new(Connection);
        let weak = Counted::downgrade(&connection);
        let server = Self {
            list_slot: ListSlot::new(),
            work_signal: WorkSignal::new(AtomicU64::new(1)),
            connection: Mutex::new(Some(connection)),
            role: AtomicU64::new(LOOKING),
        };
        (Arc::new(server), weak)
    }

    /// Returns the list that a turn begins with: the one at hand or the one in the slot, if the
    /// work signal has not changed; otherwise a new one.
    fn list(&self, at_hand: Option<Box<List>>) -> Box<List> {
        let at_hand = at_hand.or_else(|| self.list_slot.take());
        let read = self.work_signal.count();
        if let Some(list) = at_hand
            && list.read == read
        {
            return list;
        }
        let connection = self.connection.lock().expect("no panic").clone();
        Box::new(List { _connection: connection, first: UnsafeCell::new(0), read })
    }

    /// Finds a request, and runs its handler.
    fn go_busy(&self, list: Box<List>) {
        // SAFETY: this thread alone holds the list, which loom checks.
        list.first.with_mut(|first| unsafe { *first += 1 });
        let read = list.read;
        self.list_slot.put(list, read, &self.work_signal);
        self.role.store(BUSY, Release);
    }

    /// Comes back from a handler. Returns `false` if the thread was displaced.
    fn comes_back(&self) -> bool {
        self.role.compare_exchange(BUSY, LOOKING, AcqRel, Relaxed).is_ok()
    }

    /// Takes the role from a poller that runs a handler.
    fn displaces(&self) -> bool {
        self.role.compare_exchange(BUSY, DISPLACED, Acquire, Relaxed).is_ok()
    }

    /// Ends the connection, as the control thread does.
    fn end(&self) {
        let connection = self.connection.lock().expect("no panic").take();
        self.list_slot.clear(&self.work_signal);
        drop(connection);
    }
}

fn beside(server: &Arc<Server>, run: impl FnOnce(&Server) + 'static) -> thread::JoinHandle<()> {
    let server = Arc::clone(server);
    thread::spawn(move || run(&server))
}

#[test]
fn no_handler_keeps_a_connection_that_ends() {
    explore(3, || {
        let (server, connection) = Server::new();
        let control = beside(&server, Server::end);
        let list = server.list(None);
        server.go_busy(list);
        control.join().expect("the control thread");
        assert!(connection.upgrade().is_none(), "kept while a handler runs");
    });
}

#[test]
fn a_holder_that_comes_back_goes_on_with_its_list_or_a_new_one() {
    explore(3, || {
        let (server, connection) = Server::new();
        let control = beside(&server, Server::end);
        let list = server.list(None);
        server.go_busy(list);
        assert!(server.comes_back());
        // As `look` does, which goes on without a look at the work signal.
        let list = server.list_slot.take();
        let list = list.unwrap_or_else(|| server.list(None));
        server.go_busy(list);
        control.join().expect("the control thread");
        assert!(connection.upgrade().is_none(), "kept while a handler runs");
    });
}

#[test]
fn a_poller_that_displaces_another_keeps_no_connection_either() {
    explore(2, || {
        let (server, connection) = Server::new();
        let control = beside(&server, Server::end);
        let other = beside(&server, |server| {
            if server.displaces() {
                let list = server.list(None);
                server.go_busy(list);
            }
        });
        let list = server.list(None);
        server.go_busy(list);
        if server.comes_back() {
            let list = server.list(None);
            server.go_busy(list);
        }
        control.join().expect("the control thread");
        other.join().expect("the other holder");
        assert!(connection.upgrade().is_none(), "kept while handlers run");
    });
}

/// The last look after the role is released takes the list that is in the slot, and drops it.
#[test]
fn a_last_look_leaves_nothing() {
    explore(3, || {
        let (server, connection) = Server::new();
        let control = beside(&server, Server::end);
        let list = server.list(None);
        server.go_busy(list);
        assert!(server.comes_back());
        drop(server.list_slot.take());
        control.join().expect("the control thread");
        assert!(server.list_slot.take().is_none());
        assert!(connection.upgrade().is_none());
    });
}
