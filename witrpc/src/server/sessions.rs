//! The sessions of connected clients: each joins once and leaves once.
//!
//! # Invariants
//!
//! 1. A client is here from its admission until it has left or the server ends. Whoever takes it out
//!    tells the hooks that it has left, and nobody else does.
//! 2. Once the server has ended, nobody joins.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Release};
use std::sync::{Arc, Mutex, MutexGuard};

use witrpc_rt::lock;

use crate::transport::{ClientInfo, Session};

/// Those of one server.
#[derive(Default)]
pub(super) struct Sessions {
    /// How many there are, for the pool.
    count: Arc<AtomicU64>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    live: HashMap<u64, (ClientInfo, Session)>,
    ended: bool,
}

impl Sessions {
    /// How many clients are connected.
    pub(super) fn count(&self) -> &Arc<AtomicU64> {
        &self.count
    }

    /// A client joins; `false` if the server has ended.
    pub(super) fn join(&self, client: &ClientInfo, session: &Session) -> bool {
        let mut state = self.lock();
        if state.ended {
            return false;
        }
        state.live.insert(client.id, (client.clone(), session.clone()));
        self.publish(&state);
        true
    }

    /// A client leaves; `false` if it had left.
    pub(super) fn leave(&self, client_id: u64) -> bool {
        let mut state = self.lock();
        let left = state.live.remove(&client_id);
        self.publish(&state);
        drop(state);
        left.is_some()
    }

    /// All leave, and nobody joins any more.
    pub(super) fn end(&self) -> Vec<(ClientInfo, Session)> {
        let mut state = self.lock();
        state.ended = true;
        let live = std::mem::take(&mut state.live);
        self.publish(&state);
        drop(state);
        live.into_values().collect()
    }

    fn publish(&self, state: &State) {
        self.count.store(state.live.len() as u64, Release);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}
