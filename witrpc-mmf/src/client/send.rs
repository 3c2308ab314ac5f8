//! Taking a lane, and space, and publishing a request.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};
use std::time::Instant;

use witrpc_transport::Lent;

use crate::link::head::{Head, Kind, LEASES};
use crate::link::lease::{Claim, End, trailer};
use crate::link::line::InlineWords;
use crate::link::message::{
    Body, ChannelError, DisconnectReason, Limit, Outgoing, Ticket, inline_words,
};
use crate::link::release::ReleaseTable;
use crate::link::{line, release, state};
use crate::memory::layout::{HIGH_WATER, INLINE_LEN, STATE, WANTS_SPACE, control};
use crate::memory::send_arena::{Purpose, Reserved};
use crate::memory::words::{Mapped, ReadWord};
use crate::sys::clock;

use super::Client;
use super::lanes::Looks;
use super::waiting::Waiting;

/// A send that is under way across the polls of a future. Dropping it gives the send up.
#[derive(Debug, Default)]
pub struct SendState {
    stage: SendStage,
    waiting: Waiting,
    /// What to tidy up on, once the send has touched a connection.
    client: Option<Arc<Client>>,
}

/// A lane on which nothing is sent yet. It is free again if that fails, or a body panics.
struct UnusedLane<'a> {
    client: &'a Client,
    lane: usize,
}

impl Drop for UnusedLane<'_> {
    fn drop(&mut self) {
        self.client.free_lane(self.lane);
    }
}

#[derive(Debug, Default, Clone, Copy)]
enum SendStage {
    /// No lane yet.
    #[default]
    Start,
    /// A lane, and nothing on it.
    Lane(usize),
    /// No space for the first part, and no lane: whoever waits may never be polled again.
    Space,
    /// `written` bytes have been sent as segments, the last by `ticket`.
    Segments { ticket: Ticket, written: usize },
    /// The whole request has been published, or the send has failed.
    Done,
}

impl Client {
    /// Sends without ever waiting. `None` when no lane or no space is free, or the body needs
    /// segments: then [`poll_send`](Self::poll_send).
    ///
    /// # Errors
    ///
    /// [`ChannelError::TooLarge`], or that the connection is gone.
    #[inline]
    pub fn try_send(&self, message: Outgoing<'_>) -> Result<Option<Ticket>, ChannelError> {
        self.check_connected()?;
        let Some(lane) = self.take_unqueued() else { return Ok(None) };
        if let Body::Small { padded, len } = message.body
            && self.carriage.is_plain()
        {
            return Ok(Some(self.send_inline(lane, &message, padded, len)));
        }
        let unused = UnusedLane { client: self, lane };
        let sent = self.try_send_block(lane, message);
        if matches!(sent, Ok(Some(_))) {
            std::mem::forget(unused);
        }
        sent
    }

    #[inline]
    pub(super) fn check_connected(&self) -> Result<(), ChannelError> {
        self.check_sending(false)
    }

    /// Whether a request may be sent: while the server drains its calls, one that `continues` such a call.
    #[inline]
    pub(super) fn check_sending(&self, continues: bool) -> Result<(), ChannelError> {
        self.check_mapped()?;
        match self.lost.get() {
            Some(why) => Err(self.end(*why)),
            // What is sent now would arrive behind the server's last look, or keep it from one.
            None if !continues && self.is_drained() => Err(ChannelError::ShuttingDown),
            None => Ok(()),
        }
    }

    /// Whether the server takes nothing new. Relaxed: a request that it had found by then is
    /// answered all the same, and one that it never finds ends with the connection.
    #[inline]
    pub(super) fn is_drained(&self) -> bool {
        let state = self.server.word64(STATE).load(Relaxed);
        state == state::DRAINING || state == state::DRAINED
    }

    /// In a fork of the process that connected, nothing is mapped and no lock can be trusted.
    #[inline]
    pub(super) fn check_mapped(&self) -> Result<(), ChannelError> {
        if self.origin.is_forked() {
            return Err(ChannelError::Disconnected(DisconnectReason::Forked));
        }
        Ok(())
    }

    #[inline]
    fn send_inline(
        &self,
        lane: usize,
        message: &Outgoing<'_>,
        padded: &[u8; INLINE_LEN],
        len: usize,
    ) -> Ticket {
        debug_assert!(len <= INLINE_LEN);
        let head = self.head(lane, Kind::Inline, message, len);
        self.send_line(lane, head, &inline_words(padded), len.div_ceil(8))
    }

