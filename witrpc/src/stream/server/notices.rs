//! What a client is told of its uploads while no request of theirs waits.
//!
//! An upload may have to wait for room or for its answer, for as long as its method likes. Were each to
//! wait on a lane of its own, as many uploads as lanes would leave none for the items that the methods
//! wait for. So one request of the client waits for all of its uploads.
//!
//! # Invariants
//!
//! All of it stands under one lock.
//!
//! 1. `pending` names uploads that are open, each at most once for each kind of notice.
//! 2. A request waits only while nothing is pending and an upload is open: a request looks for these, and
//!    leaves itself, under one hold of the lock; whoever changes them takes it out under the lock.
//! 3. A notice is either pending or in an answer, which the client is given. So one that comes while an
//!    answer is written is pending: it goes with the next.
//! 4. Requests are answered without the lock, each once: whoever took it out, or brought it, answers.

#[cfg(test)]
mod model;

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard};

use witrpc_rt::lock;

use crate::call::server::pending_reply::PendingReply;
use crate::tag::Notice;

/// The notices for one client.
#[derive(Default)]
pub struct Notices(Mutex<NoticesState<PendingReply>>);

/// `A` is a request.
struct NoticesState<A> {
    /// The uploads that are open, by number.
    uploads: HashSet<u64>,
    pending: VecDeque<(u64, Notice)>,
    /// The request that came when nothing was pending.
    waiting: Option<A>,
}

/// An answer that is due, and to whom.
#[must_use = "the client waits for it"]
enum Due<A> {
    News(A, Vec<u8>),
    /// No upload is open.
    End(A),
    /// Another request waits.
    Refusal(A),
}

impl Due<PendingReply> {
    fn give(self) {
        match self {
            Due::News(asked, message) => asked.reply().notices(&message),
            Due::End(asked) => asked.reply().end(),
            Due::Refusal(asked) => {
                asked.reply().bad_request("a pull of notices is still unanswered");
            }
        }
    }
}

impl Notices {
    /// An upload is about to be opened.
    pub fn opened(&self, number: u64) {
        self.lock().uploads.insert(number);
    }

    /// An upload has been closed, or its answer was picked up.
    pub fn closed(&self, number: u64) {
        let due = self.lock().close(number);
        due.into_iter().for_each(Due::give);
    }

    /// The client has gone.
    pub fn leave(&self) {
        let state = std::mem::take(&mut *self.lock());
        drop(state);
    }

    /// Tells the client something of an upload, unless that is closed.
    pub fn tell(&self, number: u64, notice: Notice) {
        let due = self.lock().tell(number, notice);
        due.into_iter().for_each(Due::give);
    }

    /// The client asks for what is new: answers once there is something, or with the end when it has no
    /// upload.
    pub fn pull(&self, asked: PendingReply) {
        let due = self.lock().pull(asked);
        due.into_iter().for_each(Due::give);
    }

    fn lock(&self) -> MutexGuard<'_, NoticesState<PendingReply>> {
        lock(&self.0)
    }
}

impl<A> Default for NoticesState<A> {
    fn default() -> Self {
        Self { uploads: HashSet::new(), pending: VecDeque::new(), waiting: None }
    }
}

impl<A> NoticesState<A> {
    fn close(&mut self, number: u64) -> Option<Due<A>> {
        if self.uploads.remove(&number) {
            self.pending.retain(|(upload, _)| *upload != number);
        }
        let is_last = self.uploads.is_empty();
        self.waiting.take_if(|_| is_last).map(Due::End)
    }

    fn tell(&mut self, number: u64, notice: Notice) -> Option<Due<A>> {
        if !self.uploads.contains(&number) || self.pending.contains(&(number, notice)) {
            return None;
        }
        self.pending.push_back((number, notice));
        self.waiting.take().map(|asked| Due::News(asked, self.take()))
    }

    fn pull(&mut self, asked: A) -> Option<Due<A>> {
        if self.waiting.is_some() {
            return Some(Due::Refusal(asked));
        }
        if !self.pending.is_empty() {
            return Some(Due::News(asked, self.take()));
        }
        if self.uploads.is_empty() {
            return Some(Due::End(asked));
        }
        self.waiting = Some(asked);
        None
    }

    /// Takes as many of those that are pending as one message carries.
    fn take(&mut self) -> Vec<u8> {
        let mut message = Vec::with_capacity(Notice::MOST_AT_ONCE * Notice::LEN);
        let count = self.pending.len().min(Notice::MOST_AT_ONCE);
        self.pending.drain(..count).for_each(|(upload, notice)| notice.write(upload, &mut message));
        message
    }
}
