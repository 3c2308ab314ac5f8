//! Calls that their callers have given up: tells handlers, and wakes those that sleep until then.
//! See [`crate::link::cancel`].

use std::task::Waker;

use witrpc_transport::Ticket;

use crate::link::cancel;
use crate::memory::layout::{WANTS_CANCEL, control};
use crate::memory::words::Mapped;

use super::connection::Connection;

impl Connection {
    /// Returns whether the caller has given this call up, or the client is gone. Must be called
    /// only while the call is unanswered.
    #[inline]
    pub fn is_cancelled(&self, ticket: Ticket) -> bool {
        if !self.is_connected() {
            return true;
        }
        let word = self.half.layout.control_word(ticket.lane as usize, control::CANCELLED);
        cancel::is_cancelled::<Mapped>(self.half.peer.word64(word), ticket.seq)
    }

    /// Registers `waker` to be woken once [`is_cancelled`](Self::is_cancelled) is true, which may
    /// be at once. Returns the key for [`unwatch`](Self::unwatch).
    pub fn watch(&self, ticket: Ticket, waker: &Waker) -> u64 {
        let key = self.watchers.add(ticket, waker);
        self.cancel_epoch.request_wakeup(self.half.own.head_word(WANTS_CANCEL));
        if self.is_cancelled(ticket) {
            waker.wake_by_ref();
        }
        key
    }

    /// Removes the waker of this key.
    pub fn unwatch(&self, key: u64) {
        self.watchers.remove(key);
    }

    /// Wakes the handlers whose calls have been given up, and requests a ring for the others.
    pub(super) fn wake_cancelled(&self) {
        self.cancel_epoch.answer(self.half.own.head_word(WANTS_CANCEL), || {
            self.watchers.wake_if(|ticket| self.is_cancelled(*ticket))
        });
    }
}
