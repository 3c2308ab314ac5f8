//! The server's control thread: accepts clients, runs their handshakes, and notices their deaths.
//!
//! This module holds the interface between the control thread and the server's other threads.
//! [`thread`] holds its loop.

mod names;
mod reserve;
mod thread;

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, eventfd};
use thread::ControlThread;
use witrpc_rt::{Joinable, lock, poll_until, wait_until};
use witrpc_transport::{
    Admitted, ClientInfo, NameChange, Plain, ResourceError, Responder, Session,
};

use crate::error::BindError;
use crate::portable::Backend;
use crate::sys::fd_closer::Socket;
use crate::sys::fork::{Descriptor, Origin};

use super::claim::NameClaim;
use super::peer::Established;

pub use thread::HandshakeContext;

/// What a server offers each client, and how many clients it accepts.
#[derive(Clone, Copy, Debug)]
pub struct ServerLimits {
    /// The backend that carries its connections.
    pub backend: Backend,
    /// How many clients can hold the memory of a connection. A client that has gone counts until its
    /// memory is released.
    pub max_clients: usize,
    /// How many calls a client can have in flight, 1 to [`crate::memory::layout::MAX_LANES`].
    pub lanes: u32,
    /// The length of the region that the client creates, in bytes.
    pub client_region_len: usize,
    /// The length of the region that the server creates for each client, in bytes.
    pub server_region_len: usize,
    /// The longest message of either side, in bytes.
    pub max_message_len: u64,
    /// How long a handshake may take, from the accept to the last byte of the welcome.
    pub handshake_timeout: Duration,
    /// How long a handshake may take while other peers wait for its place.
    pub grace: Duration,
}

/// [`ServerLimits::grace`] of all servers outside of tests. An honest client needs about a millisecond.
pub const GRACE: Duration = Duration::from_millis(100);

/// The receiver of the control thread's events. Its methods must not wait for a client, for a handler,
/// or for a thread that is inside a call of [`Control`].
pub trait Host: Send + Sync + 'static {
    /// Has the bell of a client that may be admitted wake the server's threads, under the client's id.
    /// They know nothing of this client before [`connected`](Self::connected).
    ///
    /// # Errors
    ///
    /// [`ResourceError`]: the client could never wake the server.
    fn watch(&self, _client_id: u64, _bell: Option<&Socket>) -> Result<(), ResourceError> {
        Ok(())
    }

    /// Decides whether to admit a client, by its untrusted hello. The client's id identifies it from
    /// here on.
    fn admit(&self, client: &ClientInfo, hello: &[u8]) -> Admitted;

    /// Reports the connection of an admitted client, before its welcome is sent. So the client sees
    /// everything that this method writes to the region. `session` is what `admit` returned.
    fn connected(&self, client: ClientInfo, session: Session, connection: Established);

    /// Reports that the link of a connected client is closed: the client died or left, or
    /// [`Control::close_link`] or [`Control::shutdown`] closed it. Called once for each `connected`.
    fn hung_up(&self, client_id: u64);

    /// Returns how many connections of clients that have gone still hold their memory.
    fn held_by_gone(&self) -> usize {
        0
    }

    /// Reports that a peer was turned away before `admit` decided on it. It asked for something else,
    /// does not have the secret, broke a rule, met a full server, or did not finish the handshake.
    fn turned_away(&self) {}

    /// Reports that the thread has ended without an order: a call of the host has panicked, or its
    /// descriptor is broken. The name has been given up, and all links are closed next.
    fn failed(&self) {}

    /// Reports that the files of the name were removed by another program, and what became of the name.
    /// Connected clients are served on.
    fn name_changed(&self, _change: NameChange) {}

    /// Returns the report for another process of the same user that inquires about the server, at most
    /// [`MAX_REPORT_LEN`](super::record::MAX_REPORT_LEN) bytes.
    fn report(&self) -> Vec<u8> {
        Vec::new()
    }

    /// Returns what answers the key exchanges of clients.
    fn responder(&self) -> &dyn Responder {
        &const { Plain::new(false) }
    }
}

/// A claimed name and the control thread that serves it. Dropping it shuts the server down.
#[derive(Debug)]
pub struct Control {
    shared: Arc<ControlShared>,
    thread: Mutex<Option<Joinable>>,
    origin: Origin,
}

