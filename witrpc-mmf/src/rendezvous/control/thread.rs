//! The loop of the control thread.
//!
//! The thread sleeps without a timeout, except while a handshake is pending. No step of it waits for a
//! client or takes longer than some milliseconds: the regions of connections are made in steps, one per
//! turn.
//!
//! A peer that has connected and is not a client yet is a *stranger*. It costs one of
//! [`MAX_PENDING_HANDSHAKES`] places until its deadline, and the work of one key exchange. From the
//! exchange of regions on, when it has proved that it has the keys, it also costs the memory of one
//! connection. So the memory of all connections is at most that of
//! `max_clients + MAX_PENDING_HANDSHAKES` connections. Strangers do not count as clients: otherwise a
//! peer that stalls could keep clients out.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{Timespec, epoll};
use rustix::io::Errno;
use rustix::net::{SocketFlags, accept_with};
use witrpc_rt::PeerCredentials;
use witrpc_transport::ResourceError;

use crate::rendezvous::claim::NameClaim;
use crate::rendezvous::pending_handshake::{PendingHandshake, Progress};
use crate::rendezvous::record::Nonce;
use crate::sys::fd_closer;
use crate::sys::fd_closer::Socket;
use crate::sys::fork::Descriptor;
use crate::sys::resource::{self, lacked_by_process, random_bytes};

use super::names::Names;
use super::reserve::Reserve;
use super::{ControlShared, Host, ServerLimits};

/// How many handshakes can be pending. Further peers stay in the listener's queue.
const MAX_PENDING_HANDSHAKES: usize = 64;

/// How long to leave clients in the queue when this process has no descriptor or memory to accept one,
/// or has too many descriptors left to close. The latter also delays pending handshakes.
const PAUSE: Duration = Duration::from_millis(50);

/// A longer handshake timeout is cut to a day, which any clock can express.
const MAX_HANDSHAKE: Duration = Duration::from_secs(24 * 60 * 60);

const MAX_EVENTS: usize = 64;

/// The source of an event. The upper bits of the event's data hold its kind.
#[derive(Clone, Copy, PartialEq, Eq)]
enum EventSource {
    Wake,
    /// A file of the name has changed.
    Names,
    Listener(usize),
    /// Numbered by [`ControlThread::next_pending`].
    PendingHandshake(u64),
    /// Numbered by the client's id.
    Link(u64),
}

impl EventSource {
    const NUMBER_BITS: u32 = 62;

    fn data(self) -> epoll::EventData {
        let (kind, number) = match self {
            EventSource::Wake => (0, 0),
            EventSource::Names => (0, 1),
            EventSource::Listener(index) => (1, index as u64),
            EventSource::PendingHandshake(number) => (2, number),
            EventSource::Link(client_id) => (3, client_id),
        };
        epoll::EventData::new_u64(kind << Self::NUMBER_BITS | number)
    }

    fn of(event: &epoll::Event) -> Self {
        let data = event.data.u64();
        let number = data & ((1 << Self::NUMBER_BITS) - 1);
        match data >> Self::NUMBER_BITS {
            0 if number == 0 => EventSource::Wake,
            0 => EventSource::Names,
            1 => EventSource::Listener(number as usize),
            2 => EventSource::PendingHandshake(number),
            _ => EventSource::Link(number),
        }
    }
}

pub struct ControlThread {
    epoll: Descriptor,
    listeners: Vec<Arc<Descriptor>>,
    /// While this is set, the listeners are not watched. Until that time, peers are accepted only if a
    /// stranger goes.
    accept_again: Option<Instant>,
    /// In the order of their deadlines: all strangers get the same time.
    pending: Vec<(u64, PendingHandshake)>,
    next_pending: u64,
    /// While this is set, some handshakes are delayed, or have a socket that epoll does not watch.
    advance_again: Option<Instant>,
    /// Strangers whose regions are being made. They take turns.
    busy: VecDeque<u64>,
    links: HashMap<u64, Socket>,
    reserve: Reserve,
    names: Names,
    shared: Arc<ControlShared>,
    /// Dropped last: when the host is dropped, all descriptors are closed.
    context: HandshakeContext,
}

/// What the handshakes of a server share.
pub struct HandshakeContext {
    pub name: String,
    /// The users whose clients the server accepts.
    pub uids: Vec<u32>,
    /// See [`ServerOpening::generation`](crate::rendezvous::record::ServerOpening::generation).
    pub generation: Nonce,
    pub limits: ServerLimits,
    pub is_full: bool,
    pub turns_away: bool,
    pub host: Arc<dyn Host>,
}

