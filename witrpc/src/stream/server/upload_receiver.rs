//! A stream that a client uploads to a method.
//!
//! The method takes the items of a whole message at once, under the lock, and then has them one by one
//! without it. At most two messages are unread: that one, or the one before it, and one whose push is
//! held until the other has been read.

use std::collections::VecDeque;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Waker};

use futures_core::Stream;
use witrpc_rt::{lock, wait, wake};

use crate::call::server::pending_reply::PendingReply;
use crate::codec::Decoder;
use crate::method::UploadItem;
use crate::stream::protocol::{Notice, UploadState, credit, push};

use super::ServerStreams;
use super::notices::Notices;
use super::server_stream::{ServerStream, StreamStatus};
use super::slot::{HasSlot, LeftUnanswered, Slot, Unanswered, Unheard};
use super::stream_cancel::StreamCancel;
use super::stream_limits::{Credit, StreamLimits};
use super::unread::Unread;

/// The items that a method's caller uploads, for generated code.
pub struct UploadReceiver<T>(Reader<T>);

// This impl has no bound: so a type that lacks one is an error only where the receiver is made.
impl<T> UploadReceiver<T> {
    pub(crate) fn new(state: &Arc<UploadReceiverState<T>>) -> Self {
        Self(Reader { state: Arc::clone(state), items: Unread::default() })
    }

    /// Returns the items as an iterator, which blocks its thread until there is an item.
    pub fn iterator(self) -> UploadIterator<T> {
        UploadIterator(self.0)
    }

    /// Returns the items as a stream.
    pub fn stream(self) -> UploadStream<T> {
        UploadStream(self.0)
    }
}

/// The items of an upload, for a method that takes an `impl Iterator`.
pub struct UploadIterator<T>(Reader<T>);

/// The items of an upload, for a method that takes an `impl Stream`.
pub struct UploadStream<T>(Reader<T>);

/// The method's end. The client learns when it is dropped.
struct Reader<T> {
    state: Arc<UploadReceiverState<T>>,
    /// The items of the message that is being read.
    items: Unread<T>,
}

/// The items that have arrived, and the slot for the answer.
pub struct UploadReceiverState<T> {
    items: Mutex<ReceivedItems<T>>,
    /// Signalled when an item has arrived, or none will.
    changed: Condvar,
    slot: Slot,
    stream_cancel: Arc<StreamCancel>,
    /// The client's number of the stream.
    number: u64,
    /// The notices of this client, for news for which no request of this stream waits.
    notices: Arc<Notices>,
}

struct ReceivedItems<T> {
    /// The items of each message that the method has not begun to read.
    messages: VecDeque<Unread<T>>,
    /// The method has begun to read a message, and has not taken the last of its items.
    is_reading: bool,
    /// A push that is answered as soon as there is room.
    held: Option<HeldPush>,
    /// Whether the method has taken an item, or has learned that there is none.
    taken: bool,
    /// The credit for unread items of pushes that were answered.
    credit: Option<Credit>,
    /// The limits that grant the credit.
    load: Arc<StreamLimits>,
    /// The client has pushed its last item.
    over: bool,
    /// Whether the client has disconnected or given the call up: the last item never comes.
    lost: bool,
    /// Whether the client gave the call up because the method had taken no item. The method then
    /// takes none.
    withdrawn: bool,
    /// The method wants no more items.
    unwanted: bool,
    reader: Option<Waker>,
}

/// A push that arrived while other items were unread, or while there was no credit for more.
struct HeldPush {
    room: RoomNotice,
    /// The length of its message. When only its items are unread, it can be answered.
    len: usize,
}

/// The way in which a client learns that there is room.
enum RoomNotice {
    /// The answer to its push.
    Answer(PendingReply),
    /// A notice, because the push was answered at once.
    Notice,
}

impl<T: UploadItem> UploadReceiverState<T> {
    /// Creates the state of the client's stream of that number.
    pub fn new(server_streams: &ServerStreams, number: u64) -> Arc<Self> {
        let items = ReceivedItems {
            messages: VecDeque::new(),
            is_reading: false,
            held: None,
            taken: false,
            credit: None,
            load: Arc::clone(&server_streams.load),
            over: false,
            lost: false,
            withdrawn: false,
            unwanted: false,
            reader: None,
        };
        let (items, changed, slot) = (Mutex::new(items), Condvar::new(), Slot::default());
        let (stream_cancel, notices) = (StreamCancel::taken(), Arc::clone(&server_streams.notices));
        Arc::new(Self { items, changed, slot, stream_cancel, number, notices })
    }

