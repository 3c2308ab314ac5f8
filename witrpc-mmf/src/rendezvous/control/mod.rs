//! The server's control thread: accepts clients, leads them through the handshake, and learns when
//! they die.
//!
//! Here is what the server's other threads see of it, and it of them; [`thread`] is what it does.

mod thread;

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, eventfd};
use thread::ControlThread;
use witrpc_rt::{lock, spawn, wait_until};
use witrpc_transport::{Admitted, ClientInfo, Plain, Responder, Session};

use crate::error::BindError;
use crate::portable::Backend;
use crate::sys::fork::{Descriptor, Origin};

use super::claim::NameClaim;
use super::peer::Established;

pub use thread::HandshakeContext;

/// What a server offers each client, and how many it takes.
#[derive(Clone, Copy, Debug)]
pub struct ServerLimits {
    /// What its connections stand on.
    pub backend: Backend,
    /// How many clients can be connected, or have gone and still take the memory of a connection.
    pub max_clients: usize,
    /// How many calls a client can have in flight; 1 to [`crate::memory::layout::MAX_LANES`].
    pub lanes: u32,
    /// The length of the region that the client creates, in bytes.
    pub client_region_len: usize,
    /// The length of the region that the server creates for each client, in bytes.
    pub server_region_len: usize,
    /// The longest message of either side, in bytes.
    pub max_message_len: u64,
    /// How long a handshake may take from the accepting to the welcome's last byte.
    pub handshake_timeout: Duration,
    /// How long a handshake may take while others wait for its place.
    pub grace: Duration,
}

/// [`ServerLimits::grace`] of all servers but those of tests. Whoever means it needs a millisecond or
/// so.
pub const GRACE: Duration = Duration::from_millis(100);

/// What the control thread reports to. Its calls must not wait for a client or for a handler, nor
/// for a thread that is in a call of [`Control`].
pub trait Host: Send + Sync + 'static {
    /// Decides on a client by its hello, which is untrusted. The client's id names it from here on.
    fn admit(&self, client: &ClientInfo, hello: &[u8]) -> Admitted;

    /// An admitted client's connection, before its welcome is sent: what is written to the region
    /// here, the client will see. `session` is what `admit` gave.
    fn connected(&self, client: ClientInfo, session: Session, connection: Established);

    /// A connected client's link is closed, by its death, by its leaving, by
    /// [`Control::close_link`] or by [`Control::shutdown`]. Once for each `connected`.
    fn hung_up(&self, client_id: u64);

    /// Returns how many clients that have gone still take the memory of a connection each.
    fn held_by_gone(&self) -> usize {
        0
    }

    /// A stranger was turned away before there was anything to admit: it wanted something else, has
    /// not the secret, broke a rule, or came to a full server or not to its end.
    fn turned_away(&self) {}

    /// What another process of this user is told that asks how the server is; at most
    /// [`MAX_REPORT_LEN`](super::record::MAX_REPORT_LEN) bytes.
    fn report(&self) -> Vec<u8> {
        Vec::new()
    }

    /// Makes the keys of clients.
    fn responder(&self) -> &dyn Responder {
        &const { Plain::new(false) }
    }
}

/// A claimed name at work. Dropping it shuts it down.
#[derive(Debug)]
pub struct Control {
    shared: Arc<ControlShared>,
    thread: Mutex<Option<JoinHandle<()>>>,
    origin: Origin,
}

impl Control {
    /// Takes the claim over. Orders can be given from here on, so that a host can hold what it
    /// gives them to before the thread calls it.
    ///
    /// # Errors
    ///
    /// The system has no descriptor to give; the name is given up then.
    pub fn new(claim: NameClaim) -> Result<Self, BindError> {
        let wake = Descriptor::open(|| eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK))
            .map_err(failed("make an eventfd"))?;
        let orders = Orders { claim: Some(claim), ..Orders::default() };
        let ended = Condvar::new();
        let shared = Arc::new(ControlShared { orders: Mutex::new(orders), wake, ended });
        Ok(Self { shared, thread: Mutex::default(), origin: Origin::here() })
    }

    /// Starts the thread, once. The limits are the caller's to check.
    ///
    /// # Errors
    ///
    /// The system has no thread or descriptor to give; the name is given up then.
    pub fn start(&self, limits: ServerLimits, host: Arc<dyn Host>) -> Result<(), BindError> {
        let started = self.try_to_start(limits, host);
        if started.is_err() {
            drop(self.shared.orders().claim.take());
        }
        started
    }

    fn try_to_start(&self, limits: ServerLimits, host: Arc<dyn Host>) -> Result<(), BindError> {
        // Without a claim it has been shut down already.
        let orders = self.shared.orders();
        let listeners = orders.claim.as_ref().map(NameClaim::listeners).unwrap_or_default();
        let (name, uids) =
            orders.claim.as_ref().map(|claim| (claim.name(), claim.uids())).unwrap_or_default();
        let context = HandshakeContext::new(name.to_owned(), uids.to_vec(), limits, host)?;
        drop(orders);
        let thread = ControlThread::new(Arc::clone(&self.shared), listeners, context)
            .map_err(failed("make an epoll instance"))?;
        let ended = Ended(Arc::clone(&self.shared));
        let started = spawn("witrpc-control", move || {
            let _ended = ended;
            thread.run();
        });
        *self.thread() = Some(started.map_err(failed("start the control thread"))?);
        Ok(())
    }

    /// After [`shutdown`](Self::shutdown): waits until the thread has ended, until that time at the
    /// most. Returns whether it has; that it has not, if this is called on it.
    pub fn join(&self, until: Option<Instant>) -> bool {
        let me = std::thread::current().id();
        if self.thread().as_ref().is_some_and(|thread| thread.thread().id() == me) {
            return false;
        }
        let orders = self.shared.orders();
        if !wait_until(&self.shared.ended, orders, until, |orders| orders.ended).1 {
            return false;
        }
        let thread = self.thread().take();
        // All that is left of it is the system's part of its end.
        thread.into_iter().for_each(|thread| drop(thread.join()));
        true
    }

    fn thread(&self) -> MutexGuard<'_, Option<JoinHandle<()>>> {
        lock(&self.thread)
    }

    /// Tells clients that come from now on that none is taken. The name stays this server's.
    pub fn stop_accepting(&self) {
        self.order(|orders| orders.turn_away = true);
    }

    /// Closes the link of a client, which learns of it as a hang-up.
    pub fn close_link(&self, client_id: u64) {
        self.order(|orders| orders.close.push(client_id));
    }

    /// Gives up the name before it returns; then, on its own thread, closes every link. Idempotent.
    pub fn shutdown(&self) {
        if self.origin.is_forked() {
            // Its lock may have been taken at the fork, and the name is the parent's.
            return;
        }
        drop(self.shared.orders().claim.take());
        self.order(|orders| orders.stop = true);
    }

    fn order(&self, give: impl FnOnce(&mut Orders)) {
        if !self.origin.is_forked() {
            give(&mut self.shared.orders());
            // A full counter has been rung already.
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
    orders: Mutex<Orders>,
    /// An eventfd that nobody else has: rung after an order.
    wake: Descriptor,
    /// The thread has ended.
    ended: Condvar,
}

/// Dropped as the last thing that the thread does, or if it cannot be started.
struct Ended(Arc<ControlShared>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.orders().ended = true;
        self.0.ended.notify_all();
    }
}

impl ControlShared {
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
    claim: Option<NameClaim>,
}