impl Control {
    /// Takes over the claim. Orders can be given from here on, so a host can keep the handle before the
    /// thread first calls the host.
    ///
    /// # Errors
    ///
    /// The system has no descriptor left. The name is released then.
    pub fn new(claim: NameClaim) -> Result<Self, BindError> {
        let wake = Descriptor::open(|| eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK))
            .map_err(failed("make an eventfd"))?;
        let (claim, orders, ended) = (Mutex::new(Some(claim)), Mutex::default(), Condvar::new());
        let shared = Arc::new(ControlShared { claim, orders, wake, ended });
        Ok(Self { shared, thread: Mutex::default(), origin: Origin::here() })
    }

    /// Starts the thread. Must be called once at most. The caller must check the limits.
    ///
    /// # Errors
    ///
    /// The system has no thread or descriptor left. The name is released then.
    pub fn start(&self, limits: ServerLimits, host: Arc<dyn Host>) -> Result<(), BindError> {
        let started = self.try_to_start(limits, host);
        if started.is_err() {
            self.shared.give_name_up();
        }
        started
    }

    fn try_to_start(&self, limits: ServerLimits, host: Arc<dyn Host>) -> Result<(), BindError> {
        // Without a claim, the server has already been shut down.
        let claim = self.shared.claim();
        let (name, uids) =
            claim.as_ref().map(|claim| (claim.name().to_owned(), claim.uids())).unwrap_or_default();
        let context = HandshakeContext::new(name, uids, limits, host)?;
        let thread = ControlThread::new(Arc::clone(&self.shared), claim.as_ref(), context)
            .map_err(failed("prepare to accept clients"))?;
        drop(claim);
        let ended = Ended(Arc::clone(&self.shared));
        let started = Joinable::spawn("witrpc-control", move || {
            let _ended = ended;
            thread.run();
        });
        *self.thread() = Some(started.map_err(failed("start the control thread"))?);
        Ok(())
    }

    /// Waits after [`shutdown`](Self::shutdown) until the thread has ended, at most until the given
    /// time. Returns whether it has ended. Returns `false` if the control thread itself calls this.
    pub fn join(&self, until: Option<Instant>) -> bool {
        let me = std::thread::current().id();
        if self.thread().as_ref().is_some_and(|thread| thread.id() == me) {
            return false;
        }
        let orders = self.shared.orders();
        if !wait_until(&self.shared.ended, orders, until, |orders| orders.ended).1 {
            return false;
        }
        // Hooks have run on it, whose thread-locals are dropped now.
        poll_until(until, || self.thread().as_ref().is_none_or(Joinable::has_ended))
    }

    fn thread(&self) -> MutexGuard<'_, Option<Joinable>> {
        lock(&self.thread)
    }

    /// Refuses all clients from now on. The name stays this server's.
    pub fn stop_accepting(&self) {
        self.order(|orders| orders.turn_away = true);
    }

    /// Closes the link of a client. The client sees a hang-up.
    pub fn close_link(&self, client_id: u64) {
        self.order(|orders| orders.close.push(client_id));
    }

    /// Shuts the server down: releases the name before this returns, and closes every link on the
    /// control thread afterwards. Idempotent.
    pub fn shutdown(&self) {
        if self.origin.is_forked() {
            // In a forked child, the lock may have been held at the fork, and the name is the parent's.
            return;
        }
        self.shared.give_name_up();
        self.order(|orders| orders.stop = true);
    }

    fn order(&self, give: impl FnOnce(&mut Orders)) {
        if !self.origin.is_forked() {
            give(&mut self.shared.orders());
            // A full counter means that the thread has been woken already.
            let _ = rustix::io::write(&self.shared.wake, &1_u64.to_ne_bytes());
        }
    }
}

fn failed<E: Into<io::Error>>(doing: &'static str) -> impl FnOnce(E) -> BindError {
    move |error| BindError::system(doing, error)
}

impl Drop for Control {
    fn drop(&mut self) {
        self.shutdown();
    }
}

#[derive(Debug)]
struct ControlShared {
    /// Absent when the server has ended. Publishing a name anew takes a while, and holds no order up.
    claim: Mutex<Option<NameClaim>>,
    orders: Mutex<Orders>,
    /// The eventfd that wakes the thread after an order. No other component holds it.
    wake: Descriptor,
    /// Signalled when the thread has ended.
    ended: Condvar,
}

/// A guard that reports the end of the thread when dropped. The closure of the thread drops it last. `start` drops it
/// if the thread cannot be started.
struct Ended(Arc<ControlShared>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.orders().ended = true;
        self.0.ended.notify_all();
    }
}

impl ControlShared {
    fn claim(&self) -> MutexGuard<'_, Option<NameClaim>> {
        lock(&self.claim)
    }

    /// Releases the name before this returns.
    fn give_name_up(&self) {
        drop(self.claim().take());
    }

    fn orders(&self) -> MutexGuard<'_, Orders> {
        lock(&self.orders)
    }
}

#[derive(Debug, Default)]
struct Orders {
    turn_away: bool,
    stop: bool,
    ended: bool,
    close: Vec<u64>,
}
