//! A client's end of a connection.
//!
//! The path of one call, by file: [`send`] takes a lane and publishes the request. [`send_state`]
//! does so across the polls of a future, which waits for a lane, for space and for the server to
//! take segments. [`receive`] waits for the response and takes it off the lane. [`kept`] repeats
//! both on one lane.
//!
//! [`waiting`] is how a future waits: for a lane in the [`lane_queue`], or for a response as the
//! [`sleeper`] of its lane. [`deadlines`] wakes it at its limit. [`link_thread`] wakes futures and
//! notices that the server is gone. [`collect`] frees the lanes of calls whose caller is gone.

mod alloc;
mod collect;
mod deadlines;
mod kept;
pub mod lane_ownership;
mod lane_queue;
mod lanes;
mod link_thread;
mod receive;
mod send;
mod send_state;
mod short;
mod short_future;
mod sleeper;
pub mod stall_timer;
mod waiting;

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::Waker;
use std::time::Duration;

use deadlines::Deadlines;
use lane_queue::LaneQueue;
use lanes::Lanes;
use rustix::io::Errno;
use witrpc_rt::{WakerSet, lock};
use witrpc_transport::{
    Answer, ChannelError, DisconnectReason, Initiator, Ticket, TrustedPeer, WaitPolicy,
};

use crate::error::ConnectError;
use crate::link::half::{Half, Places};
use crate::link::line::line_of;
use crate::link::{line, state};
use crate::memory::copy::Pages;
use crate::memory::layout::{CLOCK, GROUP, LINE_WORDS, Layout, STATE, WAKE_REQUESTED, wait};
use crate::memory::words::{Mapped, PeerU64, ReadWord};
use crate::name::Name;
use crate::portable::Backend;
use crate::rendezvous;
use crate::rendezvous::{ConnectLimit, ConnectOptions, Connected, Place};
use crate::sys::clock::ClockOffset;
use crate::wakeup::epoch::{SharedWakeEpoch, WakeEpoch, WakeRequest};
use crate::wakeup::spin::CallerSpin;

pub use alloc::Allocating;
pub use kept::KeptLane;
pub use send_state::SendState;

/// The smallest limit of an answer, in bytes. Shorter answers need no memory that counts.
const MIN_ANSWER_LEN: usize = 1 << 10;

/// The options of a client.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// The backend that carries the connection. The server must have chosen the same.
    pub backend: Backend,
    /// How long to wait until the server serves the name. With zero, a missing server fails at
    /// once.
    pub wait_for_server: Duration,
    /// The payload for the server's [`Admission`](witrpc_transport::Admission).
    pub hello: Vec<u8>,
    /// How a thread or future waits for an answer: whether it spins before it sleeps.
    pub wait: WaitPolicy,
    /// The longest region that this client maps, in bytes.
    pub max_region_len: usize,
    /// The longest answer that this client accepts, in bytes. It limits what is copied to private memory. A
    /// limit below 1 KiB counts as 1 KiB.
    pub max_answer_len: usize,
    /// How long the server may take from the connect to the welcome.
    pub handshake_timeout: Duration,
    /// Whether what the server sends may be read in place.
    pub trusted: Option<TrustedPeer>,
}

/// A client's end of a connection, shared by all its callers.
pub struct Client {
    backend: Backend,
    /// The pid of the server's process, in this process's pid namespace.
    server_pid: u32,
    half: Half,
    welcome: Vec<u8>,
    /// The longest answer that is accepted, in bytes.
    max_answer_len: usize,
    spin: CallerSpin,
    lanes: Lanes,
    /// Calls that wait for a lane.
    lane_queue: LaneQueue<Mapped, Waker>,
    deadlines: Deadlines,
    /// Deadlines cross as the server's clock shows them.
    clock_offset: ClockOffset,
    /// The number of lanes whose call was given up and has not been answered yet.
    abandoned: AtomicUsize,
    /// Tasks that wait for space. All are woken together, because what is too little for one may be
    /// enough for another.
    space_waiters: WakerSet,
    space_epochs: WakeEpoch<Mapped>,
    /// Answers that were moved off their lanes, until their callers fetch them. A caller may never
    /// come.
    completed: Mutex<HashMap<Ticket, Result<Answer, ChannelError>>>,
    /// For each group of lanes, the wake-up requests of its sleeping futures, which the link thread
    /// serves.
    groups: Box<[SharedWakeEpoch<Mapped>]>,
    /// Whether the sleeping server has been rung for its latest wake-up request.
    wake_request: WakeRequest<Mapped>,
    cancel_rung: WakeRequest<Mapped>,
    lost: OnceLock<DisconnectReason>,
    /// Tasks to wake when the connection is lost.
    lost_waiters: WakerSet,
    /// The number of threads that sleep on response lines, are about to, or have just woken up.
    parked: AtomicU64,
    link: link_thread::ClientLink,
}

#[cfg(test)]
impl Client {
    pub(crate) fn spin(&self) -> &CallerSpin {
        &self.spin
    }
}

