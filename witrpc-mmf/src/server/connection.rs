//! The state of the server's end of one connection.

use std::fmt;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize};
use std::sync::{Mutex, MutexGuard, OnceLock};
use std::time::Instant;

use witrpc_rt::{WakerSet, lock};
use witrpc_transport::{ClientInfo, Session, Ticket, TrustedPeer};

use crate::link::half::{Half, Places};
use crate::link::reassembly::Reassembly;
use crate::link::state;
use crate::memory::layout::{
    GROUP, HIGH_WATER, LINE_WORDS, Layout, STATE, WAKE_REQUESTED, control,
};
use crate::memory::words::{Mapped, PeerU64, ReadWord};
use crate::portable::LastLook;
use crate::rendezvous::Established;
use crate::sys::clock;
use crate::wakeup::epoch::{SharedWakeEpoch, WakeEpoch, WakeRequest};

use super::answer_queue::{AnswerQueue, Outbound};
use super::space_wanted::SpaceWanted;

/// The server's end of one connection. The mappings live as long as this value. Blocks and leases
/// keep it, and so does the thread that looks for requests: a handler whose client is gone still
/// reads valid memory. What waits for something else holds a [`Weak`](std::sync::Weak) reference.
pub struct Connection {
    pub(super) client_info: ClientInfo,
    pub(super) session: Session,
    pub(super) half: Half,
    /// For each lane, how far its calls have come.
    seqs: Box<[LaneSeqs]>,
    pub(super) lanes: Box<[ServerLane]>,
    /// The lane at which the next turn begins.
    pub(super) cursor: AtomicU32,
    /// The number of turns in a row that found nothing.
    pub(super) idle_turns: AtomicU32,
    pub(super) queue: Mutex<AnswerQueue>,
    /// Whether the queue holds an answer that found no space.
    pub(super) space_wanted: SpaceWanted<Mapped>,
    /// The bytes of private memory held for this client: incomplete requests and unsent answers.
    pub(super) held: AtomicUsize,
    pub(super) wake_epoch: WakeEpoch<Mapped>,
    pub(super) space_epochs: WakeEpoch<Mapped>,
    /// One for each group of lanes.
    wake_requests: Box<[WakeRequest<Mapped>]>,
    /// The number of requests that are read in their blocks.
    pub(super) blocks_held: AtomicUsize,
    /// The handlers that sleep until their calls are given up.
    pub(super) watchers: WakerSet<Ticket>,
    pub(super) cancel_epoch: SharedWakeEpoch<Mapped>,
    pub(super) last_look: LastLook,
    /// Whether the client has rung and the poller has not handled that yet. It rings for a request,
    /// for a stalled call, or because it released blocks.
    pub(super) attention: AtomicBool,
    closed: AtomicBool,
    /// A rule that the client broke, found where the connection could not be ended.
    suspicion: OnceLock<&'static str>,
}

/// How far the calls of a lane have come. The seqs of all lanes stand together, because a look reads all.
#[derive(Debug, Default)]
pub struct LaneSeqs {
    /// The seq of the request taken last. Written by the poller only.
    pub taken: AtomicU64,
    /// The seq answered last. Written by the thread that answers.
    pub answered: AtomicU64,
}

/// The messages of a lane that are longer than its lines, as far as the server holds them.
#[derive(Debug, Default)]
pub struct ServerLane {
    pub inbound: Mutex<Option<Reassembly>>,
    pub outbound: Mutex<Option<Outbound>>,
}

impl ServerLane {
    pub fn inbound(&self) -> MutexGuard<'_, Option<Reassembly>> {
        lock(&self.inbound)
    }

    pub fn outbound(&self) -> MutexGuard<'_, Option<Outbound>> {
        lock(&self.outbound)
    }
}

impl Connection {
    pub(super) fn new(
        client_info: ClientInfo,
        session: Session,
        established: Established,
        layout: Layout,
        trusted: Option<TrustedPeer>,
    ) -> Self {
        let lanes = layout.lanes();
        let places = Places {
            own_lanes: layout.response_line(0),
            peer_lanes: layout.request_line(0),
            own_buffers: layout.response_buffers(),
            peer_buffers: layout.request_buffers(),
            peer_arena: layout.client_arena(),
            own_release: layout.server_release(),
            peer_release: layout.client_release(),
        };
        let own_arena = layout.server_arena();
        let mut half = established.into_half(layout, own_arena, places, trusted);
        let groups = half.layout.groups();
        half.peer = half.peer.with_wait_lines(half.layout.wait_line(0), groups);
        let connection = Self {
            client_info,
            session,
            half,
            seqs: (0..lanes).map(|_| LaneSeqs::default()).collect(),
            lanes: (0..lanes).map(|_| ServerLane::default()).collect(),
            cursor: AtomicU32::new(0),
            idle_turns: AtomicU32::new(0),
            queue: Mutex::default(),
            space_wanted: SpaceWanted::new(AtomicU64::new(0)),
            held: AtomicUsize::new(0),
            wake_epoch: WakeEpoch::new(AtomicU64::new(0)),
            space_epochs: WakeEpoch::new(AtomicU64::new(0)),
            wake_requests: (0..groups).map(|_| WakeRequest::new(AtomicU64::new(0))).collect(),
            blocks_held: AtomicUsize::new(0),
            watchers: WakerSet::default(),
            cancel_epoch: SharedWakeEpoch::new(AtomicU64::new(0), Mutex::new(false)),
            last_look: LastLook::default(),
            attention: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            suspicion: OnceLock::new(),
        };
        // A new connection is cold, so its client rings for the first call.
        connection.ask_to_be_rung();
        connection
    }

