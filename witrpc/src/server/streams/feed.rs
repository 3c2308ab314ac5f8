//! A stream that a client feeds to a method, and the place where the method's answer is picked up.

use std::collections::VecDeque;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_core::Stream;

use crate::__private::v1::Wire;
use crate::codec::{Decoder, read_batch};
use crate::wake::wake;

use super::load::{Credit, Load};
use super::{Asked, Course, Flow, Lifeline};
use crate::server::job::DROPPED;

/// What a method's caller feeds, for generated code.
pub struct Feed<T>(Reader<T>);

// No bound stands here: a type that lacks them is an error where the feed is made, and there alone.
impl<T> Feed<T> {
    pub(in crate::server) fn new(state: &Arc<FeedState<T>>) -> Self {
        Self(Reader(Arc::clone(state)))
    }

    /// As an iterator, which blocks its thread until there is an item.
    pub fn iterator(self) -> FeedIterator<T> {
        FeedIterator(self.0)
    }

    /// As a stream.
    pub fn stream(self) -> FeedStream<T> {
        FeedStream(self.0)
    }
}

/// What a method gets for an `impl Iterator`.
pub struct FeedIterator<T>(Reader<T>);

/// What a method gets for an `impl Stream`.
pub struct FeedStream<T>(Reader<T>);

/// The method's end: the client learns when it is dropped.
struct Reader<T>(Arc<FeedState<T>>);

/// The items that have come, and the place for the answer.
pub(in crate::server) struct FeedState<T> {
    items: Mutex<Items<T>>,
    /// An item has come, or none will.
    changed: Condvar,
    slot: Slot,
    lifeline: Arc<Lifeline>,
}

struct Items<T> {
    queue: VecDeque<T>,
    /// A push that is answered when there is room for more.
    held: Option<Held>,
    /// For what is unread of pushes that were answered.
    credit: Option<Credit>,
    /// Grants it.
    load: Arc<Load>,
    /// The client has pushed its last item.
    over: bool,
    /// The client has gone, or has given the call up: the last item never comes.
    lost: bool,
    /// The method wants no more.
    unwanted: bool,
    reader: Option<Waker>,
}

/// A push that came while others were unread, or while there was no credit for more.
struct Held {
    asked: Asked,
    /// How many items it brought: when no others are unread, it can be answered.
    items: usize,
    /// How long it was.
    len: usize,
}

impl<T: Wire> FeedState<T> {
    pub(in crate::server) fn new(load: &Arc<Load>) -> Arc<Self> {
        let items = Items {
            queue: VecDeque::new(),
            held: None,
            credit: None,
            load: Arc::clone(load),
            over: false,
            lost: false,
            unwanted: false,
            reader: None,
        };
        let (items, changed, slot) = (Mutex::new(items), Condvar::new(), Slot::default());
        Arc::new(Self { items, changed, slot, lifeline: Lifeline::taken() })
    }

    /// Takes what a push brings, or says why it makes no sense.
    fn take(&self, asked: &Asked, len: usize, decoder: &mut Decoder<'_>) -> Result<Taken, String> {
        let words = |error: crate::codec::DecodeError| error.to_string();
        let over = decoder.number("over").map_err(words)? != 0;
        let batch = read_batch::<T>(decoder).map_err(words)?;
        decoder.finish().map_err(words)?;
        let mut items = self.lock();
        if items.held.is_some() {
            return Err("a push of this stream is still unanswered".to_owned());
        }
        if items.over {
            return Err("this stream is over".to_owned());
        }
        if items.unwanted || items.lost {
            return Ok(Taken::Unwanted);
        }
        let (unread, new) = (items.queue.len(), batch.len());
        items.over = over;
        items.queue.extend(batch);
        let has_room = over || unread == 0 && items.get_credit(len);
        if !has_room {
            items.held = Some(Held { asked: asked.clone(), items: new, len });
        }
        let taken = if has_room { Taken::Room } else { Taken::Held };
        let reader = items.reader.take();
        drop(items);
        self.changed.notify_one();
        reader.into_iter().for_each(wake);
        Ok(taken)
    }
}

impl<T> FeedState<T> {
    fn lock(&self) -> MutexGuard<'_, Items<T>> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What became of a push.
enum Taken {
    /// There is room for more.
    Room,
    /// It is answered when there is.
    Held,
    /// The method wants no more.
    Unwanted,
}

impl<T: Wire> Flow for FeedState<T> {
    fn pull(&self, asked: Asked) -> Course {
        self.slot.fill(asked)
    }

    fn push(&self, asked: Asked, len: usize, items: &mut Decoder<'_>) -> Course {
        match self.take(&asked, len, items) {
            Ok(Taken::Room) => asked.reply().value(&()),
            Ok(Taken::Held) => {}
            Ok(Taken::Unwanted) => asked.reply().end(),
            Err(problem) => asked.reply().bad_request(&problem),
        }
        Course::GoesOn
    }

    fn close(&self) {
        // First, so that whatever the method's task learns of the close, its context knows it too.
        self.lifeline.cut();
        let mut items = self.lock();
        items.lost = true;
        let (held, reader) = (items.held.take(), items.reader.take());
        drop(items);
        held.inspect(|held| held.asked.reply().end());
        self.changed.notify_all();
        reader.into_iter().for_each(wake);
        self.slot.lose();
    }
}

impl<T> Items<T> {
    /// The next item, and the push to answer for it.
    fn pop(&mut self) -> Option<(T, Option<Asked>)> {
        let item = self.queue.pop_front()?;
        if self.queue.is_empty() {
            self.credit = None;
            return Some((item, self.held.take().map(|held| held.asked)));
        }
        let len = match &self.held {
            // At the first moment alone: without credit now, it waits for the last item.
            Some(held) if self.queue.len() == held.items => held.len,
            _ => return Some((item, None)),
        };
        let granted = self.get_credit(len).then(|| self.held.take()).flatten();
        Some((item, granted.map(|held| held.asked)))
    }