impl Client {
    /// Connects to the server that serves `name`. `initiator` runs the client's side of the key
    /// exchange.
    ///
    /// # Errors
    ///
    /// See [`ConnectError`].
    pub fn connect(
        name: &Name,
        place: &Place,
        options: &ClientOptions,
        initiator: &dyn Initiator,
    ) -> Result<Arc<Self>, ConnectError> {
        Self::connect_within(name, place, options, initiator, &ConnectLimit::default())
    }

    /// Connects as [`connect`](Self::connect) does, and gives up when `limit` says so.
    ///
    /// # Errors
    ///
    /// See [`ConnectError`].
    pub fn connect_within(
        name: &Name,
        place: &Place,
        options: &ClientOptions,
        initiator: &dyn Initiator,
        limit: &ConnectLimit,
    ) -> Result<Arc<Self>, ConnectError> {
        let connected = rendezvous::connect_within(
            name,
            place,
            &ConnectOptions {
                backend: options.backend,
                hello: &options.hello,
                wait_for_server: options.wait_for_server,
                max_region_len: options.max_region_len as u64,
                handshake_timeout: options.handshake_timeout,
                initiator,
            },
            limit,
        )?;
        let established = &connected.established;
        let layout = Layout::new(established.lanes, established.own.len())
            .expect("the handshake has checked what the server offers");
        let client = Self::new(connected, layout, options);
        let client = client.map_err(|error| ConnectError::system("make an eventfd", error))?;
        let client = Arc::new(client);
        link_thread::start(&client)?;
        Ok(client)
    }

    fn new(connected: Connected, layout: Layout, options: &ClientOptions) -> Result<Self, Errno> {
        let established = connected.established;
        let server_pid = established.credentials.pid;
        let places = Places {
            own_lanes: layout.request_line(0),
            peer_lanes: layout.response_line(0),
            own_buffers: layout.request_buffers(),
            peer_buffers: layout.response_buffers(),
            peer_arena: layout.server_arena(),
            own_release: layout.client_release(),
            peer_release: layout.server_release(),
        };
        let own_arena = layout.client_arena();
        let half = established.into_half(layout, own_arena, places, options.trusted);
        let layout = &half.layout;
        let groups = (0..layout.groups())
            .map(|_| SharedWakeEpoch::new(AtomicU64::new(0), Mutex::new(false)));
        half.own.head_word(STATE).store(state::SERVING, Relaxed);
        // The server's word was written before its welcome.
        let stamp = half.peer.head_word(CLOCK).load(Relaxed);
        Ok(Self {
            backend: options.backend,
            server_pid,
            welcome: connected.welcome,
            max_answer_len: options.max_answer_len.max(MIN_ANSWER_LEN),
            spin: CallerSpin::new(options.wait),
            lanes: Lanes::new(layout.lanes()),
            lane_queue: LaneQueue::new(AtomicU64::new(0)),
            deadlines: Deadlines::default(),
            clock_offset: ClockOffset::of(stamp, connected.since),
            abandoned: AtomicUsize::new(0),
            space_waiters: WakerSet::default(),
            space_epochs: WakeEpoch::new(AtomicU64::new(0)),
            completed: Mutex::default(),
            groups: groups.collect(),
            wake_request: WakeRequest::new(AtomicU64::new(0)),
            cancel_rung: WakeRequest::new(AtomicU64::new(0)),
            lost: OnceLock::new(),
            lost_waiters: WakerSet::default(),
            parked: AtomicU64::new(0),
            link: link_thread::ClientLink::new(connected.link)?,
            half,
        })
    }

    /// Returns what the server's admission answered.
    pub fn welcome(&self) -> &[u8] {
        &self.welcome
    }

    /// Returns how many calls can be in flight at once.
    pub fn lanes(&self) -> u32 {
        self.half.layout.lanes() as u32
    }

    /// Returns how many lanes hold calls that were given up and have not been answered yet.
    pub fn abandoned(&self) -> u32 {
        self.abandoned.load(Relaxed) as u32
    }

    /// Returns why no call can succeed any more, or `None` while the connection exists.
    pub fn lost(&self) -> Option<DisconnectReason> {
        if self.half.origin.is_forked() {
            Some(DisconnectReason::Forked)
        } else {
            self.lost.get().copied()
        }
    }

    /// Wakes `waker` once when the connection is lost, or at once if it is lost already.
    pub fn when_lost(&self, waker: Waker) {
        if self.half.origin.is_forked() {
            return waker.wake();
        }
        self.lost_waiters.add((), &waker);
        // `lose` records the end before it wakes: either it finds this waker, or this look finds
        // the end.
        if self.lost.get().is_some() {
            self.lost_waiters.wake_all();
        }
    }

    /// Disconnects: pending calls end with an error, and the server frees what it holds for this
    /// client.
    pub fn disconnect(&self) {
        self.lose(DisconnectReason::ClosedHere);
    }

    /// Ends the connection, once: tells the server and wakes every sleeper.
    fn lose(&self, why: DisconnectReason) {
        if self.half.origin.is_forked() {
            return;
        }
        // Stored before the end is recorded: the link thread hangs up as soon as it finds that
        // record.
        self.half.own.head_word(STATE).store(state::CLOSED, Relaxed);
        if self.lost.set(why).is_err() {
            return;
        }
        self.link.hang_up();
        self.wake_all_sleepers();
    }

