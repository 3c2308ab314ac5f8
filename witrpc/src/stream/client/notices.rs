//! Waits for the server's notices of uploads: that there is room for more items, or an answer.
//!
//! One request waits for all uploads of a link. So even as many uploads as there are lanes leave lanes
//! for the items that their methods wait for. The request proceeds [by itself](super::unattended), and
//! one [table](uploads) holds the state of the uploads.
//!
//! # Invariants
//!
//! 1. While an upload waits for a notice, a request for notices is in flight, or a thread is about to
//!    send one. A thread that begins to wait makes the request proceed after that, unless the request
//!    waits at the server.
//! 2. A request that was sent is polled to its end: the server sends each notice once.
//! 3. A request that gets no lane in time fails, together with the uploads that have waited that long.
//!    The lane may never become free: its holder may be a stream that is not polled, or a call that is
//!    not answered.

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
pub mod uploads;

use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use uploads::{Brought, Upload, Uploads};
use witrpc_rt::{lock, wake};
use witrpc_transport::{Answer, ChannelError, Limit};

use crate::call::client::answer::pulled_bytes;
use crate::error::CallError;
use crate::stream::protocol::Notice;
use crate::tag::{Operation, RequestTag};

use super::control::Control;
use super::link_streams::LinkStreams;
use super::request::Request;
use super::unattended::{self, Errand, Unattended};

pub use uploads::NoticeError;

/// How long to wait for a lane when a call has no time limit: the lane's holder may wait for this
/// upload.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// The state of the uploads of a link, and the request for notices of them.
pub struct UploadNotices(Mutex<Unattended<Uploads, Pull>>);

/// A request for notices, in flight or about to be sent.
pub struct Pull {
    request: Request,
    /// How many uploads had been open when the request was made. The server knows all of these.
    known: u64,
}

/// An upload's registration for notices. The upload is listed until this is dropped.
pub struct Registration {
    streams: Arc<LinkStreams>,
    number: u64,
}

impl UploadNotices {
    pub fn new() -> Self {
        Self(Mutex::new(Unattended::new(Uploads::default())))
    }

    fn lock(&self) -> MutexGuard<'_, Unattended<Uploads, Pull>> {
        lock(&self.0)
    }
}

impl LinkStreams {
    /// Registers an upload for notices, before it is opened.
    pub fn register(self: &Arc<Self>, number: u64) -> Registration {
        self.notices.lock().state.list(number);
        Registration { streams: Arc::clone(self), number }
    }

    fn pull_notices(self: &Arc<Self>) {
        if !self.is_forked() {
            unattended::go_on(&Pulls(self));
        }
    }
}

/// The requests for notices of a link.
struct Pulls<'s>(&'s Arc<LinkStreams>);

impl Errand for Pulls<'_> {
    type State = Uploads;
    type Request = Pull;
    type Outcome = Brought;

    fn with<T>(&self, look: impl FnOnce(&mut Unattended<Uploads, Pull>) -> T) -> T {
        look(&mut self.0.notices.lock())
    }

    fn next(&self, uploads: &mut Uploads) -> Option<Pull> {
        uploads
            .until()
            .map(|_| Pull { request: Request::for_notices(&self.0.lanes), known: uploads.known() })
    }

    fn poll(&self, pull: &mut Pull) -> Poll<Brought> {
        let came = ready!(pull.poll(self.0));
        Poll::Ready(came.unwrap_or_else(|error| Brought::Failed(NoticeError::Channel(error))))
    }

    fn settle(&self, pull: Pull, came: Brought) {
        let known = pull.known;
        drop(pull);
        let woken = self.0.notices.lock().state.take(known, came);
        woken.into_iter().for_each(wake);
    }
}

impl Pull {
    /// Returns whether it has no lane yet.
    fn waits_for_lane(&self) -> bool {
        !self.request.pending_call.is_sent()
    }