    /// Whether the only unread items, of a push of so many bytes, may wait behind its answer.
    fn get_credit(&mut self, len: usize) -> bool {
        self.credit = None;
        self.credit = self.load.grant(len);
        self.credit.is_some()
    }
}

impl<T> Iterator for FeedIterator<T> {
    type Item = T;

    /// When the client goes before its last item, the method is left by unwinding: it would take
    /// what it has for all there is. Where panics abort, a server with such a method does not start.
    fn next(&mut self) -> Option<T> {
        let state = &self.0.0;
        let mut items = state.lock();
        loop {
            if let Some((item, room)) = items.pop() {
                drop(items);
                room.inspect(|asked| asked.reply().value(&()));
                return Some(item);
            }
            if items.over {
                return None;
            }
            if items.lost {
                drop(items);
                resume_unwind(Box::new("the client has gone before the end of its stream"));
            }
            items = state.changed.wait(items).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl<T> Stream for FeedStream<T> {
    type Item = T;

    /// When the client goes before its last item, there is no next one, and the method's future is
    /// dropped.
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        // Cloned, and dropped, without the lock: it is code of the user's.
        let reader = cx.waker().clone();
        let mut items = self.0.0.lock();
        if let Some((item, room)) = items.pop() {
            drop(items);
            room.inspect(|asked| asked.reply().value(&()));
            return Poll::Ready(Some(item));
        }
        if items.over {
            return Poll::Ready(None);
        }
        let former = if items.lost { Some(reader) } else { items.reader.replace(reader) };
        drop(items);
        drop(former);
        Poll::Pending
    }
}

impl<T> Drop for Reader<T> {
    fn drop(&mut self) {
        let mut items = self.0.lock();
        items.unwanted = true;
        let held = items.held.take();
        let unread = (std::mem::take(&mut items.queue), items.credit.take());
        drop(items);
        held.inspect(|held| held.asked.reply().end());
        drop(unread);
    }
}

/// Where the answer of a method that takes a stream is picked up: the call itself was answered when
/// the stream was open.
#[derive(Default)]
pub(in crate::server) struct Slot(Mutex<Pickup>);

#[derive(Default)]
struct Pickup {
    asked: Option<Asked>,
    /// The client has gone or has given the call up.
    lost: bool,
    /// The method has gone without an answer.
    dropped: bool,
    /// The method's job, which waits for either.
    job: Option<Waker>,
}

impl Slot {
    /// The client asks for the answer.
    fn fill(&self, asked: Asked) -> Course {
        let mut pickup = self.lock();
        if pickup.asked.is_some() {
            drop(pickup);
            asked.reply().bad_request("the answer has been asked for already");
            return Course::GoesOn;
        }
        if pickup.lost {
            drop(pickup);
            asked.reply().end();
            return Course::GoesOn;
        }
        if pickup.dropped {
            drop(pickup);
            asked.reply().panicked(DROPPED);
            return Course::Over;
        }
        pickup.asked = Some(asked);
        let job = pickup.job.take();
        drop(pickup);
        job.into_iter().for_each(wake);
        Course::GoesOn
    }

    fn lose(&self) {
        let mut pickup = self.lock();
        pickup.lost = true;
        let (asked, job) = (pickup.asked.take(), pickup.job.take());
        drop(pickup);
        // Whoever gave the call up has its lane back only when this is answered.
        asked.inspect(|asked| asked.reply().end());
        job.into_iter().for_each(wake);
    }

    /// Whether nobody will ask for the answer; if somebody may, wakes when that changes.
    pub(in crate::server) fn poll_lost(&self, cx: &mut Context<'_>) -> bool {
        let job = cx.waker().clone();
        let mut pickup = self.lock();
        let former = pickup.job.replace(job);
        let lost = pickup.lost;
        drop(pickup);
        drop(former);
        lost
    }

    /// Whoever asks for the answer; `None` when nobody will.
    pub(in crate::server) fn poll_asked(&self, cx: &mut Context<'_>) -> Poll<Option<Asked>> {
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

    /// There will be no answer. Whoever has asked for it already is returned.
    pub(in crate::server) fn give_up(&self) -> Option<Asked> {
        let mut pickup = self.lock();
        pickup.dropped = true;
        pickup.asked.take()
    }

    fn lock(&self) -> MutexGuard<'_, Pickup> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The slot and the lifeline of a feed, whatever its items are.
pub(in crate::server) trait HasSlot: Send + Sync {
    fn slot(&self) -> &Slot;

    /// What the method's context asks.
    fn lifeline(&self) -> &Arc<Lifeline>;
}

impl<T: Wire> HasSlot for FeedState<T> {
    fn slot(&self) -> &Slot {
        &self.slot
    }

    fn lifeline(&self) -> &Arc<Lifeline> {
        &self.lifeline
    }
}

impl<T> Drop for FeedState<T> {
    fn drop(&mut self) {
        self.lifeline.cut();
    }
}
