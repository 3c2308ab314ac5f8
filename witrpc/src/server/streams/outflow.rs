//! A stream that a method returns: made by a task, pulled by the client.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use futures_core::Stream;

use crate::__private::v1::Wire;
use crate::codec::{Batch, Codec, EncodeItem, Piece, encode_item};
use crate::server::job::Counted;
use crate::server::reply::Reply;
use crate::server::session::ClientSession;
use crate::transport::{ChannelError, Session};
use crate::wake::wake;

use super::{Asked, Course, Flow, Lifeline};

/// How long a producer that could go on keeps its thread before it lets others.
const SLICE: Duration = Duration::from_micros(200);

/// How many items it makes between two looks at the clock.
const ITEMS_A_LOOK: u32 = 16;

/// How the items of a stream are encoded, for generated code.
///
/// What a type must be able to do is asked for where this is made, and nowhere behind it: of one that
/// cannot, users are told once.
pub struct ItemEncoding<T>(EncodeItem<T>);

/// How items of this type are.
#[must_use]
pub fn encoding_of<T: Wire>() -> ItemEncoding<T> {
    ItemEncoding(encode_item::<T>)
}

/// How `Result`s of these types are.
#[must_use]
pub fn encoding_of_results<T: Wire, E: Wire>() -> ItemEncoding<Result<T, E>> {
    encoding_of()
}

/// The items that wait, and whoever waits for them or for room.
pub(in crate::server) struct Outflow<T> {
    codec: Codec,
    encode: EncodeItem<T>,
    session: Session,
    /// The client's number of the stream.
    number: u64,
    /// The call that is answered when the stream is open, until it is.
    opening: Mutex<Option<Opening>>,
    state: Mutex<State<T>>,
    lifeline: Arc<Lifeline>,
}

/// A call whose answer is that its stream is open. A shutdown waits for it.
struct Opening {
    asked: Asked,
    _counted: Counted,
}

struct State<T> {
    batch: Batch<T>,
    /// The pull that came when nothing was there.
    waiting: Option<Asked>,
    /// How it ended, once it has.
    end: Option<End>,
    /// The client wants no more.
    closed: bool,
    /// Whoever makes the items, when it waits.
    producer: Option<Waker>,
}

/// How a stream ended.
enum End {
    Finished,
    Panicked(String),
    NotEncoded(String),
}

/// Whether more items can be taken.
#[derive(PartialEq, Eq)]
enum Room {
    More,
    /// Not before some have been pulled.
    Full,
    /// Nobody wants any.
    Closed,
}