impl HandshakeContext {
    pub fn new(
        name: String,
        uids: Vec<u32>,
        limits: ServerLimits,
        host: Arc<dyn Host>,
    ) -> Result<Self, ResourceError> {
        let generation = random_bytes()?;
        Ok(Self { name, uids, generation, limits, is_full: false, turns_away: false, host })
    }
}

impl ControlThread {
    pub fn new(
        shared: Arc<ControlShared>,
        claim: Option<&NameClaim>,
        context: HandshakeContext,
    ) -> io::Result<Self> {
        let epoll = Descriptor::open(|| epoll::create(epoll::CreateFlags::CLOEXEC))?;
        epoll::add(&epoll, &shared.wake, EventSource::Wake.data(), epoll::EventFlags::IN)?;
        let reserve = Reserve::new()?;
        let mut thread = Self {
            epoll,
            listeners: Vec::new(),
            accept_again: None,
            advance_again: None,
            pending: Vec::with_capacity(MAX_PENDING_HANDSHAKES),
            next_pending: 0,
            busy: VecDeque::new(),
            links: HashMap::new(),
            reserve,
            names: Names::of(claim),
            context,
            shared,
        };
        thread.listen_on(claim.map(NameClaim::listeners).unwrap_or_default())?;
        Ok(thread)
    }

    /// Accepts clients on these sockets, and on no others. Watches the name.
    fn listen_on(&mut self, listeners: Vec<Arc<Descriptor>>) -> Result<(), Errno> {
        for former in std::mem::replace(&mut self.listeners, listeners) {
            let _ = epoll::delete(&self.epoll, &*former);
        }
        if let Some(watch) = self.names.descriptor() {
            epoll::add(&self.epoll, watch, EventSource::Names.data(), epoll::EventFlags::IN)?;
        }
        let flags = match self.accept_again {
            Some(_) => epoll::EventFlags::empty(),
            None => epoll::EventFlags::IN,
        };
        for (index, listener) in self.listeners.iter().enumerate() {
            epoll::add(&self.epoll, &**listener, EventSource::Listener(index).data(), flags)?;
        }
        Ok(())
    }

    pub fn run(mut self) {
        loop {
            let mut buffer = [const { MaybeUninit::uninit() }; MAX_EVENTS];
            let events = match epoll::wait(&self.epoll, &mut buffer[..], self.timeout().as_ref()) {
                Ok((events, _)) => &*events,
                Err(Errno::INTR) => continue,
                // Only a broken descriptor leads here, which only a stray `close` in this process
                // causes.
                Err(_) => return,
            };
            // Handle hang-ups first: clients that have left make room for new peers.
            for event in events {
                if let EventSource::Link(client_id) = EventSource::of(event) {
                    self.hang_up(client_id);
                }
            }
            if events.iter().any(|event| EventSource::of(event) == EventSource::Wake) && self.obey()
            {
                return;
            }
            // Handle what strangers have sent before their places may go to new peers.
            for event in events {
                if let EventSource::PendingHandshake(number) = EventSource::of(event) {
                    self.advance(number);
                }
            }
            for event in events {
                if let EventSource::Listener(index) = EventSource::of(event) {
                    self.accept(index);
                }
            }
            if let Some(number) = self.busy.pop_front() {
                self.advance(number);
            }
            self.expire();
            if events.iter().any(|event| EventSource::of(event) == EventSource::Names) {
                self.names.changed();
            }
            self.keep_name();
            self.reserve.refill();
        }
    }

    /// Publishes the name anew if its files have gone.
    fn keep_name(&mut self) {
        let shared = Arc::clone(&self.shared);
        let (listeners, change) = self.names.look(&mut shared.claim());
        if let Some(listeners) = listeners {
            // Without a watch for a socket, its clients are not accepted; those of the others are.
            let _ = self.listen_on(listeners);
        }
        if let Some(change) = change {
            self.context.host.name_changed(change);
        }
    }

    /// Returns how long to sleep; `None` without a limit, when no handshake is pending.
    fn timeout(&self) -> Option<Timespec> {
        if !self.busy.is_empty() {
            return Some(Timespec::default());
        }
        let deadline = self.pending.first().map(|(_, pending)| pending.deadline());
        let wake_at = [deadline, self.accept_again, self.advance_again, self.names.look_at()];
        let wake_at = wake_at.into_iter().flatten().min()?;
        let timeout = wake_at.saturating_duration_since(Instant::now());
        // A time too long for the kernel counts as no limit.
        Timespec::try_from(timeout).ok()
    }

