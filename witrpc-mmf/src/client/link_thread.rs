//! The client's only thread: wakes futures, and notices that the server is gone.
//!
//! It sleeps in `epoll_wait` on the link, the doorbell and a private eventfd, at most until the
//! earliest deadline of a sleeping future. It never spins.
//!
//! With the portable backend no doorbell rings. While a future or a thread sleeps, the link thread
//! looks at growing intervals as if it had been rung.
//!
//! When the connection has ended, the thread closes all descriptors of this end, and ends. It does
//! so even while handles, leases or kept lanes hold the [`Client`].
//!
//! # Invariants
//!
//! 1. Only this thread sleeps on a descriptor. The epoll instance is its own.
//! 2. It closes its descriptors after the end was recorded and all sleepers were woken. A later
//!    sleeper looks for the end after it has registered. So no sleeper needs the doorbell, or this
//!    thread, any more.
//! 3. Other threads ring, poke and hang up through a [`Closable`]. After the end these calls do
//!    nothing: the server has lost its client, and this thread has ended.
//! 4. The state word says that the client has left before the end is recorded, because this thread
//!    may hang up as soon as it sees the end.
//! 5. The mappings live as long as the [`Client`], for calls in progress, received blocks and leases.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, epoll, eventfd};
use rustix::io::Errno;
use witrpc_rt::{Patience, spawn};
use witrpc_transport::DisconnectReason;

use crate::error::ConnectError;
use crate::link::{line, state};
use crate::memory::layout::STATE;
use crate::memory::words::{Mapped, ReadWord};
use crate::portable::PollPauses;
use crate::sys::closable::Closable;
use crate::sys::doorbell::Drained;
use crate::sys::fd_closer::Socket;
use crate::sys::fork::Descriptor;
use crate::sys::resource;
use crate::sys::sleep::sleep_on;
use crate::wakeup::futex;
use crate::wakeup::{epoch, park};

use super::Client;
use super::deadlines::earliest;
use super::lane_queue::TURN;

const LINK: u64 = 0;
const BELL: u64 = 1;
const POKE: u64 = 2;

/// The client's handle to its link thread.
pub struct ClientLink {
    shared: Arc<LinkThreadShared>,
}

struct LinkThreadShared {
    ends: Closable<LinkEnds>,
    /// When the thread wakes by itself, in nanoseconds since `start`; 0 while it is awake,
    /// [`NO_PLAN`] if it waits for an event only.
    planned: AtomicU64,
    start: Instant,
}

/// The descriptors that other threads use too, until the connection has ended.
struct LinkEnds {
    socket: Socket,
    /// An eventfd, written when a deadline is registered that is earlier than `planned`.
    poke: Descriptor,
}

const NO_PLAN: u64 = u64::MAX;

impl ClientLink {
    pub fn new(socket: Socket) -> Result<Self, Errno> {
        let flags = EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK;
        let poke = Descriptor::open(|| eventfd(0, flags))?;
        let ends = Closable::new(Some(LinkEnds { socket, poke }));
        let planned = AtomicU64::new(NO_PLAN);
        Ok(Self { shared: Arc::new(LinkThreadShared { ends, planned, start: Instant::now() }) })
    }

    /// Ends the connection: the server and the link thread see the hang-up.
    pub fn hang_up(&self) {
        if let Some(ends) = &*self.shared.ends.get() {
            ends.socket.hang_up();
        }
    }

    /// Makes the thread wake up by `deadline`. The caller must have registered before what the
    /// thread is to wake then.
    pub fn wake_by(&self, deadline: Option<Instant>) {
        let Some(deadline) = deadline else { return };
        epoch::fence::<Mapped>();
        if self.shared.nanos(deadline) < self.shared.planned.load(SeqCst) {
            self.shared.poke();
        }
    }
}

impl LinkThreadShared {
    fn nanos(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.start).as_nanos();
        u64::try_from(since).map_or(NO_PLAN - 1, |nanos| nanos.clamp(1, NO_PLAN - 1))
    }

    fn poke(&self) {
        if let Some(ends) = &*self.ends.get() {
            // A full counter means that the thread has been poked already.
            let _ = rustix::io::write(&ends.poke, &1_u64.to_ne_bytes());
        }
    }

    fn take_pokes(&self) {
        if let Some(ends) = &*self.ends.get() {
            let _ = rustix::io::read(&ends.poke, &mut [0; 8]);
        }
    }
}

/// The epoll instance that the thread sleeps on.
struct Sleep {
    epoll: Descriptor,
}

