//! The requests that wait for a thread of the server, and the bell that wakes one.
//!
//! Each client's requests wait in their order, and the clients take turns: a client that sends many
//! holds up its own.
//!
//! # Invariant
//!
//! A request that waits keeps its link, and that keeps this. So what waits is taken out when its client
//! leaves or the server ends, and after the end nothing waits any more.

use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use witrpc_rt::{lock, wait};
use witrpc_transport::{Only, Peer, Request};

use super::waiting::Waiting;

/// Rings that nobody has slept through yet are counted up to this many. More would only make
/// threads look in vain: whoever wakes sees all that has arrived.
const MAX_STORED_RINGS: u32 = 64;

/// How long a thread sleeps between two looks at a poller that requests wait for.
const RECHECK: Duration = Duration::from_micros(200);

/// What has arrived at a server.
#[derive(Default)]
pub struct Arrivals {
    state: Mutex<ArrivalsState>,
    /// A ring was stored.
    rung: Condvar,
}

#[derive(Default)]
struct ArrivalsState {
    waiting: Waiting,
    /// The poller is about to sleep, or asleep: the next request rings, once.
    armed: bool,
    /// The poller runs a handler: each request rings, so that another thread takes over.
    busy: bool,
    /// Counts those who have been poller; `busy` is the latest one's.
    poller: u64,
    rings: u32,
    /// The server has ended.
    ended: bool,
}

/// One thread's time as poller.
#[derive(Clone, Copy, Debug)]
pub struct Poller(u64);

impl Arrivals {
    /// Adds a request, and rings if nobody is looking.
    pub fn publish(&self, peer: Arc<dyn Peer>, request: Request) {
        let mut state = lock(&self.state);
        if state.ended {
            drop(state);
            // Outside of the lock, as in `take`.
            return drop((peer, request));
        }
        state.waiting.push(peer, request);
        let armed = std::mem::take(&mut state.armed);
        if armed || state.busy {
            self.ring_with(&mut state);
        }
    }

    /// Says that this thread looks from now on; gives how many requests there are to take.
    pub fn look(&self) -> (Poller, usize) {
        let mut state = lock(&self.state);
        state.poller += 1;
        state.armed = false;
        state.busy = false;
        (Poller(state.poller), state.waiting.len())
    }

    /// Takes the next request whose client is still there and that `only` does not refuse, to run it
    /// at once. If others of these stay behind, they need another thread if the handler is slow, so
    /// that is rung for.
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

    /// Says that this thread runs something that is no request, and rings for the requests that wait.
    pub(crate) fn occupied(&self, poller: Poller) {
        let mut state = lock(&self.state);
        state.busy |= state.poller == poller.0;
        if state.waiting.len() > 0 {
            self.ring_with(&mut state);
        }
    }

    /// Says that the handler has returned.
    pub fn handled(&self, poller: Poller) {
        let mut state = lock(&self.state);
        if state.poller == poller.0 {
            state.busy = false;
        }
    }

    /// Asks for a ring at the next request. Returns whether there is one already that `only` does not
    /// refuse.
    pub fn arm(&self, only: Option<Only<'_>>) -> bool {
        let mut state = lock(&self.state);
        state.armed = true;
        state.busy = false;
        state.waiting.any(only)
    }

    /// Forgets what waits of a client that has left.
    pub fn forget(&self, client: u64) {
        let gone = lock(&self.state).waiting.remove(client);
        drop(gone);
    }

    /// Forgets all that waits and all that is still to come: the server has ended.
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
        self.rung.notify_one();
    }

    /// Sleeps until a ring, or until the time is over, or while requests wait behind a handler only
    /// for a moment: the ring for them may have come before the server's word said that the poller
    /// is in a handler, and whoever it woke then left the role where it was.
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
            state = wait(&self.rung, state, sleep);
            if stuck && state.rings == 0 && state.is_stuck() {
                return;
            }
        }
        state.rings -= 1;
    }
}

impl ArrivalsState {
    /// Whether requests wait for a poller that runs a handler.
    fn is_stuck(&self) -> bool {
        self.busy && self.waiting.len() > 0
    }
}
