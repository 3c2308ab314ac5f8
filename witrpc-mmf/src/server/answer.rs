//! Writing answers, without ever waiting for the client.
//!
//! A short answer travels in the response line, a longer one in a block of our arena. One that finds
//! no space, or is too long for a block, stays in private memory, charged to its connection: it is
//! sent when the client has released blocks, and in segments that the client fetches one by one.

use std::collections::VecDeque;
use std::sync::PoisonError;
use std::sync::atomic::Ordering::Relaxed;

use super::connection::{Connection, Lane};
use super::inbound::Broken;
use crate::arena::Block;
use crate::futex;
use crate::head::{Head, Kind};
use crate::layout::{INLINE_LEN, Layout, WANTS_SPACE, line};
use crate::line::{self as lines, InlineWords};
use crate::message::{Body, ChannelError, Outgoing, Ticket, inline_words};
use crate::park;
use crate::release;
use crate::words::Mapped;

/// An answer in private memory.
#[derive(Debug)]
pub(super) struct Outbound {
    /// The line to answer: the call itself, then each request for a further segment.
    ticket: Ticket,
    tag: u32,
    bytes: Vec<u8>,
    sent: usize,
}

/// Lanes whose answer waits for space, first come first served.
#[derive(Debug, Default)]
pub(super) struct Queue {
    lanes: VecDeque<u32>,
}

impl Connection {
    /// Answers a call. To be done once for each request, from any thread.
    ///
    /// # Errors
    ///
    /// [`ChannelError::TooLarge`]: the call is still unanswered. [`ChannelError::PeerDied`]: nobody
    /// is there to hear it.
    #[inline]
    pub fn answer(&self, ticket: Ticket, answer: Outgoing<'_>) -> Result<(), ChannelError> {
        if !self.is_connected() {
            return Err(ChannelError::PeerDied);
        }
        match answer.body {
            Body::Small { padded, len } => {
                debug_assert!(len <= INLINE_LEN);
                let head = Head::new(Kind::Inline, answer.tag, len as u32);
                self.respond(ticket, head, &inline_words(padded), len.div_ceil(8));
                Ok(())
            }
            Body::Large(_) => self.answer_large(ticket, answer),
        }
    }

    fn answer_large(&self, ticket: Ticket, answer: Outgoing<'_>) -> Result<(), ChannelError> {
        let len = answer.body.len();
        if len > self.max_message_len {
            return Err(ChannelError::TooLarge { len, max: self.max_message_len });
        }
        if len <= self.outbox.largest_block()
            && let Some(mut block) = self.outbox.reserve(len, &self.released())
        {
            answer.body.write_at(0, self.own.block_mut(&mut block));
            self.respond_block(ticket, Head::new(Kind::Block, answer.tag, len as u32), block, 0);
            return Ok(());
        }
        let mut bytes = vec![0; len];
        answer.body.write_at(0, &mut bytes);
        self.hold(len);
        let outbound = Outbound { ticket, tag: answer.tag, bytes, sent: 0 };
        *self.lanes[ticket.lane as usize].outbound() = Some(outbound);
        self.send_or_queue(ticket.lane);
        Ok(())
    }

    /// The client has taken a segment and asks for the next.
    pub(super) fn send_next(&self, ticket: Ticket) -> Result<(), Broken> {
        match &mut *self.lanes[ticket.lane as usize].outbound() {
            Some(outbound) if outbound.sent > 0 => outbound.ticket = ticket,
            _ => return Err(Broken("a request for a segment of no answer")),
        }
        self.send_or_queue(ticket.lane);
        Ok(())
    }

    pub(super) fn drop_outbound(&self, lane: &Lane) {
        if let Some(outbound) = lane.outbound().take() {
            self.unhold(outbound.bytes.len());
        }
    }

    /// Whether no answer is held in private memory.
    pub(super) fn has_delivered(&self) -> bool {
        self.lanes.iter().all(|lane| lane.outbound().is_none())
    }

    fn send_or_queue(&self, lane: u32) {
        if !self.send_outbound(lane) {
            let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
            queue.lanes.push_back(lane);
            drop(queue);
            self.flush_queue();
        }
    }

    /// Sends what waits for space, as far as there is any; asks to be rung for the rest.
    pub(super) fn flush_queue(&self) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(&lane) = queue.lanes.front() {
            let wants_space = self.own.word64(WANTS_SPACE);
            let send = || self.send_outbound(lane).then_some(());
            if release::find_or_ask(&self.space_epochs, wants_space, send).is_none() {
                return;
            }
            queue.lanes.pop_front();
        }
    }

    /// Sends an answer from private memory, or its next segment. `false` when there is no space.
    fn send_outbound(&self, lane: u32) -> bool {
        let mut slot = self.lanes[lane as usize].outbound();
        // Called off meanwhile.
        let Some(outbound) = &mut *slot else { return true };
        let total = outbound.bytes.len();
        let whole = outbound.sent == 0 && total <= self.outbox.largest_block();
        let len = if whole { total } else { self.outbox.segment_len().min(total - outbound.sent) };
        let Some(mut block) = self.outbox.reserve(len, &self.released()) else { return false };
        let start = outbound.sent;
        self.own.block_mut(&mut block).copy_from_slice(&outbound.bytes[start..start + len]);
        outbound.sent += len;
        let kind = if whole { Kind::Block } else { Kind::Segment };
        let (ticket, head) = (outbound.ticket, Head::new(kind, outbound.tag, total as u32));
        if outbound.sent == total {
            *slot = None;
            self.unhold(total);
        }
        drop(slot);
        self.respond_block(ticket, head, block, start);
        true
    }

    /// Publishes a block, or a segment that begins at `start` in its message.
    fn respond_block(&self, ticket: Ticket, head: Head, block: Block, start: usize) {
        let [place, len] = self.outbox.lend(block);
        let used = if head.kind == Kind::Segment { 3 } else { 2 };
        self.respond(ticket, head, &[place, len, start as u64, 0, 0, 0], used);
    }

    /// Publishes a response, and wakes whoever sleeps on it.
    #[inline]
    pub(super) fn respond(&self, ticket: Ticket, head: Head, inline: &InlineWords, used: usize) {
        let lane = ticket.lane as usize;
        // Before the response: whoever sees the request that follows it sees this.
        self.lanes[lane].answered.store(ticket.seq, Relaxed);
        let line = self.response_line(lane);
        lines::publish::<Mapped>(line, ticket.seq, head.to_word(), inline, used);
        let bit = Layout::lane_bit(lane);
        let to_wake = park::whom_to_wake(self.wait_line(lane), bit, self.rung(lane));
        if to_wake.caller {
            futex::wake_own(&line[line::SEQ]);
        }
        if to_wake.link {
            self.bell.ring();
        }
    }
}