impl Sleep {
    /// Creates an epoll instance that watches the link, the doorbell and the eventfd.
    fn watching(client: &Client) -> Result<Self, ConnectError> {
        let epoll = Descriptor::open(|| epoll::create(epoll::CreateFlags::CLOEXEC));
        let epoll = epoll.map_err(|error| ConnectError::system("make an epoll instance", error))?;
        let watch = |fd: BorrowedFd<'_>, what| {
            let data = epoll::EventData::new_u64(what);
            epoll::add(&epoll, fd, data, epoll::EventFlags::IN)
                .map_err(|error| resource::lacked("epoll_ctl", 0, &error.into()))
        };
        if let Some(ends) = &*client.link.shared.ends.get() {
            watch(ends.socket.as_fd(), LINK)?;
            watch(ends.poke.as_fd(), POKE)?;
        }
        if let Some(doorbell) = &*client.half.doorbell.end() {
            watch(doorbell.as_fd(), BELL)?;
        }
        Ok(Self { epoll })
    }

    /// Sleeps until a descriptor is ready or `until` has passed.
    /// It may return earlier: the thread looks at everything either way.
    fn sleep(&self, until: Option<Instant>) -> Vec<epoll::Event> {
        let left = |at: Instant| at.saturating_duration_since(Instant::now());
        let time = until.map(|at| left(at).saturating_add(Duration::from_micros(1)));
        sleep_on(&self.epoll, &mut [const { MaybeUninit::uninit() }; 4], time).to_vec()
    }
}

/// Starts the thread, which runs as long as the client is connected.
///
/// # Errors
///
/// The system lacks a thread, a descriptor or another epoll watch.
pub fn start(client: &Arc<Client>) -> Result<(), ConnectError> {
    let sleep = Sleep::watching(client)?;
    let shared = Arc::clone(&client.link.shared);
    let pauses = client.backend.portable().map(|_| PollPauses::new());
    let client = Arc::downgrade(client);
    let started = spawn("witrpc-link", move || run(&sleep, &shared, &client, pauses));
    started.map(drop).map_err(|error| ConnectError::system("start the link thread", error))
}

/// When the thread wakes by itself, other than at deadlines.
struct IdleLooks {
    /// Set for the portable backend, where nothing rings.
    pauses: Option<PollPauses>,
    /// While calls wait for a lane: when to pass over those that were called and did not take
    /// theirs.
    turns_over: Option<Instant>,
}

fn run(
    sleep: &Sleep,
    shared: &LinkThreadShared,
    client: &Weak<Client>,
    pauses: Option<PollPauses>,
) {
    let mut looks = IdleLooks { pauses, turns_over: None };
    loop {
        shared.planned.store(0, SeqCst);
        let next = {
            let Some(client) = client.upgrade() else { return };
            if client.half.origin.is_forked() || client.lost.get().is_some() {
                client.wake_all_sleepers();
                client.let_go();
                return;
            }
            client.plan(shared, &mut looks)
        };
        let events = sleep.sleep(next);
        let Some(client) = client.upgrade() else { return };
        for event in &events {
            match event.data.u64() {
                LINK => client.link_ended(),
                BELL => client.answer_bell(),
                _ => {
                    shared.take_pokes();
                    // A caller has just begun to wait.
                    looks.pauses = looks.pauses.map(|_| PollPauses::new());
                }
            }
        }
        if looks.pauses.is_some() {
            client.answer_bell();
        }
    }
}

impl Client {
    /// Makes the link thread wake up by `deadline`, and with the portable backend also after
    /// `soon`. The caller must have registered before what the thread is to wake then.
    pub(super) fn wake_link(&self, deadline: Option<Instant>, soon: Duration) {
        let look = self.backend.portable().map(|_| Instant::now() + soon);
        self.link.wake_by(earliest(deadline, look));
    }

    /// Wakes the futures whose deadline has passed, and records when the thread wakes by itself.
    /// Returns that time.
    fn plan(&self, shared: &LinkThreadShared, looks: &mut IdleLooks) -> Option<Instant> {
        let pause = looks.pauses.as_mut().map(PollPauses::next);
        let turns_over = self.pass_turns_on(looks.turns_over);
        looks.turns_over = turns_over;
        loop {
            let next = self.when_to_look(pause, turns_over);
            let plan = next.map_or(NO_PLAN, |at| shared.nanos(at));
            shared.planned.store(plan, SeqCst);
            epoch::fence::<Mapped>();
            // A deadline that was registered while the thread still counted as awake did not poke
            // it, so look again.
            let again = self.when_to_look(pause, turns_over);
            if again.map_or(NO_PLAN, |at| shared.nanos(at)) >= plan {
                return next;
            }
        }
    }

