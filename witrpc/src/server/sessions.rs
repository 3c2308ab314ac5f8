//! The sessions of connected clients: each joins once and leaves once.
//!
//! # Invariants
//!
//! 1. A client is here from its admission until it has left or the server ends. Whoever takes it out
//!    tells the hooks that it has left, and nobody else does.
//! 2. Once the server has ended, nobody joins.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use witrpc_rt::lock;
use witrpc_transport::{ClientInfo, Session};

use crate::pool::{Clients, Served};

/// Those of one server.
#[derive(Default)]
pub struct Sessions(Mutex<SessionsState>);

#[derive(Default)]
struct SessionsState {
    live: HashMap<u64, (ClientInfo, Session)>,
    ended: bool,
}

impl Sessions {
    /// A client joins; `false` if the server has ended.
    pub fn join(&self, client: &ClientInfo, session: &Session) -> bool {
        let mut state = self.lock();
        if state.ended {
            return false;
        }
        state.live.insert(client.id, (client.clone(), session.clone()));
        true
    }

    /// A client leaves; `false` if it had left.
    pub fn leave(&self, client_id: u64) -> bool {
        let left = self.lock().live.remove(&client_id);
        left.is_some()
    }

    /// All leave, and nobody joins any more.
    pub fn end(&self) -> Vec<(ClientInfo, Session)> {
        let mut state = self.lock();
        state.ended = true;
        let live = std::mem::take(&mut state.live);
        drop(state);
        live.into_values().collect()
    }

    fn lock(&self) -> MutexGuard<'_, SessionsState> {
        lock(&self.0)
    }
}

impl Clients for Sessions {
    fn look_up(&self, served: &mut [Served]) -> u64 {
        let state = self.lock();
        for each in served {
            each.has_gone = !state.live.contains_key(&each.client);
        }
        state.live.len() as u64
    }

    fn is_connected(&self, client: u64) -> bool {
        self.lock().live.contains_key(&client)
    }
}
