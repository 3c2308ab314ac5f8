//! The slot for the answer of a method that takes a stream. The call itself was answered when the
//! stream was open, so the client picks the answer up by another request.

use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use witrpc_rt::{lock, wake};
use witrpc_transport::Session;

use crate::call::server::call_observer::CallObserver;
use crate::call::server::counted::Counted;
use crate::call::server::pending_reply::PendingReply;
use crate::call::server::session::ClientSession;

use super::server_stream::StreamStatus;
use super::stream_cancel::StreamCancel;

/// The caller's error for a method whose future was dropped while it ran.
pub const DROPPED: &str = "nothing: its future was dropped before it had an answer, because nothing kept its \
     waker, or because what ran it has ended";

/// The slot for one answer.
#[derive(Default)]
pub struct Slot(Mutex<Pickup>);

#[derive(Default)]
struct Pickup {
    asked: Option<PendingReply>,
    /// Whether the client has disconnected or has given the call up.
    lost: bool,
    /// The method has ended.
    finished: bool,
    /// Why the method's thread was refused, if it was.
    refusal: Option<String>,
    /// Set when the method's job was dropped without an answer before the client asked for one.
    unanswered: Option<Unanswered>,
    /// The waker of the method's job, which waits for a request or for the loss of its client.
    job: Option<Waker>,
}

/// A call whose job was dropped.
pub struct Unanswered {
    pub number: u64,
    /// Whether the method had begun.
    pub was_begun: bool,
    pub observer: CallObserver,
    pub session: Session,
    /// Makes a shutdown wait until the client has its answer.
    pub counted: Option<Counted>,
}

impl Unanswered {
    fn tell(&self, asked: &PendingReply, refusal: Option<&str>) {
        let reply = asked.reply_for(&self.observer);
        match refusal {
            // The end of the connection tells the client.
            _ if self.was_begun && self.server_ends() => self.unheard(),
            _ if self.was_begun => reply.panicked(DROPPED),
            Some(refusal) => reply.no_thread(refusal),
            None => reply.shutting_down(),
        }
    }

    fn server_ends(&self) -> bool {
        self.counted.as_ref().is_some_and(Counted::server_ends)
    }

    fn unheard(&self) {
        self.observer.unheard(ClientSession::of(&self.session).late());
    }
}

/// The outcome of a call that is left without an answer.
#[must_use = "the client or the table of streams is to be told"]
pub enum LeftUnanswered {
    /// The client has its answer. The caller must remove the stream.
    Told(Unanswered),
    /// The client has not asked yet. The caller must announce that it may ask.
    Kept,
    /// The client has gone.
    Unheard,
}

/// A call whose caller left before the server could say that there is no answer.
pub struct Unheard(Unanswered);

impl Drop for Unheard {
    fn drop(&mut self) {
        self.0.unheard();
    }
}

/// The slot and the stream cancel of an upload, whatever its items are.
pub trait HasSlot: Send + Sync {
    fn slot(&self) -> &Slot;

    /// Returns the state by which the method's context checks whether the stream is still wanted.
    fn stream_cancel(&self) -> &Arc<StreamCancel>;

    /// Records that the method has ended, and announces to the client that its answer is ready.
    fn finish(&self);

    /// Records that there will be no answer, and why.
    fn leave_unanswered(&self, unanswered: Unanswered);
}

impl Slot {
    /// Answers the client's request for the answer, at once or later.
    pub fn fill(&self, asked: PendingReply) -> StreamStatus {
        let mut pickup = lock(&self.0);
        if pickup.asked.is_some() {
            drop(pickup);
            asked.reply().bad_request("the answer has been asked for already");
            return StreamStatus::GoesOn;
        }
        if pickup.lost {
            drop(pickup);
            asked.reply().end();
            return StreamStatus::GoesOn;
        }
        if let Some(unanswered) = pickup.unanswered.take() {
            let refusal = pickup.refusal.take();
            drop(pickup);
            unanswered.tell(&asked, refusal.as_deref());
            return StreamStatus::Over;
        }
        pickup.asked = Some(asked);
        let job = pickup.job.take();
        drop(pickup);
        job.into_iter().for_each(wake);
        StreamStatus::GoesOn
    }

    /// Records that the client has disconnected or has given the call up. The caller must drop the
    /// returned value, which tells the hooks.
    #[must_use]
    pub fn lose(&self) -> Option<Unheard> {
        let mut pickup = lock(&self.0);
        pickup.lost = true;
        let (asked, job) = (pickup.asked.take(), pickup.job.take());
        let unanswered = pickup.unanswered.take();
        drop(pickup);
        // A client that gave the call up gets its lane back only with this answer.
        asked.inspect(|asked| asked.reply().end());
        job.into_iter().for_each(wake);
        unanswered.map(Unheard)
    }

    /// Returns whether the client will never ask for the answer. If it may, wakes when that changes.
    pub fn poll_lost(&self, cx: &mut Context<'_>) -> bool {
        let job = cx.waker().clone();
        let mut pickup = lock(&self.0);
        let former = pickup.job.replace(job);
        let lost = pickup.lost;
        drop(pickup);
        drop(former);
        lost
    }

    /// Completes with the request for the answer; `None` when the client will never send one.
    pub fn poll_asked(&self, cx: &mut Context<'_>) -> Poll<Option<PendingReply>> {
        let job = cx.waker().clone();
        let mut pickup = lock(&self.0);
        if pickup.lost {
            return Poll::Ready(None);
        }
        if let Some(asked) = pickup.asked.take() {
            return Poll::Ready(Some(asked));
        }
        let former = pickup.job.replace(job);
        drop(pickup);
        drop(former);
        Poll::Pending
    }

    /// Records that the method has ended. Returns whether the server must notify the client, because
    /// it has not asked.
    pub fn finish(&self) -> bool {
        let mut pickup = lock(&self.0);
        pickup.finished = true;
        pickup.asked.is_none() && !pickup.lost
    }

    pub fn is_finished(&self) -> bool {
        lock(&self.0).finished
    }

    /// Records that the method gets no thread, and that its job is about to be dropped.
    pub fn refuse(&self, why: String) {
        lock(&self.0).refusal = Some(why);
    }

    /// Records that there will be no answer.
    pub fn leave_unanswered(&self, unanswered: Unanswered) -> LeftUnanswered {
        let mut pickup = lock(&self.0);
        pickup.finished = true;
        if pickup.lost {
            drop(pickup);
            unanswered.unheard();
            return LeftUnanswered::Unheard;
        }
        let Some(asked) = pickup.asked.take() else {
            pickup.unanswered = Some(unanswered);
            return LeftUnanswered::Kept;
        };
        let refusal = pickup.refusal.take();
        drop(pickup);
        unanswered.tell(&asked, refusal.as_deref());
        LeftUnanswered::Told(unanswered)
    }
}
