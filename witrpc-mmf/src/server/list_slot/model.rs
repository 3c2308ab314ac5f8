//! loom models: holders of the poller role that go into handlers, and a connection that ends
//! meanwhile. A handler that never returns is a thread that ends: whatever it keeps is then seen.

use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::{Arc as Counted, Weak};

use loom::cell::UnsafeCell;
use loom::sync::atomic::AtomicU64;
use loom::sync::{Arc, Mutex};
use loom::thread;

use crate::memory::words::modelled::{Modelled, explore};
use crate::server::work_signal::WorkSignal;

use super::ListSlot;

/// Stands for a mapping, which goes with its last user.
struct Connection;

/// As `Hot`.
struct List {
    _connection: Option<Counted<Connection>>,
    /// Whoever has the list in its hands changes it; loom reports two who do.
    first: UnsafeCell<u64>,
    read: u64,
}

// What `role` holds, as in the pool of the crate above.
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

    /// The list that a turn begins with: the one at hand, or the one that lies here, while there are no
    /// news; else a new one.
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

    /// Finds a request, and goes into its handler.
    fn go_busy(&self, list: Box<List>) {
        // SAFETY: the list is in the hands of this thread alone, which loom checks.
        list.first.with_mut(|first| unsafe { *first += 1 });
        let read = list.read;
        self.list_slot.put(list, read, &self.work_signal);
        self.role.store(BUSY, Release);
    }

    /// Comes back from a handler; `false` if it was displaced.
    fn comes_back(&self) -> bool {
        self.role.compare_exchange(BUSY, LOOKING, AcqRel, Relaxed).is_ok()
    }

    /// Takes the role from a holder that is in a handler.
    fn displaces(&self) -> bool {
        self.role.compare_exchange(BUSY, DISPLACED, Acquire, Relaxed).is_ok()
    }

    /// The control thread learns that the client has gone.
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
        // As `look`, which goes on without a look at the news.
        let list = server.list_slot.take();
        let list = list.unwrap_or_else(|| server.list(None));
        server.go_busy(list);
        control.join().expect("the control thread");
        assert!(connection.upgrade().is_none(), "kept while a handler runs");
    });
}

#[test]
fn one_that_displaces_takes_the_list_over_and_keeps_none_either() {
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

/// What lies here when the role is put down is taken by the last look, and goes with it.
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