    /// The head of a line, of a message of so many bytes. Its deadline is put beside the lane.
    #[inline]
    pub(super) fn head(&self, lane: usize, kind: Kind, message: &Outgoing<'_>, len: usize) -> Head {
        if let Some(deadline) = message.deadline {
            self.write_deadline(lane, deadline);
        }
        Head::new(kind, message.tag, len as u32).with_deadline(message.deadline.is_some())
    }

    /// Relaxed: it stands before the line that speaks of it is published.
    #[cold]
    fn write_deadline(&self, lane: usize, deadline: Instant) {
        let word = self.layout.control_word(lane, control::DEADLINE);
        self.own.word64(word).store(clock::nanos_at(deadline), Relaxed);
    }

    /// Publishes the first line of a call.
    #[inline]
    pub(super) fn send_line(
        &self,
        lane: usize,
        head: Head,
        inline: &InlineWords,
        used: usize,
    ) -> Ticket {
        let private = self.lanes.get(lane);
        let seq = private.next_seq();
        private.set_looks(Looks::NotGranted);
        self.raise_high_water(lane);
        self.publish(lane, seq, head, inline, used);
        Ticket { lane: lane as u32, seq }
    }

    /// Publishes a line and rings the server if it sleeps.
    #[inline]
    pub(super) fn publish(
        &self,
        lane: usize,
        seq: u64,
        head: Head,
        inline: &InlineWords,
        used: usize,
    ) {
        line::publish::<Mapped>(self.request_line(lane), seq, head.to_word(), inline, used);
        self.ring_if_asleep();
    }

    /// Says how far the server has to scan. Stands before the line is published, and never falls.
    #[inline]
    fn raise_high_water(&self, lane: usize) {
        let high_water = self.own.word64(HIGH_WATER);
        if high_water.load(Relaxed) <= lane as u64 {
            high_water.fetch_max(lane as u64 + 1, Relaxed);
        }
    }

    fn try_send_block(
        &self,
        lane: usize,
        message: Outgoing<'_>,
    ) -> Result<Option<Ticket>, ChannelError> {
        if let Body::Leasing { body, leases } = message.body {
            return self.leasing(message, body, leases, |message| match message.body {
                Body::Small { padded, len } => {
                    Ok(Some(self.send_inline(lane, &message, padded, len)))
                }
                _ => self.try_send_block(lane, message),
            });
        }
        let len = self.check_len(&message)?;
        if let Some(sent) = self.send_inline_sealed(lane, &message)? {
            return Ok(Some(sent));
        }
        if len > self.carriage.longest_whole(&self.outbox) {
            return Ok(None);
        }
        let room = self.carriage.block_len(len);
        let Some(mut block) = self.reserve(room, Purpose::Begin) else { return Ok(None) };
        let head = self.head(lane, Kind::Block, &message, len);
        self.fill(lane, head, &message.body, 0, len, &mut block)?;
        Ok(Some(self.send_block(lane, head, block, 0)))
    }

    /// Has `send` send a body with what says which leases it takes along. They are the server's once
    /// the whole is published.
    fn leasing(
        &self,
        message: Outgoing<'_>,
        body: &Body<'_>,
        leases: &[Lent],
        send: impl FnOnce(Outgoing<'_>) -> Result<Option<Ticket>, ChannelError>,
    ) -> Result<Option<Ticket>, ChannelError> {
        let sent = trailer::with_leases(*body, leases, |body| {
            let (len, max) = (body.len(), self.outbox.largest_block());
            if len > max {
                return Err(ChannelError::TooLarge { len, max });
            }
            send(Outgoing { tag: message.tag | LEASES, body, ..message })
        });
        if let Ok(Some(_)) = sent {
            leases.iter().for_each(|lent| Claim::of(lent).commit());
        }
        sent
    }

    /// Writes `len` bytes of a body from `start` on into their block.
    fn fill(
        &self,
        lane: usize,
        head: Head,
        body: &Body<'_>,
        start: usize,
        len: usize,
        block: &mut Reserved<'_>,
    ) -> Result<(), ChannelError> {
        let write = |offset: usize, out: &mut [u8]| body.write_at(start + offset, out);
        let block = self.own.block_mut(block.block_mut());
        self.carriage.fill(lane, head, len, write, block).map_err(|spent| self.keys_spent(spent))
    }

    fn check_len(&self, message: &Outgoing<'_>) -> Result<usize, ChannelError> {
        let len = message.body.len();
        if len > self.max_message_len {
            return Err(ChannelError::TooLarge { len, max: self.max_message_len });
        }
        Ok(len)
    }

    fn reserve(&self, len: usize, purpose: Purpose) -> Option<Reserved<'_>> {
        let slots = self.server.words32(self.layout.server_release(), self.layout.granules());
        self.outbox.reserve(len, purpose, &ReleaseTable::<Mapped> { slots })
    }

