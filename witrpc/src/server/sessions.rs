//! The sessions of connected clients: each joins once and leaves once.
//!
//! # Invariants
//!
//! 1. A client is here from its admission until it has left or the server ends. Only the thread that takes it
//!    out has the hooks called for its departure.
//! 2. Once the server has ended, no client joins.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use witrpc_rt::lock;
use witrpc_transport::{ClientInfo, Session};

use crate::pool::Served;

/// The sessions of one server.
#[derive(Default)]
pub struct Sessions(Mutex<SessionsState>);

#[derive(Default)]
struct SessionsState {
    live: HashMap<u64, (ClientInfo, Session)>,
    ended: bool,
}

impl Sessions {
    /// Adds a client. Returns `false` if the server has ended.
    pub fn join(&self, client: &ClientInfo, session: &Session) -> bool {
        let mut state = self.lock();
        if state.ended {
            return false;
        }
        state.live.insert(client.id, (client.clone(), session.clone()));
        true
    }

    /// Removes a client. Returns `false` if it had left before.
    pub fn leave(&self, client_id: u64) -> bool {
        let left = self.lock().live.remove(&client_id);
        left.is_some()
    }

    /// Removes all clients, in the order in which they came, and lets none join any more.
    pub fn end(&self) -> Vec<(ClientInfo, Session)> {
        let mut state = self.lock();
        state.ended = true;
        let live = std::mem::take(&mut state.live);
        drop(state);
        let mut left: Vec<_> = live.into_values().collect();
        left.sort_unstable_by_key(|(client, _)| client.id);
        left
    }

    /// Implements [`Clients::look_up`](crate::pool::Clients::look_up).
    pub fn look_up(&self, served: &mut [Served]) -> u64 {
        let state = self.lock();
        for each in served {
            each.has_gone = !state.live.contains_key(&each.client);
        }
        state.live.len() as u64
    }

    /// Returns whether that client is here.
    pub fn is_connected(&self, client: u64) -> bool {
        self.lock().live.contains_key(&client)
    }

    fn lock(&self) -> MutexGuard<'_, SessionsState> {
        lock(&self.0)
    }
}
