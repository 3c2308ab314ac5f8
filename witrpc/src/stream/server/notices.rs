//! Notices for a client: news of its uploads for which no request of theirs waits.
//!
//! An upload may have to wait for room or for its answer, for as long as its method takes. If each upload
//! waited on its own lane, they could occupy all lanes, and the items that the methods wait for would
//! have none. So one request of the client waits for all of its uploads.
//!
//! # Invariants
//!
//! All of it is under one lock.
//!
//! 1. `pending` names uploads that are open, each at most once for each kind of notice.
//! 2. A request waits only while nothing is pending and an upload is open. A request checks that, and
//!    registers itself, under one hold of the lock. A thread that changes it takes the request out under
//!    the lock.
//! 3. A notice is either pending or in an answer that the client receives. So a notice that arrives while
//!    an answer is written is pending, and goes with the next answer.
//! 4. Requests are answered without the lock, each once: by the thread that took it out, or that
//!    brought it.

#[cfg(test)]
mod model;

use std::collections::{HashSet, VecDeque};
use std::sync::Mutex;

use witrpc_rt::lock;

use crate::call::server::pending_reply::PendingReply;
use crate::stream::protocol::Notice;

/// The notices for one client.
#[derive(Default)]
pub struct Notices(Mutex<NoticesState<PendingReply>>);

/// The state; `A` is a request.
struct NoticesState<A> {
    /// The uploads that are open, by number.
    uploads: HashSet<u64>,
    pending: VecDeque<(u64, Notice)>,
    /// The request that came when nothing was pending.
    waiting: Option<A>,
}

/// An answer that is due, and its request.
#[must_use = "the client waits for it"]
enum Due<A> {
    PendingNotices(A, Vec<u8>),
    /// No upload is open.
    End(A),
    /// Another request already waits.
    Refusal(A),
}

impl Due<PendingReply> {
    fn give(self) {
        match self {
            Due::PendingNotices(asked, message) => asked.reply().notices(&message),
            Due::End(asked) => asked.reply().end(),
            Due::Refusal(asked) => {
                asked.reply().bad_request("a pull of notices is still unanswered");
            }
        }
    }
}

impl Notices {
    /// Notes that an upload is about to be opened.
    pub fn opened(&self, number: u64) {
        lock(&self.0).uploads.insert(number);
    }

    /// Notes that an upload has been closed, or its answer was picked up.
    pub fn closed(&self, number: u64) {
        let due = lock(&self.0).close(number);
        due.into_iter().for_each(Due::give);
    }

    /// Notes that the client has gone.
    pub fn leave(&self) {
        let state = std::mem::take(&mut *lock(&self.0));
        drop(state);
    }

    /// Adds a notice of an upload, unless the upload is closed.
    pub fn tell(&self, number: u64, notice: Notice) {
        let due = lock(&self.0).tell(number, notice);
        due.into_iter().for_each(Due::give);
    }

    /// Answers a request once there are notices, or with the end if the client has no upload open.
    pub fn pull(&self, asked: PendingReply) {
        let due = lock(&self.0).pull(asked);
        due.into_iter().for_each(Due::give);
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
        self.waiting.take().map(|asked| Due::PendingNotices(asked, self.take()))
    }

    fn pull(&mut self, asked: A) -> Option<Due<A>> {
        if self.waiting.is_some() {
            return Some(Due::Refusal(asked));
        }
        if !self.pending.is_empty() {
            return Some(Due::PendingNotices(asked, self.take()));
        }
        if self.uploads.is_empty() {
            return Some(Due::End(asked));
        }
        self.waiting = Some(asked);
        None
    }

    /// Takes as many pending notices as fit into one message.
    fn take(&mut self) -> Vec<u8> {
        let mut message = Vec::with_capacity(Notice::MOST_AT_ONCE * Notice::LEN);
        let count = self.pending.len().min(Notice::MOST_AT_ONCE);
        self.pending.drain(..count).for_each(|(upload, notice)| notice.write(upload, &mut message));
        message
    }
}
