//! Sends across the polls of a future, which waits for a lane, for space, and for the server to
//! take segments.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use witrpc_transport::{Body, ChannelError, Limit, Outgoing, Ticket};

use crate::link::head::{Head, LineKind};
use crate::link::lease::End;
use crate::link::sender::{Part, with_leases};
use crate::link::{line, release};
use crate::memory::layout::WANTS_SPACE;
use crate::memory::send_arena::Reserved;
use crate::memory::words::Mapped;

use super::Client;
use super::waiting::Waiting;

/// A send in progress, across the polls of a future. Dropping it gives the send up.
#[derive(Debug, Default)]
pub struct SendState {
    stage: SendStage,
    waiting: Waiting,
    /// The client whose queues and lane the send may hold. Set by the first poll.
    client: Option<Arc<Client>>,
}

#[derive(Debug, Default, Clone, Copy)]
enum SendStage {
    /// It has no lane yet.
    #[default]
    Start,
    /// It holds a lane, and has published nothing on it.
    Lane(usize),
    /// There is no space for the first part. It holds no lane meanwhile, because its future may
    /// never be polled again.
    Space,
    /// `written` bytes have been sent as segments, the last by `ticket`.
    Segments { ticket: Ticket, written: usize },
    /// The whole request has been published, or the send has failed.
    Done,
}

impl Client {
    /// Sends a message. Waits for a lane, for space, and for the server to take each segment but
    /// the last. Poll it with the same `sending` and an equal message until it is ready.
    ///
    /// # Errors
    ///
    /// [`ChannelError::TooLarge`]. [`ChannelError::NoFreeLane`], [`ChannelError::NoSpace`] or
    /// [`ChannelError::TimedOut`] when `limit` has passed. Or the reason why the connection is
    /// gone.
    pub fn poll_send(
        self: &Arc<Self>,
        cx: &mut Context<'_>,
        sending: &mut SendState,
        message: Outgoing<'_>,
        limit: &mut Limit,
    ) -> Poll<Result<Ticket, ChannelError>> {
        if let Body::Leasing { body, leases } = message.body {
            let max = self.half.send_arena.largest_block();
            let sent = with_leases(message, body, leases, max, |message| {
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
        self.half.check_len(message)?;
        self.poll_free_lane(cx, &mut sending.waiting, limit).map_ok(|lane| {
            sending.stage = SendStage::Lane(lane);
            None
        })
    }

    /// Sends a message without leases in one piece, on a lane that the caller holds. Waits for
    /// space.
    pub(super) fn poll_send_whole(
        &self,
        cx: &mut Context<'_>,
        lane: usize,
        waiting: &mut Waiting,
        message: &Outgoing<'_>,
    ) -> Poll<Result<Ticket, ChannelError>> {
        if let Some(sent) = self.send_without_block(lane, message)? {
            return Poll::Ready(Ok(sent));
        }
        let part = self.half.whole(message)?;
        let block = ready!(self.poll_space(cx, waiting, part, &mut Limit::Never))?;
        Poll::Ready(self.send_part(lane, message, part, block))
    }

    /// Publishes the whole request, or its first segment. Frees the lane and goes on to
    /// [`SendStage::Space`] if there is no space.
    fn send_first(
        &self,
        sending: &mut SendState,
        lane: usize,
        message: &Outgoing<'_>,
    ) -> Poll<Result<Option<Ticket>, ChannelError>> {
        if let Some(sent) = self.send_without_block(lane, message)? {
            return Poll::Ready(Ok(Some(sent)));
        }
        let part = self.half.part(0, message.body.len());
        let Some(block) = self.half.reserve(part) else {
            self.free_lane(lane);
            sending.stage = SendStage::Space;
            return Poll::Ready(Ok(None));
        };
        let ticket = self.send_part(lane, message, part, block)?;
        Poll::Ready(Ok(sending.after(part, ticket)))
    }

    /// Waits until there is space for the first part, then starts again by taking a lane.
    fn poll_first_space(
        &self,
        cx: &mut Context<'_>,
        sending: &mut SendState,
        message: &Outgoing<'_>,
        limit: &mut Limit,
    ) -> Poll<Result<Option<Ticket>, ChannelError>> {
        let part = self.half.part(0, message.body.len());
        let found = ready!(self.poll_space(cx, &mut sending.waiting, part, limit))?;
        drop(found);
        sending.stage = SendStage::Start;
        Poll::Ready(Ok(None))
    }

    /// Waits until the server has taken a segment, and sends the next.
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
        ready!(self.poll_line(cx, lane, ticket.seq, limit))?;
        if !self.segment_taken(lane) {
            // The server answered before it had the whole request, for example with a refusal. The
            // caller takes that answer like any other.
            return Poll::Ready(Ok(Some(ticket)));
        }
        let part = self.half.part(written, message.body.len());
        let block = ready!(self.poll_space(cx, &mut sending.waiting, part, limit))?;
        let ticket = self.send_part(lane, message, part, block)?;
        Poll::Ready(Ok(sending.after(part, ticket)))
    }

    /// Returns whether the response on the lane says that a segment has been taken.
    fn segment_taken(&self, lane: usize) -> bool {
        let copied = line::copy_out::<Mapped>(self.response_line(lane));
        Head::from_word(copied.head).is_some_and(|head| head.kind == LineKind::Next)
    }

    /// Waits until there is space for a part.
    fn poll_space(
        &self,
        cx: &mut Context<'_>,
        waiting: &mut Waiting,
        part: Part,
        limit: &mut Limit,
    ) -> Poll<Result<Reserved<'_>, ChannelError>> {
        self.poll_for_space(cx, waiting, limit, || {
            let wants_space = self.half.own.head_word(WANTS_SPACE);
            release::find_or_ask(&self.space_epochs, wants_space, || self.half.reserve(part))
        })
    }
}

impl SendState {
    /// Sets whether the request continues a call that has begun, which a draining server still
    /// takes.
    pub fn set_continues(&mut self, continues: bool) {
        self.waiting.continues = continues;
    }

    /// Records that `part` was published by `ticket`. Returns the ticket if the part was the last.
    fn after(&mut self, part: Part, ticket: Ticket) -> Option<Ticket> {
        if part.is_last() {
            return Some(ticket);
        }
        self.stage = SendStage::Segments { ticket, written: part.end() };
        None
    }

    /// Leaves the queues, and frees or abandons the lane if there is one.
    fn give_up(&mut self) {
        let Some(client) = self.client.take() else { return };
        if client.half.origin.is_forked() {
            return;
        }
        client.end_wait(&mut self.waiting);
        match std::mem::replace(&mut self.stage, SendStage::Done) {
            // It may have found space and given it back, to wait for a lane. Other tasks may have
            // looked for that space in between, so wake them.
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
