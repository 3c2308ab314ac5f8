//! What a client is told of its uploads while no request of theirs waits.
//!
//! An upload may have to wait for room or for its answer, for as long as its method likes. Were each to
//! wait on a lane of its own, as many uploads as lanes would leave none for the items that the methods
//! wait for. So one request of the client waits for all of its uploads.
//!
//! # Invariants
//!
//! 1. `pending` names uploads that are open, each at most once for each kind of notice.
//! 2. A request waits only while nothing is pending and an upload is open.
//! 3. Requests are answered without the lock.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard};

use witrpc_rt::lock;

use crate::tag::Notice;

use super::Asked;

/// The notices for one client.
#[derive(Default)]
pub(in crate::server) struct Notices(Mutex<State>);

#[derive(Default)]
struct State {
    /// The uploads that are open, by number.
    uploads: HashSet<u64>,
    pending: VecDeque<(u64, Notice)>,
    /// The request that came when nothing was pending.
    waiting: Option<Asked>,
}

impl Notices {
    /// An upload is about to be opened.
    pub(super) fn opened(&self, number: u64) {
        self.lock().uploads.insert(number);
    }

    /// An upload has been closed, or its answer was picked up.
    pub(super) fn closed(&self, number: u64) {
        let mut state = self.lock();
        if state.uploads.remove(&number) {
            state.pending.retain(|(upload, _)| *upload != number);
        }
        let waiting = if state.uploads.is_empty() { state.waiting.take() } else { None };
        drop(state);
        waiting.inspect(|asked| asked.reply().end());
    }

    /// The client has gone.
    pub(super) fn leave(&self) {
        let state = std::mem::take(&mut *self.lock());
        drop(state);
    }

    /// Tells the client something of an upload, unless that is closed.
    pub(super) fn tell(&self, number: u64, notice: Notice) {
        let mut state = self.lock();
        if !state.uploads.contains(&number) || state.pending.contains(&(number, notice)) {
            return;
        }
        state.pending.push_back((number, notice));
        if let Some(asked) = state.waiting.take() {
            let message = state.take();
            drop(state);
            asked.reply().notices(&message);
        }
    }

    /// The client asks for what is new: answers once there is something, or with the end when it has no
    /// upload.
    pub(in crate::server) fn pull(&self, asked: Asked) {
        let mut state = self.lock();
        if state.waiting.is_some() {
            drop(state);
            return asked.reply().bad_request("a pull of notices is still unanswered");
        }
        if !state.pending.is_empty() {
            let message = state.take();
            drop(state);
            return asked.reply().notices(&message);
        }
        if state.uploads.is_empty() {
            drop(state);
            return asked.reply().end();
        }
        state.waiting = Some(asked);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.0)
    }
}

impl State {
    /// Takes as many of those that are pending as one message carries.
    fn take(&mut self) -> Vec<u8> {
        let mut message = Vec::with_capacity(Notice::MOST_AT_ONCE * Notice::LEN);
        let count = self.pending.len().min(Notice::MOST_AT_ONCE);
        self.pending.drain(..count).for_each(|(upload, notice)| notice.write(upload, &mut message));
        message
    }
}
