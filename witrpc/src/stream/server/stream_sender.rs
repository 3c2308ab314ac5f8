//! A stream that a method returns: a task makes its items, and the client pulls them.
//!
//! # Invariants
//!
//! 1. Answers are given without the lock: within one process, an answer wakes its receiver, which is user
//!    code. Meanwhile the batch is *out*, with the one thread that answers.
//! 2. While the batch is out, new items and a new pull wait in the state. The thread that answers puts
//!    back what it could not send, before these items, and answers that pull. So items stay in order, and
//!    no item waits while a pull waits.
//! 3. Wakers are cloned, woken and dropped without the lock.
//! 4. Plain items that no pull waits for are in the [`run`](crate::stream::run), whose maker is the task.
//!    Each look at the batch first takes them over, so the batch is the whole of what can be sent.

use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use witrpc_rt::{lock, wake};
use witrpc_transport::{ChannelError, Session};

use crate::call::server::counted::Counted;
use crate::call::server::pending_reply::PendingReply;
use crate::call::server::reply::Reply;
use crate::codec::{Batch, Codec, EncodeItem, Piece, plain_to_word};
use crate::stream::run::{Added, Run, RunState};

use super::ServerStreams;
use super::server_stream::{ServerStream, StreamStatus};
use super::slot::Unheard;
use super::stream_cancel::StreamCancel;

mod slice;
#[cfg(test)]
mod tests;
mod writer;

pub use writer::StreamWriter;

/// The items that wait, and the wakers that wait for items or for room.
pub struct StreamSender<T> {
    codec: Codec,
    encode: EncodeItem<T>,
    session: Session,
    /// The client's number of the stream.
    number: u64,
    /// The call that is answered when the stream is open; `None` after that.
    opening: Mutex<Option<Opening>>,
    state: Mutex<SendState<T>>,
    /// The plain items that the producer has made without the lock.
    run: Run,
    /// The state that tells the method's context whether the stream is still wanted.
    pub stream_cancel: Arc<StreamCancel>,
}

/// A call whose answer says that its stream is open. A shutdown waits for it.
struct Opening {
    asked: PendingReply,
    _counted: Counted,
}

struct SendState<T> {
    batch: Batch<T>,
    run: RunState,
    /// A thread has taken the batch out, to answer a pull.
    is_out: bool,
    /// The pull that came when no item was there, or while the batch was out.
    waiting: Option<PendingReply>,
    /// How the stream ended, once it has.
    end: Option<StreamEnd>,
    /// The client wants no more items.
    closed: bool,
    /// The waker of the producer, when it waits.
    producer: Option<Waker>,
}

/// The end of a stream, and its cause.
#[derive(Clone)]
enum StreamEnd {
    Finished,
    Panicked(String),
    NotEncoded(String),
}

/// The room for more items.
#[derive(PartialEq, Eq)]
enum Room {
    More,
    /// Not until some have been pulled.
    Full,
    /// The client wants no more items.
    Closed,
}