    /// Executes the orders of [`Control`](super::Control). Returns `true` to stop.
    fn obey(&mut self) -> bool {
        let mut count = [0; 8];
        // Reads nothing if an order came while the last orders were being executed.
        let _ = rustix::io::read(&self.shared.wake, &mut count);
        let (close, stop) = {
            let mut orders = self.shared.orders();
            self.context.turns_away = orders.turn_away;
            (std::mem::take(&mut orders.close), orders.stop)
        };
        for client_id in close {
            self.hang_up(client_id);
            self.drop_all_pending(|pending| pending.client_id() == Some(client_id));
        }
        stop
    }

    fn accept(&mut self, index: usize) {
        let socket = Arc::clone(&self.listeners[index]);
        // The rest stays queued until the next turn, so that others are served in between.
        for _ in 0..MAX_PENDING_HANDSHAKES {
            if let Err(room_at) = self.make_room() {
                return self.pause_accepting(room_at);
            }
            if fd_closer::is_backed_up() {
                // A new peer may pass more descriptors that need closing.
                return self.pause_accepting(Instant::now() + PAUSE);
            }
            let (client, lacked) = match self.accept_one(&socket) {
                Ok(accepted) => accepted,
                Err(Errno::AGAIN) => return,
                Err(Errno::INTR | Errno::CONNABORTED) => continue,
                // The descriptor of a slow stranger serves the next one.
                Err(_) if self.end_slowest().is_ok() => return,
                Err(_) => return self.pause_accepting(Instant::now() + PAUSE),
            };
            let Ok(who) = PeerCredentials::of(&client) else { continue };
            self.greet(Socket::new(client), who, lacked);
        }
    }

