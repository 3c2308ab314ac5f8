//! The requests that wait for a thread of the server, and the bell that wakes one.
//!
//! Each client's requests wait in their order, and the clients take turns: a client that sends many delays only
//! itself.
//!
//! # Invariant
//!
//! A request that waits keeps its link alive, and the link keeps this. So a client that leaves, or the end of
//! the server, takes its requests out. After the end no request waits.

use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use witrpc_rt::{lock, wait};
use witrpc_transport::{Only, Peer, Request};

use super::waiting::Waiting;

/// The limit of rings that are stored while no thread sleeps. More would only make threads look in vain, since
/// a thread that wakes sees all that has arrived.
const MAX_STORED_RINGS: u32 = 64;

/// How long a thread sleeps between two looks at a poller that requests wait for.
const RECHECK: Duration = Duration::from_micros(200);

/// The requests that have arrived at a server.
#[derive(Default)]
pub struct Arrivals {
    state: Mutex<ArrivalsState>,
    /// Notified when a ring is stored.
    ring_stored: Condvar,
}

#[derive(Default)]
struct ArrivalsState {
    waiting: Waiting,
    /// The poller is about to sleep, or asleep: the next request rings, once.
    wakeup_requested: bool,
    /// The poller runs a handler: each request rings, so that another thread takes over.
    busy: bool,
    /// Counts the threads that have been poller. `busy` belongs to the latest.
    poller: u64,
    rings: u32,
    /// The server has ended.
    ended: bool,
}

/// The number of one thread's turn as poller.
#[derive(Clone, Copy, Debug)]
pub struct Poller(u64);

impl Arrivals {
    /// Adds a request, and rings if no thread is looking.
    pub fn publish(&self, peer: Arc<dyn Peer>, request: Request) {
        let mut state = lock(&self.state);
        if state.ended {
            drop(state);
            // Outside of the lock, as in `take`.
            return drop((peer, request));
        }
        state.waiting.push(peer, request);
        let wakeup_requested = std::mem::take(&mut state.wakeup_requested);
        if wakeup_requested || state.busy {
            self.ring_with(&mut state);
        }
    }

    /// Notes that this thread looks from now on. Returns how many requests there are to take.
    pub fn look(&self) -> (Poller, usize) {
        let mut state = lock(&self.state);
        state.poller += 1;
        state.wakeup_requested = false;
        state.busy = false;
        (Poller(state.poller), state.waiting.len())
    }

    /// Takes the next request whose client is still there and that `only` does not refuse, to run it at once.
    /// If more of these remain, a slow handler would delay them: a ring wakes another thread for them.
    pub fn take(&self, poller: Poller, only: Option<Only<'_>>) -> Option<(Arc<dyn Peer>, Request)> {
        let mut gone = Vec::new();
        let mut state = lock(&self.state);
        let taken = state.waiting.take(only, &mut gone);
        if taken.is_some() {
            state.busy |= state.poller == poller.0;
            if state.waiting.any(only) {
                self.ring_with(&mut state);
            }
        }
        drop(state);
        // Dropped outside of the lock, as these may be the last to hold a connection.
        drop(gone);
        taken
    }

    /// Notes that this thread runs something that is not a request, and rings for the requests that wait.
    pub(crate) fn occupied(&self, poller: Poller) {
        let mut state = lock(&self.state);
        state.busy |= state.poller == poller.0;
        if state.waiting.len() > 0 {
            self.ring_with(&mut state);
        }
    }

    /// Notes that the handler has returned.
    pub fn handled(&self, poller: Poller) {
        let mut state = lock(&self.state);
        if state.poller == poller.0 {
            state.busy = false;
        }
    }

    /// Asks for a ring at the next request. Returns whether there already is one that `only` does not refuse.
    pub fn request_wakeup(&self, only: Option<Only<'_>>) -> bool {
        let mut state = lock(&self.state);
        state.wakeup_requested = true;
        state.busy = false;
        state.waiting.any(only)
    }

    /// Drops the waiting requests of a client that has left.
    pub fn forget(&self, client: u64) {
        let gone = lock(&self.state).waiting.remove(client);
        drop(gone);
    }

    /// Drops all waiting and further requests: the server has ended.
    pub fn end(&self) {
        let mut state = lock(&self.state);
        state.ended = true;
        let gone = std::mem::take(&mut state.waiting);
        drop(state);
        drop(gone);
    }

    /// Wakes one sleeping thread, or the next that would sleep.
    pub fn ring(&self) {
        self.ring_with(&mut lock(&self.state));
    }

    fn ring_with(&self, state: &mut ArrivalsState) {
        if state.rings < MAX_STORED_RINGS {
            state.rings += 1;
        }
        self.ring_stored.notify_one();
    }

    /// Sleeps until a ring or until the time is over. While requests wait behind a handler, it sleeps only
    /// briefly. Their ring may have come before the poller was marked as being in a handler. Then the thread
    /// that it woke has left the role where it was.
    pub fn park(&self, timeout: Option<Duration>) {
        let end = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut state = lock(&self.state);
        while state.rings == 0 {
            let stuck = state.is_stuck();
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            let sleep =
                if stuck { Some(left.map_or(RECHECK, |left| left.min(RECHECK))) } else { left };
            if sleep == Some(Duration::ZERO) {
                return;
            }
            state = wait(&self.ring_stored, state, sleep);
            if stuck && state.rings == 0 && state.is_stuck() {
                return;
            }
        }
        state.rings -= 1;
    }
}

impl ArrivalsState {
    /// Returns whether requests wait for a poller that runs a handler.
    fn is_stuck(&self) -> bool {
        self.busy && self.waiting.len() > 0
    }
}