impl<T: 'static> Outflow<T> {
    pub(in crate::server) fn new(
        session: &Session,
        number: u64,
        encoding: ItemEncoding<T>,
        asked: Asked,
        counted: Counted,
    ) -> Arc<Self> {
        let codec = asked.codec;
        let state =
            State { batch: Batch::new(), waiting: None, end: None, closed: false, producer: None };
        Arc::new(Self {
            codec,
            encode: encoding.0,
            session: session.clone(),
            number,
            opening: Mutex::new(Some(Opening { asked, _counted: counted })),
            state: Mutex::new(state),
            lifeline: Lifeline::returned(),
        })
    }

    /// What the method's context asks.
    pub(in crate::server) fn lifeline(&self) -> &Arc<Lifeline> {
        &self.lifeline
    }

    /// Answers the call that was to open the stream, unless that has happened; whether it had not.
    pub(in crate::server) fn answer_call(&self, answer: impl FnOnce(Reply<'_>)) -> bool {
        let opening = self.opening.lock().unwrap_or_else(PoisonError::into_inner).take();
        let unanswered = opening.is_some();
        opening.inspect(|opening| answer(opening.asked.reply()));
        unanswered
    }

    /// The method has panicked, or its future was dropped.
    pub(in crate::server) fn panicked(&self, message: &str) {
        if !self.answer_call(|reply| reply.panicked(message)) {
            self.end(End::Panicked(message.to_owned()));
        }
    }

    /// Takes an item, and has it seen at once if somebody waits.
    #[inline]
    fn put(&self, item: T) -> Room {
        let piece = match Piece::encoded_by(self.encode, item, self.codec) {
            Ok(piece) => piece,
            Err(error) => {
                self.end(End::NotEncoded(error.to_string()));
                return Room::Closed;
            }
        };
        let mut state = self.lock();
        if state.closed {
            return Room::Closed;
        }
        state.batch.push(piece);
        if let Some(asked) = state.waiting.take() {
            if state.deliver(asked.reply()) == Course::GoesOn {
                return Room::More;
            }
            drop(state);
            self.lifeline.cut();
            ClientSession::of(&self.session).flows().forget(self.number);
            return Room::Closed;
        }
        if state.batch.is_full() { Room::Full } else { Room::More }
    }

    fn poll_room(&self, cx: &mut Context<'_>) -> Poll<Room> {
        let mut state = self.lock();
        if state.closed {
            Poll::Ready(Room::Closed)
        } else if state.batch.is_full() {
            state.wait(cx);
            Poll::Pending
        } else {
            Poll::Ready(Room::More)
        }
    }

    /// Whether the client has closed it; if not, wakes when it does.
    fn poll_closed(&self, cx: &mut Context<'_>) -> bool {
        let mut state = self.lock();
        if !state.closed {
            state.wait(cx);
        }
        state.closed
    }

    /// No more items come, unless it has ended before.
    fn end(&self, end: End) {
        let mut state = self.lock();
        if state.closed || state.end.is_some() {
            return;
        }
        state.end = Some(end);
        let Some(asked) = state.waiting.take() else { return };
        state.deliver(asked.reply());
        drop(state);
        ClientSession::of(&self.session).flows().forget(self.number);
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: 'static> State<T> {
    fn wait(&mut self, cx: &Context<'_>) {
        match &mut self.producer {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
    }

    /// Answers a pull with what is there, or how it ended.
    fn deliver(&mut self, reply: Reply<'_>) -> Course {
        let mut items = self.batch.sendable();
        if items == 0 {
            self.tell_end(reply);
            return Course::Over;
        }
        loop {
            let over = items == self.batch.len() && matches!(self.end, Some(End::Finished));
            match reply.batch(&self.batch, items, over) {
                Err(ChannelError::TooLarge { .. }) if items > 1 => items /= 2,
                Err(ChannelError::TooLarge { len, max }) => {
                    reply.too_large(len, max);
                    self.give_up();
                    return Course::Over;
                }
                _ => {
                    self.batch.forget(items);
                    return if over { Course::Over } else { Course::GoesOn };
                }
            }
        }
    }

    fn tell_end(&self, reply: Reply<'_>) {
        match &self.end {
            Some(End::Panicked(message)) => reply.panicked(message),
            Some(End::NotEncoded(message)) => reply.not_encoded(message),
            Some(End::Finished) | None => reply.end(),
        }
    }

    fn give_up(&mut self) {
        self.closed = true;
        self.batch.forget(self.batch.len());
    }
}

impl<T: Send + 'static> Flow for Outflow<T> {
    fn pull(&self, asked: Asked) -> Course {
        let mut state = self.lock();
        if state.waiting.is_some() {
            drop(state);
            asked.reply().bad_request("a pull of this stream is still unanswered");
            return Course::GoesOn;
        }
        if state.batch.is_empty() && state.end.is_none() && !state.closed {
            state.waiting = Some(asked);
            return Course::GoesOn;
        }
        let course = state.deliver(asked.reply());
        let producer = state.producer.take();
        drop(state);
        if course == Course::Over {
            self.lifeline.cut();
        }
        producer.into_iter().for_each(wake);
        course
    }

    fn close(&self) {
        // First, so that whatever the method's task learns of the close, its context knows it too.
        self.lifeline.cut();
        let mut state = self.lock();
        state.give_up();
        let (waiting, producer) = (state.waiting.take(), state.producer.take());
        drop(state);
        waiting.inspect(|asked| asked.reply().end());
        producer.into_iter().for_each(wake);
    }
}

impl<T> Drop for Outflow<T> {
    fn drop(&mut self) {
        self.lifeline.cut();
    }
}

/// Where a method's stream goes, for generated code: it ends with one of the three that take it.
pub struct StreamWriter<T> {
    flow: Arc<Outflow<T>>,
    /// The same, to whoever pulls.
    pulled: Arc<dyn Flow>,
}

impl<T: 'static> StreamWriter<T> {
    pub(in crate::server) fn new(flow: &Arc<Outflow<T>>) -> Self
    where
        T: Send,
    {
        Self { flow: Arc::clone(flow), pulled: Arc::clone(flow) as _ }
    }

    /// Streams what an iterator gives, in slices of time, and ends when that does or nobody wants
    /// more.
    pub async fn iterate(self, items: impl Iterator<Item = T> + Send) {
        if !self.open() {
            return;
        }
        let mut slice = Slice::new();
        for item in items {
            match self.flow.put(item) {
                Room::More => slice.step().await,
                Room::Full => {
                    if poll_fn(|cx| self.flow.poll_room(cx)).await == Room::Closed {
                        return;
                    }
                    slice = Slice::new();
                }
                Room::Closed => return,
            }
        }
        self.flow.end(End::Finished);
    }

    /// Streams what a stream gives, and ends when that does or nobody wants more.
    pub async fn forward(self, items: impl Stream<Item = T> + Send) {
        if !self.open() {
            return;
        }
        let mut items = pin!(items);
        let mut slice = Slice::new();
        while let Some(item) = poll_fn(|cx| self.poll_item(items.as_mut(), cx)).await {
            match self.flow.put(item) {
                Room::More => slice.step().await,
                Room::Full => {
                    if poll_fn(|cx| self.flow.poll_room(cx)).await == Room::Closed {
                        return;
                    }
                    slice = Slice::new();
                }
                Room::Closed => return,
            }
        }
        self.flow.end(End::Finished);
    }

    /// The method returned an error in place of a stream.
    pub fn refuse<E: Wire>(&self, error: &E) {
        self.flow.answer_call(|reply| reply.error(error));
    }

    /// The next item; `None` at the end, or when nobody wants it.
    fn poll_item(
        &self,
        items: Pin<&mut impl Stream<Item = T>>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<T>> {
        match items.poll_next(cx) {
            // Looked at after the poll: its waker is where a close finds it by then.
            Poll::Pending if self.flow.poll_closed(cx) => Poll::Ready(None),
            other => other,
        }
    }

    /// Tells the client that the stream is open; `false` when it is not.
    fn open(&self) -> bool {
        let Outflow { session, number, .. } = &*self.flow;
        let opened = ClientSession::of(session).flows().open(*number, Arc::clone(&self.pulled));
        if opened.is_ok() {
            self.flow.lifeline.open();
        }
        self.flow.answer_call(|reply| match opened {
            Ok(()) => reply.value(&()),
            Err(why) => reply.not_opened(why),
        });
        opened.is_ok()
    }
}

/// The time that a producer keeps its thread.
struct Slice {
    since: Option<Instant>,
    items: u32,
}

impl Slice {
    fn new() -> Self {
        Self { since: None, items: 0 }
    }

    /// One item more: lets others have the thread when it is their turn.
    async fn step(&mut self) {
        self.items += 1;
        if !self.items.is_multiple_of(ITEMS_A_LOOK) {
            return;
        }
        let since = *self.since.get_or_insert_with(Instant::now);
        if since.elapsed() >= SLICE {
            *self = Self::new();
            yield_now().await;
        }
    }
}

async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
