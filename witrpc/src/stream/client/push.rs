//! Pushes batches of a stream that a method takes.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, ready};

use witrpc_rt::lock;
use witrpc_transport::{Answer, ChannelError, Limit};

use crate::call::client::answer::{read_pulled, undecoded};
use crate::call::client::options::CallDeadline;
use crate::codec::{Batch, Codec, EncodeError};
use crate::connection::handle::Connection;
use crate::error::CallError;
use crate::method::UploadItem;
use crate::rt::cancel_token::{CancelToken, TokenWatch};
use crate::stream::protocol::{credit, push};
use crate::tag::Operation;

use super::clock::Clock;
use super::control::Control;
use super::link_streams::LinkStreams;
use super::notices::{NoticeError, Registration};
use super::request::Request;

/// An upload that is being sent.
pub struct Target {
    pub connection: Connection,
    pub streams: Arc<LinkStreams>,
    pub number: u64,
    pub method: &'static str,
    /// The deadline of the call. A deadline bounds all of it; for the client's own timeout see
    /// [`clock`].
    ///
    /// [`clock`]: super::clock
    pub call_deadline: CallDeadline,
    pub notices: Registration,
    /// Absent while a poll looks at it: the poll clones, wakes and drops wakers of the user's, which
    /// must not happen under the lock. At most one thread at a time polls an upload.
    clock: Mutex<Option<Clock>>,
}

/// The clock of an upload while it is polled. Dropping this puts it back.
struct PolledClock<'t> {
    target: &'t Target,
    clock: Option<Clock>,
}

/// The server's answer to a push.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PushCredit {
    /// The server wants no more items.
    Unwanted,
    /// The client may push again.
    Room,
    /// The client may push again once the server says so.
    Full,
}

impl Target {
    /// Creates the target of an open stream.
    pub fn new(
        connection: &Connection,
        streams: &Arc<LinkStreams>,
        number: u64,
        notices: Registration,
        method: &'static str,
        call_deadline: CallDeadline,
    ) -> Self {
        notices.note_open(call_deadline.limit);
        Self {
            connection: connection.clone(),
            streams: Arc::clone(streams),
            number,
            method,
            call_deadline,
            notices,
            clock: Mutex::new(Some(Clock::new(&call_deadline))),
        }
    }

    pub fn codec(&self) -> Codec {
        self.streams.codec
    }

    /// Returns a watch on the token that cancels the call.
    pub fn watch_token(&self) -> Option<TokenWatch> {
        self.connection.token().map(CancelToken::watch)
    }

    /// Completes if the upload may go on, or with its error; see [`Clock::poll`].
    pub fn poll_clock(&self, cx: &mut Context<'_>) -> Poll<Result<(), CallError>> {
        let mut polled = PolledClock { target: self, clock: self.clock().take() };
        let clock = polled.clock.as_mut().expect("one thread polls an upload");
        clock.poll(cx, self)
    }

    /// Records that all items have been sent, or as many as the server wants.
    pub fn note_uploaded(&self) {
        self.with_clock(Clock::note_uploaded);
    }

    /// Returns whether only a limit bounds the wait for the answer.
    pub fn waits_plainly(&self) -> bool {
        self.call_deadline.deadline.is_none() && self.clock().as_ref().is_some_and(Clock::is_plain)
    }

    fn clock(&self) -> MutexGuard<'_, Option<Clock>> {
        lock(&self.clock)
    }

    fn with_clock(&self, note: impl FnOnce(&mut Clock)) {
        if let Some(clock) = &mut *self.clock() {
            note(clock);
        }
    }

    /// Makes the request that pushes the first items. If `waits`, it waits at the server until there is
    /// room for more.
    fn control<'b, T: UploadItem>(
        &self,
        batch: &'b Batch<T>,
        message: &PushMessage,
    ) -> Result<Control<'b>, CallError> {
        let mut control = Control::of_stream(Operation::Push, self.number, self.codec());
        let last = if message.over { push::LAST } else { 0 };
        let flags = last | if message.waits { push::WAITS } else { 0 };
        control
            .add(|body| body.number("flags", flags).and_then(|()| batch.write(message.items, body)))
            .map_err(not_encoded)?;
        Ok(control)
    }

    /// Returns the caller's error for a request that failed.
    pub fn error(&self, error: ChannelError) -> CallError {
        self.connection.call_error(match error {
            // The deadline has passed, so what the request waited for does not matter.
            ChannelError::NoFreeLane | ChannelError::NoSpace if self.call_deadline.are_over() => {
                ChannelError::TimedOut
            }
            other => other,
        })
    }

    /// Returns the caller's error for a deadline that has passed. It says so if a lane was missing.
    pub fn late(&self) -> CallError {
        self.error(self.notices.lacks_lane().unwrap_or(ChannelError::TimedOut))
    }

    /// Returns the caller's error when no notice comes any more.
    pub fn notice_error(&self, error: NoticeError) -> CallError {
        match error {
            NoticeError::Channel(error) => self.error(error),
            NoticeError::Server(error) => error,
        }
    }

    /// Reads the server's answer to a push.
    fn read(&self, mut answer: Answer) -> Result<PushCredit, CallError> {
        let Some(body) = read_pulled(&mut answer, self.codec(), self.method)? else {
            self.with_clock(Clock::note_taken);
            return Ok(PushCredit::Unwanted);
        };
        let flags = body.decoder().whole(|from| from.number("credit")).map_err(undecoded)?;
        if flags & !(credit::FULL | credit::TAKEN) != 0 {
            let message = format!("the flags {flags:#x} of its credit have no meaning");
            return Err(CallError::Protocol { message });
        }
        if flags & credit::TAKEN != 0 {
            self.with_clock(Clock::note_taken);
        }
        Ok(if flags & credit::FULL != 0 { PushCredit::Full } else { PushCredit::Room })
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if self.streams.is_forked() {
            // The timer is the parent's.
            mem::forget(self.clock().take());
        }
    }
}