    /// Accepts a client. Without a descriptor for it, it gets the place of the reserve. The result then
    /// says what to tell it.
    fn accept_one(
        &mut self,
        listener: &Descriptor,
    ) -> Result<(Descriptor, Option<ResourceError>), Errno> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let accept = || Descriptor::open(|| accept_with(listener, flags));
        let refused = match accept() {
            Ok(client) => return Ok((client, None)),
            Err(refused) => refused,
        };
        match lacked_by_process(&refused.into()) {
            Some(lacked) if self.reserve.spend() => accept().map(|client| (client, Some(lacked))),
            _ => Err(refused),
        }
    }

    /// Makes a place for one more stranger, by ending the oldest handshake if its grace is over.
    /// Returns in `Err` when that grace will be over.
    fn make_room(&mut self) -> Result<(), Instant> {
        if self.pending.len() < MAX_PENDING_HANDSHAKES { Ok(()) } else { self.end_slowest() }
    }

    /// Ends the oldest handshake if its grace is over. Returns in `Err` when that grace will be over.
    fn end_slowest(&mut self) -> Result<(), Instant> {
        let grace = self.context.limits.grace;
        // A stranger that waits for this server is not slow.
        let oldest = self.pending.iter().find(|(_, pending)| !pending.is_busy());
        let Some((oldest, pending)) = oldest else { return Err(Instant::now() + grace) };
        let (oldest, room_at) = (*oldest, pending.came() + grace);
        if Instant::now() < room_at {
            return Err(room_at);
        }
        self.end_time_of(oldest);
        Ok(())
    }

    /// Begins a handshake. A client for which something is `lacked` is refused with that reason.
    fn greet(&mut self, client: Socket, who: PeerCredentials, lacked: Option<ResourceError>) {
        let number = self.next_pending;
        self.next_pending += 1;
        let flags = epoll::EventFlags::IN
            | epoll::EventFlags::OUT
            | epoll::EventFlags::RDHUP
            | epoll::EventFlags::ET;
        let data = EventSource::PendingHandshake(number).data();
        let watched = epoll::add(&self.epoll, &client, data, flags);
        let timeout = self.context.limits.handshake_timeout.min(MAX_HANDSHAKE);
        let mut pending = PendingHandshake::new(client, who, timeout);
        if let Err(error) = watched {
            pending.turn_away_unwatched(resource::lacked("epoll_ctl", 0, &error.into()));
        } else if let Some(lacked) = lacked {
            pending.turn_away(lacked);
        }
        self.pending.push((number, pending));
        self.advance(number);
    }

    fn advance(&mut self, number: u64) {
        self.context.is_full = self.clients() >= self.context.limits.max_clients;
        let found = self.pending.iter_mut().find(|(each, _)| *each == number);
        // It was dropped earlier in this turn.
        let Some((_, pending)) = found else { return };
        match pending.advance(&mut self.context) {
            Progress::Pending if pending.is_watched() => {}
            Progress::Pending => self.advance_again = Some(Instant::now() + PAUSE),
            Progress::Busy if self.busy.contains(&number) => {}
            Progress::Busy => self.busy.push_back(number),
            Progress::PutOff => self.advance_again = Some(Instant::now() + PAUSE),
            Progress::Over => self.drop_pending(number),
            Progress::Welcomed => self.keep(number),
        }
    }

    /// Keeps the socket of a finished handshake as the link.
    fn keep(&mut self, number: u64) {
        let Some(pending) = self.remove_pending(number) else { return };
        let Some((client_id, link)) = pending.into_link() else { return };
        // The server never reads what the client sends on it.
        let flags = epoll::EventFlags::RDHUP;
        let watched = epoll::modify(&self.epoll, &link, EventSource::Link(client_id).data(), flags);
        self.links.insert(client_id, link);
        if watched.is_err() {
            self.hang_up(client_id);
        }
    }

    /// Returns how many clients hold the memory of a connection.
    fn clients(&self) -> usize {
        let welcomed = self.pending.iter().filter(|(_, s)| s.client_id().is_some()).count();
        self.links.len() + welcomed + self.context.host.held_by_gone()
    }

    fn hang_up(&mut self, client_id: u64) {
        // Absent if an order and the client's death cross.
        if let Some(link) = self.links.remove(&client_id) {
            self.close(&link);
            self.context.host.hung_up(client_id);
        }
    }

    fn drop_pending(&mut self, number: u64) {
        if let Some(pending) = self.remove_pending(number) {
            self.close(pending.socket());
            if let Some(client_id) = pending.client_id() {
                self.context.host.hung_up(client_id);
            }
        }
    }

    /// Drops a stranger whose time is over.
    fn end_time_of(&mut self, number: u64) {
        let found = self.pending.iter().find(|(each, _)| *each == number);
        if found.is_some_and(|(_, pending)| pending.is_undecided()) {
            self.context.host.turned_away();
        }
        self.drop_pending(number);
    }

    fn drop_all_pending(&mut self, which: impl Fn(&PendingHandshake) -> bool) {
        for number in self.pending_that(which) {
            self.drop_pending(number);
        }
    }

    fn pending_that(&self, which: impl Fn(&PendingHandshake) -> bool) -> Vec<u64> {
        self.pending.iter().filter(|(_, s)| which(s)).map(|(number, _)| *number).collect()
    }

    fn remove_pending(&mut self, number: u64) -> Option<PendingHandshake> {
        let index = self.pending.iter().position(|(each, _)| *each == number)?;
        let pending = self.pending.remove(index).1;
        self.resume_accepting();
        Some(pending)
    }

    /// Shuts down the socket, for all copies of it. A child of a `clone` without fork handlers may hold
    /// a copy, which would keep reporting events and hide the hang-up from the client.
    fn close(&self, socket: &Socket) {
        let _ = epoll::delete(&self.epoll, socket);
        socket.hang_up();
    }

    fn expire(&mut self) {
        let now = Instant::now();
        for number in self.pending_that(|pending| pending.deadline() <= now) {
            self.end_time_of(number);
        }
        if self.accept_again.is_some_and(|at| at <= now) {
            self.resume_accepting();
        }
        if self.advance_again.take_if(|at| *at <= now).is_some() {
            for number in self.pending_that(PendingHandshake::needs_a_look) {
                self.advance(number);
            }
        }
    }

    /// Stops watching the listeners until then: a queue that cannot be emptied stays readable.
    fn pause_accepting(&mut self, until: Instant) {
        self.accept_again = Some(until);
        self.watch_listeners(epoll::EventFlags::empty());
    }

    fn resume_accepting(&mut self) {
        if self.accept_again.take().is_some() {
            self.watch_listeners(epoll::EventFlags::IN);
        }
    }

    fn watch_listeners(&self, flags: epoll::EventFlags) {
        for (index, listener) in self.listeners.iter().enumerate() {
            // The descriptors are registered and stay registered, so this cannot fail.
            let _ =
                epoll::modify(&self.epoll, &**listener, EventSource::Listener(index).data(), flags);
        }
    }
}

impl Drop for ControlThread {
    /// Runs also when a host panics: a name without a thread would look alive.
    fn drop(&mut self) {
        self.shared.give_name_up();
        let was_ordered = self.shared.orders().stop;
        // A host that panics for one client may do so for each, and a second panic would end the process.
        for number in self.pending_that(|_| true) {
            let _ = catch_unwind(AssertUnwindSafe(|| self.drop_pending(number)));
        }
        if !was_ordered {
            // Before the links: clients are to find the server gone, and not their connections closed.
            let _ = catch_unwind(AssertUnwindSafe(|| self.context.host.failed()));
        }
        let clients: Vec<_> = self.links.keys().copied().collect();
        for client_id in clients {
            let _ = catch_unwind(AssertUnwindSafe(|| self.hang_up(client_id)));
        }
    }
}
