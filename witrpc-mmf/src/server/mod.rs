//! The server: a bound name and its connections.
//!
//! The path of one call, by file: [`scanner`] finds the request line and [`inbound`] reads it. The
//! layers above run the handler, and [`answer`] writes the response. Idle threads sleep in
//! [`park`]. Through [`admission`] the control thread adds clients and removes those that are gone.

mod admission;
mod alloc;
mod answer;
mod answer_queue;
mod cancelled;
mod connection;
mod doorbells;
#[cfg(any(test, fuzzing))]
mod fuzzed;
mod hot;
mod inbound;
mod list_slot;
mod park;
mod parking;
mod scanner;
pub mod space_wanted;
pub mod work_signal;

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::Ordering::{AcqRel, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::{Duration, Instant};

use hot::Hot;
use list_slot::ListSlot;
use parking::Parking;
use witrpc_rt::lock;
use witrpc_transport::{Admission, Responder, TrustedPeer};
use work_signal::WorkSignal;

use crate::error::BindError;
use crate::link::head::MESSAGE_LEN_BOUNDS;
use crate::link::state;
use crate::memory::layout::{Layout, MAX_LANES, MIN_LANES, PAGE};
use crate::memory::region::OwnPages;
use crate::memory::words::Mapped;
use crate::name::Name;
use crate::portable::Backend;
use crate::rendezvous::{Control, GRACE, NameClaim, Place, ServerLimits};
use crate::sys::fd_closer;
use crate::sys::fork::Origin;

pub use connection::Connection;
pub use scanner::Scanner;
pub use scanner::Serving;

/// The options of a server.
#[derive(Clone, Copy, Debug)]
pub struct ServerOptions {
    /// The backend that carries connections. A client must have chosen the same.
    pub backend: Backend,
    /// The length of both regions of one client together, in bytes, rounded up to whole pages.
    pub size: usize,
    /// How many calls a client can have in flight.
    pub lanes: u32,
    /// How many clients can be connected.
    pub max_clients: u32,
    /// The longest message of either side, in bytes.
    pub max_message_len: usize,
    /// How long the handshake of a client may take.
    pub handshake_timeout: Duration,
    /// Set if a user promised that clients do not change what they have sent, so that it may be
    /// read in place.
    pub trusted: Option<TrustedPeer>,
}

impl ServerOptions {
    /// Returns the least `size` that holds `lanes` lanes, in bytes.
    pub fn min_size(lanes: u32) -> usize {
        2 * Layout::min_region_len(lanes)
    }

    /// The greatest `size`, in bytes.
    pub const MAX_SIZE: usize = 1 << 36;

    /// The bounds of `max_message_len`, in bytes.
    pub const MAX_MESSAGE_LEN: (usize, usize) = MESSAGE_LEN_BOUNDS;

    /// The bounds of `max_clients`.
    pub const MAX_CLIENTS: (u32, u32) = (1, 4096);

    fn layout(&self) -> Result<Layout, BindError> {
        let check = |limit, value: u64, min: u64, max: u64| {
            if (min..=max).contains(&value) {
                Ok(())
            } else {
                Err(BindError::LimitOutOfRange { limit, value, min, max })
            }
        };
        check("lanes", self.lanes.into(), MIN_LANES.into(), MAX_LANES.into())?;
        let (min, max) = Self::MAX_CLIENTS;
        check("max_clients", self.max_clients.into(), min.into(), max.into())?;
        let (min, max) = Self::MAX_MESSAGE_LEN;
        check("max_message_size", self.max_message_len as u64, min as u64, max as u64)?;
        let min = Self::min_size(self.lanes);
        check("size", self.size as u64, min as u64, Self::MAX_SIZE as u64)?;
        let region_len = self.size.div_ceil(2).next_multiple_of(PAGE);
        Ok(Layout::new(self.lanes, region_len).expect("at least the minimum"))
    }
}

/// A bound name and its connections.
pub struct Server {
    name: Name,
    layout: Layout,
    trusted: Option<TrustedPeer>,
    admission: Arc<dyn Admission>,
    parking: Box<dyn Parking>,
    connections: Mutex<HashMap<u64, Arc<Connection>>>,
    /// Connections that have ended, and that leases or requests that are being read may still keep.
    ended: Mutex<Vec<Weak<Connection>>>,
    /// The ids of connections that have rung, or must be looked at for another reason. Ids, here
    /// and in `hot`, keep no connection that has ended.
    rung: Mutex<Vec<u64>>,
    /// Counts the changes that the poller has to read: of `rung`, of `hot`, and connections that
    /// ended.
    work_signal: WorkSignal<Mapped>,
    /// The ids of the connections that are looked at in every turn. The next poller takes them
    /// over.
    hot: Mutex<Vec<u64>>,
    /// The poller's list of hot connections, while it runs a handler.
    list_slot: ListSlot<Mapped, Hot>,
    /// The id of the connection whose request was served last. Written by the poller.
    served_last: AtomicU64,
    /// The number of connections that ended because the client broke the protocol.
    broken: AtomicU64,
    last_broken: Mutex<Option<&'static str>>,
    /// The number of handshakes that failed before admission.
    refused: AtomicU64,
    control: Control,
    /// The state word for all connections, once the server is closed; 0 before.
    last_state: AtomicU64,
    /// Whether new connections learn that the server takes nothing new.
    is_draining: AtomicBool,
    origin: Origin,
}

impl Server {
    /// Claims the name and starts to accept clients. `responder` runs the server's side of the key
    /// exchange.
    ///
    /// # Errors
    ///
    /// See [`BindError`].
    pub fn bind(
        name: Name,
        place: &Place,
        options: &ServerOptions,
        admission: Arc<dyn Admission>,
        responder: Arc<dyn Responder>,
    ) -> Result<Arc<Self>, BindError> {
        let layout = options.layout()?;
        if place.is_shared() && options.backend.portable().is_some() {
            return Err(BindError::PortableIsPrivate);
        }
        OwnPages::check_in_principle(options.backend, layout.region_len())?;
        let claim = NameClaim::new(&name, place)?;
        let failed = |doing| move |error| BindError::system(doing, error);
        let server = Arc::new(Self {
            name,
            layout,
            trusted: options.trusted,
            admission,
            parking: parking::of(options.backend).map_err(failed("make an epoll instance"))?,
            connections: Mutex::default(),
            ended: Mutex::default(),
            rung: Mutex::default(),
            work_signal: WorkSignal::new(AtomicU64::new(1)),
            hot: Mutex::default(),
            list_slot: ListSlot::new(),
            served_last: AtomicU64::new(0),
            broken: AtomicU64::new(0),
            last_broken: Mutex::default(),
            refused: AtomicU64::new(0),
            control: Control::new(claim)?,
            last_state: AtomicU64::new(0),
            is_draining: AtomicBool::new(false),
            origin: Origin::here(),
        });
        let limits = ServerLimits {
            backend: options.backend,
            max_clients: options.max_clients as usize,
            lanes: options.lanes,
            client_region_len: layout.region_len(),
            server_region_len: layout.region_len(),
            max_message_len: options.max_message_len as u64,
            handshake_timeout: options.handshake_timeout,
            grace: GRACE,
        };
        let host = Arc::new(admission::AdmissionHost::new(&server, responder));
        server.control.start(limits, host)?;
        Ok(server)
    }

    /// Returns the name that is served.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// Wakes one sleeping thread, or the next that would sleep.
    pub fn ring(&self) {
        if self.origin.is_forked() {
            return;
        }
        self.parking.ring();
    }

    /// Returns the connections of the clients that are connected.
    pub fn clients(&self) -> Vec<Arc<Connection>> {
        if self.origin.is_forked() {
            return Vec::new();
        }
        self.connections().values().cloned().collect()
    }

    /// Returns how many connections ended because the client broke the protocol, and the rule that
    /// was broken last.
    pub fn broken(&self) -> (u64, Option<&'static str>) {
        let last = *lock(&self.last_broken);
        (self.broken.load(Relaxed), last)
    }

    /// Returns how many handshakes this server has ended before admission. The client does not know
    /// the secret, asks for other security, runs as another user or version, finds the server full,
    /// breaks a rule or takes too long. A client that leaves by itself does not count, nor one that
    /// [`Admission`] refuses.
    pub fn refused(&self) -> u64 {
        self.refused.load(Relaxed)
    }

    /// Returns the memory that is reserved for clients, in bytes: both regions of each client, and
    /// the private memory that is held for it. A client that is gone counts while a lease of its
    /// connection is kept, or a request of it is being read.
    pub fn reserved(&self) -> u64 {
        let regions = 2 * self.layout.region_len() as u64;
        let of = |each: &Arc<Connection>| regions + each.held.load(Relaxed) as u64;
        let ended: Vec<_> = self.ended().iter().filter_map(Weak::upgrade).collect();
        self.clients().iter().chain(&ended).map(of).sum()
    }

    /// Refuses new clients from now on. Connected clients stay.
    pub fn stop_accepting(&self) {
        self.control.stop_accepting();
    }

    /// Closes the connection of one client. Returns `false` if there is none with that id.
    pub fn disconnect(&self, id: u64) -> bool {
        if self.origin.is_forked() {
            return false;
        }
        let connection = self.connections().get(&id).cloned();
        connection.is_some_and(|connection| self.end(&connection, state::DISMISSED))
    }

    /// Tells clients that the server takes nothing new, and wakes their calls that wait to be sent.
    /// The next turn of the poller looks at every connection, hot or cold, so that it finds all
    /// that has arrived.
    pub fn drain(&self) {
        self.is_draining.store(true, Release);
        for connection in self.clients() {
            connection.begin_draining();
            // For calls that wait for a lane or for space, and would look only when there is some.
            connection.half.doorbell.ring();
            self.report(connection.id());
        }
    }

    /// Returns whether no answer to a connected client waits for space, or for the client to
    /// request its next segment.
    pub fn has_delivered(&self) -> bool {
        self.clients()
            .iter()
            .all(|connection| !connection.is_connected() || connection.has_delivered())
    }

    /// Closes every connection and gives the name up.
    pub fn close(&self) {
        self.close_with(state::SHUT_DOWN);
    }

    /// Does the same, and tells the clients that requests without an answer were not taken. The
    /// caller must have seen that all requests which were taken are answered, and must take no
    /// other.
    pub fn close_drained(&self) {
        self.close_with(state::DRAINED);
    }

    /// Does the same, and leaves the clients to find that the server is gone, as if it had been
    /// killed.
    pub fn close_failed(&self) {
        self.close_with(state::SERVING);
    }

    fn close_with(&self, state: u64) {
        if self.origin.is_forked()
            || self.last_state.compare_exchange(0, state, AcqRel, Relaxed).is_err()
        {
            return;
        }
        for connection in self.clients() {
            self.end(&connection, state);
        }
        self.control.shutdown();
        self.ring();
    }

    /// Waits, after [`close`](Self::close), until the control thread has ended, and the threads
    /// that close descriptors that peers passed. It waits until `until` at the latest. Returns
    /// whether they have ended; always `false` on the control thread.
    pub fn join(&self, until: Option<Instant>) -> bool {
        !self.origin.is_forked() && self.control.join(until) && fd_closer::join(until)
    }

    /// Ends a connection from this side. The client reads `state` when the link hangs up. Returns
    /// `false` if it had ended already.
    fn end(&self, connection: &Connection, state: u64) -> bool {
        let first = connection.close(state);
        if first {
            self.control.close_link(connection.id());
        }
        first
    }

    /// Makes the poller look at the connection of that id in its next turn.
    fn report(&self, id: u64) {
        lock(&self.rung).push(id);
        self.work_signal.notify();
    }

    /// Takes the connections that have rung and are still there.
    fn take_rung(&self) -> Vec<Arc<Connection>> {
        let rung = std::mem::take(&mut *lock(&self.rung));
        self.of_ids(&rung)
    }

    /// Returns the hot connections that are still there.
    fn hot(&self) -> Vec<Arc<Connection>> {
        let hot = lock(&self.hot).clone();
        self.of_ids(&hot)
    }

    fn of_ids(&self, ids: &[u64]) -> Vec<Arc<Connection>> {
        let connections = self.connections();
        ids.iter().filter_map(|id| connections.get(id).cloned()).collect()
    }

    /// Replaces the list of hot connections. Returns the count of the work signal before.
    fn set_hot(&self, hot: &[Arc<Connection>]) -> u64 {
        let mut kept = lock(&self.hot);
        kept.clear();
        kept.extend(hot.iter().map(|connection| connection.id()));
        drop(kept);
        self.work_signal.notify()
    }

    /// Returns the number of connections that have ended and still keep their mappings.
    fn held_by_gone(&self) -> usize {
        let mut ended = self.ended();
        ended.retain(|connection| connection.strong_count() > 0);
        // A scanner may hold one for a moment, which does not count.
        ended.iter().filter_map(Weak::upgrade).filter(|connection| connection.is_pinned()).count()
    }

    fn ended(&self) -> MutexGuard<'_, Vec<Weak<Connection>>> {
        lock(&self.ended)
    }

    fn connections(&self) -> MutexGuard<'_, HashMap<u64, Arc<Connection>>> {
        lock(&self.connections)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("name", &self.name())
            .field("clients", &self.connections().len())
            .finish_non_exhaustive()
    }
}