impl Drop for PolledClock<'_> {
    fn drop(&mut self) {
        *self.target.clock() = self.clock.take();
    }
}

#[cold]
pub fn not_encoded(error: EncodeError) -> CallError {
    CallError::Encode { message: error.to_string() }
}

/// The sender of an upload: pushes batches one after the other, each in as many messages as it needs.
pub struct Pusher<'a, T> {
    target: &'a Target,
    /// The part of the current batch that the server has not taken.
    batch: Batch<T>,
    /// No items come after the batch.
    is_last: bool,
    /// How many items to send at once, learnt from messages that were too long.
    portion: usize,
    message: Option<PushMessage>,
    /// Whether the next push must wait until the server announces room.
    awaits_room: bool,
}

/// A push in flight.
struct PushMessage {
    request: Request,
    items: usize,
    /// Whether its last item is the stream's last.
    over: bool,
    /// Whether it may wait at the server, because the connection has lanes to spare.
    waits: bool,
}

impl<'a, T: UploadItem> Pusher<'a, T> {
    pub fn new(target: &'a Target) -> Self {
        let (batch, portion) = (Batch::new(), usize::MAX);
        Self { target, batch, is_last: false, portion, message: None, awaits_room: false }
    }

    /// Returns whether no push is under way.
    pub fn is_idle(&self) -> bool {
        self.message.is_none() && !self.awaits_room
    }

    /// Begins to push a batch, which may be empty if it is the last. Replaces it by an empty batch
    /// that reuses the memory of an earlier one.
    pub fn begin(&mut self, batch: &mut Batch<T>, is_last: bool) {
        debug_assert!(self.is_idle(), "what is on its way goes first");
        mem::swap(&mut self.batch, batch);
        self.is_last = is_last;
        self.portion = usize::MAX;
        if !self.batch.is_empty() {
            self.target.with_clock(Clock::note_item);
        }
        self.next();
    }

    fn next(&mut self) {
        let items = self.batch.sendable().min(self.portion);
        let over = self.is_last && items == self.batch.len();
        let lanes = &self.target.streams.lanes;
        let (request, waits) = match Request::with_spare_permit(lanes) {
            Some(request) => (request, true),
            None => (Request::continuing(lanes, Limit::Never), false),
        };
        let mut message = PushMessage { request, items, over, waits };
        message.request.pending_call.set_limit(self.target.call_deadline.limit);
        self.message = Some(message);
    }

    /// Completes when the batch has been taken and there is credit for another. Returns whether the
    /// server wants another.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, CallError>> {
        loop {
            if self.awaits_room {
                let told = ready!(self.target.notices.poll_room(cx));
                let has_room = told.map_err(|error| self.target.notice_error(error))?;
                self.awaits_room = false;
                self.target.with_clock(Clock::note_taken);
                if !has_room {
                    return Poll::Ready(Ok(false));
                }
                if self.batch.is_empty() {
                    return Poll::Ready(Ok(true));
                }
                self.next();
            }
            let ended = ready!(self.poll_message(cx))?;
            let Some(PushMessage { request, items, over, .. }) = self.message.take() else {
                return Poll::Ready(Ok(true));
            };
            match ended {
                Ok(()) => {
                    self.batch.forget(items);
                    let credit = self.target.read(request.answer)?;
                    if over || credit == PushCredit::Unwanted {
                        return Poll::Ready(Ok(false));
                    }
                    if credit == PushCredit::Full {
                        self.awaits_room = true;
                        continue;
                    }
                    if self.batch.is_empty() {
                        return Poll::Ready(Ok(true));
                    }
                    self.next();
                }
                // Fewer items may fit.
                Err(ChannelError::TooLarge { .. }) if items > 1 => {
                    self.portion = items / 2;
                    self.next();
                }
                Err(error) => return Poll::Ready(Err(self.target.error(error))),
            }
        }
    }

    /// Completes when the push in flight has been answered or has failed.
    fn poll_message(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Result<(), ChannelError>, CallError>> {
        let Some(message) = &mut self.message else {
            return Poll::Ready(Ok(Ok(())));
        };
        // Build the message for each attempt to send it, and not while it waits for its answer.
        if !message.request.pending_call.is_sent() {
            let control = self.target.control(&self.batch, message)?;
            if let Err(error) = ready!(message.request.poll_send(cx, &control)) {
                return Poll::Ready(Ok(Err(error)));
            }
            // The push does not bound how long the method takes its items.
            message.request.pending_call.set_limit(Limit::Never);
        }
        message.request.poll_answer(cx).map(Ok)
    }
}
