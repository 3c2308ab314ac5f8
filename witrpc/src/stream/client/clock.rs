//! The time limits of an upload.
//!
//! A deadline bounds the whole upload. A timeout, which the server does not know, bounds two waits: from
//! the opening until the method takes an item, and from the last item until the answer. It bounds neither
//! how long the method uses its items nor how long the client makes them. If the method has begun and the
//! client has sent no item, the first wait starts again with the first item.
//!
//! A client cannot know by itself whether an item was taken, because the server acknowledges items
//! earlier. So when the first wait is over, the client asks the server. The server closes the upload if
//! its method waits for a thread, or has taken none of the items. Its answer says which of the two.

use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, Instant};

use witrpc_transport::{Answer, Limit};

use crate::call::client::answer::read_pulled;
use crate::call::client::options::CallDeadline;
use crate::error::{CallError, UploadStage};
use crate::rt::Alarm;
use crate::stream::protocol::UploadState;
use crate::tag::Operation;

use super::control::Control;
use super::push::Target;
use super::request::Request;

/// The time limits of one upload.
pub struct Clock {
    deadline: Option<Instant>,
    timeout: Option<Duration>,
    first_take: FirstTake,
    /// Set when an item, or the end of the items, has been sent.
    is_uploaded: bool,
    /// The time by which the answer must arrive.
    answer_by: Option<Instant>,
    /// The alarm that is set, its time, and the waker that it calls.
    alarm: Option<(Alarm, Instant, Waker)>,
}

/// The state of the wait until the method takes the first item.
enum FirstTake {
    /// The method has begun, and no item has been sent yet.
    NoItem,
    /// The method must take an item by this time.
    Until(Instant),
    /// The client asks the server whether an item was taken.
    Asking(Box<Request>),
    /// An item was taken, or the wait has no limit.
    Over,
}

impl Clock {
    pub fn new(call_deadline: &CallDeadline) -> Self {
        let timeout = match (call_deadline.deadline, call_deadline.limit) {
            (None, Limit::Within(time)) => Some(time),
            _ => None,
        };
        let until = timeout.and_then(|time| Instant::now().checked_add(time));
        let first_take = until.map_or(FirstTake::Over, FirstTake::Until);
        let (deadline, is_uploaded) = (call_deadline.deadline, false);
        Self { deadline, timeout, first_take, is_uploaded, answer_by: None, alarm: None }
    }

    /// Returns the end of a wait that begins now.
    fn timeout_at(&self) -> Option<Instant> {
        self.timeout.and_then(|time| Instant::now().checked_add(time))
    }

    /// Records that an item is about to be sent.
    pub fn note_item(&mut self) {
        self.is_uploaded = true;
        if let FirstTake::NoItem = self.first_take {
            self.first_take = self.timeout_at().map_or(FirstTake::Over, FirstTake::Until);
        }
    }

    /// Records the server's report that an item was taken, or that no more items are wanted.
    pub fn note_taken(&mut self) {
        self.first_take = FirstTake::Over;
    }

    /// Records that all items have been sent, or as many as the server wants.
    pub fn note_uploaded(&mut self) {
        self.note_item();
        self.answer_by = self.timeout_at();
    }

    /// Returns whether a wait for the answer need not poll this.
    pub fn is_plain(&self) -> bool {
        matches!(self.first_take, FirstTake::Over)
    }

    /// Completes if the upload may continue, or with its error when a time limit has passed. Wakes
    /// when that may have changed. Pending while the server is asked, because it may have closed
    /// the upload by now.
    pub fn poll(&mut self, cx: &mut Context<'_>, target: &Target) -> Poll<Result<(), CallError>> {
        let until = match self.first_take {
            FirstTake::Until(at) => Some(at),
            FirstTake::Asking(_) => None,
            FirstTake::NoItem | FirstTake::Over => self.answer_by,
        };
        let next = [until, self.deadline].into_iter().flatten().min();
        if let Some(at) = next {
            if at > Instant::now() {
                self.arm(at, cx, target);
                return Poll::Ready(Ok(()));
            }
            self.alarm = None;
            if !matches!(self.first_take, FirstTake::Until(_)) {
                return Poll::Ready(Err(target.late()));
            }
            let limit = self.timeout.map_or(Limit::Never, Limit::Within);
            let request = Request::continuing(&target.streams.lanes, limit);
            self.first_take = FirstTake::Asking(Box::new(request));
        }
        let FirstTake::Asking(request) = &mut self.first_take else { return Poll::Ready(Ok(())) };
        let control = Control::of_stream(Operation::GiveUp, target.number, target.codec());
        let answer = match ready!(request.poll(cx, &control)) {
            Ok(()) => std::mem::take(&mut request.answer),
            // A missing lane ends the upload too: it keeps the upload waiting, whatever the server
            // would have answered.
            Err(error) => return Poll::Ready(Err(target.error(error))),
        };
        match self.read(answer, target) {
            Some(error) => Poll::Ready(Err(error)),
            None => {
                self.first_take =
                    if self.is_uploaded { FirstTake::Over } else { FirstTake::NoItem };
                self.poll(cx, target)
            }
        }
    }

    /// Reads the server's report of the upload; returns `None` if the upload continues.
    fn read(&self, mut answer: Answer, target: &Target) -> Option<CallError> {
        let body = match read_pulled(&mut answer, target.codec(), target.method) {
            Ok(Some(body)) => body,
            // The upload has ended.
            Ok(None) => return None,
            Err(error) => return Some(error),
        };
        let number = body.decoder().whole(|from| from.number("state"));
        let stage = match number.map(UploadState::from_number) {
            Ok(Some(UploadState::GoesOn)) => return None,
            Ok(Some(UploadState::Queued)) => UploadStage::Queued,
            Ok(Some(UploadState::NothingTaken)) => UploadStage::Begun,
            Ok(None) | Err(_) => {
                let message = "what it says of an upload makes no sense".to_owned();
                return Some(CallError::Protocol { message });
            }
        };
        Some(CallError::UploadStalled { after: self.timeout.unwrap_or_default(), stage })
    }

    fn arm(&mut self, at: Instant, cx: &Context<'_>, target: &Target) {
        if let Some((_, armed, waker)) = &self.alarm
            && *armed == at
            && waker.will_wake(cx.waker())
        {
            return;
        }
        let alarm = target.streams.lanes.permits.timer.arm(at, cx.waker().clone());
        self.alarm = Some((alarm, at, cx.waker().clone()));
    }
}