impl<T: 'static> StreamSender<T> {
    pub fn new(
        session: &Session,
        number: u64,
        encode: EncodeItem<T>,
        asked: PendingReply,
        counted: Counted,
    ) -> Arc<Self> {
        let codec = asked.codec;
        let state = SendState {
            batch: Batch::new(),
            run: RunState::default(),
            is_out: false,
            waiting: None,
            end: None,
            closed: false,
            producer: None,
        };
        Arc::new(Self {
            codec,
            encode,
            session: session.clone(),
            number,
            opening: Mutex::new(Some(Opening { asked, _counted: counted })),
            state: Mutex::new(state),
            run: Run::new(),
            stream_cancel: StreamCancel::returned(),
        })
    }

    /// Answers the call that opens the stream, unless it is already answered. Returns whether it
    /// answered now.
    pub fn answer_call(&self, answer: impl FnOnce(Reply<'_>)) -> bool {
        let opening = lock(&self.opening).take();
        let unanswered = opening.is_some();
        opening.inspect(|opening| answer(opening.asked.reply()));
        unanswered
    }

    /// Ends the stream, because the method has panicked or its future was dropped.
    pub fn panicked(&self, message: &str) {
        if !self.answer_call(|reply| reply.panicked(message)) {
            self.end(StreamEnd::Panicked(message.to_owned()));
        }
    }

    /// Takes an item, and sends it at once if a pull waits. Only the producer may call this.
    #[inline]
    fn put(&self, item: T) -> Room {
        if let Some(word) = plain_to_word(&item) {
            match self.run.add(word) {
                Added::Quietly => return Room::More,
                Added::Wanted => return self.put_piece(None),
                Added::Not => {}
            }
        }
        match Piece::encoded_by(self.encode, item, self.codec) {
            Ok(piece) => self.put_piece(Some(piece)),
            Err(error) => {
                self.end(StreamEnd::NotEncoded(error.to_string()));
                Room::Closed
            }
        }
    }

    /// Takes an item, or what the run has, and sends it at once if a pull waits.
    fn put_piece(&self, piece: Option<Piece<T>>) -> Room {
        let mut state = lock(&self.state);
        if state.closed {
            return Room::Closed;
        }
        state.take_run(&self.run);
        self.run.close(&mut state.run);
        if let Some(piece) = piece {
            state.batch.push(piece);
        }
        if state.waiting.is_none() {
            let room = state.batch.room_for_numbers();
            self.run.open(&mut state.run, room);
            return state.room();
        }
        let (state, status) = self.answer(state);
        if status == StreamStatus::GoesOn {
            return state.room();
        }
        drop(state);
        self.stream_cancel.cut();
        ServerStreams::of(&self.session).forget(self.number);
        Room::Closed
    }

    fn poll_room(&self, cx: &mut Context<'_>) -> Poll<Room> {
        self.wait_unless(cx, |state| {
            if state.closed {
                Some(Room::Closed)
            } else {
                (!state.batch.is_full()).then_some(Room::More)
            }
        })
    }

    /// Returns whether the client has closed it. If not, wakes when it does.
    fn poll_closed(&self, cx: &mut Context<'_>) -> bool {
        self.wait_unless(cx, |state| state.closed.then_some(())).is_ready()
    }

    /// Wakes the producer at the next change, unless it need not wait.
    fn wait_unless<R>(
        &self,
        cx: &mut Context<'_>,
        ready: impl Fn(&SendState<T>) -> Option<R>,
    ) -> Poll<R> {
        let mut state = lock(&self.state);
        if let Some(ready) = ready(&state) {
            return Poll::Ready(ready);
        }
        if state.producer.as_ref().is_some_and(|known| known.will_wake(cx.waker())) {
            return Poll::Pending;
        }
        drop(state);
        let producer = cx.waker().clone();
        state = lock(&self.state);
        // The state may have changed since.
        let ready = ready(&state);
        let spare = match ready {
            Some(_) => Some(producer),
            None => state.producer.replace(producer),
        };
        drop(state);
        drop(spare);
        ready.map_or(Poll::Pending, Poll::Ready)
    }

    /// Answers the waiting pull if there is something to send, and then the pulls that arrive
    /// meanwhile. Returns whether the stream continues.
    fn answer<'a>(
        &'a self,
        mut state: MutexGuard<'a, SendState<T>>,
    ) -> (MutexGuard<'a, SendState<T>>, StreamStatus) {
        let mut status = StreamStatus::GoesOn;
        while !state.is_out
            && state.waiting.is_some()
            && (state.has_items(&self.run) || state.end.is_some() || state.closed)
            && let Some(asked) = state.waiting.take()
        {
            let mut batch = std::mem::replace(&mut state.batch, Batch::new());
            let end = state.end.clone();
            state.is_out = true;
            drop(state);
            let delivered = deliver(&asked.reply(), &mut batch, end.as_ref());
            drop(asked);
            state = lock(&self.state);
            state.is_out = false;
            let more = std::mem::replace(&mut state.batch, Batch::new());
            batch.append(more);
            state.batch = batch;
            if delivered == Delivered::TooLong || state.closed {
                state.give_up(&self.run);
            }
            if delivered != Delivered::GoesOn {
                status = StreamStatus::Over;
            }
        }
        (state, status)
    }

    /// Ends the stream, unless it has ended before.
    fn end(&self, end: StreamEnd) {
        let mut state = lock(&self.state);
        if state.closed || state.end.is_some() {
            return;
        }
        state.end = Some(end);
        let (state, status) = self.answer(state);
        drop(state);
        if status == StreamStatus::Over {
            ServerStreams::of(&self.session).forget(self.number);
        }
    }
}

