//! Pushes the items of a stream that a method takes.

use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::thread;

use futures_core::Stream;

use crate::__private::v1::Wire;
use crate::client::Connection;
use crate::client::answer::read_pulled;
use crate::client::flight::block_on;
use crate::codec::{Batch, EncodeError, Piece};
use crate::error::CallError;
use crate::tag::Operation;
use crate::transport::{Answer, ChannelError, Limit};

use super::LinkStreams;
use super::request::{Control, Request};

/// A stream that is being fed.
pub(in crate::client) struct Target<'a> {
    pub(in crate::client) connection: &'a Connection,
    pub(in crate::client) streams: &'a Arc<LinkStreams>,
    pub(in crate::client) number: u64,
    pub(in crate::client) method: &'static str,
}

impl Target<'_> {
    /// The request that pushes the first items.
    fn control<'b, T: Wire>(
        &self,
        batch: &'b Batch<T>,
        items: usize,
        over: bool,
    ) -> Result<Control<'b>, CallError> {
        let codec = self.streams.codec;
        let mut control = Control::of_stream(Operation::Push, self.number, codec);
        control
            .add(|body| body.number("over", over.into()).and_then(|()| batch.write(items, body)))
            .map_err(not_encoded)?;
        Ok(control)
    }

    fn request(&self) -> Request {
        let timeout = self.connection.call_timeout();
        Request::for_items(self.streams, timeout.map_or(Limit::Never, Limit::Within))
    }

    /// Blocks the thread until the answer to a request is there, or the call is cancelled.
    pub(in crate::client) fn wait(
        &self,
        mut request: Request,
        control: &Control<'_>,
    ) -> Result<Answer, Waited> {
        let Some(token) = self.connection.token() else {
            return request.wait(control).map_err(Waited::Failed);
        };
        let mut cancelled = token.watch();
        block_on(|cx| {
            if cancelled.poll(cx).is_ready() {
                return Poll::Ready(Err(Waited::Cancelled));
            }
            request.poll(cx, control).map_err(Waited::Failed)
        })?;
        Ok(request.into_answer())
    }

    /// What the caller gets for a wait without an answer.
    pub(in crate::client) fn error(&self, waited: Waited) -> CallError {
        match waited {
            Waited::Cancelled => CallError::Cancelled,
            Waited::Failed(error) => self.connection.call_error(error),
        }
    }

    /// Whether the server wants more.
    fn read(&self, mut answer: Answer) -> Result<bool, CallError> {
        let body = read_pulled(&mut answer, self.streams.codec, self.method)?;
        Ok(body.is_some())
    }
}

/// Why a wait brought no answer.
pub(in crate::client) enum Waited {
    /// Whoever holds the call's token wants none.
    Cancelled,
    Failed(ChannelError),
}

#[cold]
fn not_encoded(error: EncodeError) -> CallError {
    CallError::Encode { message: error.to_string() }
}

/// How many items to push at once, learnt from what was too long.
struct Portion(usize);

impl Portion {
    /// Of so many items.
    fn of(&self, items: usize) -> usize {
        items.min(self.0)
    }

    /// So many were too long for one message; whether fewer could do.
    fn shrink(&mut self, items: usize) -> bool {
        self.0 = items / 2;
        self.0 > 0
    }
}

/// Feeds a stream from a thread that blocks: one thread has the items made, another pushes what has
/// been made meanwhile. So no item waits for the one after it.
pub(in crate::client) struct Feeder<'a, T> {
    target: Target<'a>,
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    batch: Batch<T>,
    /// No more items come.
    is_over: bool,
    /// The last item was not reached: nothing more is to be sent.
    is_broken: bool,
    /// Why nothing more is pushed: the server has enough, or an error.
    stopped: Option<Result<(), CallError>>,
}