    /// Takes the items of a push. Returns the rule that the push breaks, if it breaks one.
    fn take(
        &self,
        asked: &PendingReply,
        len: usize,
        decoder: &mut Decoder<'_>,
    ) -> Result<Taken, String> {
        let words = |error: crate::codec::DecodeError| error.to_string();
        let flags = decoder.number("flags").map_err(words)?;
        if flags & !(push::LAST | push::WAITS) != 0 {
            return Err(format!("the flags {flags:#x} of a push have no meaning"));
        }
        let over = flags & push::LAST != 0;
        let message = Unread::from(T::read_batch(decoder).map_err(words)?);
        decoder.finish().map_err(words)?;
        let mut items = lock(&self.items);
        if items.held.is_some() {
            return Err("there is no room yet for another push of this stream".to_owned());
        }
        if items.over {
            return Err("this stream is over".to_owned());
        }
        if items.unwanted || items.lost {
            return Ok(Taken::Unwanted);
        }
        let has_room = over || !items.has_unread() && items.get_credit(len);
        items.over = over;
        if !message.is_empty() {
            items.messages.push_back(message);
        }
        let waits = flags & push::WAITS != 0;
        if !has_room {
            let room = if waits { RoomNotice::Answer(asked.clone()) } else { RoomNotice::Notice };
            items.held = Some(HeldPush { room, len });
        }
        let taken_before = if items.taken { credit::TAKEN } else { 0 };
        let taken = match (has_room, waits) {
            (true, _) => Taken::Answer(taken_before),
            (false, false) => Taken::Answer(taken_before | credit::FULL),
            (false, true) => Taken::HeldPush,
        };
        let reader = items.reader.take();
        drop(items);
        self.changed.notify_one();
        reader.into_iter().for_each(wake);
        Ok(taken)
    }
}

impl<T> UploadReceiverState<T> {
    /// Tells the client that there is room for more items.
    fn tell_room(&self, room: RoomNotice) {
        match room {
            RoomNotice::Answer(asked) => asked.reply().number(credit::TAKEN),
            RoomNotice::Notice => self.notices.tell(self.number, Notice::Room),
        }
    }

    /// Tells the client that no more items are wanted. A client that learns of room by a notice
    /// learns this with its next push.
    fn tell_unwanted(&self, room: RoomNotice) {
        match room {
            RoomNotice::Answer(asked) => asked.reply().end(),
            RoomNotice::Notice => self.notices.tell(self.number, Notice::Room),
        }
    }
}

/// The outcome of a push.
enum Taken {
    /// The push is answered with these flags.
    Answer(u64),
    /// The push is answered when there is room for more items.
    HeldPush,
    /// The method wants no more items.
    Unwanted,
}

impl<T: UploadItem> ServerStream for UploadReceiverState<T> {
    fn pull(&self, asked: PendingReply) -> StreamStatus {
        self.slot.fill(asked)
    }

    fn push(&self, asked: PendingReply, len: usize, items: &mut Decoder<'_>) -> StreamStatus {
        match self.take(&asked, len, items) {
            Ok(Taken::Answer(flags)) => asked.reply().number(flags),
            Ok(Taken::HeldPush) => {}
            Ok(Taken::Unwanted) => asked.reply().end(),
            Err(problem) => asked.reply().bad_request(&problem),
        }
        StreamStatus::GoesOn
    }

    fn close(&self) -> Option<Unheard> {
        // Cut before the waker is called, so that the method's context knows of the close when its
        // task does.
        self.stream_cancel.cut();
        let mut items = lock(&self.items);
        items.lost = true;
        let (held, reader) = (items.held.take(), items.reader.take());
        drop(items);
        held.into_iter().for_each(|held| self.tell_unwanted(held.room));
        self.changed.notify_all();
        reader.into_iter().for_each(wake);
        self.slot.lose()
    }

    fn is_upload(&self) -> bool {
        true
    }

    fn give_up(&self) -> UploadState {
        // Checked before the items are locked. If the method ends in between, the call counts as
        // given up at the method's last moment.
        if self.slot.is_finished() {
            return UploadState::GoesOn;
        }
        let mut items = lock(&self.items);
        // Without an item, the method waits for the client.
        let is_uploaded = items.over || items.has_unread();
        if items.taken || !is_uploaded {
            return UploadState::GoesOn;
        }
        // Set under the lock of the items, so that none is taken afterwards.
        items.lost = true;
        items.withdrawn = true;
        drop(items);
        UploadState::NothingTaken
    }
}

impl<T> ReceivedItems<T> {
    fn has_unread(&self) -> bool {
        self.is_reading || !self.messages.is_empty()
    }

    /// Takes the items of the next message.
    fn next_message(&mut self) -> Option<Unread<T>> {
        if self.withdrawn {
            return None;
        }
        let message = self.messages.pop_front()?;
        (self.taken, self.is_reading) = (true, true);
        Some(message)
    }