/// The outcome of a pull.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Delivered {
    GoesOn,
    /// Everything was sent.
    Over,
    /// An item is too long for any message.
    TooLong,
}

/// Answers a pull with the items in the batch, and removes the sent ones, or answers with the end
/// of the stream.
fn deliver<T: 'static>(
    reply: &Reply<'_>,
    batch: &mut Batch<T>,
    end: Option<&StreamEnd>,
) -> Delivered {
    let mut items = batch.sendable();
    if items == 0 {
        match end {
            Some(StreamEnd::Panicked(message)) => reply.panicked(message),
            Some(StreamEnd::NotEncoded(message)) => reply.not_encoded(message),
            Some(StreamEnd::Finished) | None => reply.end(),
        }
        return Delivered::Over;
    }
    loop {
        let over = items == batch.len() && matches!(end, Some(StreamEnd::Finished));
        match reply.batch(batch, items, over) {
            Err(ChannelError::TooLarge { .. }) if items > 1 => items /= 2,
            Err(ChannelError::TooLarge { len, max }) => {
                reply.too_large(len, max);
                return Delivered::TooLong;
            }
            _ => {
                batch.forget(items);
                return if over { Delivered::Over } else { Delivered::GoesOn };
            }
        }
    }
}

impl<T: 'static> SendState<T> {
    fn room(&self) -> Room {
        if self.batch.is_full() { Room::Full } else { Room::More }
    }

    /// Takes the items of the run over, if they are wanted.
    fn take_run(&mut self, run: &Run) {
        if self.closed {
            return;
        }
        self.batch.extend_from_words(run.take(&mut self.run));
    }

    /// Returns whether there are items to send. If not, the producer looks at the state after the next.
    fn has_items(&mut self, run: &Run) -> bool {
        self.take_run(run);
        if self.batch.is_empty() && run.want(&mut self.run) {
            self.take_run(run);
        }
        !self.batch.is_empty()
    }

    /// Wants no more items, and drops those that wait.
    fn give_up(&mut self, run: &Run) {
        run.interrupt(&self.run);
        self.closed = true;
        self.batch.forget(self.batch.len());
    }
}

impl<T: Send + 'static> ServerStream for StreamSender<T> {
    fn pull(&self, asked: PendingReply) -> StreamStatus {
        let mut state = lock(&self.state);
        if state.waiting.is_some() {
            drop(state);
            asked.reply().bad_request("a pull of this stream is still unanswered");
            return StreamStatus::GoesOn;
        }
        state.waiting = Some(asked);
        let (mut state, status) = self.answer(state);
        let has_room = status == StreamStatus::Over || !state.batch.is_full();
        let producer = if has_room { state.producer.take() } else { None };
        drop(state);
        if status == StreamStatus::Over {
            self.stream_cancel.cut();
        }
        producer.into_iter().for_each(wake);
        status
    }

    fn close(&self) -> Option<Unheard> {
        // Cut before the waker is called, so that the method's context knows of the close when its
        // task does.
        self.stream_cancel.cut();
        let mut state = lock(&self.state);
        state.give_up(&self.run);
        let (waiting, producer) = (state.waiting.take(), state.producer.take());
        drop(state);
        waiting.inspect(|asked| asked.reply().end());
        producer.into_iter().for_each(wake);
        None
    }
}

impl<T> Drop for StreamSender<T> {
    fn drop(&mut self) {
        self.stream_cancel.cut();
    }
}