impl<'a, T: Wire> Feeder<'a, T> {
    pub(in crate::client) fn new(target: Target<'a>) -> Self {
        let batch = Batch::new();
        let state = State { batch, is_over: false, is_broken: false, stopped: None };
        Self { target, state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Pushes all items, or as many as the server wants.
    pub(in crate::client) fn feed(self, items: impl Iterator<Item = T>) -> Result<(), CallError> {
        /// Ends the other thread, also when making an item panics.
        struct Over<'f, 'a, T: Wire>(&'f Feeder<'a, T>);
        impl<T: Wire> Drop for Over<'_, '_, T> {
            fn drop(&mut self) {
                let mut state = self.0.lock();
                state.is_broken |= thread::panicking();
                state.is_over = true;
                drop(state);
                self.0.changed.notify_all();
            }
        }

        thread::scope(|scope| {
            let push = || while self.push_some() {};
            let name = "witrpc-feed".to_owned();
            let helper = thread::Builder::new().name(name).spawn_scoped(scope, push);
            let over = Over(&self);
            for item in items {
                let goes_on = self.put(item);
                // Without a thread of its own, pushing takes turns with making.
                if !goes_on || helper.is_err() && !self.push_some() {
                    break;
                }
            }
            drop(over);
            if helper.is_err() {
                push();
            }
        });
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        state.stopped.unwrap_or(Ok(()))
    }

    /// Adds an item, when there is room; `false` when no more are wanted.
    fn put(&self, item: T) -> bool {
        let piece = Piece::new(item, self.target.streams.codec);
        let mut state = self.lock();
        while state.batch.is_full() && state.stopped.is_none() {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.stopped.is_some() {
            return false;
        }
        match piece {
            Ok(piece) => state.batch.push(piece),
            Err(error) => {
                state.is_broken = true;
                state.stopped = Some(Err(not_encoded(error)));
            }
        }
        let goes_on = state.stopped.is_none();
        drop(state);
        self.changed.notify_all();
        goes_on
    }

    /// Waits for items and pushes what is there; `false` when there is nothing more to do.
    fn push_some(&self) -> bool {
        let mut state = self.lock();
        while state.batch.is_empty() && !state.is_over && state.stopped.is_none() {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.is_broken || state.stopped.is_some() {
            return false;
        }
        let empty = Batch::new();
        let batch = std::mem::replace(&mut state.batch, empty);
        let is_last = state.is_over;
        drop(state);
        self.changed.notify_all();
        let stopped = match self.push_all(batch, is_last) {
            Ok(true) if !is_last => return true,
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        };
        self.lock().stopped = Some(stopped);
        self.changed.notify_all();
        false
    }

    /// Pushes a batch, in as many messages as it takes; `false` when the server wants no more.
    fn push_all(&self, mut batch: Batch<T>, is_last: bool) -> Result<bool, CallError> {
        let mut portion = Portion(usize::MAX);
        loop {
            let items = portion.of(batch.sendable());
            let over = is_last && items == batch.len();
            let control = self.target.control(&batch, items, over)?;
            let pushed = self.target.wait(self.target.request(), &control);
            drop(control);
            match pushed {
                Ok(answer) => {
                    batch.forget(items);
                    if !self.target.read(answer)? {
                        return Ok(false);
                    }
                    if over || batch.is_empty() && !is_last {
                        return Ok(true);
                    }
                }
                Err(Waited::Failed(ChannelError::TooLarge { .. })) if portion.shrink(items) => {}
                Err(waited) => return Err(self.target.error(waited)),
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Feeds a stream from a future.
pub(in crate::client) struct Feeding<'a, T> {
    target: Target<'a>,
    /// What has been made and not been pushed.
    batch: Batch<T>,
    pushing: Option<Pushing<T>>,
    portion: Portion,
    /// No more items come, or are wanted.
    is_over: bool,
    /// The server knows.
    is_told: bool,
}

/// A push on its way.
struct Pushing<T> {
    request: Request,
    batch: Batch<T>,
    items: usize,
    over: bool,
}

impl<'a, T: Wire> Feeding<'a, T> {
    pub(in crate::client) fn new(target: Target<'a>) -> Self {
        let batch = Batch::new();
        let portion = Portion(usize::MAX);
        Self { target, batch, pushing: None, portion, is_over: false, is_told: false }
    }

    /// Completes when all items have been pushed, or as many as the server wants.
    pub(in crate::client) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        mut items: Pin<&mut impl Stream<Item = T>>,
    ) -> Poll<Result<(), CallError>> {
        loop {
            while !self.is_over && !self.batch.is_full() {
                match items.as_mut().poll_next(cx) {
                    Poll::Ready(Some(item)) => {
                        let piece = Piece::new(item, self.target.streams.codec);
                        self.batch.push(piece.map_err(not_encoded)?);
                    }
                    Poll::Ready(None) => self.is_over = true,
                    Poll::Pending => break,
                }
            }
            if self.is_told {
                return Poll::Ready(Ok(()));
            }
            if self.pushing.is_none() {
                if self.batch.is_empty() && !self.is_over {
                    return Poll::Pending;
                }
                self.begin_push();
            }
            ready!(self.poll_push(cx))?;
        }
    }

    fn begin_push(&mut self) {
        let empty = Batch::new();
        let batch = std::mem::replace(&mut self.batch, empty);
        self.push_portion(batch, self.is_over);
    }

    fn push_portion(&mut self, batch: Batch<T>, is_last: bool) {
        let items = self.portion.of(batch.sendable());
        let over = is_last && items == batch.len();
        let request = self.target.request();
        self.pushing = Some(Pushing { request, batch, items, over });
    }

    /// Completes when the push that is on its way has been answered.
    fn poll_push(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), CallError>> {
        let Some(pushing) = &mut self.pushing else { return Poll::Ready(Ok(())) };
        let Pushing { request, batch, items, over } = pushing;
        let control = self.target.control(batch, *items, *over)?;
        let ended = ready!(request.poll(cx, &control));
        drop(control);
        let Some(Pushing { request, mut batch, items, over }) = self.pushing.take() else {
            return Poll::Ready(Ok(()));
        };
        match ended {
            Ok(()) => {
                batch.forget(items);
                let is_wanted = self.target.read(request.answer)?;
                if !is_wanted || over {
                    self.is_over = true;
                    self.is_told = true;
                } else if !batch.is_empty() {
                    // What has come meanwhile is behind it, so it cannot be the last.
                    self.push_portion(batch, false);
                }
                Poll::Ready(Ok(()))
            }
            Err(ChannelError::TooLarge { .. }) if self.portion.shrink(items) => {
                self.push_portion(batch, over);
                Poll::Ready(Ok(()))
            }
            Err(error) => Poll::Ready(Err(self.target.connection.call_error(error))),
        }
    }
}
