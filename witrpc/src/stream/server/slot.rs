//! Where the answer of a method that takes a stream is picked up: the call itself was answered when the
//! stream was open.

use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use witrpc_rt::{lock, wake};
use witrpc_transport::Session;

use crate::call::server::call_observer::CallObserver;
use crate::call::server::counted::Counted;
use crate::call::server::pending_reply::PendingReply;
use crate::call::server::session::ClientSession;

use super::server_stream::StreamStatus;
use super::stream_cancel::StreamCancel;

/// What the caller of a method learns whose future was dropped while it ran.
pub const DROPPED: &str = "the handler's future was dropped before it had an answer";

/// The place for one answer.
#[derive(Default)]
pub struct Slot(Mutex<Pickup>);

#[derive(Default)]
struct Pickup {
    asked: Option<PendingReply>,
    /// The client has gone or has given the call up.
    lost: bool,
    /// The method has ended.
    finished: bool,
    /// Why the method's thread was refused, if it was.
    refusal: Option<String>,
    /// The method's job has gone without an answer, and the client has not asked for one.
    unanswered: Option<Unanswered>,
    /// The method's job, which waits for either.
    job: Option<Waker>,
}

/// A call whose job was dropped.
pub struct Unanswered {
    pub number: u64,
    /// The method had begun.
    pub was_begun: bool,
    pub observer: CallObserver,
    pub session: Session,
    /// A shutdown waits until the client has been told.
    pub _counted: Option<Counted>,
}

impl Unanswered {
    fn tell(&self, asked: &PendingReply, refusal: Option<&str>) {
        let reply = asked.reply_for(&self.observer);
        match refusal {
            _ if self.was_begun => reply.panicked(DROPPED),
            Some(refusal) => reply.no_thread(refusal),
            None => reply.shutting_down(),
        }
    }

    fn unheard(&self) {
        self.observer.unheard(ClientSession::of(&self.session).late());
    }
}

/// What became of a call that is left without an answer.
#[must_use = "the client or the table of streams is to be told"]
pub enum LeftUnanswered {
    /// The client has been told so: the stream is to be forgotten.
    Told(Unanswered),
    /// The client has not asked yet, and is to be told that it may.
    Kept,
    /// The client has gone.
    Unheard,
}

/// A call whose caller has gone before it was told that there is no answer.
pub struct Unheard(Unanswered);

impl Drop for Unheard {
    fn drop(&mut self) {
        self.0.unheard();
    }
}

/// The slot and the lifeline of a feed, whatever its items are.
pub trait HasSlot: Send + Sync {
    fn slot(&self) -> &Slot;

    /// What the method's context asks.
    fn stream_cancel(&self) -> &Arc<StreamCancel>;

    /// The method has ended: tells the client that its answer is there.
    fn finish(&self);

    /// There will be no answer, and why.
    fn leave_unanswered(&self, unanswered: Unanswered);
}

impl Slot {
    /// The client asks for the answer.
    pub fn fill(&self, asked: PendingReply) -> StreamStatus {
        let mut pickup = self.lock();
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

    /// The client has gone or has given the call up. To drop what this returns tells the hooks.
    #[must_use]
    pub fn lose(&self) -> Option<Unheard> {
        let mut pickup = self.lock();
        pickup.lost = true;
        let (asked, job) = (pickup.asked.take(), pickup.job.take());
        let unanswered = pickup.unanswered.take();
        drop(pickup);
        // A client that gave the call up has its lane back only when this is answered.
        asked.inspect(|asked| asked.reply().end());
        job.into_iter().for_each(wake);
        unanswered.map(Unheard)
    }

    /// Whether the client will never ask for the answer; if it may, wakes when that changes.
    pub fn poll_lost(&self, cx: &mut Context<'_>) -> bool {
        let job = cx.waker().clone();
        let mut pickup = self.lock();
        let former = pickup.job.replace(job);
        let lost = pickup.lost;
        drop(pickup);
        drop(former);
        lost
    }

    /// The request for the answer; `None` when the client will never make one.
    pub fn poll_asked(&self, cx: &mut Context<'_>) -> Poll<Option<PendingReply>> {
        let job = cx.waker().clone();
        let mut pickup = self.lock();
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

    /// The method has ended. Returns whether the client is to be told, since it has not asked.
    pub fn finish(&self) -> bool {
        let mut pickup = self.lock();
        pickup.finished = true;
        pickup.asked.is_none() && !pickup.lost
    }

    pub fn is_finished(&self) -> bool {
        self.lock().finished
    }

    /// The method has no thread, and its job is about to be dropped.
    pub fn refuse(&self, why: String) {
        self.lock().refusal = Some(why);
    }

    /// There will be no answer.
    pub fn leave_unanswered(&self, unanswered: Unanswered) -> LeftUnanswered {
        let mut pickup = self.lock();
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

    fn lock(&self) -> MutexGuard<'_, Pickup> {
        lock(&self.0)
    }
}
