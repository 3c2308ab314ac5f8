//! Calls that their callers have given up: who looks, and who is to be woken. See [`crate::link::cancel`].

use std::task::Waker;

use crate::link::cancel;
use crate::link::message::Ticket;
use crate::memory::layout::{WANTS_CANCEL, control};
use crate::memory::words::Mapped;

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
        let key = self.watchers.add(ticket, waker);
        self.cancel_epoch.request_wakeup(self.half.own.head_word(WANTS_CANCEL));
        if self.is_cancelled(ticket) {
            waker.wake_by_ref();
        }
        key
    }

    /// Wakes nobody for this key any more.
    pub fn unwatch(&self, key: u64) {
        self.watchers.remove(key);
    }

    /// Wakes those whose calls have been given up, and asks to be rung for the others.
    pub(super) fn wake_cancelled(&self) {
        self.cancel_epoch.answer(self.half.own.head_word(WANTS_CANCEL), || {
            self.watchers.wake_if(|ticket| self.is_cancelled(*ticket))
        });
    }
}