    /// Ends the connection because the peer broke `rule`, and returns the error to report.
    fn accuse(&self, rule: &'static str) -> ChannelError {
        self.lose(DisconnectReason::Misbehaved);
        ChannelError::Misbehaved(rule)
    }

    /// Ends the connection if `error` says that the peer broke a rule.
    fn end_if_broken(&self, error: ChannelError) {
        if let ChannelError::Misbehaved(_) = error {
            self.lose(DisconnectReason::Misbehaved);
        }
    }

    /// Returns how a call ends that was pending when the connection ended: `Ok` if its answer was
    /// published before the end.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    fn pending_end(
        &self,
        lane: usize,
        seq: u64,
        why: DisconnectReason,
    ) -> Result<(), ChannelError> {
        use DisconnectReason::{PeerDied, ServerShutDown};
        // See `state.rs`: the caller's last look at the line may have been before the hang-up.
        if matches!(why, ServerShutDown | PeerDied)
            && line::shows::<Mapped>(self.response_line(lane)) == seq
        {
            return Ok(());
        }
        Err(match why {
            PeerDied => ChannelError::PeerDied,
            // The server has sent a part of the answer, so it took the call, whatever its state
            // word says.
            why if self.lanes.get(lane).reassembly().is_some() => ChannelError::Disconnected(why),
            why => self.end(why),
        })
    }

    /// Returns the error of a call that the server has not taken, or not answered, when the
    /// connection has ended.
    pub(crate) fn end(&self, why: DisconnectReason) -> ChannelError {
        // Read for this reason only: in a forked child the region is not mapped.
        let is_drained = || self.half.peer.head_word(STATE).load(Relaxed) == state::DRAINED;
        match why {
            DisconnectReason::ServerShutDown if is_drained() => ChannelError::ShuttingDown,
            why => ChannelError::Disconnected(why),
        }
    }

    #[inline]
    fn request_line(&self, lane: usize) -> &[AtomicU64; LINE_WORDS] {
        self.half.own.line(lane)
    }

    #[inline]
    fn response_line(&self, lane: usize) -> &[PeerU64; LINE_WORDS] {
        self.half.peer.line(lane)
    }

    #[inline]
    fn wait_line(&self, lane: usize) -> &[AtomicU64; LINE_WORDS] {
        line_of(self.half.own.words64(self.half.layout.wait_line(lane), LINE_WORDS))
    }

    /// Rings the server if it sleeps. Must be called after every publication.
    #[inline]
    fn ring_if_asleep(&self) {
        if self.wake_request.should_wake(self.half.peer.head_word(WAKE_REQUESTED)) {
            self.half.doorbell.ring();
        }
    }

    /// Requests that the server rings for the next response in `group`. The caller must have
    /// registered as a sleeper before, and must look for its response once more after this.
    fn request_wakeup(&self, group: usize) {
        self.groups[group].request_wakeup(self.wakeup_word(group));
    }

    /// Returns the word by which this client requests a ring for a response in `group`.
    fn wakeup_word(&self, group: usize) -> &AtomicU64 {
        &self.wait_line(group * GROUP)[wait::WAKE_REQUESTED]
    }

    fn completed(
        &self,
    ) -> std::sync::MutexGuard<'_, HashMap<Ticket, Result<Answer, ChannelError>>> {
        lock(&self.completed)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.disconnect();
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("server_pid", &self.server_pid)
            .field("lanes", &self.half.layout.lanes())
            .field("region_len", &self.half.layout.region_len())
            .field("lost", &self.lost())
            .finish_non_exhaustive()
    }
}

#[cfg(any(test, fuzzing))]
impl Client {
    /// Returns a client without a link thread.
    pub(crate) fn for_fuzzing(
        established: rendezvous::Established,
        link: crate::sys::fd_closer::Socket,
        layout: Layout,
        wait: WaitPolicy,
    ) -> Arc<Self> {
        let options = ClientOptions {
            backend: Backend::Native,
            wait_for_server: Duration::ZERO,
            hello: Vec::new(),
            wait,
            max_region_len: layout.region_len(),
            max_answer_len: usize::MAX,
            handshake_timeout: Duration::ZERO,
            trusted: None,
        };
        let connected =
            Connected { link, since: std::time::Instant::now(), welcome: Vec::new(), established };
        Arc::new(Self::new(connected, layout, &options).expect("there are descriptors"))
    }

    /// Frees lanes as the link thread does when calls wait for a lane.
    pub(crate) fn collect_all(self: &Arc<Self>) {
        self.collect();
    }
}

#[cfg(test)]
impl Client {
    pub(crate) fn send_arena(&self) -> &crate::memory::send_arena::SendArena {
        &self.half.send_arena
    }

    pub(crate) fn cipher(&self) -> &crate::link::sealed::Cipher {
        self.half.codec.cipher().expect("messages are sealed")
    }
}