    /// Returns the number of this client among the clients of all servers of this process.
    pub fn id(&self) -> u64 {
        self.client_info.id
    }

    /// Returns the identity of the client.
    pub fn client_info(&self) -> &ClientInfo {
        &self.client_info
    }

    /// Returns the session that admission has created.
    #[inline]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Returns whether the client is still connected, as far as the server knows.
    #[inline]
    pub fn is_connected(&self) -> bool {
        !self.closed.load(Acquire) && !self.half.origin.is_forked()
    }

    /// Ends the connection. `state` tells the client why. Returns `false` if it had ended already.
    pub(super) fn close(&self, state: u64) -> bool {
        // Before the flag: a thread that finds the flag may hang up at once. The first reason
        // stays.
        let word = self.half.own.head_word(STATE);
        for open in [0, state::SERVING, state::DRAINING] {
            let _ = word.compare_exchange(open, state, Relaxed, Relaxed);
        }
        let first = !self.closed.swap(true, Release);
        if first {
            self.wake_cancelled();
        }
        first
    }

    /// Tells the client that the server takes nothing new. Does nothing if the state word tells of
    /// the end already, since another thread may end the server meanwhile.
    pub(super) fn begin_draining(&self) {
        let state = self.half.own.head_word(STATE);
        let _ = state.compare_exchange(state::SERVING, state::DRAINING, Relaxed, Relaxed);
    }

    /// Frees everything except the mappings, which stay for blocks and leases. The connection must
    /// have been closed, and no thread may sleep on its doorbell.
    pub(super) fn let_go(&self) {
        self.half.doorbell.close();
        self.lanes.iter().for_each(|lane| self.drop_large(lane));
        self.forget_queue();
    }

    /// Returns whether leases, or requests that are read in their blocks, need the mappings.
    pub(super) fn is_pinned(&self) -> bool {
        self.blocks_held.load(Relaxed) > 0
            || !self.half.leases_held.is_empty()
            || self.half.send_arena.has_leases_out()
    }

    /// Records that the client broke `rule`. The connection ends when its next request is taken.
    pub(super) fn suspect(&self, rule: &'static str) {
        let _ = self.suspicion.set(rule);
    }

    /// Returns the rule that [`suspect`](Self::suspect) recorded.
    #[inline]
    pub(super) fn suspicion(&self) -> Option<&'static str> {
        self.suspicion.get().copied()
    }

    /// Requests that the client rings from now on. A fence and a look must follow.
    pub(super) fn ask_to_be_rung(&self) {
        self.wake_epoch.request_wakeup(self.half.own.head_word(WAKE_REQUESTED));
    }

    /// Withdraws that request, because the poller looks at this connection in every turn.
    pub(super) fn look_every_turn(&self) {
        self.wake_epoch.withdraw_request(self.half.own.head_word(WAKE_REQUESTED));
    }

    #[inline]
    pub(super) fn seqs(&self, lane: usize) -> &LaneSeqs {
        &self.seqs[lane]
    }

    pub(super) fn taken(&self, lane: usize) -> u64 {
        self.seqs(lane).taken.load(Relaxed)
    }

    /// Returns how many requests have been taken on all lanes together.
    pub(super) fn taken_in_all(&self) -> u64 {
        (0..self.high_water()).map(|lane| self.taken(lane)).fold(0, u64::wrapping_add)
    }

    /// Returns whether the client has been requested to ring, because no poller looks at this
    /// connection in every turn.
    pub(super) fn is_asked_to_ring(&self) -> bool {
        self.half.own.head_word(WAKE_REQUESTED).load(Relaxed) != 0
    }

    /// Returns how many lanes the client has ever used, as it says, but at most all lanes.
    #[inline]
    pub(super) fn high_water(&self) -> usize {
        let said = self.half.peer.head_word(HIGH_WATER).load(Relaxed);
        usize::try_from(said).map_or(self.lanes.len(), |said| said.min(self.lanes.len()))
    }

    #[inline]
    pub(super) fn request_line(&self, lane: usize) -> &[PeerU64; LINE_WORDS] {
        self.half.peer.line(lane)
    }

    #[inline]
    pub(super) fn response_line(&self, lane: usize) -> &[AtomicU64; LINE_WORDS] {
        self.half.own.line(lane)
    }

    #[inline]
    pub(super) fn wait_line(&self, lane: usize) -> &[PeerU64; LINE_WORDS] {
        self.half.peer.wait_line(lane / GROUP)
    }

    #[inline]
    pub(super) fn wake_request(&self, lane: usize) -> &WakeRequest<Mapped> {
        &self.wake_requests[lane / GROUP]
    }

    /// Returns the deadline that the client wrote for the call on `lane`.
    pub(super) fn deadline(&self, lane: usize) -> Instant {
        let word = self.half.layout.control_word(lane, control::DEADLINE);
        clock::instant_at(self.half.peer.word64(word).load(Relaxed))
    }

    /// Updates the claimed words, by which a sleeping caller learns that its call has been taken.
    /// Relaxed: they are hints.
    pub(super) fn publish_claims(&self) {
        for lane in 0..self.high_water() {
            let word = self.half.own.word64(self.half.layout.claimed_word(lane));
            let taken = self.taken(lane);
            if word.load(Relaxed) != taken {
                word.store(taken, Relaxed);
            }
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("client", &self.client_info)
            .field("connected", &self.is_connected())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
impl Connection {
    pub(crate) fn send_arena(&self) -> &crate::memory::send_arena::SendArena {
        &self.half.send_arena
    }

    pub(crate) fn cipher(&self) -> &crate::link::sealed::Cipher {
        self.half.codec.cipher().expect("messages are sealed")
    }
}