    fn poll(&mut self, streams: &Arc<LinkStreams>) -> Poll<Result<Brought, ChannelError>> {
        let waker = unattended::waker(streams, LinkStreams::pull_notices);
        let mut cx = Context::from_waker(&waker);
        if self.waits_for_lane() {
            // The limit of the uploads that wait now, which may change at any time.
            let Some(until) = streams.notices.lock().state.until() else {
                return Poll::Ready(Ok(Brought::Notices(Vec::new())));
            };
            self.request.pending_call.set_limit(Limit::At(until));
            let control = Control::new(RequestTag::of(Operation::PullNotices), streams.codec);
            match ready!(self.request.poll_send(&mut cx, &control)) {
                // The server answers when it has a notice.
                Ok(()) => self.request.pending_call.expect_late(),
                Err(refusal @ (ChannelError::NoFreeLane | ChannelError::TooFewLanes { .. })) => {
                    return Poll::Ready(Ok(Brought::NoLane(refusal)));
                }
                Err(lost) => return Poll::Ready(Err(lost)),
            }
        }
        ready!(self.request.poll_answer(&mut cx))?;
        let read = read(&mut self.request.answer);
        Poll::Ready(Ok(read.unwrap_or_else(|error| Brought::Failed(NoticeError::Server(error)))))
    }
}

/// Reads the answer to a request for notices.
fn read(answer: &mut Answer) -> Result<Brought, CallError> {
    let Some(message) = pulled_bytes(answer, "notices")? else { return Ok(Brought::NoneOpen) };
    let broken = || CallError::Protocol { message: "its notices make no sense".to_owned() };
    Ok(Brought::Notices(Notice::read_all(&message).ok_or_else(broken)?))
}

impl Registration {
    /// Notes that the upload is open. The wait for the lane of its notices lasts as long as a call may
    /// take.
    pub fn note_open(&self, limit: Limit) {
        let patience = match limit {
            Limit::Within(time) => time,
            Limit::At(at) => at.saturating_duration_since(Instant::now()),
            _ => LONGEST_WAIT,
        };
        self.streams.notices.lock().state.note_open(self.number, patience);
    }

    /// Completes with `true` when there is room for more items, or with `false` when the method has
    /// ended and wants none. If the server no longer knows the upload, it was answered or closed.
    pub fn poll_room(&self, cx: &Context<'_>) -> Poll<Result<bool, NoticeError>> {
        self.poll(cx, Upload::take_room)
    }

    /// Completes when a pull would be answered at once.
    pub fn poll_answered(&self, cx: &Context<'_>) -> Poll<Result<(), NoticeError>> {
        self.poll(cx, Upload::see_answered)
    }

    /// Returns why no notice of the upload comes, if the request has no lane.
    pub fn lacks_lane(&self) -> Option<ChannelError> {
        let notices = self.streams.notices.lock();
        let lacks_lane = notices.under_way().is_some_and(Pull::waits_for_lane);
        drop(notices);
        lacks_lane.then(|| self.streams.lanes.permits.refusal_of_notices())
    }

    fn poll<T>(
        &self,
        cx: &Context<'_>,
        look: impl FnOnce(&mut Upload) -> Option<Result<T, NoticeError>>,
    ) -> Poll<Result<T, NoticeError>> {
        if let Err(refusal) = self.streams.lanes.permits.check() {
            return Poll::Ready(Err(NoticeError::Channel(refusal)));
        }
        // Clone and drop wakers without the lock: that runs code of the user's.
        let mut waker = Some(cx.waker().clone());
        let mut notices = self.streams.notices.lock();
        let news = notices.state.look(self.number, &mut waker, look);
        // A request that waits for its lane must wait at least as long as this upload.
        let must_pull = notices.under_way().is_none_or(Pull::waits_for_lane);
        drop(notices);
        drop(waker);
        if let Some(news) = news {
            return Poll::Ready(news);
        }
        if must_pull {
            self.streams.pull_notices();
        }
        Poll::Pending
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        if !self.streams.is_forked() {
            let upload = self.streams.notices.lock().state.remove(self.number);
            drop(upload);
        }
    }
}
