//! Writes answers, without ever waiting for the client.
//!
//! A short answer travels in the response line or in the lane's buffer, a longer one in a block of the
//! server's arena. An
//! answer that finds no space, or is too long for a block, is kept in private memory and counted
//! for its connection. It is sent when the client has released blocks, or in segments that the
//! client fetches one by one.
//!
//! Answers that wait for space are sent in their order. Two kinds overtake them:
//!
//! - Segments that the client has requested. The space in front of them may be held by answers
//!   which a caller fetches only after this one. The spare of the
//!   [`send_arena`](crate::memory::send_arena) is reserved for segments.
//! - Short answers: so short that those of all lanes together leave most of the arena to longer
//!   ones. A client need not fetch answers in order, so one that waits for others to be fetched
//!   must not block every other call.
//!
//! The arena may be full of answers that are not fetched at present. While an answer finds no
//! space, the client is rung, and moves them: see [`space_wanted`](super::space_wanted).
//!
//! An answer with leases fits its line. So no answer waits here with leases, which would keep the
//! connection that keeps the answer.

use std::borrow::Borrow;
use std::sync::MutexGuard;
use std::sync::atomic::Ordering::Relaxed;

use witrpc_rt::lock;
use witrpc_transport::{Body, ChannelError, Lent, Outgoing, Short, ShortAnswer, Ticket};

use crate::link::ready_line::ReadyLine;
use crate::link::release;
use crate::link::sealed::KeysExhausted;
use crate::link::sender::with_leases;
use crate::memory::layout::{INLINE_LEN, Layout, WANTS_SPACE, line};
use crate::memory::send_arena::Purpose;
use crate::memory::words::Mapped;
use crate::wakeup::futex;
use crate::wakeup::park;

use super::answer_queue::{AnswerQueue, Outbound};
use super::connection::{Connection, ServerLane};
use super::inbound::Broken;
use super::space_wanted::SpaceWanted;

impl Connection {
    /// Answers a call. To be called once for each request, from any thread.
    ///
    /// # Errors
    ///
    /// [`ChannelError::TooLarge`]: the call is still unanswered. [`ChannelError::PeerDied`]: the
    /// client is gone.
    #[inline]
    pub fn answer(&self, ticket: Ticket, answer: Outgoing<'_>) -> Result<(), ChannelError> {
        if !self.is_connected() {
            return Err(ChannelError::PeerDied);
        }
        // An answer has no deadline, so its head must not have the flag for one.
        let answer = Outgoing::new(answer.tag, answer.body);
        if let Body::Leasing { body, leases } = answer.body {
            return self.answer_leasing(ticket, answer, body, leases);
        }
        let len = self.half.check_len(&answer)?;
        if let Some(line) = self.fill_without_block(ticket, &answer)? {
            self.respond(ticket, &line);
            return Ok(());
        }
        self.answer_large(ticket, answer, len)
    }

    /// Answers a call with a short message.
    ///
    /// # Errors
    ///
    /// [`ChannelError::PeerDied`]: the client is gone.
    #[inline]
    pub fn answer_short(&self, ticket: Ticket, answer: &ShortAnswer) -> Result<(), ChannelError> {
        if self.half.codec.is_plain() && self.is_connected() {
            self.respond(ticket, &ReadyLine::short(answer.tag, &answer.body));
            return Ok(());
        }
        self.answer_sealed(ticket, answer)
    }

    /// Does [`answer_short`](Self::answer_short) where messages are sealed.
    #[inline(never)]
    fn answer_sealed(&self, ticket: Ticket, answer: &ShortAnswer) -> Result<(), ChannelError> {
        let lane = ticket.lane as usize;
        if self.half.codec.fits_line(answer.body.len()) && self.is_connected() {
            let line = ReadyLine::short(answer.tag, answer.body);
            if let Some(line) = self.half.codec.seal_short(lane, line).map_err(unheard)? {
                self.respond(ticket, &line);
                return Ok(());
            }
        }
        self.answer(ticket, answer.outgoing())
    }