    /// Publishes a block, or a segment that begins at `start` in its message.
    fn send_block(&self, lane: usize, head: Head, block: Reserved<'_>, start: usize) -> Ticket {
        let [place, len] = block.lend();
        let used = if head.kind == Kind::Segment { 3 } else { 2 };
        self.send_line(lane, head, &[place, len, start as u64, 0, 0, 0], used)
    }

    /// Sends, waiting for a lane, for space and for segments to be taken. To be polled with the
    /// same `sending` and an equal message until it is ready.
    pub fn poll_send(
        self: &Arc<Self>,
        cx: &mut Context<'_>,
        sending: &mut SendState,
        message: Outgoing<'_>,
        limit: &mut Limit,
    ) -> Poll<Result<Ticket, ChannelError>> {
        if let Body::Leasing { body, leases } = message.body {
            let sent = self.leasing(message, body, leases, |message| {
                match self.poll_send(cx, sending, message, limit) {
                    Poll::Ready(sent) => sent.map(Some),
                    Poll::Pending => Ok(None),
                }
            });
            return sent.transpose().map_or(Poll::Pending, Poll::Ready);
        }
        if sending.client.is_none() {
            sending.client = Some(Arc::clone(self));
        }
        loop {
            let step = match sending.stage {
                SendStage::Start => self.poll_lane(cx, sending, &message, limit),
                SendStage::Lane(lane) => self.send_first(sending, lane, &message),
                SendStage::Space => self.poll_first_space(cx, sending, &message, limit),
                SendStage::Segments { ticket, written } => {
                    self.poll_segment(cx, sending, ticket, written, &message, limit)
                }
                SendStage::Done => unreachable!("a send that is over is not polled again"),
            };
            match step {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(None)) => {}
                Poll::Ready(Ok(Some(ticket))) => {
                    sending.stage = SendStage::Done;
                    return Poll::Ready(Ok(ticket));
                }
                Poll::Ready(Err(error)) => {
                    sending.give_up();
                    return Poll::Ready(Err(error));
                }
            }
        }
    }

    /// Waits for a lane.
    fn poll_lane(
        self: &Arc<Self>,
        cx: &mut Context<'_>,
        sending: &mut SendState,
        message: &Outgoing<'_>,
        limit: &mut Limit,
    ) -> Poll<Result<Option<Ticket>, ChannelError>> {
        self.check_len(message)?;
        self.poll_free_lane(cx, &mut sending.waiting, limit).map_ok(|lane| {
            sending.stage = SendStage::Lane(lane);
            None
        })
    }

    /// Sends all of a message without leases on a lane of the caller's, waiting for space.
    pub(super) fn poll_send_whole(
        &self,
        cx: &mut Context<'_>,
        lane: usize,
        waiting: &mut Waiting,
        message: &Outgoing<'_>,
    ) -> Poll<Result<Ticket, ChannelError>> {
        if let Body::Small { padded, len } = message.body
            && self.carriage.is_plain()
        {
            return Poll::Ready(Ok(self.send_inline(lane, message, padded, len)));
        }
        if let Some(sent) = self.send_inline_sealed(lane, message)? {
            return Poll::Ready(Ok(sent));
        }
        let (len, max) = (self.check_len(message)?, self.carriage.longest_whole(&self.outbox));
        if len > max {
            return Poll::Ready(Err(ChannelError::TooLarge { len, max }));
        }
        let room = self.carriage.block_len(len);
        let space = self.poll_space(cx, waiting, room, Purpose::Begin, &mut Limit::Never);
        let mut block = std::task::ready!(space)?;
        let head = self.head(lane, Kind::Block, message, len);
        self.fill(lane, head, &message.body, 0, len, &mut block)?;
        Poll::Ready(Ok(self.send_block(lane, head, block, 0)))
    }

    /// Publishes all of the request, or its first segment, unless there is no space for that.
    fn send_first(
        &self,
        sending: &mut SendState,
        lane: usize,
        message: &Outgoing<'_>,
    ) -> Poll<Result<Option<Ticket>, ChannelError>> {
        if let Body::Small { padded, len } = message.body
            && self.carriage.is_plain()
        {
            return Poll::Ready(Ok(Some(self.send_inline(lane, message, padded, len))));
        }
        if let Some(sent) = self.send_inline_sealed(lane, message)? {
            return Poll::Ready(Ok(Some(sent)));
        }
        let total = message.body.len();
        let len = self.first_len(total);
        let whole = len == total;
        let room = self.carriage.block_len(len);
        let Some(mut block) = self.reserve(room, Purpose::Begin) else {
            self.free_lane(lane);
            sending.stage = SendStage::Space;
            return Poll::Ready(Ok(None));
        };
        let kind = if whole { Kind::Block } else { Kind::Segment };
        let head = self.head(lane, kind, message, total);
        self.fill(lane, head, &message.body, 0, len, &mut block)?;
        let ticket = self.send_block(lane, head, block, 0);
        if whole {
            return Poll::Ready(Ok(Some(ticket)));
        }
        sending.stage = SendStage::Segments { ticket, written: len };
        Poll::Ready(Ok(None))
    }

    /// How much of so many bytes goes first.
    fn first_len(&self, total: usize) -> usize {
        if total <= self.carriage.longest_whole(&self.outbox) {
            total
        } else {
            self.carriage.longest_segment(&self.outbox)
        }
    }

    /// Waits until there is space for the first part, and begins anew.
    fn poll_first_space(
        &self,
        cx: &mut Context<'_>,
        sending: &mut SendState,
        message: &Outgoing<'_>,
        limit: &mut Limit,
    ) -> Poll<Result<Option<Ticket>, ChannelError>> {
        let room = self.carriage.block_len(self.first_len(message.body.len()));
        let found = std::task::ready!(self.poll_space(
            cx,
            &mut sending.waiting,
            room,
            Purpose::Begin,
            limit
        ))?;
        drop(found);
        sending.stage = SendStage::Start;
        Poll::Ready(Ok(None))
    }

    /// Waits until a segment has been taken, and sends the next.
    fn poll_segment(
        self: &Arc<Self>,
        cx: &mut Context<'_>,
        sending: &mut SendState,
        ticket: Ticket,
        written: usize,
        message: &Outgoing<'_>,
        limit: &mut Limit,
    ) -> Poll<Result<Option<Ticket>, ChannelError>> {
        let lane = ticket.lane as usize;
        std::task::ready!(self.poll_line(cx, lane, ticket.seq, limit))?;
        if !self.segment_taken(lane) {
            // An answer before the end, say a refusal: the caller takes it as any other.
            return Poll::Ready(Ok(Some(ticket)));
        }
        let total = message.body.len();
        let len = self.carriage.longest_segment(&self.outbox).min(total - written);
        let room = self.carriage.block_len(len);
        let waiting = &mut sending.waiting;
        let mut block =
            std::task::ready!(self.poll_space(cx, waiting, room, Purpose::Continue, limit))?;
        let head = self.head(lane, Kind::Segment, message, total);
        self.fill(lane, head, &message.body, written, len, &mut block)?;
        let ticket = self.send_block(lane, head, block, written);
        if written + len == total {
            return Poll::Ready(Ok(Some(ticket)));
        }
        sending.stage = SendStage::Segments { ticket, written: written + len };
        Poll::Ready(Ok(None))
    }

    /// Whether the response that stands on the lane says that a segment has been taken.
    fn segment_taken(&self, lane: usize) -> bool {
        let copied = line::copy_out::<Mapped>(self.response_line(lane));
        Head::from_word(copied.head).is_some_and(|head| head.kind == Kind::Next)
    }

    fn poll_space(
        &self,
        cx: &mut Context<'_>,
        waiting: &mut Waiting,
        len: usize,
        purpose: Purpose,
        limit: &mut Limit,
    ) -> Poll<Result<Reserved<'_>, ChannelError>> {
        self.poll_for_space(cx, waiting, limit, || {
            let wants_space = self.own.word64(WANTS_SPACE);
            release::find_or_ask(&self.space_epochs, wants_space, || self.reserve(len, purpose))
        })
    }
}

impl SendState {
    /// Says whether the request belongs to a call that has begun: a server that drains its calls takes
    /// it still.
    pub fn set_continues(&mut self, continues: bool) {
        self.waiting.continues = continues;
    }

    /// Leaves the queues, and the lane if there is one.
    fn give_up(&mut self) {
        let Some(client) = self.client.take() else { return };
        if client.origin.is_forked() {
            return;
        }
        client.end_wait(&mut self.waiting);
        match std::mem::replace(&mut self.stage, SendStage::Done) {
            // It may have found space and let go of it, to wait for a lane. Others may have looked for
            // that space in between.
            SendStage::Start | SendStage::Space => client.space_returned(),
            SendStage::Done => {}
            SendStage::Lane(lane) => client.free_lane(lane),
            SendStage::Segments { ticket, .. } => client.abandon_owned(ticket),
        }
    }
}

impl Drop for SendState {
    fn drop(&mut self) {
        self.give_up();
    }
}