    /// Notes that the method has taken the last item of a message. Returns how to tell the client about
    /// new room, if there is any.
    fn end_message(&mut self) -> Option<RoomNotice> {
        self.is_reading = false;
        if self.messages.is_empty() {
            self.credit = None;
            return self.held.take().map(|held| held.room);
        }
        // Only the held message is unread. Without credit now, its push is answered once the last of its
        // items is taken.
        let len = self.held.as_ref()?.len;
        if self.get_credit(len) { self.held.take().map(|held| held.room) } else { None }
    }

    /// Returns whether the method has taken all items and none can follow.
    fn has_ended(&mut self) -> bool {
        let has_ended = self.over && !self.withdrawn;
        self.taken |= has_ended;
        has_ended
    }

    /// Returns whether a push of `len` bytes may be answered while only its own items are unread.
    fn get_credit(&mut self, len: usize) -> bool {
        self.credit = None;
        self.credit = self.load.grant(len);
        self.credit.is_some()
    }
}

impl<T> Reader<T> {
    /// Returns the next item of the message that is being read.
    #[inline]
    fn here(&mut self) -> Option<T> {
        let item = self.items.pop_front()?;
        if self.items.is_empty() {
            self.end_message();
        }
        Some(item)
    }

    fn end_message(&self) {
        let room = lock(&self.state.items).end_message();
        room.into_iter().for_each(|room| self.state.tell_room(room));
    }

    /// Waits for the next message, and returns its first item.
    fn wait(&mut self) -> Option<T> {
        let mut items = lock(&self.state.items);
        loop {
            if let Some(message) = items.next_message() {
                drop(items);
                self.items = message;
                return self.here();
            }
            if items.has_ended() {
                return None;
            }
            if items.lost {
                drop(items);
                resume_unwind(Box::new("the client has gone before the end of its stream"));
            }
            items = wait(&self.state.changed, items, None);
        }
    }

    /// Completes with the first item of the next message.
    fn poll(&mut self, cx: &Context<'_>) -> Poll<Option<T>> {
        // Clone and drop wakers without the lock: that runs code of the user's.
        let reader = cx.waker().clone();
        let mut items = lock(&self.state.items);
        if let Some(message) = items.next_message() {
            drop(items);
            self.items = message;
            return Poll::Ready(self.here());
        }
        if items.has_ended() {
            return Poll::Ready(None);
        }
        let former = if items.lost { Some(reader) } else { items.reader.replace(reader) };
        drop(items);
        drop(former);
        Poll::Pending
    }
}

impl<T> Iterator for UploadIterator<T> {
    type Item = T;

    /// Returns the next item. If the client disconnects before its last item, this unwinds out of
    /// the method. Otherwise the method would mistake the received items for all items. If panics
    /// abort, a server with such a method does not start.
    #[inline]
    fn next(&mut self) -> Option<T> {
        self.0.here().or_else(|| self.0.wait())
    }
}

/// No field is pinned.
impl<T> Unpin for UploadStream<T> {}

impl<T> Stream for UploadStream<T> {
    type Item = T;

    /// Polls for the next item. If the client disconnects before its last item, the poll stays
    /// pending, and the method's future is dropped.
    #[inline]
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        match self.0.here() {
            Some(item) => Poll::Ready(Some(item)),
            None => self.0.poll(cx),
        }
    }
}

impl<T> Drop for Reader<T> {
    fn drop(&mut self) {
        let mut items = lock(&self.state.items);
        items.unwanted = true;
        let held = items.held.take();
        let unread = (std::mem::take(&mut items.messages), items.credit.take());
        drop(items);
        held.into_iter().for_each(|held| self.state.tell_unwanted(held.room));
        drop(unread);
    }
}

impl<T: UploadItem> HasSlot for UploadReceiverState<T> {
    fn slot(&self) -> &Slot {
        &self.slot
    }

    fn stream_cancel(&self) -> &Arc<StreamCancel> {
        &self.stream_cancel
    }

    fn finish(&self) {
        if self.slot.finish() {
            self.notices.tell(self.number, Notice::Answered);
        }
    }

    fn leave_unanswered(&self, unanswered: Unanswered) {
        match self.slot.leave_unanswered(unanswered) {
            LeftUnanswered::Kept => self.notices.tell(self.number, Notice::Answered),
            LeftUnanswered::Told(told) => ServerStreams::of(&told.session).forget(told.number),
            LeftUnanswered::Unheard => {}
        }
    }
}

impl<T> Drop for UploadReceiverState<T> {
    fn drop(&mut self) {
        self.stream_cancel.cut();
    }
}