    /// Answers a call with a body and the descriptions of its leases, all in the line.
    #[cold]
    fn answer_leasing(
        &self,
        ticket: Ticket,
        answer: Outgoing<'_>,
        body: &Body<'_>,
        leases: &[Lent],
    ) -> Result<(), ChannelError> {
        let respond = |answer: Outgoing<'_>| {
            let line = self.fill_without_block(ticket, &answer)?;
            self.respond(
                ticket,
                &line.expect("a message of at most `INLINE_LEN` bytes is in its line"),
            );
            Ok(Some(()))
        };
        with_leases(answer, body, leases, INLINE_LEN, respond).map(drop)
    }

    /// Returns the line of an answer that needs no block.
    fn fill_without_block(
        &self,
        ticket: Ticket,
        answer: &Outgoing<'_>,
    ) -> Result<Option<ReadyLine>, ChannelError> {
        self.half.fill_without_block(ticket.lane as usize, answer).map_err(unheard)
    }

    fn answer_large(
        &self,
        ticket: Ticket,
        answer: Outgoing<'_>,
        len: usize,
    ) -> Result<(), ChannelError> {
        let (half, number) = (&self.half, ticket.lane as usize);
        let part = half.part(0, len);
        if part.is_last()
            && self.need_not_queue(len)
            && let Some(line) = half.try_fill(number, &answer, part).map_err(unheard)?
        {
            self.respond_block(ticket, &line);
            return Ok(());
        }
        let mut bytes = vec![0; len];
        answer.body.write_at(0, &mut bytes);
        let lane = &self.lanes[number];
        // Only a client that breaks the rules has left something: at most one message is held for
        // each lane.
        self.drop_large(lane);
        self.hold(len);
        let outbound = Outbound { ticket, tag: answer.tag, bytes, sent: 0 };
        *lane.outbound() = Some(outbound);
        if !self.is_connected() {
            // `let_go` may have run before.
            self.drop_outbound(lane);
            return Err(ChannelError::PeerDied);
        }
        self.queue_answer(ticket.lane, Purpose::Begin);
        Ok(())
    }

    /// Returns whether an answer of `len` bytes overtakes those that wait, or no answer waits.
    fn need_not_queue(&self, len: usize) -> bool {
        let short = self.half.layout.arena_len() / 4 / self.lanes.len();
        len <= short || self.queue().begin.is_empty()
    }

    /// Sends the next segment of an answer, which the client requests after it has taken the one
    /// before.
    pub(super) fn send_next(&self, ticket: Ticket) -> Result<(), Broken> {
        match &mut *self.lanes[ticket.lane as usize].outbound() {
            Some(outbound) if outbound.sent > 0 => outbound.ticket = ticket,
            _ => return Err(Broken("a request for a segment of no answer")),
        }
        self.queue_answer(ticket.lane, Purpose::Continue);
        Ok(())
    }

    /// Drops the answer that is held for a lane, if there is one.
    pub(super) fn drop_outbound(&self, lane: &ServerLane) {
        if let Some(outbound) = lane.outbound().take() {
            self.unhold(outbound.bytes.len());
        }
    }

    /// Returns whether no answer is held in private memory.
    pub(super) fn has_delivered(&self) -> bool {
        self.lanes.iter().all(|lane| lane.outbound().is_none())
    }

    /// Queues the answer that is in private memory for `lane`, and sends what there is space for.
    fn queue_answer(&self, lane: u32, purpose: Purpose) {
        self.queue().of(purpose).push_back(lane);
        self.flush_queue();
    }

    /// Sends the answers that wait, as far as there is space. Requests a ring when more space is
    /// released, if answers are left.
    pub(super) fn flush_queue(&self) {
        let mut queue = self.queue();
        self.space_wanted.relieve();
        for purpose in [Purpose::Continue, Purpose::Begin] {
            let lanes = queue.of(purpose);
            while let Some(&lane) = lanes.front() {
                let wants_space = self.half.own.head_word(WANTS_SPACE);
                let send = || self.send_outbound(lane).then_some(());
                if release::find_or_ask(&self.space_epochs, wants_space, send).is_none() {
                    break;
                }
                lanes.pop_front();
            }
        }
        let is_left = !(queue.begin.is_empty() && queue.go_on.is_empty());
        if is_left {
            self.check_arena();
            self.space_wanted.leave();
        }
        drop(queue);
        if is_left {
            SpaceWanted::<Mapped>::announce(|| self.half.doorbell.ring());
        }
    }

    /// Empties the queue, because the client is gone.
    pub(super) fn forget_queue(&self) {
        *self.queue() = AnswerQueue::default();
    }

    fn queue(&self) -> MutexGuard<'_, AnswerQueue> {
        lock(&self.queue)
    }

    /// Sends an answer from private memory, or its next segment. Returns `false` if there is no
    /// space.
    fn send_outbound(&self, lane: u32) -> bool {
        let mut slot = self.lanes[lane as usize].outbound();
        // The client has discarded it meanwhile.
        let Some(outbound) = &mut *slot else { return true };
        let total = outbound.bytes.len();
        let half = &self.half;
        let part = half.part(outbound.sent, total);
        let body = Body::Large(outbound);
        let answer = Outgoing::new(outbound.tag, body);
        let line = match half.try_fill(lane as usize, &answer, part) {
            Ok(Some(line)) => line,
            Ok(None) => return false,
            // The answer cannot be delivered.
            Err(KeysExhausted) => return true,
        };
        let ticket = outbound.ticket;
        outbound.sent = part.end();
        if part.is_last() {
            *slot = None;
            self.unhold(total);
        }
        drop(slot);
        self.respond_block(ticket, &line);
        true
    }

    /// Publishes a block or a segment.
    fn respond_block(&self, ticket: Ticket, line: &ReadyLine) {
        self.respond(ticket, line);
        // After the fence with which `respond` follows every response.
        if self.space_wanted.is_there_after_fence() {
            self.half.doorbell.ring();
        }
    }

    /// Publishes a response and wakes what sleeps on it.
    #[inline]
    pub(super) fn respond(&self, ticket: Ticket, ready: &ReadyLine<impl Borrow<Short>>) {
        let lane = ticket.lane as usize;
        // Before the response: the thread that sees the next request on the lane must see this.
        self.seqs(lane).answered.store(ticket.seq, Relaxed);
        let line = self.response_line(lane);
        ready.publish(line, ticket.seq);
        let bit = Layout::lane_bit(lane);
        let to_wake = park::what_to_wake(self.wait_line(lane), bit, self.wake_request(lane));
        if to_wake.caller {
            futex::wake_own(&line[line::SEQ]);
        }
        if to_wake.link {
            self.half.doorbell.ring();
        }
    }
}

/// The answer cannot be delivered: the client's next use of the lane ends the connection.
fn unheard(KeysExhausted: KeysExhausted) -> ChannelError {
    ChannelError::PeerDied
}
