//! The server's control thread: accepts clients, leads them through the handshake, and learns when
//! they die.
//!
//! It sleeps without a timeout but while a handshake is pending. Nothing it does waits for a
//! client, and a client that has not been admitted costs one of [`MAX_STRANGERS`] places until its
//! deadline.

use std::collections::HashMap;
use std::io;
use std::mem::MaybeUninit;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, Timespec, epoll, eventfd};
use rustix::io::Errno;
use rustix::net::{SocketFlags, accept_with};

use super::claim::{Claim, Listener};
use super::peer::{Credentials, Established};
use super::sealer::{Plain, Sealer};
use super::stranger::{Progress, Stranger};
use crate::error::BindError;
use crate::fork::{Descriptor, Origin};

/// How many handshakes can be pending; one more drops the oldest.
const MAX_STRANGERS: usize = 64;

/// How long to leave clients in the queue when this process has no descriptor or memory to accept
/// one.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A longer handshake timeout is cut to a day, which any clock can express.
const MAX_HANDSHAKE: Duration = Duration::from_secs(24 * 60 * 60);

const MAX_EVENTS: usize = 64;

/// What a server offers each client, and how many it takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServerLimits {
    /// How many clients can be connected.
    pub(crate) max_clients: usize,
    /// How many calls a client can have in flight; 1 to [`super::record::MAX_LANES`].
    pub(crate) lanes: u32,
    /// The length of the region that the client creates, in bytes: whole pages.
    pub(crate) client_region_len: usize,
    /// The length of the region that the server creates for each client, in bytes: whole pages.
    pub(crate) server_region_len: usize,
    /// The longest message of either side, in bytes.
    pub(crate) max_message_len: u64,
    /// How long a handshake may take from the accepting to the welcome's last byte.
    pub(crate) handshake_timeout: Duration,
}

/// What the control thread reports to. Its calls must not wait for a client or for a handler, nor
/// for a thread that is in a call of [`Control`].
pub(crate) trait Host: Send + Sync + 'static {
    /// Decides on a client by its hello, which is untrusted. `client_id` counts from 1 and names
    /// it from here on.
    fn admit(&self, client_id: u64, hello: &[u8], who: Credentials) -> Admitted;

    /// An admitted client's connection, before its welcome is sent: what is written to the region
    /// here, the client will see. `session` is what `admit` gave.
    fn connected(&self, client_id: u64, session: u64, connection: Established);

    /// A connected client's link is closed, by its death, by its leaving, by
    /// [`Control::close_link`] or by [`Control::shutdown`]. Once for each `connected`.
    fn hung_up(&self, client_id: u64);

    /// Protects the records of the next handshake.
    fn sealer(&self) -> Box<dyn Sealer> {
        Box::new(Plain)
    }
}

/// What [`Host::admit`] decided.
pub(crate) enum Admitted {
    /// The client is in.
    Welcome {
        /// Sent to the client; at most [`super::MAX_BLOB_LEN`] bytes.
        bytes: Vec<u8>,
        /// Handed to [`Host::connected`].
        session: u64,
    },
    /// The client is turned away; the bytes, at most [`super::MAX_BLOB_LEN`], tell it why.
    Refusal(Vec<u8>),
}

/// A claimed name at work. Dropping it shuts it down.
#[derive(Debug)]
pub(crate) struct Control {
    shared: Arc<Shared>,
    origin: Origin,
}

