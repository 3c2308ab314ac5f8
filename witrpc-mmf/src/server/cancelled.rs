//! Calls that their callers have given up: who looks, and who is to be woken. See [`crate::link::cancel`].

use std::task::Waker;

use witrpc_rt::wake;

use crate::link::cancel;
use crate::link::message::Ticket;
use crate::memory::layout::{WANTS_CANCEL, control};
use crate::memory::words::Mapped;

use super::cancels::Watcher;
use super::connection::Connection;

impl Connection {
    /// Whether the caller has given this call up, or the client has gone. To be asked while the call
    /// is unanswered.
    #[inline]
    pub fn is_cancelled(&self, ticket: Ticket) -> bool {
        if !self.is_connected() {
            return true;
        }
        let word = self.half.layout.control_word(ticket.lane as usize, control::CANCELLED);
        cancel::is_cancelled::<Mapped>(self.half.peer.word64(word), ticket.seq)
    }

    /// Has `waker` woken once [`is_cancelled`](Self::is_cancelled) says so, which may be at once.
    /// Gives the key by which [`unwatch`](Self::unwatch) takes it back.
    pub fn watch(&self, ticket: Ticket, waker: &Waker) -> u64 {
        // Cloned without the lock: it is code of the user's.
        let theirs = waker.clone();
        let mut watchers = self.cancels.watchers();
        let key = watchers.next_key;
        watchers.next_key += 1;
        watchers.entries.push(Watcher { key, ticket, waker: theirs });
        drop(watchers);
        self.cancels.wake_epoch.arm(self.half.own.head_word(WANTS_CANCEL));
        if self.is_cancelled(ticket) {
            waker.wake_by_ref();
        }
        key
    }

    /// Wakes nobody for this key any more.
    pub fn unwatch(&self, key: u64) {
        let mut watchers = self.cancels.watchers();
        let place = watchers.entries.iter().position(|watcher| watcher.key == key);
        let watcher = place.map(|place| watchers.entries.swap_remove(place));
        drop(watchers);
        // Without the lock, as its waker may be a task's last.
        drop(watcher);
    }

    /// Wakes those whose calls have been given up, and asks to be rung for the others.
    pub(super) fn wake_cancelled(&self) {
        self.cancels
            .wake_epoch
            .answer(self.half.own.head_word(WANTS_CANCEL), || self.wake_watchers());
    }

    /// Wakes those whose calls have been given up; says whether others sleep on.
    fn wake_watchers(&self) -> bool {
        let mut watchers = self.cancels.watchers();
        let entries = &mut watchers.entries;
        let told: Vec<_> =
            entries.extract_if(.., |watcher| self.is_cancelled(watcher.ticket)).collect();
        let others = !watchers.entries.is_empty();
        drop(watchers);
        told.into_iter().for_each(|watcher| wake(watcher.waker));
        others
    }
}