    /// Passes over calls that were called to take a lane and did not within their turn, since their
    /// futures may never be polled again. Returns when the turns that now run end.
    fn pass_turns_on(&self, over: Option<Instant>) -> Option<Instant> {
        if self.lane_queue.is_empty() {
            return None;
        }
        let now = Instant::now();
        match over {
            Some(over) if now < over => return Some(over),
            Some(_) => self.lane_queue.pass_over_late(&self.lanes),
            None => {}
        }
        Some(now + TURN)
    }

    /// Wakes the futures whose deadline has passed. Returns when to look again: at the next
    /// deadline, when turns end, and after `pause` if there is one and a caller sleeps.
    fn when_to_look(
        &self,
        pause: Option<Duration>,
        turns_over: Option<Instant>,
    ) -> Option<Instant> {
        let now = Instant::now();
        let deadline = self.expire(now);
        let pause = pause.filter(|_| self.has_sleepers());
        let turns = (!self.lane_queue.is_empty()).then(|| turns_over.unwrap_or(now + TURN));
        earliest(earliest(deadline, turns), pause.map(|pause| now + pause))
    }

    fn has_sleepers(&self) -> bool {
        !self.lane_queue.is_empty()
            || !self.space_waiters.is_empty()
            || (0..self.lanes.count()).any(|lane| self.lanes.get(lane).sleeper.is_taken())
    }

    /// Wakes the futures whose deadline has passed, and rings for sleepers whose stall timer is
    /// due. Returns when to look again.
    fn expire(&self, now: Instant) -> Option<Instant> {
        let deadline = self.deadlines.expire(now);
        (0..self.lanes.count())
            .fold(deadline, |next, lane| earliest(next, self.ask_for_sleeper(lane, now)))
    }

    fn ask_for_sleeper(&self, lane: usize, now: Instant) -> Option<Instant> {
        let asked = self.lanes.get(lane).sleeper.with_stall_timer(|seq, stall_timer| {
            self.ask_for_thread(lane, seq, stall_timer, now);
            stall_timer.wake_at(None)
        });
        asked.flatten()
    }

    /// Ends the connection because the server has hung up or died, which the link and the doorbell
    /// may show in either order.
    fn link_ended(&self) {
        let state = self.half.peer.head_word(STATE).load(Relaxed);
        self.lose(state::meaning(state));
    }

    /// Handles a ring: the server has answered calls, has released blocks, or takes no new
    /// requests.
    fn answer_bell(self: &Arc<Self>) {
        match self.half.doorbell.drain() {
            Drained::Quiet => {}
            Drained::HungUp => return self.link_ended(),
            Drained::ReceivedFd => return self.lose(DisconnectReason::Misbehaved),
        }
        for group in 0..self.groups.len() {
            self.groups[group].answer(self.wakeup_word(group), || self.wake_group(group));
        }
        self.space_waiters.wake_all();
        if self.is_drained() {
            // No call gets a lane any more, except those that continue a call. These enter the
            // queue again in their former place.
            self.lane_queue.wake_all();
        }
        self.make_room();
    }

    /// Wakes the sleepers of a group whose calls have been answered, and frees lanes of the group
    /// if calls wait for one or some are abandoned. Returns whether others sleep on, or calls wait
    /// for a lane.
    fn wake_group(self: &Arc<Self>, group: usize) -> bool {
        let short = !self.lane_queue.is_empty();
        let abandoned = self.abandoned.load(Relaxed) > 0;
        let mut waiting = short;
        for (number, lane) in self.lanes.group(group) {
            let shown = line::shows::<Mapped>(self.response_line(number));
            waiting |= lane.sleeper.wake_if_answered(shown);
            if short {
                self.collect_lane(number);
            } else if abandoned {
                self.collect_abandoned(number);
            }
        }
        waiting
    }

    /// Wakes every sleeper, because the connection has ended.
    pub(super) fn wake_all_sleepers(&self) {
        for lane in 0..self.lanes.count() {
            self.lanes.get(lane).sleeper.wake();
        }
        self.lane_queue.wake_all();
        self.space_waiters.wake_all();
        self.lost_waiters.wake_all();
        let mut patience = Patience::default();
        while self.wake_parked() {
            // A thread is counted that does not sleep yet, or has just woken up.
            patience.pause();
        }
    }

    /// Closes all descriptors of this end. The connection must have ended, and all sleepers must be
    /// awake.
    fn let_go(&self) {
        self.half.doorbell.close();
        self.link.shared.ends.close();
    }

    /// Wakes the threads that sleep on response lines, and returns whether there are any. It relies
    /// on the client's private count, not on the masks in shared memory.
    fn wake_parked(&self) -> bool {
        let any = park::still_parked::<Mapped>(&self.parked) != 0;
        if any {
            for lane in 0..self.lanes.count() {
                futex::wake_peers(self.half.peer.word64(self.half.layout.response_line(lane)));
            }
        }
        any
    }
}