impl Control {
    /// Starts the thread. The limits are the caller's to check.
    ///
    /// # Errors
    ///
    /// The system has no thread or descriptor to give; the name is given up then.
    pub(crate) fn start(
        claim: Claim,
        limits: ServerLimits,
        host: Arc<dyn Host>,
    ) -> Result<Self, BindError> {
        let failed = |what| move |source| BindError::System { what, source };
        let wake = Descriptor::open(|| eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK))
            .map_err(io::Error::from)
            .map_err(failed("opening an eventfd"))?;
        let listeners = claim.listeners();
        let orders = Orders { claim: Some(claim), ..Orders::default() };
        let shared = Arc::new(Shared { orders: Mutex::new(orders), wake });
        let thread = ControlThread::new(Arc::clone(&shared), listeners, limits, host)
            .map_err(failed("opening an epoll"))?;
        thread::Builder::new()
            .name("witrpc-control".into())
            .spawn(move || thread.run())
            .map_err(failed("starting a thread"))?;
        Ok(Self { shared, origin: Origin::here() })
    }

    /// Tells clients that come from now on that none is taken. The name stays this server's.
    pub(crate) fn stop_accepting(&self) {
        self.order(|orders| orders.turn_away = true);
    }

    /// Closes the link of a client, which learns of it as a hang-up.
    pub(crate) fn close_link(&self, client_id: u64) {
        self.order(|orders| orders.close.push(client_id));
    }

    /// Gives up the name before it returns; then, on its own thread, closes every link. Idempotent.
    pub(crate) fn shutdown(&self) {
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

impl Drop for Control {
    fn drop(&mut self) {
        self.shutdown();
    }
}

#[derive(Debug)]
struct Shared {
    orders: Mutex<Orders>,
    /// An eventfd that nobody else has: rung after an order.
    wake: Descriptor,
}

impl Shared {
    fn orders(&self) -> MutexGuard<'_, Orders> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
struct Orders {
    turn_away: bool,
    stop: bool,
    close: Vec<u64>,
    claim: Option<Claim>,
}

/// What an event is about; the upper bits of its data say which kind.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Wake,
    Listener(usize),
    /// Numbered by [`ControlThread::next_stranger`].
    Stranger(u64),
    /// Numbered by the client's id.
    Link(u64),
}

impl Source {
    const NUMBER_BITS: u32 = 62;

    fn data(self) -> epoll::EventData {
        let (kind, number) = match self {
            Source::Wake => (0, 0),
            Source::Listener(index) => (1, index as u64),
            Source::Stranger(number) => (2, number),
            Source::Link(client_id) => (3, client_id),
        };
        epoll::EventData::new_u64(kind << Self::NUMBER_BITS | number)
    }

    fn of(event: &epoll::Event) -> Self {
        let data = event.data.u64();
        let number = data & ((1 << Self::NUMBER_BITS) - 1);
        match data >> Self::NUMBER_BITS {
            0 => Source::Wake,
            1 => Source::Listener(number as usize),
            2 => Source::Stranger(number),
            _ => Source::Link(number),
        }
    }
}

struct ControlThread {
    epoll: Descriptor,
    listeners: Vec<Listener>,
    /// While it is set, the listeners are not watched.
    accept_again: Option<Instant>,
    /// In the order of their deadlines, which are all equally long.
    strangers: Vec<(u64, Stranger)>,
    next_stranger: u64,
    links: HashMap<u64, Descriptor>,
    desk: Desk,
    shared: Arc<Shared>,
}

/// What the handshakes of a server share.
pub(super) struct Desk {
    pub(super) limits: ServerLimits,
    pub(super) is_full: bool,
    pub(super) turns_away: bool,
    pub(super) next_client_id: u64,
    pub(super) host: Arc<dyn Host>,
}

impl ControlThread {
    fn new(
        shared: Arc<Shared>,
        listeners: Vec<Listener>,
        limits: ServerLimits,
        host: Arc<dyn Host>,
    ) -> io::Result<Self> {
        let epoll = Descriptor::open(|| epoll::create(epoll::CreateFlags::CLOEXEC))?;
        epoll::add(&epoll, &shared.wake, Source::Wake.data(), epoll::EventFlags::IN)?;
        for (index, listener) in listeners.iter().enumerate() {
            let data = Source::Listener(index).data();
            epoll::add(&epoll, &*listener.socket, data, epoll::EventFlags::IN)?;
        }
        Ok(Self {
            epoll,
            listeners,
            accept_again: None,
            strangers: Vec::with_capacity(MAX_STRANGERS),
            next_stranger: 0,
            links: HashMap::new(),
            desk: Desk { limits, is_full: false, turns_away: false, next_client_id: 1, host },
            shared,
        })
    }

    fn run(mut self) {
        loop {
            let mut buffer = [const { MaybeUninit::uninit() }; MAX_EVENTS];
            let events = match epoll::wait(&self.epoll, &mut buffer[..], self.timeout().as_ref()) {
                Ok((events, _)) => &*events,
                Err(Errno::INTR) => continue,
                // Nothing but a broken descriptor, which only a wild `close` in this process makes.
                Err(_) => return,
            };
            // Who has left makes room for who comes.
            for event in events {
                if let Source::Link(client_id) = Source::of(event) {
                    self.hang_up(client_id);
                }
            }
            if events.iter().any(|event| Source::of(event) == Source::Wake) && self.obey() {
                return;
            }
            for event in events {
                match Source::of(event) {
                    Source::Listener(index) => self.accept(index),
                    Source::Stranger(number) => self.advance(number),
                    Source::Wake | Source::Link(_) => {}
                }
            }
            self.expire();
        }
    }

    /// How long to sleep; `None` without end, when no handshake is pending.
    fn timeout(&self) -> Option<Timespec> {
        let deadline = self.strangers.first().map(|(_, stranger)| stranger.deadline());
        let wake_at = [deadline, self.accept_again].into_iter().flatten().min()?;
        let timeout = wake_at.saturating_duration_since(Instant::now());
        // Too long for the kernel is as good as without end.
        Timespec::try_from(timeout).ok()
    }

    /// Does what [`Control`] has ordered; `true` to stop.
    fn obey(&mut self) -> bool {
        let mut count = [0; 8];
        // Empty when an order came while the last was being obeyed.
        let _ = rustix::io::read(&self.shared.wake, &mut count);
        let (close, stop) = {
            let mut orders = self.shared.orders();
            self.desk.turns_away = orders.turn_away;
            (std::mem::take(&mut orders.close), orders.stop)
        };
        for client_id in close {
            self.hang_up(client_id);
            self.drop_strangers(|stranger| stranger.client_id() == Some(client_id));
        }
        stop
    }

    fn accept(&mut self, index: usize) {
        let Listener { socket, only_uid } = self.listeners[index].clone();
        // The rest is still there in the next turn; others are served in between.
        for _ in 0..MAX_STRANGERS {
            let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
            let client = match Descriptor::open(|| accept_with(&*socket, flags)) {
                Ok(client) => client,
                Err(Errno::AGAIN) => return,
                Err(Errno::INTR | Errno::CONNABORTED) => continue,
                Err(_) => return self.pause_accepting(),
            };
            let Ok(who) = Credentials::of(&client) else { continue };
            if only_uid.is_none_or(|uid| uid == who.uid) {
                self.greet(client, who);
            }
        }
    }

    fn greet(&mut self, client: Descriptor, who: Credentials) {
        if self.strangers.len() == MAX_STRANGERS {
            // Whoever means it needs a millisecond or so: the oldest is the least likely to.
            let oldest = self.strangers[0].0;
            self.drop_stranger(oldest);
        }
        let number = self.next_stranger;
        self.next_stranger += 1;
        let flags = epoll::EventFlags::IN
            | epoll::EventFlags::OUT
            | epoll::EventFlags::RDHUP
            | epoll::EventFlags::ET;
        if epoll::add(&self.epoll, &client, Source::Stranger(number).data(), flags).is_err() {
            // No memory in the kernel: the client sees a hang-up.
            return;
        }
        let sealer = self.desk.host.sealer();
        let deadline = Instant::now() + self.desk.limits.handshake_timeout.min(MAX_HANDSHAKE);
        self.strangers.push((number, Stranger::new(client, who, deadline, sealer)));
        self.advance(number);
    }

    fn advance(&mut self, number: u64) {
        self.desk.is_full = self.clients() >= self.desk.limits.max_clients;
        let found = self.strangers.iter_mut().find(|(each, _)| *each == number);
        // Dropped earlier in this turn.
        let Some((_, stranger)) = found else { return };
        match stranger.advance(&mut self.desk) {
            Progress::Pending => {}
            Progress::Over => self.drop_stranger(number),
            Progress::Welcomed => self.keep(number),
        }
    }

    /// A handshake is over, and its socket becomes a link.
    fn keep(&mut self, number: u64) {
        let Some(stranger) = self.remove_stranger(number) else { return };
        let Some((client_id, link)) = stranger.into_link() else { return };
        // Nothing that it may send is ever read.
        let flags = epoll::EventFlags::RDHUP;
        let watched = epoll::modify(&self.epoll, &link, Source::Link(client_id).data(), flags);
        self.links.insert(client_id, link);
        if watched.is_err() {
            self.hang_up(client_id);
        }
    }

    /// How many are connected.
    fn clients(&self) -> usize {
        let welcomed = self.strangers.iter().filter(|(_, s)| s.client_id().is_some()).count();
        self.links.len() + welcomed
    }

    fn hang_up(&mut self, client_id: u64) {
        // Absent when an order and the client's death cross.
        if let Some(link) = self.links.remove(&client_id) {
            self.close(&link);
            self.desk.host.hung_up(client_id);
        }
    }

    fn drop_stranger(&mut self, number: u64) {
        if let Some(stranger) = self.remove_stranger(number) {
            self.close(stranger.socket());
            if let Some(client_id) = stranger.client_id() {
                self.desk.host.hung_up(client_id);
            }
        }
    }

    fn drop_strangers(&mut self, which: impl Fn(&Stranger) -> bool) {
        let numbers: Vec<_> =
            self.strangers.iter().filter(|(_, s)| which(s)).map(|(number, _)| *number).collect();
        for number in numbers {
            self.drop_stranger(number);
        }
    }

    fn remove_stranger(&mut self, number: u64) -> Option<Stranger> {
        let index = self.strangers.iter().position(|(each, _)| *each == number)?;
        Some(self.strangers.remove(index).1)
    }

    /// Says good-bye for every copy of a socket: a child of a `clone` without handlers may have one,
    /// which would go on to report events and hide the hang-up from the client.
    fn close(&self, socket: &Descriptor) {
        let _ = epoll::delete(&self.epoll, socket);
        let _ = rustix::net::shutdown(socket, rustix::net::Shutdown::Both);
    }

    fn expire(&mut self) {
        let now = Instant::now();
        self.drop_strangers(|stranger| stranger.deadline() <= now);
        if self.accept_again.is_some_and(|at| at <= now) {
            self.accept_again = None;
            self.watch_listeners(epoll::EventFlags::IN);
        }
    }

    /// The queue stays readable while it cannot be emptied: not to be looked at for a while.
    fn pause_accepting(&mut self) {
        self.accept_again = Some(Instant::now() + ACCEPT_PAUSE);
        self.watch_listeners(epoll::EventFlags::empty());
    }

    fn watch_listeners(&self, flags: epoll::EventFlags) {
        for (index, listener) in self.listeners.iter().enumerate() {
            // The descriptors are registered and stay so: it cannot fail.
            let _ = epoll::modify(
                &self.epoll,
                &*listener.socket,
                Source::Listener(index).data(),
                flags,
            );
        }
    }
}

impl Drop for ControlThread {
    /// Also when a host panics: a name without a thread would look alive.
    fn drop(&mut self) {
        drop(self.shared.orders().claim.take());
        self.drop_strangers(|_| true);
        let clients: Vec<_> = self.links.keys().copied().collect();
        for client_id in clients {
            self.hang_up(client_id);
        }
    }
}
